"""Losses of some alphas and sizes of a sweep, by an engine that makes runs.

For each alpha and size, W is drawn once per run and its reduction shared among all betas; or it is
averaged out, and all runs of a point share a spectrum in groups.
"""

import logging
from typing import Any

import numpy as np
import pandas as pd

from plrf.engines import planned
from plrf.engines.reduction import Reduction, reduce
from plrf.exact.groups import Groups, averaged_groups
from plrf.model import Model
from plrf.progress import track
from plrf.streams import random_stream
from plrf.study.loss_rows import flops_at, loss_rows, runner_of, training_of
from plrf.study.provenance import provenance
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import write_table
from plrf.study.tasks import task_of
from plrf.training import SGD, recorded_steps

Points = list[dict[str, Any]]


def reductions(points: Points, seed: int) -> list[list[Reduction]]:
    """Reductions by run and beta; W depends on the seed, the variances, d, v and the run alone."""
    d, v, runs = (points[0][key] for key in ("d", "v", "runs"))
    tasks = [task_of(point) for point in points]
    numbers = track(range(runs), f"reductions of W, (v, d)=({v}, {d})", runs)
    streams = (random_stream(seed, "features", tasks[0].seeds[0], d, v, run) for run in numbers)
    return [reduce(stream, tasks, d, v) for stream in streams]


def spectra(points: Points, seed: int, samples: bool) -> list[Reduction | Groups]:
    """Spectra of all runs, those of a run's betas one after the other."""
    if samples:
        return [reduction for row in reductions(points, seed) for reduction in row]
    models = (Model(task_of(point), point["d"], point["v"]) for point in points)
    groups = [averaged_groups(model) for model in models]
    return groups * points[0]["runs"]


def sample_stream(point: dict[str, Any], seed: int, run: int, samples: bool) -> np.random.Generator:
    """Stream of the samples of one run, which all betas share as they share W.

    It depends on c as the configuration gives it: the last bit of the learning rate depends on the
    machine, and would choose another sample.
    """
    values = (point[key] for key in ("d", "v", "batch", "c"))
    purpose = "samples" if samples else "samples, W averaged out"
    return random_stream(seed, purpose, task_of(point).seeds[0], *values, run)


def losses(
    points: Points, engine: str, runner: str, samples: bool, seed: int, steps_per_decade: int
) -> pd.DataFrame:
    """Losses of all runs of one alpha and size, as rows of the LOSSES schema.

    Parameters
    ----------
    points : list of dict
        Rows of the grid that differ in beta only, if at all, with schedule and momentum as the
        configuration gives them.
    engine, runner : str
        Name of the engine, and its function.
    samples : bool
        Whether W is drawn; otherwise it is averaged out.
    seed : int
        The config's seed.
    steps_per_decade : int
        Density of the recorded steps.
    """
    steps = recorded_steps(points[0]["steps"], steps_per_decade)
    chains = [(point, run) for run in range(points[0]["runs"]) for point in points]
    trainings: dict[SGD, list[int]] = {}  # chains of each: momentum may depend on beta
    for k, (point, _) in enumerate(chains):
        trainings.setdefault(training_of(point), []).append(k)
    of_chains = spectra(points, seed, samples)
    tables = []
    for sgd, places in trainings.items():
        own = [of_chains[k] for k in places]
        streams = [sample_stream(points[0], seed, run, samples) for run in range(points[0]["runs"])]
        curves = planned.run(runner_of(runner), own, sgd, steps, streams)
        flops = flops_at(points[0]["d"], sgd, steps)
        for k, loss, diverged_at in zip(places, curves.loss.T, curves.diverged_at, strict=True):
            point, run = chains[k]
            if diverged_at >= 0:
                what = engine, point["beta"], run, diverged_at
                logging.warning("%s: beta=%s run %d diverged at step %d", *what)
            tables.append(loss_rows(point, engine, run, steps, flops, loss, curves.error))
    return pd.concat(tables)


def run_job(
    points: Points,
    engine: str,
    runner: str,
    samples: bool,
    seed: int,
    steps_per_decade: int,
    path: str,
) -> None:
    """Run a job, one alpha and size after the other, and write its losses."""
    tables = []
    seeds = [task_of(point).seeds for point in points]
    models = pd.DataFrame({"variances": [own[0] for own in seeds], "d": [p["d"] for p in points]})
    spectra = [[points[i] for i in places] for places in models.groupby([*models]).groups.values()]
    for rows in track(spectra, "pairs of alpha and d", len(spectra)):
        tables.append(losses(rows, engine, runner, samples, seed, steps_per_decade))
        logging.info("%s: alpha=%s, d=%s", engine, rows[0]["alpha"], rows[0]["d"])
    what = {"points": points, "tasks": seeds, "steps_per_decade": steps_per_decade}
    source = provenance(what, seed)
    write_table(pd.concat(tables), LOSSES, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.params.points,
        snakemake.params.engine,
        snakemake.params.runner,
        snakemake.params.samples,
        snakemake.params.seed,
        snakemake.params.steps_per_decade,
        snakemake.output[0],
    )
