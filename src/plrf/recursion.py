"""Expected loss of one-pass SGD for a given W, step by step (model section 3)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.logs import track

Array = NDArray[np.float64]


def recursion(
    eigenvalues: Array,
    signal: Array,
    floor: ArrayLike,
    learning_rate: float,
    batch: int,
    steps: NDArray[np.int64],
) -> Array:
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
    array, shape (n, ...)
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
    n_steps = int(steps[-1])
    what = f"recursion, d={modes.shape[-1]}, {n_steps} steps"
    done = 0
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable W grows; callers flag it
        for step in track(range(n_steps + 1), what, n_steps + 1):
            loss = floor + modes.sum(axis=-1)
            if step == steps[done]:
                recorded[done] = loss
                done += 1
            modes *= decay
            modes += gain * loss[..., None]
    return recorded
