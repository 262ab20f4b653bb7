"""Exponents of eigenvalues and of tail sums of the signal, over a window of ranks (section 13)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.data.simulated import Estimates
from plrf.measure.power_law import slope_weights

Array = NDArray[np.float64]

LEAST_RANKS = 5
"""Ranks that a fit needs."""
# Tail sums count the less, the closer they are to this many of their errors.
CERTAIN = 4.0
# Part of the leakage that is uncertain.
UNCERTAIN = 0.2
# Exponents 2(alpha + beta) at which the model's tail sums are computed; linear in between.
DECAYS = np.arange(-2, 16, 0.02)


def tail_sums(signal: Array) -> Array:
    """``sum_{k >= j} signal_k`` along the last axis."""
    return signal[..., ::-1].cumsum(axis=-1)[..., ::-1]


def leakage(estimates: Estimates) -> Array:
    """What tail sums of the signal gain since eigenvectors are estimates, shape (v,).

    Perturbation theory of second order: between eigenvectors l and k passes
    ``(q_l a_k**2 - q_k a_l**2)/(n (a_l - a_k)**2)`` of the signal q, for Gaussian features.
    Eigenvalues closer than their errors count as that far apart.
    """
    a, q = estimates.eigenvalues, estimates.signal
    passed = np.outer(q, a**2)
    passed -= passed.T
    apart = (a[:, None] - a) ** 2 + np.outer(a, a) * (2 / estimates.n)
    return tail_sums((passed / apart).sum(axis=0)) / estimates.n


@dataclass(frozen=True, eq=False)
class Fit:
    """Exponents over a window, with what they are fitted to.

    Attributes
    ----------
    alpha, beta : float
        Beta is NaN where too few tail sums are certain.
    tails : array, shape (v,)
        Tail sums without leakage.
    weights : array, shape (m,)
        Of the window's m ranks, for tail sums: from 0 to 1, and 0 from the first 0 on.
    """

    alpha: float
    beta: float
    tails: Array
    weights: Array


class Window:
    """Ranks from first to last, both included, of v.

    Parameters
    ----------
    first, last, v : int
    """

    def __init__(self, first: int, last: int, v: int) -> None:
        self.ranks = np.arange(1, v + 1, dtype=float)
        self.part = slice(first - 1, last)
        self._logs = np.log(self.ranks[self.part])
        self._models = np.log(tail_sums(self.ranks ** -DECAYS[:, None])[:, self.part])

    def fit(self, estimates: Estimates) -> Fit:
        """Fit both exponents."""
        leaked = leakage(estimates)
        tails = tail_sums(estimates.signal) - leaked
        # Variance of a sum of m squares of Gaussian errors with variance noise/n.
        each = estimates.noise / estimates.n
        m = self.ranks[::-1]
        error = np.sqrt(
            4 * np.maximum(tails, 0) * each + 2 * m * each**2 + (UNCERTAIN * leaked) ** 2
        )
        weights = self._weights(tails, error)
        alpha = float(self.alphas(estimates.eigenvalues))
        beta = float(self.tail_decays(tails[None], weights)[0]) / 2 - alpha
        return Fit(alpha, beta, tails, weights)

    def alphas(self, eigenvalues: Array) -> Array:
        """Alpha by least squares of ``log a_j`` against ``log j``; (..., v) to (...)."""
        used = np.ones(self._logs.size, bool)
        alphas: Array = np.log(eigenvalues[..., self.part]) @ slope_weights(self._logs, used) / -2
        return alphas

    def tail_decays(self, tails: Array, weights: Array) -> Array:
        """Exponents s such that tail sums fall as those of ``k**-s`` do, on average.

        Parameters
        ----------
        tails : array, shape (k, v)
        weights : array, shape (m,)

        Returns
        -------
        array, shape (k,)
            NaN where a tail sum of some weight is not positive, or too few have a weight.
        """
        used = weights > 0
        if used.sum() < LEAST_RANKS:
            return np.full(len(tails), np.nan)
        logs, weights = self._logs[used], weights[used]
        slope = weights * (logs - weights @ logs / weights.sum())
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.log(tails[:, self.part][:, used]) @ slope
        models = self._models[:, used] @ slope
        decays: Array = np.interp(-found, -models, DECAYS, np.nan, np.nan)
        return decays

    def _weights(self, tails: Array, error: Array) -> Array:
        """Weights of tail sums, falling to 0 where they are CERTAIN times their error."""
        tails, error = tails[self.part], CERTAIN * error[self.part]
        weights = np.zeros(tails.size)
        certain = np.logical_and.accumulate(tails > error)
        weights[certain] = 1 - (error[certain] / tails[certain]) ** 2
        return weights
