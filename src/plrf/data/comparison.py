"""SGD on real samples beside what is predicted from their moments, without a free parameter."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf import statuses
from plrf.data.fourth_moments import corrected_loss
from plrf.data.training import Population, feature_samples, sgd_on_samples
from plrf.engines import recursion
from plrf.exact.loss import DivergenceError, expected_loss
from plrf.progress import track
from plrf.streams import random_stream
from plrf.training import SGD, recorded_steps

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Experiment:
    """How often and how long is trained.

    Attributes
    ----------
    c : tuple of float
        Learning rates ``gamma Tr D``, which share W.
    runs : int
        Number of W, at least 2.
    chains : int
        Trainings of each W.
    steps, steps_per_decade : int
        Steps of a training, and density of those that are recorded.
    """

    c: tuple[float, ...]
    runs: int
    chains: int
    steps: int
    steps_per_decade: int


def compare(name: str, samples: Population, d: int, plan: Experiment, seed: int) -> pd.DataFrame:
    """Losses of SGD on real samples and their predictions, at one size.

    Parameters
    ----------
    name : str
        Of the data set, for streams of random numbers.
    samples : Population
    d : int
        Number of parameters.
    plan : Experiment
    seed : int
        The config's seed.

    Returns
    -------
    DataFrame
        Rows of the schema TRAINING: one for each c and recorded step.
    """
    steps = recorded_steps(plan.steps, plan.steps_per_decade)
    rates = [c / float(samples.task.eigenvalues.sum()) for c in plan.c]
    reductions = []
    measured, corrected = np.empty((2, len(rates), len(steps), plan.runs))
    growing = np.zeros((len(rates), plan.runs), dtype=bool)
    for run in track(range(plan.runs), f"{name}, d={d}: W", plan.runs):
        features = feature_samples(random_stream(seed, f"W, {name}", d, run), samples, d)
        reductions.append(features.reduction)
        for k, (c, rate) in enumerate(zip(plan.c, rates, strict=True)):
            drawn = random_stream(seed, f"samples, {name}", d, c, run)
            losses = sgd_on_samples(features, rate, steps, drawn, plan.chains).loss
            measured[k, :, run] = losses.mean(axis=1)
            correction = corrected_loss(features, rate, steps)
            corrected[k, :, run], growing[k, run] = correction.loss, correction.growth > 0
    tables = []
    for k, (c, rate) in enumerate(zip(plan.c, rates, strict=True)):
        given = recursion.run(reductions, SGD(rate), steps, [])
        if growing[k].any():  # no number of runs shows a mean that rare ones make
            corrected[k] = np.nan
        columns = {
            "step": steps,
            **_measured(measured[k], given.loss, corrected[k]),
            **_averaged(measured[k], samples, d, rate, steps),
        }
        tables.append(pd.DataFrame({"d": d, "c": c, "learning_rate": rate, **columns}))
        tables[-1]["growing"] = growing[k].sum()
    rows = pd.concat(tables, ignore_index=True)
    complete = rows[["loss", "predicted", "averaged"]].notna().all(axis=1)
    rows["status"] = np.where(complete, statuses.OK, statuses.DIVERGES)
    return rows.assign(set=name, runs=plan.runs, chains=plan.chains)


def paired_ratio(measured: Array, predicted: Array) -> tuple[Array, Array]:
    """Ratio of means over runs, and its standard error; pairs share W.

    Parameters
    ----------
    measured, predicted : arrays, shape (n_steps, runs)

    Returns
    -------
    ratio, error : arrays, shape (n_steps,)
    """
    mean = predicted.mean(axis=1)
    ratio = measured.mean(axis=1) / mean
    return ratio, standard_error(measured - ratio[:, None] * predicted) / mean


def deviations(rows: pd.DataFrame) -> pd.DataFrame:
    """How far measured losses are from predicted ones, over sizes and recorded steps.

    Parameters
    ----------
    rows : DataFrame
        Of the schema TRAINING.

    Returns
    -------
    DataFrame
        One row for each data set, c and kind of prediction, the name of its ratio: least and
        greatest ratio, root mean squares of its deviation from 1 and of its standard error, and
        number of sizes. Sizes without a prediction are left out.
    """
    trained = rows[rows["step"] > 0]
    found = []
    for (name, c), part in trained.groupby(["set", "c"], sort=False):
        for kind in ("ratio", "corrected_ratio", "averaged_ratio"):
            known = part[part[kind].notna()]
            squares = np.square([known[kind] - 1, known[f"{kind}_error"]])
            rms = np.sqrt(squares.mean(axis=1)) if len(known) else (np.nan, np.nan)
            ends = {"least": known[kind].min(), "greatest": known[kind].max()}
            sizes = known["d"].nunique()
            keys = {"set": name, "c": c, "kind": kind, "sizes": sizes}
            found.append({**keys, **ends, "rms_deviation": rms[0], "rms_error": rms[1]})
    return pd.DataFrame(found)


def standard_error(values: Array) -> Array:
    """Standard error of the mean over the last axis."""
    error: Array = values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1])
    return error


def _measured(losses: Array, predicted: Array, corrected: Array) -> dict[str, Array]:
    """Mean losses over all W, their predictions for the same W, and ratios."""
    ratio, ratio_error = paired_ratio(losses, predicted)
    corrected_ratio, corrected_ratio_error = paired_ratio(losses, corrected)
    return {
        "loss": losses.mean(axis=1),
        "loss_error": standard_error(losses),
        "predicted": predicted.mean(axis=1),
        "ratio": ratio,
        "ratio_error": ratio_error,
        "corrected": corrected.mean(axis=1),
        "corrected_ratio": corrected_ratio,
        "corrected_ratio_error": corrected_ratio_error,
    }


def _averaged(
    losses: Array, samples: Population, d: int, rate: float, steps: NDArray[np.int64]
) -> dict[str, Any]:
    """Prediction with W averaged out, its relative error, and the ratio; NaN if it diverges."""
    task = samples.task
    try:
        found = expected_loss(
            steps,
            eigenvalues=task.eigenvalues,
            targets=task.targets,
            d=d,
            learning_rate=rate,
            noise=task.noise,
        )
        loss, error = found.loss, found.error
    except DivergenceError:
        loss, error = np.full((2, len(steps)), np.nan)
    return {
        "averaged": loss,
        "averaged_error": error,
        "averaged_ratio": losses.mean(axis=1) / loss,
        "averaged_ratio_error": standard_error(losses) / loss,
    }
