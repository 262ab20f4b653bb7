"""Losses of an engine as rows of the table of losses."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.model import Model
from plrf.schedules import schedule_of
from plrf.study.momenta import momentum_text, rule_of
from plrf.study.schedules import schedule_text
from plrf.study.schemas.losses import loss_status
from plrf.study.tasks import task_of
from plrf.training import SGD, trainings

Array = NDArray[np.float64]


def runner_of(name: str) -> Callable[..., Any]:
    """Load the function of an engine that is named as "module:function"."""
    module, _, function = name.partition(":")
    runner: Callable[..., Any] = getattr(import_module(module), function)
    return runner


def training_of(point: Mapping[str, Any]) -> SGD:
    """Training of a row of the grid, with schedule and momentum as the configuration gives them."""
    schedule = schedule_of(point["schedule"])
    model = Model(task_of(point), point["d"], point["v"])
    momentum = rule_of(point["momentum"], model, point["batch"])
    return SGD(point["learning_rate"], point["batch"], schedule, point["steps"], momentum)


def flops_at(d: int, sgd: SGD, steps: NDArray[np.int64]) -> Array:
    """Flops of trainings of a size up to some steps, each planned for its own if it must be."""
    samples = np.concatenate([plan.samples(recorded) for plan, recorded in trainings(sgd, steps)])
    return d * samples.astype(float)


def loss_rows(
    point: Mapping[str, Any],
    engine: str,
    run: int,
    steps: NDArray[np.int64],
    flops: Array,
    loss: Array,
    error: Array | None,
) -> pd.DataFrame:
    """Rows of the LOSSES schema for one curve.

    Parameters
    ----------
    point : mapping
        A row of the grid, with schedule and momentum as the configuration gives them.
    engine : str
        Its name.
    run : int
        Number of the run, -1 if there are none.
    steps : int array, shape (n,)
        Recorded steps.
    flops : array, shape (n,)
        Compute up to there.
    loss : array, shape (n,)
        Losses.
    error : array, shape (n,), optional
        Their relative errors, of an engine that has some.
    """
    keys = ("sweep", "spectrum", "alpha", "beta", "d", "v", "batch", "learning_rate", "noise")
    return pd.DataFrame(
        {
            **{key: point[key] for key in keys},
            "schedule": schedule_text(schedule_of(point["schedule"])),
            "momentum": momentum_text(point["momentum"]),
            "engine": engine,
            "run": run,
            "step": steps,
            "flops": flops,
            "loss": loss,
            "error": np.nan if error is None else error,
            "status": loss_status(loss, np.zeros(loss.shape) if error is None else error),
        }
    )
