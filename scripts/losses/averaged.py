"""Losses of all sizes of some alphas of a sweep, by an engine that averages W out."""

import logging
from typing import Any

import pandas as pd

from plrf.engines import planned
from plrf.model import Model
from plrf.progress import track
from plrf.study.loss_rows import flops_at, loss_rows, runner_of, training_of
from plrf.study.provenance import provenance
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import write_table
from plrf.study.tasks import task_of
from plrf.training import recorded_steps


def curve(point: dict[str, Any], engine: str, runner: str, steps_per_decade: int) -> pd.DataFrame:
    """Loss curve of one point and size, as rows of the LOSSES schema.

    Parameters
    ----------
    point : dict
        A row of the grid, with schedule and momentum as the configuration gives them.
    engine, runner : str
        Name of the engine, and its function.
    steps_per_decade : int
        Density of the recorded steps.
    """
    steps = recorded_steps(point["steps"], steps_per_decade)
    model = Model(task_of(point), point["d"], point["v"])
    sgd = training_of(point)
    curves = planned.run(runner_of(runner), model, sgd, steps)
    flops = flops_at(point["d"], sgd, steps)
    return loss_rows(point, engine, -1, steps, flops, curves.loss, curves.error)


def run_job(
    points: list[dict[str, Any]], engine: str, runner: str, steps_per_decade: int, path: str
) -> None:
    """Compute all points of a job and write their losses."""
    each = track(points, "loss curves", len(points))
    curves = [curve(point, engine, runner, steps_per_decade) for point in each]
    logging.info("%s: computed %d loss curves", engine, len(points))
    tasks = [task_of(point).seeds for point in points]
    source = provenance({"points": points, "tasks": tasks, "steps_per_decade": steps_per_decade})
    write_table(pd.concat(curves), LOSSES, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.params.points,
        snakemake.params.engine,
        snakemake.params.runner,
        snakemake.params.steps_per_decade,
        snakemake.output[0],
    )
