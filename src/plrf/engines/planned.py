"""Losses of planned runs: each recorded step is the end of a training of its own (section 10)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.engines.curves import LossCurves
from plrf.training import SGD, trainings


def run(
    runner: Callable[..., LossCurves],
    spectra: Any,
    sgd: SGD,
    steps: NDArray[np.int64],
    streams: Sequence[np.random.Generator] = (),
) -> LossCurves:
    """Run an engine once for each training that losses at some steps need (`plrf.training`).

    W is the same for all of them, the samples are not: each has streams of its own. A schedule that
    is not relative to the horizon is one training, as the engine makes it.

    Parameters
    ----------
    runner : callable
        Of an engine (`plrf.engines.registry`).
    spectra, streams
        What it takes: a spectrum and a stream for each run, or a model and no stream.
    sgd : SGD
        The training.
    steps : int array, shape (n_steps,)
        Steps to record, increasing.

    Returns
    -------
    LossCurves
        Of shape (n_steps, ...). Losses are NaN where their own training diverged; the step of
        divergence is that of the shortest one that did.
    """
    plans = trainings(sgd, steps)
    if len(plans) == 1:
        return runner(spectra, *plans[0], streams)
    own = [stream.spawn(len(plans)) for stream in streams]
    curves = [runner(spectra, *plan, [stream[k] for stream in own]) for k, plan in enumerate(plans)]
    errors = [curve.error for curve in curves if curve.error is not None]
    diverged_at = np.array([curve.diverged_at for curve in curves])
    first = (diverged_at >= 0).argmax(axis=0)[None]
    return LossCurves(
        np.concatenate([curve.loss for curve in curves]),
        np.concatenate(errors) if errors else None,
        np.take_along_axis(diverged_at, first, axis=0)[0],
    )
