"""SGD runs of some alphas at one (sweep, d), and the expected loss of each run's own W.

For each alpha, W is drawn once per run and its reduction shared among all betas.
"""

import logging
from typing import Any

import numpy as np
import pandas as pd

from plrf.engines.recursion import recursion
from plrf.engines.reduction import Reduction, reduce
from plrf.engines.sgd import simulate
from plrf.model import random_stream, recorded_steps
from plrf.progress import track
from plrf.study.provenance import provenance
from plrf.study.schemas.losses import LOSSES, loss_status
from plrf.study.store import write_table

ROUNDING = np.finfo(float).eps


def reductions(job: dict[str, Any], seed: int) -> list[list[Reduction]]:
    """Reductions by run and beta; W depends on the seed, alpha, d, v and the run alone."""
    alpha, d, v = job["alpha"], job["d"], job["v"]
    what = f"reductions of W, alpha={alpha}, (v, d)=({v}, {d})"
    runs = track(range(job["runs"]), what, job["runs"])
    streams = (random_stream(seed, "features", alpha, d, v, run) for run in runs)
    return [reduce(stream, alpha, job["betas"], d, v) for stream in streams]


def sample_stream(job: dict[str, Any], seed: int, beta: float, run: int) -> np.random.Generator:
    """Stream of the samples of one run.

    It depends on c as the configuration gives it: the last bit of the learning rate depends on the
    machine, and would choose another sample.
    """
    values = (job[key] for key in ("alpha", "d", "v", "batch", "c"))
    return random_stream(seed, "samples", beta, *values, run)


def losses(job: dict[str, Any], seed: int, steps_per_decade: int) -> pd.DataFrame:
    """Losses of all runs of one alpha, as rows of the LOSSES schema.

    Parameters
    ----------
    job : dict
        sweep, alpha, betas, d, v, batch, c, learning_rate, steps, runs, sgd, recursion.
    seed : int
        The config's seed.
    steps_per_decade : int
        Density of the recorded steps.
    """
    steps = recorded_steps(job["steps"], steps_per_decade)
    chains = [(beta, run) for run in range(job["runs"]) for beta in job["betas"]]
    reduced = [r for row in reductions(job, seed) for r in row]
    tables = []
    if job["sgd"]:
        streams = [sample_stream(job, seed, beta, run) for beta, run in chains]
        curves = simulate(reduced, streams, job["learning_rate"], job["batch"], steps)
        tables.append(("sgd", curves, np.full(steps.shape, np.nan)))
    if job["recursion"]:
        curves = recursion(
            np.array([r.eigenvalues for r in reduced]),
            np.array([r.coefficients**2 for r in reduced]),
            np.array([r.floor for r in reduced]),
            job["learning_rate"],
            job["batch"],
            steps,
        )
        # All terms are positive, so that rounding errors add up at most linearly.
        tables.append(("recursion", curves, (steps + 1) * (job["batch"] + 16) * ROUNDING))
    for engine, curves, _ in tables:
        for (beta, run), step in zip(chains, curves.diverged_at, strict=True):
            if step >= 0:
                logging.warning("%s: beta=%s run %d diverged at step %d", engine, beta, run, step)
    return pd.concat(
        pd.DataFrame(
            {
                "sweep": job["sweep"],
                "alpha": job["alpha"],
                "beta": beta,
                "d": job["d"],
                "v": job["v"],
                "batch": job["batch"],
                "learning_rate": job["learning_rate"],
                "engine": engine,
                "run": run,
                "step": steps,
                "flops": float(job["d"] * job["batch"]) * steps,
                "loss": curves.loss[:, k],
                "error": error,
                # SGD is exact in law: it has no error of a solver.
                "status": loss_status(curves.loss[:, k], np.where(engine == "sgd", 0, error)),
            }
        )
        for engine, curves, error in tables
        for k, (beta, run) in enumerate(chains)
    )


def run_job(points: list[dict[str, Any]], seed: int, steps_per_decade: int, path: str) -> None:
    """Run a job, one alpha after the other, and write its losses."""
    tables = []
    for point in track(points, "values of alpha", len(points)):
        tables.append(losses(point, seed, steps_per_decade))
        logging.info("simulated alpha=%s, d=%s", point["alpha"], point["d"])
    source = provenance({"points": points, "steps_per_decade": steps_per_decade}, seed)
    write_table(pd.concat(tables), LOSSES, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.params.points,
        snakemake.params.seed,
        snakemake.params.steps_per_decade,
        snakemake.output[0],
    )
