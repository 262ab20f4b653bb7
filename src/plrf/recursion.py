"""Expected loss of one-pass SGD for a given W, step by step (model section 3)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    now = 0
    loss = floor + modes.sum(axis=-1)
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable W grows; callers flag it
        for k, step in enumerate(steps):
            for _ in range(now, step):
                modes *= decay
                modes += gain * loss[..., None]
                loss = floor + modes.sum(axis=-1)
            now = step
            recorded[k] = loss
    return recorded
