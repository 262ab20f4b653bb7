"""Losses against the batch at some budgets, and critical batches over compute."""

import logging
from typing import Any

import numpy as np
import pandas as pd

from plrf.exact.critical_batch import critical_batch
from plrf.exact.front import OPTIMAL, compute_optimal
from plrf.exact.search import LEAST_SIZE
from plrf.progress import track
from plrf.study.provenance import provenance
from plrf.study.schemas.algorithms import BATCHES, CRITICAL_BATCHES
from plrf.study.store import write_table

LEAST_STEPS = 64  # with the largest batch, at the least size


def batch_rows(flops: float, task: dict[str, float], v_over_d: float) -> pd.DataFrame:
    """Best size and learning rate for batches that are powers of four, as rows of BATCHES."""
    last = int(np.log2(flops / (LEAST_STEPS * LEAST_SIZE)) / 2)
    batches = 4.0 ** np.arange(last + 1)
    fronts = [
        compute_optimal(flops, c=OPTIMAL, batch=batch, v_over_d=v_over_d, **task)
        for batch in batches
    ]
    names = ("d", "c", "loss", "loss_error", "status")
    rows = {name: [getattr(front, name)[()] for front in fronts] for name in names}
    return pd.DataFrame({**task, "flops": flops, "batch": batches, **rows})


def critical_rows(flops: list[float], task: dict[str, float], v_over_d: float) -> pd.DataFrame:
    """Critical batches with the best learning rate of each, as rows of CRITICAL_BATCHES."""
    found = critical_batch(flops, c=OPTIMAL, v_over_d=v_over_d, **task)
    return pd.DataFrame({**task, **vars(found)})


def run_job(config: dict[str, Any], paths: dict[str, str]) -> None:
    """Write both tables.

    Parameters
    ----------
    config : dict
        points, flops, critical_flops, noise and v_over_d.
    paths : dict
        Outputs: batches, critical.
    """
    batches, critical = [], []
    for alpha, beta in track(config["points"], "points", len(config["points"])):
        task = {"alpha": alpha, "beta": beta, "noise": config["noise"]}
        batches += [batch_rows(flops, task, config["v_over_d"]) for flops in config["flops"]]
        critical.append(critical_rows(config["critical_flops"], task, config["v_over_d"]))
        logging.info("alpha=%s, beta=%s", alpha, beta)
    source = provenance(config)
    write_table(pd.concat(batches)[BATCHES.names], BATCHES, paths["batches"], source)
    rows = pd.concat(critical)[CRITICAL_BATCHES.names]
    write_table(rows, CRITICAL_BATCHES, paths["critical"], source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.config, dict(snakemake.output.items()))
