"""Errors of exponents from resampled runs (model section 8)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import whole_number
from plrf.measure.curves import LossTable

FloatArray = NDArray[np.float64]


def bootstrap(
    table: LossTable,
    repeat: Callable[[FloatArray], FloatArray],
    resamples: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, float]:
    """Standard errors of exponents from resampled runs, as `fit_exponents` says.

    Parameters
    ----------
    table : LossTable
        Losses of several runs.
    repeat : callable
        From mean losses (..., n_d, n_f) to exponents (q, ...), NaN where refused.
    resamples : int
        Number of resamples, at least 2.
    rng : Generator

    Returns
    -------
    std_errors, dof : ndarray, shape (q,)
        Standard errors, and degrees of freedom of their t intervals.
    refused : float
        Share of the resamples that were refused.

    Raises
    ------
    ValueError
        If there are too few resamples.
    """
    resamples = whole_number("resamples", resamples, least=2)
    n_runs = table.n_runs
    shares = np.full(n_runs, 1 / n_runs)
    counts = rng.multinomial(n_runs, shares, size=(table.sizes.size, resamples)).astype(float)
    means = np.swapaxes(counts @ table.losses / n_runs, 0, 1)
    # A size with a missing run stays out, also of the resamples that did not draw this run.
    means = np.where(np.isnan(table.mean_loss), np.nan, means)

    estimates = repeat(means)
    accepted = np.isfinite(estimates).all(axis=0)
    n = int(accepted.sum())
    refused = 1 - n / resamples
    if n < 2:
        return np.full(len(estimates), np.nan), np.full(len(estimates), np.nan), refused
    deviations = estimates[:, accepted]
    deviations = deviations - deviations.mean(axis=1, keepdims=True)
    variance = np.sum(deviations**2, axis=1) / (n - 1)

    # Each size's share of the variance, without what the finite number of resamples adds to it.
    covariances = np.swapaxes(deviations @ (counts[:, accepted] - 1), 0, 1) / n
    shares = np.sum(covariances**2, axis=2) - (n_runs - 1) / n * variance[:, None]
    shares = np.maximum(shares, 0)
    with np.errstate(invalid="ignore"):
        dof = (n_runs - 1) * shares.sum(axis=1) ** 2 / np.sum(shares**2, axis=1)
    dof = np.where(np.isfinite(dof), dof, n_runs - 1)
    return np.sqrt(variance * n_runs / (n_runs - 1)), dof, refused
