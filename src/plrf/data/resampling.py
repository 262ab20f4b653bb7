"""Errors of measured tasks: a Poisson bootstrap over samples, to first order in the weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.data.moments import Batches, Moments, Principal
from plrf.progress import track

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Deviations:
    """What resampling the samples changes; R resamples of v features.

    Attributes
    ----------
    eigenvalues, targets, signal : arrays, shape (R, v)
        Of ``a_j``, ``b_j`` and ``a_j b_j**2``.
    noise : array, shape (R,)
    """

    eigenvalues: Array
    targets: Array
    signal: Array
    noise: Array


def rotations(eigenvalues: Array, targets: Array, n: int) -> Array:
    """How targets change with the covariances of scores, as eigenvectors turn into each other.

    Parameters
    ----------
    eigenvalues, targets : arrays, shape (v,)
    n : int
        Number of samples.

    Returns
    -------
    array, shape (v, v)
        In row l and column j ``b_l/(a_j - a_l)``: the change of ``b_j`` for a covariance of 1
        between scores l and j. Eigenvalues closer than their errors, which first order does not
        describe, count as that far apart.
    """
    gap = eigenvalues - eigenvalues[:, None]
    least = np.outer(eigenvalues, eigenvalues) / (2 * n)
    return targets[:, None] * gap / (gap**2 + least)


def resample(
    samples: Batches,
    moments: Moments,
    task: Principal,
    resamples: int,
    rng: np.random.Generator,
) -> Deviations:
    """Resample all samples in one pass, each time with Poisson weights of mean 1.

    To first order in how far weights are from 1, estimates change by sums over samples of that and
    the sample's influence (Hampel 1974). With scores ``s_j`` in the eigenbasis and residual r the
    influence is ``s_j**2 - a_j`` on eigenvalues; on targets ``s_j r/a_j`` as the fit changes, and
    ``s_j sum_l s_l b_l/(a_j - a_l)`` as eigenvectors turn; and ``r**2 - s2`` on the noise. No
    resample needs eigenvectors of its own, and samples need not be in memory together.

    Parameters
    ----------
    samples : Batches
    moments, task : Moments, Principal
        Of the samples.
    resamples : int
    rng : Generator

    Returns
    -------
    Deviations
    """
    a, b = task.eigenvalues, task.targets
    turn = rotations(a, b, moments.n)
    shape = resamples, a.size
    total = Deviations(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(resamples))
    for x, y in track(samples, "bootstrap", len(samples)):
        scores = (x - moments.mean_x) @ task.basis
        rest = y - moments.mean_y - scores @ b
        eigenvalue = scores**2 - a
        target = scores * (rest[:, None] / a + scores @ turn)
        weights = (rng.poisson(1.0, (resamples, len(y))) - 1.0) / moments.n
        total.eigenvalues[:] += weights @ eigenvalue
        total.targets[:] += weights @ target
        total.signal[:] += weights @ (2 * a * b * target + b**2 * eigenvalue)
        total.noise[:] += weights @ (rest**2 - task.noise)
    total.noise[:] *= moments.n / (moments.n - 1 - a.size)
    return total
