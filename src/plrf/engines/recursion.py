"""Expected loss of one-pass SGD for a given W, step by step (model section 3)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.engines.curves import DIVERGENCE_FACTOR, LossCurves
from plrf.engines.reduction import Reduction
from plrf.exact.three_numbers import march
from plrf.progress import track
from plrf.training import BLOCK, SGD

Array = NDArray[np.float64]


def recursion(
    eigenvalues: Array,
    signal: Array,
    floor: ArrayLike,
    sgd: SGD,
    steps: NDArray[np.int64],
    noise: ArrayLike = 0.0,
) -> LossCurves:
    """Expected loss for given W by the exact mode recursion (model sections 3, 10 and 14).

    Parameters
    ----------
    eigenvalues, signal : arrays, shape (..., d)
        lam_i and c_i**2 of the reduction (model section 2); leading axes broadcast.
    floor : array, shape (...)
        F0, the least loss of each W.
    sgd : SGD
        The training.
    steps : int array, shape (n,)
        Steps to record, increasing.
    noise : float or array, shape (...)
        Variance of the labels' noise.

    Returns
    -------
    LossCurves
        Of shape (n, ...). A W for which SGD is unstable diverges.
    """
    if sgd.momentum is not None:
        return _with_momentum(eigenvalues, signal, floor, sgd, steps, noise)
    floor, noise = np.asarray(floor), np.asarray(noise)
    modes = np.array(np.broadcast_arrays(signal, eigenvalues)[0])
    recorded = np.empty((len(steps), *modes.shape[:-1]))
    diverged_at = np.full(modes.shape[:-1], -1, dtype=np.int64)
    threshold = DIVERGENCE_FACTOR * (floor + modes.sum(axis=-1))
    n_steps = int(steps[-1])
    what = f"recursion, d={modes.shape[-1]}, {n_steps} steps"
    done, before = 0, None
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable W grows
        for step, now in enumerate(track(sgd.each(n_steps + 1), what, n_steps + 1)):
            if now is not before:
                before, gain, decay = now, now.gain(eigenvalues), now.decay(eigenvalues)
            loss = floor + modes.sum(axis=-1)
            above = ~(loss <= threshold)
            if above.any():
                diverged_at[above & (diverged_at < 0)] = step
            if step == steps[done]:
                recorded[done] = loss
                done += 1
            modes *= decay
            modes += gain * (loss + noise)[..., None]
    recorded_at = steps.reshape(-1, *[1] * diverged_at.ndim)
    recorded[(diverged_at >= 0) & (recorded_at >= diverged_at)] = np.nan
    # All terms are positive, so that rounding errors add up at most linearly.
    error = (steps + 1) * (sgd.batches(steps) + 16) * np.finfo(float).eps
    return LossCurves(recorded, error, diverged_at)


def _with_momentum(
    eigenvalues: Array,
    signal: Array,
    floor: ArrayLike,
    sgd: SGD,
    steps: NDArray[np.int64],
    noise: ArrayLike,
) -> LossCurves:
    """The same with three numbers for each mode."""
    modes, lam = (np.array(x, float) for x in np.broadcast_arrays(signal, eigenvalues))
    shape, d = modes.shape[:-1], modes.shape[-1]
    floors, noises = (np.broadcast_to(x, shape).astype(float).ravel() for x in (floor, noise))
    state = np.zeros((floors.size, 3, d))
    state[:, 0] = modes.reshape(-1, d)
    lam, single = lam.reshape(-1, d), np.ones((floors.size, d))
    threshold = DIVERGENCE_FACTOR * (floors + state[:, 0].sum(axis=-1))
    recorded = np.empty((len(steps), floors.size))
    diverged_at = np.full(floors.size, -1, dtype=np.int64)
    start, stop = 0, int(steps[-1]) + 1
    blocks = track(sgd.remembered(stop), f"recursion, d={d}, {stop} steps", -(-stop // BLOCK))
    for steps_ahead in blocks:
        losses = np.empty((steps_ahead[0].size, floors.size))
        march(state, lam, single, *steps_ahead, floors, noises, losses)
        here = (steps >= start) & (steps < start + len(losses))
        recorded[here] = losses[steps[here] - start]
        above = ~(losses <= threshold)
        first = (diverged_at < 0) & above.any(axis=0)
        diverged_at[first] = start + above.argmax(axis=0)[first]
        start += len(losses)
    recorded[(diverged_at >= 0) & (steps[:, None] >= diverged_at)] = np.nan
    # Not all terms are positive, but long doubles never differed by more.
    error = (steps + 1) * (sgd.batches(steps) + 16) * np.finfo(float).eps
    return LossCurves(recorded.reshape(-1, *shape), error, diverged_at.reshape(shape))


def run(
    reductions: Sequence[Reduction],
    sgd: SGD,
    steps: NDArray[np.int64],
    streams: Sequence[np.random.Generator],
) -> LossCurves:
    """Expected losses of some W, as the engine "recursion".

    Parameters
    ----------
    reductions : sequence of Reduction
        One for each run, all with the same d.
    sgd : SGD
    steps : int array, shape (n,)
        Steps to record, increasing.
    streams : sequence of Generator
        Of no use here: nothing else is random.

    Returns
    -------
    LossCurves
        Of shape (n, n_runs).
    """
    return recursion(
        np.array([r.eigenvalues for r in reductions]),
        np.array([r.coefficients**2 for r in reductions]),
        np.array([r.floor for r in reductions]),
        sgd,
        steps,
        np.array([r.noise for r in reductions]),
    )
