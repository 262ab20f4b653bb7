"""Sums over the features of a power law near their poles, and cells of its spectrum, at any v.

The rule of `power_sums` needs a distance from the poles: what it misses close to them is known in
closed form. See `feature_sums` for what sums and cells are.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.exact.power_sums import EXACT_TERMS, feature_rule

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

BISECTIONS = 60
# Ridges whose angle to the negative axis is larger leave the sums' rule its accuracy.
FAR = 2.0
LONGEST_ANGLE = 0.5  # of a cell at the left end: the ridge at z = 0 is twice the end's or more
RIGHT = 2.0  # size of a ridge right of the spectrum, in units of a_1


@dataclass(frozen=True)
class PowerLawSums:
    """Sums over the features ``a_j = j**(-2 alpha)``, ``b_j = j**-beta``, at any v.

    Near the negative axis the summand has a pole at a real or complex rank j*, close to the rule's
    nodes. Its part ``R/(j - j*)`` is subtracted from what the rule sums, and summed in closed form:
    a difference of digamma functions.
    """

    alpha: float
    beta: float
    v: float

    least_count = 0.0  # cells are groups

    @cached_property
    def _rule(self) -> tuple[Array, Array, Array, Array]:
        """Ranks, weights, weights of the target, and ``1/a_j``."""
        j, weights = feature_rule(self.alpha, self.v)
        return j, weights, weights * j ** (-2 * self.beta), j ** (2 * self.alpha)

    def __call__(self, kappa: NDArray[Any]) -> ComplexArray:
        """Sums of s_j and of b_j**2 s_j; shape (2, *kappa.shape)."""
        from scipy.special import digamma  # here, so that plans of the workflow do without scipy

        j, weights, targets, powers = self._rule
        kappa = np.asarray(kappa, dtype=complex)
        shrinkage = 1 / (1 + kappa[..., None] * powers)
        sums, signal = shrinkage @ weights, shrinkage @ targets
        pole = (-1 / kappa) ** (1 / (2 * self.alpha))
        near = (np.abs(np.angle(-kappa)) < FAR) & (pole.real > EXACT_TERMS / 2)
        near &= pole.real < 2 * self.v
        residue = np.where(near, -pole / (2 * self.alpha), 0)
        tail = j > EXACT_TERMS  # before, features are summed one by one
        by_rule = residue * (1 / (j[tail] - pole[..., None]) @ weights[tail])
        exact = residue * (digamma(self.v + 1 - pole) - digamma(EXACT_TERMS + 1 - pole))
        correction = np.where(near, exact - by_rule, 0)
        result: ComplexArray = np.stack(
            [sums + correction, signal + pole ** (-2 * self.beta) * correction]
        )
        return result

    def cells(self, d: float, step: float) -> tuple[ComplexArray, ComplexArray]:
        """Cells between neighbouring ends; the first ones hold a feature each."""
        ends = self._ends(d, step)
        return ends[:-1], ends[1:]

    def _log_variance(self, rank: Any) -> Any:
        """Logarithm of ``a_j`` at a rank."""
        return -2 * self.alpha * np.log(rank)

    def _beyond(self, d: float, log_size: Array, angle: Array) -> NDArray[np.bool_]:
        """Whether ridges lie beyond the curve where z is real: ``sum a^2/|a + kappa|^2 < d``."""
        kappa = np.exp(log_size - 1j * angle)
        outside: NDArray[np.bool_] = -(kappa * self(kappa)[0]).imag < -kappa.imag * d
        return outside

    def _angles(self, d: float, log_size: Array) -> Array:
        """Angles of the ridges of given sizes at which z is real: pi in gaps of the spectrum."""
        low, high = np.zeros(log_size.shape), np.full(log_size.shape, np.pi)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            outside = self._beyond(d, log_size, middle)
            low, high = np.where(outside, middle, low), np.where(outside, high, middle)
        return np.where(low > np.pi - 1e-12, np.pi, low)

    def _log_sizes(self, d: float, angle: Array) -> Array:
        """Log sizes of the ridges of given angles, up to pi/2, at which z is real."""
        low = np.full(angle.shape, self._log_variance(self.v) - 60.0)
        high = np.full(angle.shape, 5.0)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            outside = self._beyond(d, middle, angle)
            low, high = np.where(outside, low, middle), np.where(outside, middle, high)
        return high

    def _ends(self, d: float, step: float) -> ComplexArray:
        """Logarithms of the ridges at the ends of cells.

        The first ones lie between neighbouring features, where the spectrum has gaps or dips. Where
        ranks are so large that cells have many, the curve is cut into equal lengths.
        """
        last = self._log_sizes(d, np.array([1e-9, np.pi / 2]))
        ranks = [1.0]
        while True:
            rank = max(ranks[-1] + 1, np.floor(ranks[-1] * np.exp(step / (2 * self.alpha))))
            if rank >= self.v or self._log_variance(rank) < last[1]:
                break
            ranks.append(rank)
        between = np.array(ranks), np.array(ranks) + 1
        log_sizes = (self._log_variance(between[0]) + self._log_variance(between[1])) / 2
        right = np.array([np.log(RIGHT) - 1j * np.pi])
        upper = log_sizes - 1j * self._angles(d, log_sizes)
        # From there on by size where that falls fast, and by angle where that does.
        bottom = last[0]
        by_size = np.arange(log_sizes[-1] - step, bottom, -step)
        # Longer contours there would run around the ridge at z = 0, a pole of the signal.
        short = min(step, LONGEST_ANGLE)
        angles = np.arange(np.pi / 2, short / 2, -short)
        lower = np.concatenate(
            [by_size - 1j * self._angles(d, by_size), self._log_sizes(d, angles) - 1j * angles]
        )
        lower = lower[(lower.real < log_sizes[-1]) & (lower.real > bottom)]
        lower = lower[np.argsort(-lower.real)]
        kept = [upper[-1]]
        for end in lower:
            if abs(end - kept[-1]) > short / 2:
                kept.append(end)
        ends: ComplexArray = np.concatenate([right, upper, kept[1:], [bottom + 0j]])
        return ends
