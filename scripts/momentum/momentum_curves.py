"""Loss curves of one size with momentum and without: expected losses, and runs of SGD."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from plrf.engines.sgd import simulate
from plrf.exact.groups import averaged_groups
from plrf.exact.loss import expected_loss
from plrf.model import power_law_model
from plrf.momentum import momentum_of
from plrf.progress import track
from plrf.scaling import ScalingRule
from plrf.streams import random_stream
from plrf.study.momentum import ALGORITHMS, training
from plrf.study.provenance import provenance
from plrf.study.schemas.momentum import MOMENTUM_CURVES
from plrf.study.store import write_table
from plrf.training import SGD, recorded_steps

PER_DECADE = 12
EXPECTED = -1  # number of the run that is the expectation


def curve_rows(
    point: list[float], algorithm: str, settings: dict[str, Any], seed: int
) -> pd.DataFrame:
    """Rows of the MOMENTUM_CURVES schema: the expected loss, and all runs."""
    alpha, beta = point
    plan, d, batch = settings["curves"], settings["curves"]["d"], settings["batch"]
    algo = training(algorithm, settings)
    model = power_law_model(alpha, beta, d, round(settings["v_over_d"] * d))
    gamma = ScalingRule(c=algo["c"], batch=batch).training(model).learning_rate
    steps = recorded_steps(plan["steps"], PER_DECADE)
    exact = expected_loss(
        steps,
        alpha=alpha,
        beta=beta,
        d=d,
        v=model.v,
        learning_rate=gamma,
        batch=batch,
        momentum=algo["momentum"],
        horizon=plan["steps"],
    )
    own = {"alpha": alpha, "beta": beta, "algorithm": algorithm, "d": d}
    parts = [own | {"run": EXPECTED, "step": steps, "loss": exact.loss, "error": exact.error}]
    early = recorded_steps(plan["run_steps"], PER_DECADE)
    sgd = SGD(gamma, batch, momentum=momentum_of(algo["momentum"], model, batch))
    streams = [
        random_stream(seed, "momentum curves", alpha, beta, ALGORITHMS.index(algorithm), run)
        for run in range(plan["runs"])
    ]
    runs = simulate([averaged_groups(model)] * len(streams), sgd, early, streams).loss
    parts += [
        own | {"run": k, "step": early, "loss": loss, "error": np.zeros(early.size)}
        for k, loss in enumerate(runs.T)
    ]
    return pd.concat(map(pd.DataFrame, parts))


def run_job(points: list[list[float]], settings: dict[str, Any], seed: int, path: str) -> None:
    """Compute the curves of all points and algorithms and write them."""
    cases = list(product(points, ALGORITHMS))
    each = track(cases, "loss curves with momentum", len(cases))
    rows = pd.concat(curve_rows(*case, settings, seed) for case in each)
    write_table(rows, MOMENTUM_CURVES, path, provenance(settings, seed))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.params.points,
        snakemake.params.settings,
        snakemake.params.seed,
        snakemake.output[0],
    )
