"""Sums over the features j = 1..v of smooth functions of j, in O(log v) (model section 4)."""

import math
from functools import lru_cache
from typing import NamedTuple

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

# Features with |kappa| p below 1/SMOOTH_RATIO or above SMOOTH_RATIO are interpolated. The nearest
# pole is then 7 half-widths off the interval's centre: the error is (7 + 48**0.5)**-14 = 1e-16.
SMOOTH_RATIO = 4.0
INTERPOLATION_NODES = 14
LEAST_REPLACED = 64  # features; for fewer it does not pay

FIRST_TAIL_FEATURE = 2.0**20
ANGLES = np.pi * (np.arange(INTERPOLATION_NODES) + 0.5) / INTERPOLATION_NODES
UNIT_NODES = np.sin(ANGLES / 2) ** 2
BARYCENTRIC_WEIGHTS = np.sin(ANGLES) * (-1.0) ** np.arange(INTERPOLATION_NODES)


@lru_cache(maxsize=65536)
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
        Number of features, up to 2**53. From 48 on it may be any real number: the rule then is
        the smooth continuation of the sum in v.

    Returns
    -------
    nodes, weights : arrays, shape (n,)
        ``sum_j f(j)`` is ``weights @ f(nodes)``; n grows with log v. Read-only.

    Raises
    ------
    ValueError
        If v is infinite, or not an integer below 48.
    """
    if v == math.inf:
        raise ValueError("the rule for infinitely many features is tail_rule")
    if v != math.floor(v) and v < EXACT_TERMS + GAUSS_NODES:
        raise ValueError(f"v = {v} must be an integer below {EXACT_TERMS + GAUSS_NODES}")
    done = min(float(v), float(EXACT_TERMS))
    nodes, weights = [np.arange(1.0, done + 1)], [np.ones(int(done))]
    ratio = np.exp(PANEL_WIDTH / max(alpha, 0.5))
    while done < v:
        end = min(float(v), max(np.floor(done * ratio), done + GAUSS_NODES))
        if v - GAUSS_NODES < end < v != np.floor(v):
            # Leave enough for a last panel with a fraction of a feature.
            end = np.floor(v) - GAUSS_NODES
            end = float(v) if end == done else end
        if end - done <= GAUSS_NODES and end == np.floor(end):
            nodes.append(np.arange(done + 1, end + 1))
            weights.append(np.ones(int(end - done)))
        else:
            x, w = gauss_sum_rule(end - done)
            nodes.append(done + 1 + x)
            weights.append(w)
        done = end
    return _read_only(np.concatenate(nodes), np.concatenate(weights))


@lru_cache(maxsize=4096)
def tail_rule(alpha: float, power: float, first: float) -> tuple[Array, Array]:
    """Nodes and weights for sums over the features ``j > first`` without end (2 alpha > 1).

    For summands ``j**-power / (1 + kappa j**2alpha)`` with ``|kappa| first**2alpha`` well above 1:
    a Gauss-Jacobi rule in ``t = (first/j)**2alpha``, in which the summand is a power of t times a
    smooth function. The sum stands for an integral from ``first + 1/2``; the error is of the
    relative order of ``first**-2``.

    Parameters
    ----------
    alpha : float
    power : float
        0 or 2 beta; ``power + 2 alpha > 1``.
    first : float
        The last feature that is not in the sum, at least 1e6.
    """
    from scipy.special import roots_jacobi

    exponent = (power - 1) / (2 * alpha)
    x, w = roots_jacobi(GAUSS_NODES, 0.0, exponent)
    t = (1 + x) / 2
    nodes = (first + 0.5) * t ** (-1 / (2 * alpha))
    # dx = (first + 1/2)/(2 alpha) t^(-1/(2 alpha) - 1) dt, of which t^exponent is in w.
    weights = (
        w * 0.5 ** (exponent + 1) * (first + 0.5) / (2 * alpha) * t ** (-power / (2 * alpha) - 1)
    )
    return _read_only(nodes, weights)


def _read_only(nodes: Array, weights: Array) -> tuple[Array, Array]:
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def power_sum(exponent: float, v: float) -> float:
    """Sum of ``j**-exponent`` over j = 1..v.

    Parameters
    ----------
    exponent : float
    v : float
        Number of terms as in :func:`feature_rule`; infinite where the exponent exceeds 1.

    Raises
    ------
    ValueError
        If the sum diverges.
    """
    if v == math.inf:
        if exponent <= 1:
            raise ValueError(f"the sum of j**-{exponent} over infinitely many j diverges")
        from scipy.special import zeta

        return float(zeta(exponent))
    nodes, weights = feature_rule(1.0, float(v))
    return float(weights @ nodes**-exponent)


class ShrinkageRule(NamedTuple):
    """Quadrature for sums over the features j of ``s_j = a_j/(a_j + kappa)`` times some factor.

    Attributes
    ----------
    powers : array, shape (n,)
        ``p = j**(2 alpha)`` at the nodes, where ``s = 1/(1 + kappa p)``.
    columns : array, shape (n, 3) or (n, 4)
        Weights of the sums of ``s``, ``b_j**2 s``, ``b_j**2 p s`` and, where v < 2 d, ``p s``.
    """

    powers: Array
    columns: Array

    def condensed(self, low: float, high: float) -> "ShrinkageRule":
        """Rule with fewer nodes for ``low <= |kappa| <= high``.

        Where ``|kappa| p`` is small s is a smooth function of p, and where it is large, 1/p times
        a smooth function of 1/p: there the nodes of Chebyshev interpolation replace the features.
        """
        near = self.powers * high < 1 / SMOOTH_RATIO
        far = self.powers * low > SMOOTH_RATIO
        if near.sum() + far.sum() < LEAST_REPLACED:
            return self
        powers, columns = [self.powers[~(near | far)]], [self.columns[~(near | far)]]
        if near.any():
            p = self.powers[near]
            powers.append(p.max() * UNIT_NODES)
            columns.append(transposed_interpolation(p / p.max(), self.columns[near]))
        if far.any():
            t = self.powers[far].min() / self.powers[far]
            powers.append(self.powers[far].min() / UNIT_NODES)
            weights = transposed_interpolation(t, t[:, None] * self.columns[far])
            columns.append(weights / UNIT_NODES[:, None])
        return ShrinkageRule(np.concatenate(powers), np.concatenate(columns))


def shrinkage_rule(alpha: float, beta: float, d: float, v: float) -> ShrinkageRule:
    """Rule for sums over the v features of a power-law task that d parameters filter.

    Parameters
    ----------
    alpha, beta : float
        Data and target complexity.
    d, v : float
        Numbers of parameters and features; v may be infinite where ``2 alpha > 1``.
    """
    if v < math.inf:
        j, weights = feature_rule(alpha, float(v))
        targets = weights * j ** (-2 * beta)
    else:
        # The tail needs nodes of its own for each of the two kinds of sums.
        first = float(np.ceil(max(FIRST_TAIL_FEATURE, 4 * d)))
        j, weights = feature_rule(alpha, first)
        targets = weights * j ** (-2 * beta)
        trace_j, trace_weights = tail_rule(alpha, 0.0, first)
        target_j, target_weights = tail_rule(alpha, 2 * beta, first)
        none = np.zeros(trace_j.size)
        j = np.concatenate([j, trace_j, target_j])
        weights = np.concatenate([weights, trace_weights, none])
        targets = np.concatenate([targets, none, target_weights * target_j ** (-2 * beta)])
    powers = j ** (2 * alpha)
    # Without a limit, sums of b_j^2 p s are of no use.
    columns = [weights, targets, targets * powers if 2 * beta > 1 else 0 * targets]
    if v < 2 * d:  # where df may be so close to d that 1 - df/d cancels
        columns.append(weights * powers)
    return ShrinkageRule(powers, np.stack(columns, axis=1))


def transposed_interpolation(t: Array, weights: Array) -> Array:
    """Weights at ``UNIT_NODES`` of sums with these weights over the points t in [0, 1]."""
    distances = t[:, None] - UNIT_NODES
    distances[distances == 0] = np.finfo(float).tiny
    basis = BARYCENTRIC_WEIGHTS / distances
    basis /= basis.sum(axis=1, keepdims=True)
    result: Array = basis.T @ weights
    return result
