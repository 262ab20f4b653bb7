"""Sums over given features, and cells of their spectrum (model sections 4 and 11).

See `feature_sums` for what they are. On a circle of ridges ``|kappa| = r`` the sum
``sum a^2/|a + kappa|^2`` depends on ``c = |1 + kappa/r|^2`` alone, and falls as c rises from 0, on
the negative axis, to 4. The curve where it is d, and z is real, therefore is a graph over log r:
smooth, with distance ``d**-1/2`` or more to all poles in the plane of log kappa.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.exact.power_sums import ShrinkageRule
from plrf.exact.ridge import ConvergenceError

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

LONGEST = 0.5  # cell: the ridge of z = 0, a pole, is twice that of the spectrum's left end or more
CHUNK = 128  # ridges of similar size, whose sums leave out most of the features far from them


@dataclass(frozen=True, eq=False)
class SpectrumSums:
    """Sums over features that are given one by one, exact off the poles.

    Attributes
    ----------
    eigenvalues, targets : arrays, shape (v,)
        ``a_j``, above 0, and ``b_j``.
    """

    eigenvalues: Array
    targets: Array

    least_count = 0.99  # one, up to what the spread of a single eigenvalue takes off

    @cached_property
    def _rule(self) -> ShrinkageRule:
        """Distinct ``1/a_j``, increasing, their numbers, and sums of their ``b_j**2``."""
        distinct, which, counts = np.unique(
            -self.eigenvalues, return_inverse=True, return_counts=True
        )
        squares = np.bincount(which, self.targets**2)
        return ShrinkageRule(-1 / distinct, np.stack([counts, squares], axis=1))

    def _similar(self, sizes: Array) -> Iterator[tuple[NDArray[np.intp], ShrinkageRule]]:
        """Places of ridges of similar size, and a rule for their sums."""
        order = np.argsort(sizes)
        for places in np.split(order, range(CHUNK, sizes.size, CHUNK)):
            yield places, self._rule.condensed(sizes[places[0]], sizes[places[-1]])

    def __call__(self, kappa: NDArray[Any]) -> ComplexArray:
        """Sums of s_j and of b_j**2 s_j; shape (2, *kappa.shape)."""
        points = np.asarray(kappa, dtype=complex).ravel()
        result = np.empty((points.size, 2), dtype=complex)
        for places, rule in self._similar(np.abs(points)):
            # s = (1 + conj(kappa) p)/|1 + kappa p|^2: real numbers are several times as fast.
            own, p = points[places, None], rule.powers
            terms = 1 / ((1 + own.real * p) ** 2 + (own.imag * p) ** 2)
            tilted = terms @ (p[:, None] * rule.columns)
            result[places] = terms @ rule.columns + own.conj() * tilted
        return result.T.reshape(2, *np.shape(kappa))

    def cells(self, d: float, step: float) -> tuple[ComplexArray, ComplexArray]:
        """Cells no longer than a step in log kappa, nor in log z; gaps of the spectrum are none.

        Those that are too long are halved, all over the spectrum, until none is.
        """
        step = min(step, LONGEST)
        ends = np.array([self._right(d) - 1j * np.pi, self._bottom(d) + 0j])
        log_z = self._log_z(ends, d)
        while True:
            start, stop = ends[:-1], ends[1:]
            length = np.maximum(np.abs(start - stop), -np.diff(log_z))
            # Between two ends on the axis without a feature there is no spectrum.
            ranks = np.searchsorted(self._rule.powers, np.exp(-ends.real))
            gap = (np.diff(ranks) == 0) & (start.imag == -np.pi) & (stop.imag == -np.pi)
            split = (length > step) & ~gap
            if not split.any():
                return start[~gap], stop[~gap]
            middle = (start.real + stop.real)[split] / 2
            new = middle - 1j * self._angles(d, middle)
            places = np.flatnonzero(split) + 1
            ends = np.insert(ends, places, new)
            log_z = np.insert(log_z, places, self._log_z(new, d))

    def _log_z(self, ends: ComplexArray, d: float) -> Array:
        """Logarithms of the spectral parameters of ends, where they are real and positive."""
        kappa = np.exp(ends)
        log_z: Array = np.log((-kappa * (1 - self(kappa)[0] / d)).real)
        return log_z

    def _inverse(self, log_size: Array, c: Array) -> Array:
        """``1/sum a^2/|a + kappa|^2``, which rises with c and is zero on a pole."""
        log_size, c = np.broadcast_arrays(log_size, c)
        sizes, result = np.exp(log_size).ravel(), np.empty(log_size.size)
        for places, rule in self._similar(sizes):
            x = sizes[places, None] * rule.powers
            with np.errstate(divide="ignore"):
                terms = 1 / ((1 - x) ** 2 + c.ravel()[places, None] * x)
            result[places] = 1 / (terms @ rule.columns[:, 0])
        return result.reshape(log_size.shape)

    def _angles(self, d: float, log_size: Array) -> Array:
        """Angles of the ridges of given sizes at which z is real: pi in gaps of the spectrum."""
        c = np.zeros(log_size.size)
        off = self._inverse(log_size, c) < 1 / d
        if off.any():
            c[off] = _root(lambda c, s: self._inverse(s, c) - 1 / d, (0.0, 4.0), log_size[off])
        return 2 * np.arccos(np.sqrt(c) / 2)

    def _right(self, d: float) -> float:
        """Log size of a ridge right of the spectrum."""
        return float(np.log(self.eigenvalues.max() + self._spread(d)) + 0.1)

    def _bottom(self, d: float) -> float:
        """Log size of the ridge at the spectrum's left end, on the positive axis."""
        # The sum exceeds v (1 - 2 kappa/a_v), and not sum a^2/kappa^2.
        v, least = self.eigenvalues.size, self.eigenvalues.min()
        bracket = np.log(least * (v - d) / (2 * v)), np.log(self._spread(d))
        return float(_root(lambda s: self._inverse(s, np.array(4.0)) - 1 / d, bracket))

    def _spread(self, d: float) -> float:
        """``(sum a^2/d)**(1/2)``: right of ``a_1`` by that the sum is below d."""
        return float(np.sqrt(np.square(self.eigenvalues).sum() / d))


def _root(function: Callable[..., Array], bracket: tuple[float, float], *fixed: Array) -> Array:
    """Roots of a function that rises with its first argument, one for each of the others."""
    from scipy.optimize.elementwise import find_root  # plans of the workflow do without scipy

    found = find_root(function, bracket, args=fixed)
    if not np.all(found.success):
        raise ConvergenceError(f"ends of the spectrum's cells between {bracket} were not found")
    root: Array = found.x
    return root
