"""A spectrum in groups of equal eigenvalues, W averaged out, at any size (model section 4).

Moments of the spectrum in its cells are contour integrals (`cells`).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plrf.exact.cells import Cells
from plrf.exact.ridge import DeterministicEquivalent
from plrf.model import Model

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

NODES = 20  # of the contour of a cell
LEAST_RATIO = 1.001
LEAST_SIZE = 500  # below it random W differ too much


@dataclass(frozen=True, eq=False)
class Groups:
    """Eigenvalues with multiplicities, and the target's mass on each; a `Spectrum`.

    Attributes
    ----------
    eigenvalues : array, shape (n,)
        Decreasing.
    multiplicities : array, shape (n,)
        At least 1; they need not be whole.
    signal : array, shape (n,)
        Sums of c_i**2.
    floor : float
        F0.
    noise : float
        Variance of the labels' noise.
    """

    eigenvalues: Array
    multiplicities: Array
    signal: Array
    floor: float
    noise: float = 0.0

    @property
    def coefficients(self) -> Array:
        """Roots of the signal: the length of the target's part in each group."""
        return np.sqrt(self.signal)

    def outer_trace(self, z: Array) -> Array:
        """Degrees of freedom ``sum m lam/(lam - z)`` at real z above all lam; NaN elsewhere."""
        z = np.asarray(z, dtype=float)
        trace = 1 / (self.eigenvalues - z[..., None]) @ (self.multiplicities * self.eigenvalues)
        return np.where(z > self.eigenvalues[0], trace, np.nan)

    def transforms(
        self, z: ComplexArray, near_zero: bool | NDArray[np.bool_] = False
    ) -> tuple[ComplexArray, ComplexArray]:
        """Transforms of forcing and kernel for contour inversion (model section 5).

        Parameters
        ----------
        z : complex array, any shape
        near_zero : bool or array of bool
            Has no effect here.
        """
        poles = 1 / (self.eigenvalues - z[..., None])
        kernel = z * (poles @ (self.multiplicities * self.eigenvalues))
        return poles @ self.signal - self.floor / z, kernel


def averaged_groups(model: Model, ratio: float = 1.03) -> Groups:
    """Group the spectrum of a model, W averaged out (model sections 4 and 11).

    The first eigenvalues are groups of one. The moments that decide on losses are kept: of each
    group the mass and its mean eigenvalue, and, up to the square of the group's width, the sum of
    squared eigenvalues. Multiplicities are ``(sum lam)**2/(sum lam**2)``, whatever the target is.

    Parameters
    ----------
    model : Model
        With ``500 <= d < v``, both finite.
    ratio : float
        Of neighbouring eigenvalues beyond the first ones; above 1.

    Returns
    -------
    Groups
        Of a power law their number grows like log d. The expected loss on them is that of the model
        to about ``3/d``, since the first eigenvalues of a random W scatter (``8/d`` for large
        batches), and for large d to 1e-4, which falls with the square of the ratio's distance
        from 1. Of other spectra it is less exact while the loss falls exponentially with few
        eigenvalues, and its spread over W is large: the last ones before a gap of the spectrum, or
        the least one where v is close to d.

    Raises
    ------
    ValueError
        If the ratio is not above 1, d is too small, v is infinite, does not exceed d, or is not the
        number of the task's features.
    ConvergenceError
        If the ends of groups are not found.
    """
    if not ratio >= LEAST_RATIO:
        raise ValueError(f"ratio = {ratio:g}: must be at least {LEAST_RATIO:g}")
    if not LEAST_SIZE <= model.d < model.v < np.inf:
        raise ValueError(f"{model}: groups need {LEAST_SIZE} <= d < v, both finite")
    cells = Cells.of(model, float(np.log(ratio)), NODES)
    parts = (cells.trace, cells.trace * cells.z, cells.signal, cells.signal * cells.z)
    first, square, signal, _ = moments = np.array([cells.integral(part) for part in parts])
    moments[2:, signal <= cells.rounding(cells.signal)] = 0.0
    starts = _joined(first, square, cells.starts.imag == -np.pi, cells.least_count)
    floor = DeterministicEquivalent(model).capacity
    return _groups(np.add.reduceat(moments, starts, axis=1), floor, model.task.noise)


def sampled_groups(
    eigenvalues: Array, signal: Array, floor: float, ratio: float = 1.03, noise: float = 0.0
) -> Groups:
    """Group the spectrum of a given W.

    Parameters
    ----------
    eigenvalues, signal : arrays, shape (d,)
        lam_i, all positive, and c_i**2 of its reduction (model section 2), in any order.
    floor : float
        F0.
    ratio : float
        Of the largest eigenvalue of a group to its least one, at most; above 1.
    noise : float
        Variance of the labels' noise.

    Returns
    -------
    Groups
        The sums of lam, lam**2, c**2 and lam c**2 are kept as by `averaged_groups`.

    Raises
    ------
    ValueError
        If the ratio is not above 1.
    """
    if not ratio >= LEAST_RATIO:
        raise ValueError(f"ratio = {ratio:g}: must be at least {LEAST_RATIO:g}")
    order = np.argsort(-eigenvalues)
    lam, mass = eigenvalues[order], signal[order]
    bins = np.floor(np.log(lam[0] / lam) / np.log(ratio))
    starts = np.flatnonzero(np.diff(bins, prepend=-1.0))
    moments = np.add.reduceat([lam, lam**2, mass, mass * lam], starts, axis=1)
    return _groups(moments, floor, noise)


def _groups(moments: Array, floor: float, noise: float) -> Groups:
    """Groups with given sums of lam, lam**2, c**2 and lam c**2, the rows of moments."""
    first, square, signal, weighted = moments
    # Where there is no target the mean of the others stands in.
    eigenvalues = np.divide(weighted, signal, out=square / first, where=signal > 0)
    return Groups(eigenvalues, np.maximum(first**2 / square, 1.0), signal, floor, noise)


def _joined(
    first: Array, square: Array, opens: NDArray[np.bool_], least: float
) -> NDArray[np.intp]:
    """First cells of groups: cells with few eigenvalues are joined, within bands.

    Parameters
    ----------
    first, square : arrays, shape (n,)
        Sums of lam and lam**2 in each cell.
    opens : bool array, shape (n,)
        Whether a gap of the spectrum is right of a cell.
    least : float
        Number of eigenvalues in a group.
    """
    starts: list[int] = []

    def enough(stop: int) -> bool:
        own = slice(starts[-1], stop)
        return bool(first[own].sum() ** 2 >= least * square[own].sum())

    edges = [*np.flatnonzero(opens).tolist(), opens.size]
    for begin, end in pairwise(edges):
        starts.append(begin)
        for cell in range(begin + 1, end):
            if enough(cell):
                starts.append(cell)
        if starts[-1] > begin and not enough(end):
            starts.pop()
    return np.array(starts)
