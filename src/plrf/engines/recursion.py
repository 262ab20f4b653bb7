"""Expected loss of one-pass SGD for a given W, step by step (model section 3)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.engines.divergence import DIVERGENCE_FACTOR, LossCurves
from plrf.progress import track

Array = NDArray[np.float64]


def recursion(
    eigenvalues: Array,
    signal: Array,
    floor: ArrayLike,
    learning_rate: float,
    batch: int,
    steps: NDArray[np.int64],
) -> LossCurves:
    """Expected loss for given W by the exact mode recursion (model section 3).

    Parameters
    ----------
    eigenvalues, signal : arrays, shape (..., d)
        lam_i and c_i**2 of the reduction (model section 2); leading axes broadcast.
    floor : array, shape (...)
        F0, the least loss of each W.
    learning_rate : float
        gamma.
    batch : int
        Samples per step.
    steps : int array, shape (n,)
        Steps to record, increasing.

    Returns
    -------
    LossCurves
        Of shape (n, ...). A W for which SGD is unstable diverges.
    """
    gain = learning_rate**2 * batch * eigenvalues**2
    decay = (
        1
        - 2 * learning_rate * batch * eigenvalues
        + learning_rate**2 * batch * (batch + 1) * eigenvalues**2
    )
    floor = np.asarray(floor)
    modes = np.array(np.broadcast_to(signal, np.broadcast_shapes(signal.shape, gain.shape)))
    recorded = np.empty((len(steps), *modes.shape[:-1]))
    diverged_at = np.full(modes.shape[:-1], -1, dtype=np.int64)
    threshold = DIVERGENCE_FACTOR * (floor + modes.sum(axis=-1))
    n_steps = int(steps[-1])
    what = f"recursion, d={modes.shape[-1]}, {n_steps} steps"
    done = 0
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable W grows
        for step in track(range(n_steps + 1), what, n_steps + 1):
            loss = floor + modes.sum(axis=-1)
            above = ~(loss <= threshold)
            if above.any():
                diverged_at[above & (diverged_at < 0)] = step
            if step == steps[done]:
                recorded[done] = loss
                done += 1
            modes *= decay
            modes += gain * loss[..., None]
    recorded_at = steps.reshape(-1, *[1] * diverged_at.ndim)
    recorded[(diverged_at >= 0) & (recorded_at >= diverged_at)] = np.nan
    return LossCurves(recorded, diverged_at)
