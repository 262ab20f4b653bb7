"""Sums over the features j = 1..v of smooth functions of j, in O(log v) (model section 4)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The first features are summed one by one; on the rest a panel [j, j'] carries a Gauss rule.
# With j'/j = exp(0.5/alpha) and 16 nodes the rule is exact to 1e-12 for 1/(1 + kappa j^2alpha)
# as long as kappa stays 30 degrees away from the negative real axis. Panels are no wider than at
# alpha = 1/2, so that powers of j such as j^-2beta stay exact as well.
EXACT_TERMS = 32
GAUSS_NODES = 16
PANEL_WIDTH = 0.5


def gauss_sum_rule(count: float) -> tuple[Array, Array]:
    """Gauss rule of the discrete uniform measure on 0, 1, ..., count - 1.

    ``sum(f(range(count)))`` equals ``weights @ f(nodes)`` for polynomials f of degree up to
    31: no Euler-Maclaurin corrections are needed. The Jacobi matrix of the Gram (discrete
    Chebyshev) polynomials is known in closed form; as ``count`` grows the rule tends to
    Gauss-Legendre.

    Parameters
    ----------
    count : float
        Number of integers, at least 16.

    Returns
    -------
    nodes, weights : arrays, shape (16,)
    """
    k = np.arange(1, GAUSS_NODES)
    off_diagonal = 0.5 * count * k * np.sqrt((1 - (k / count) ** 2) / (4.0 * k**2 - 1))
    jacobi = np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    offsets, vectors = np.linalg.eigh(jacobi)
    return (count - 1) / 2 + offsets, count * vectors[0] ** 2


@lru_cache(maxsize=4096)
def feature_rule(alpha: float, v: float) -> tuple[Array, Array]:
    """Nodes and weights for sums over the features ``j = 1, ..., v`` (model section 4).

    Parameters
    ----------
    alpha : float
        Data complexity; it sets how fast the summands vary in log j.
    v : float
        Number of features, an integer value up to 2**53.

    Returns
    -------
    nodes, weights : arrays, shape (n,)
        ``sum_j f(j)`` is ``weights @ f(nodes)``; n grows with log v. Read-only.
    """
    first = min(float(v), float(EXACT_TERMS))
    nodes, weights = [np.arange(1.0, first + 1)], [np.ones(int(first))]
    done = first
    ratio = np.exp(PANEL_WIDTH / max(alpha, 0.5))
    while done < v:
        end = min(float(v), max(np.floor(done * ratio), done + GAUSS_NODES))
        if end - done <= GAUSS_NODES:
            nodes.append(np.arange(done + 1, end + 1))
            weights.append(np.ones(int(end - done)))
        else:
            x, w = gauss_sum_rule(end - done)
            nodes.append(done + 1 + x)
            weights.append(w)
        done = end
    rule = np.concatenate(nodes), np.concatenate(weights)
    for array in rule:
        array.flags.writeable = False
    return rule


def power_sum(exponent: float, v: float) -> float:
    """Sum of ``j**-exponent`` over j = 1..v.

    Parameters
    ----------
    exponent : float
    v : float
        Number of terms, an integer value up to 2**53.
    """
    nodes, weights = feature_rule(1.0, float(v))
    return float(weights @ nodes**-exponent)
