"""Real nodes of a spectrum, W averaged out: modes for any training rule (model section 14).

Sums over the eigenvalues of a cell are integrals over a positive measure, whose Gauss rule follows
from its first moments. The rules of all cells are modes with real eigenvalues: unlike complex ones
they serve any sequence of steps that is stable for each eigenvalue.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from plrf.exact.cells import Cells
from plrf.exact.ridge import ConvergenceError
from plrf.model import Model

Array = NDArray[np.float64]

CONTOUR = 48  # nodes of the contour of a cell
MOST_LOST = 1e-3  # of the trace, relatively
LEAST_NORM = 1e-13  # of an orthogonal polynomial; below, moments do not tell it


@dataclass(frozen=True, eq=False)
class RealNodes:
    """Nodes of a spectrum.

    Attributes
    ----------
    points : array, shape (n,)
        Eigenvalues.
    signal, trace : arrays, shape (n,)
        Weights: ``sum signal phi`` is ``sum c_i**2 phi(lam_i)``, and ``sum trace phi`` is
        ``sum lam_i phi(lam_i)``.
    """

    points: Array
    signal: Array
    trace: Array

    def check(self, model: Model, most: float) -> None:
        """Check that they are those of the model.

        Raises
        ------
        ConvergenceError
            If some eigenvalue is not positive, or they do not sum up to Tr D to some accuracy.
        """
        lost = abs(self.trace.sum() / model.task.trace(model.v) - 1)
        if self.points.min() <= 0 or not lost <= most:
            raise ConvergenceError(f"real nodes at {model}: relative error of the trace {lost:.1e}")


@lru_cache(maxsize=8)  # trainings of many lengths are on the same
def real_nodes(model: Model, step: float, points: int, contour: int = CONTOUR) -> RealNodes:
    """Gauss rules of all cells of a spectrum.

    Parameters
    ----------
    model : Model
        With ``d < v``, finite.
    step : float
        Length of cells in log kappa.
    points : int
        Of the rule of a cell; a measure that is too narrow to tell has fewer.
    contour : int
        Nodes of the contour of a cell.

    Raises
    ------
    ConvergenceError
        If they are off by more than what coarse cells do, as at small d where v is close to it.
    """
    cells = Cells.of(model, step, contour)
    low, high = (cells.z.real.min(axis=1), cells.z.real.max(axis=1))
    centre, half = (low + high) / 2, (high - low) / 2
    scaled = (cells.z - centre[:, None]) / half[:, None]
    powers = [scaled**p for p in range(2 * points)]
    rules = []
    for transform in (cells.trace, cells.signal):
        moments = np.array([cells.integral(transform * power) for power in powers])
        there = moments[0] > cells.rounding(transform)
        own, weights = _gauss(moments[:, there])
        rules.append((centre[there, None] + half[there, None] * own, weights))
    (of_trace, trace), (of_signal, signal) = ([x.ravel() for x in rule] for rule in rules)
    nodes = RealNodes(
        np.concatenate([of_trace, of_signal]),
        np.concatenate([np.zeros_like(trace), signal]),
        np.concatenate([trace, np.zeros_like(signal)]),
    )
    used = (nodes.signal > 0) | (nodes.trace > 0)
    nodes = RealNodes(nodes.points[used], nodes.signal[used], nodes.trace[used])
    nodes.check(model, MOST_LOST)
    return nodes


def _gauss(moments: Array) -> tuple[Array, Array]:
    """Gauss rules of positive measures on [-1, 1] from their moments (Chebyshev's algorithm).

    Parameters
    ----------
    moments : array, shape (2 n, cells)

    Returns
    -------
    points, weights : arrays, shape (cells, n)
        Weights are zero where a measure has fewer points.
    """
    n = len(moments) // 2
    jacobi = np.zeros((moments.shape[1], n, n))
    jacobi[:, 0, 0] = moments[1] / moments[0]
    # Moments of p_k x^l, l >= k, with the orthogonal polynomials p_k.
    before, now, spread = np.zeros_like(moments), moments, np.zeros(moments.shape[1])
    told = np.full(spread.shape, True)
    for k in range(1, n):
        after = np.zeros_like(now)
        inner = slice(k, 2 * n - k)
        after[inner] = now[k + 1 : 2 * n - k + 1] - jacobi[:, k - 1, k - 1] * now[inner]
        after[inner] -= spread * before[inner]
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = after[k] / now[k - 1]
            mean = after[k + 1] / after[k] - now[k] / now[k - 1]
        told &= (after[k] > LEAST_NORM * moments[0]) & (spread <= 1) & (np.abs(mean) <= 1)
        spread = np.where(told, spread, 0.0)
        jacobi[:, k, k] = np.where(told, mean, jacobi[:, 0, 0])
        jacobi[:, k, k - 1] = jacobi[:, k - 1, k] = np.sqrt(spread)
        before, now = now, after
    points, vectors = np.linalg.eigh(jacobi)
    return points, moments[0][:, None] * vectors[:, 0] ** 2
