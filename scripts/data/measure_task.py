"""The task that a data set is, by its samples: spectrum, noise and exponents, with errors."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from plrf.data.exponents import TaskExponents, local_windows, measure_exponents, window_ranks
from plrf.data.measured import MeasuredTask, measure_task
from plrf.data.sets import SETS
from plrf.data.windows import tail_sums
from plrf.study.provenance import provenance
from plrf.study.schemas.data import SPECTRA, TASK_EXPONENTS, TASKS
from plrf.study.store import write_table


def measure(name: str, source: Mapping[str, str] | None, resamples: int, seed: int) -> MeasuredTask:
    """Measure a set of ours, or of a user's files with their samples and the name of the target."""
    options = {"resamples": resamples, "seed": seed}
    if source is None:
        return measure_task(*SETS[name].load(), **options)
    return measure_task(source["samples"], target=source["target"], **options)


def spectrum_rows(name: str, task: MeasuredTask) -> pd.DataFrame:
    """The spectrum, as rows of SPECTRA."""
    noise = task.deviations.noise[:, None] / task.n
    tails = tail_sums(task.deviations.signal - noise)
    ranks = np.arange(1, task.eigenvalues.size + 1)
    sums = {"tail": tail_sums(task.signal), "tail_error": tails.std(axis=0)}
    return pd.DataFrame({"set": name, "rank": ranks, **task.columns(), **sums})


def task_row(name: str, task: MeasuredTask) -> pd.DataFrame:
    """What else is measured, as a row of TASKS."""
    test = task.held_out
    names = ("n", "left_out", "noise", "noise_error", "noise_share", "inflation", "status")
    tested = {
        "held_out": test.n,
        "held_out_loss": test.loss,
        "held_out_error": test.error,
        "held_out_expected": test.expected,
    }
    measured = {key: getattr(task, key) for key in names}
    return pd.DataFrame([{"set": name, "v": task.eigenvalues.size, **measured, **tested}])


def exponent_row(found: TaskExponents) -> dict[str, Any]:
    """Exponents over a window, as a row of TASK_EXPONENTS but for its first three columns."""
    names = ("first", "last", "last_tail", "alpha", "beta", "phase", "status")
    alpha_error, beta_error = found.errors
    *probabilities, none = found.probabilities.items()
    return {
        **{key: getattr(found, key) for key in names},
        "alpha_error": alpha_error,
        "beta_error": beta_error,
        "correlation": found.covariance[0, 1] / (alpha_error * beta_error),
        "alpha_bias": found.bias[0],
        "beta_bias": found.bias[1],
        **{f"probability_{phase}": value for phase, value in probabilities},
        "probability_none": none[1],
    }


def exponent_rows(
    name: str, task: MeasuredTask, windows: list[list[float]], simulations: int, seed: int
) -> pd.DataFrame:
    """Exponents over the configuration's windows and along the spectrum, as rows."""
    v = task.eigenvalues.size
    kinds = {
        "window": [window_ranks(low, high, v) for low, high in windows],
        "local": local_windows(v),
    }
    rows = []
    for kind, ranks in kinds.items():
        for k, (first, last) in enumerate(ranks):
            found = measure_exponents(task, first, last, simulations=simulations, seed=seed)
            rows.append({"set": name, "kind": kind, "window": k, **exponent_row(found)})
    return pd.DataFrame(rows)


def run_job(
    name: str, config: Mapping[str, Any], source: Mapping[str, str] | None, paths: dict[str, str]
) -> None:
    """Write the tables of one data set.

    Parameters
    ----------
    name : str
    config : mapping
        windows, resamples, simulations and seed.
    source : mapping or None
        samples and target of a user's files.
    paths : dict
        Outputs: spectrum, task and exponents.
    """
    seed = config["seed"]
    task = measure(name, source, config["resamples"], seed)
    logging.info(
        "%s: %d samples, %d features, %s", name, task.n, task.eigenvalues.size, task.status
    )
    exponents = exponent_rows(name, task, config["windows"], config["simulations"], seed)
    made_from = provenance({"set": name, "source": source, **config}, seed)
    write_table(spectrum_rows(name, task), SPECTRA, paths["spectrum"], made_from)
    write_table(task_row(name, task), TASKS, paths["task"], made_from)
    write_table(exponents, TASK_EXPONENTS, paths["exponents"], made_from)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.wildcards.set,
        snakemake.params.config,
        snakemake.params.source,
        dict(snakemake.output.items()),
    )
