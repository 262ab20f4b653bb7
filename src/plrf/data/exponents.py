"""Alpha and beta of measured tasks, and the phases that they imply (model section 13)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import whole_number
from plrf.data.measured import MeasuredTask
from plrf.data.simulated import Estimates, simulate
from plrf.data.windows import LEAST_RANKS, Fit, Window, tail_sums
from plrf.statuses import NO_POWER_LAW, OK, UNCERTAIN
from plrf.streams import random_stream
from plrf.theory.phases import PHASES, phase_name

Array = NDArray[np.float64]

ROUNDS = 2
DRAWS = 10_000
# Normal quantile of 95% intervals.
QUANTILE = 1.959963984540054
# Most of the simulated tasks that may be without beta.
MOST_REFUSED = 0.5


@dataclass(frozen=True, eq=False)
class TaskExponents:
    """Exponents of a task over a window of ranks.

    Attributes
    ----------
    first, last : int
        The window.
    last_tail : int
        Last rank whose tail sum is certain enough to count.
    alpha, beta : float
        Without the bias that simulation finds. Beta is NaN if its tail sums are not certain enough.
    covariance : array, shape (2, 2)
        Of both, from sampling; how the task itself deviates from power laws is not in it.
    bias : array, shape (2,)
        What was subtracted.
    phase : str
        Phase of the point, as from `plrf.phase`; empty where there is none.
    probabilities : dict
        Of each phase, and of "no power law", given the errors; NaN without beta.
    status : str
        "ok", or why there is no beta or no phase.
    """

    first: int
    last: int
    last_tail: int
    alpha: float
    beta: float
    covariance: Array
    bias: Array
    phase: str
    probabilities: dict[str, float]
    status: str

    @property
    def errors(self) -> Array:
        """Standard errors of alpha and beta, shape (2,)."""
        errors: Array = np.sqrt(np.diag(self.covariance))
        return errors

    @property
    def intervals(self) -> Array:
        """95% intervals of alpha and beta, shape (2, 2)."""
        half: Array = QUANTILE * self.errors[:, None] * [-1, 1]
        return np.array([[self.alpha], [self.beta]]) + half


def measure_exponents(
    task: MeasuredTask, first: int, last: int, *, simulations: int = 40, seed: int = 0
) -> TaskExponents:
    """Measure alpha and beta over a window of ranks (model section 13).

    Alpha is from ``log a_j`` against ``log j``; beta from the tail sums
    ``sum_{k >= j} a_k b_k**2``, whose fall is compared with that of ``sum_{k=j}^v k**-s``,
    ``s = 2 alpha + 2 beta``, so that their end at v counts. Tail sums that sink in the noise, or in
    what estimated eigenvectors leak, do not count. The bias is that of the same fit on Gaussian
    samples of the fitted law, above the window of what is measured; errors are from resampling.

    Parameters
    ----------
    task : MeasuredTask
    first, last : int
        Ranks, counted from 1, both included; at least 5.
    simulations : int
        Simulated tasks in each of two rounds.
    seed : int

    Returns
    -------
    TaskExponents

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    v = task.eigenvalues.size
    first = whole_number("first", first, least=1)
    last = whole_number("last", last, least=first + LEAST_RANKS - 1)
    simulations = whole_number("simulations", simulations, least=2)
    if last > v:
        raise ValueError(f"last = {last}: must be at most the number of features, {v}")
    window = Window(first, last, v)
    measured = Estimates(task.n, task.eigenvalues, task.targets, task.noise)
    fit = window.fit(measured)
    found = np.array([fit.alpha, fit.beta])
    law, spread = _unbiased(window, measured, fit, simulations, seed)
    covariance = np.cov(_resampled(window, task, fit)) + spread / simulations
    if not np.isfinite(covariance).all():  # too many resamples lose a tail sum: no error, no beta
        law = np.array([law[0], np.nan])
    last_tail = first - 1 + int((fit.weights > 0).sum())
    probabilities = phase_probabilities(law, covariance, seed)
    phase, status = _phase(*map(float, law))
    alpha, beta = map(float, law)
    return TaskExponents(
        first, last, last_tail, alpha, beta, covariance, found - law, phase, probabilities, status
    )


def window_ranks(low: float, high: float, v: int) -> tuple[int, int]:
    """Ranks (first, last) from one share of v to another, as many as a fit needs at least."""
    first = max(1, min(round(low * v), v - LEAST_RANKS + 1))
    return first, min(v, max(round(high * v), first + LEAST_RANKS - 1))


def local_windows(v: int, ratio: float = 4.0, number: int = 6) -> list[tuple[int, int]]:
    """Windows (first, last) of one ratio of ranks along a spectrum of v, for local exponents."""
    starts = np.unique(np.geomspace(1, max(1, v / ratio), number).round().astype(int))
    lasts = np.minimum(np.maximum(ratio * starts, starts + LEAST_RANKS - 1), v).astype(int)
    long = lasts - starts + 1 >= LEAST_RANKS
    return list(zip(starts[long].tolist(), lasts[long].tolist(), strict=True))


def phase_probabilities(law: Array, covariance: Array, seed: int) -> dict[str, float]:
    """Probabilities of the phases, and of none, if (alpha, beta) is normal."""
    names = [*(row.name for row in PHASES), NO_POWER_LAW]
    if not np.isfinite(covariance).all() or not np.isfinite(law).all():
        return dict.fromkeys(names, np.nan)
    rng = random_stream(seed, "phases")
    alpha, beta = rng.multivariate_normal(law, covariance, DRAWS, method="eigh").T
    shares = [float(np.mean(row.touches(alpha, beta))) for row in PHASES]
    return dict(zip(names, [*shares, max(0.0, 1 - sum(shares))], strict=True))


def _phase(alpha: float, beta: float) -> tuple[str, str]:
    """Phase and status."""
    if not np.isfinite(beta):
        return "", UNCERTAIN
    try:
        return phase_name(alpha, beta), OK
    except ValueError:
        return "", NO_POWER_LAW


def _unbiased(
    window: Window, measured: Estimates, fit: Fit, simulations: int, seed: int
) -> tuple[Array, Array]:
    """Exponents less their bias, and the covariance of simulated ones."""
    found = np.array([fit.alpha, fit.beta])
    law = found
    spread = np.full((2, 2), np.nan)
    for k in range(ROUNDS):
        rng = random_stream(seed, "simulated tasks", k)
        a, b = _population(window, measured, fit, law)
        again = [
            window.fit(simulate(a, b, measured.noise, measured.n, rng)) for _ in range(simulations)
        ]
        pairs = np.array([(one.alpha, one.beta) for one in again])
        sound = np.isfinite(pairs[:, 1])
        if sound.mean() < 1 - MOST_REFUSED or sound.sum() < 2:
            alpha = found[0] - (pairs[:, 0].mean() - law[0])
            spread[0, 0] = pairs[:, 0].var(ddof=1)
            return np.array([alpha, np.nan]), spread
        law = found - (pairs[sound].mean(axis=0) - law)
        spread = np.cov(pairs[sound].T)
    return law, spread


def _population(window: Window, measured: Estimates, fit: Fit, law: Array) -> tuple[Array, Array]:
    """Eigenvalues and targets of the law from the window on, and as measured above it."""
    alpha, beta = law if np.isfinite(law[1]) else (law[0], 0.0)
    above, part = slice(0, window.part.start), window.part
    a = window.ranks ** (-2 * alpha)
    a *= np.exp(np.mean(np.log(measured.eigenvalues[part] / a[part])))
    a[above] = measured.eigenvalues[above]
    signal = window.ranks ** (-2 * (alpha + beta))
    used = fit.weights > 0
    ratios = fit.tails[part][used] / tail_sums(signal)[part][used]
    signal *= np.exp(np.average(np.log(ratios), weights=fit.weights[used])) if used.any() else 0
    signal[above] = np.maximum(measured.signal[above], 0)
    return a, np.sqrt(signal / a)


def _resampled(window: Window, task: MeasuredTask, fit: Fit) -> Array:
    """Both exponents of all resamples, shape (2, R)."""
    changes = task.deviations
    # To first order also where a resample has too few digits for its logarithm.
    ratio = 1 + changes.eigenvalues / task.eigenvalues
    alpha = window.alphas(task.eigenvalues * np.maximum(ratio, 1e-3))
    signal = changes.signal - changes.noise[:, None] / task.n
    decays = window.tail_decays(fit.tails + tail_sums(signal), fit.weights)
    beta = decays / 2 - alpha
    if np.isnan(beta).mean() <= MOST_REFUSED:
        sound = np.isfinite(beta)
        return np.stack([alpha[sound], beta[sound]])
    return np.stack([alpha, beta])
