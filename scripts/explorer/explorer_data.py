"""What the explorer shows: exact losses, their named parts and the front over a grid of points."""

import logging
import math
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from plrf.exact.front import compute_optimal
from plrf.exact.loss import expected_loss
from plrf.progress import track
from plrf.scaling import ScalingRule
from plrf.statuses import NO_POWER_LAW
from plrf.study.provenance import provenance
from plrf.study.schemas.explorer import EXPLORER_FRONTS, EXPLORER_LOSSES, EXPLORER_POINTS
from plrf.study.schemas.losses import loss_status
from plrf.study.store import write_table
from plrf.task import PowerLawTask
from plrf.theory.parts import f_0, f_ac, f_pp, k_pp
from plrf.theory.phases import exponents, phase_name
from plrf.training import recorded_steps

MEASURED = ["loss_error", "d_error", "eta", "eta_error", "xi", "xi_error"]


def point(alpha: float, beta: float) -> dict[str, Any]:
    """One point of the grid with its theory, as a row of the EXPLORER_POINTS schema."""
    try:
        name = phase_name(alpha, beta)
        status = "edge" if name == "edge" else "ok"
    except ValueError:
        name, status = "none", NO_POWER_LAW
    eta, xi = exponents(alpha, beta)
    return {"alpha": alpha, "beta": beta, "phase": name, "eta": eta, "xi": xi, "status": status}


def curve(row: dict[str, Any], d: int, settings: dict[str, Any]) -> pd.DataFrame:
    """Exact loss of one size and its parts, as rows of the EXPLORER_LOSSES schema.

    Parameters
    ----------
    row : dict
        From :func:`point`. Where there is no power law, the loss exists all the same.
    d : int
        Number of parameters.
    settings : dict
        The explorer's block of the configuration.
    """
    rule = ScalingRule(*(settings[key] for key in ("v_over_d", "c", "batch")))
    model = rule.whole_model(PowerLawTask(row["alpha"], row["beta"]), d)
    rate = rule.training(model).parameters
    v, batch = model.v, rule.batch
    last = math.ceil(settings["flops"][1] / (d * batch))
    steps = recorded_steps(last, settings["steps_per_decade"])[1:]
    at = {key: row[key] for key in ("alpha", "beta")}
    exact = expected_loss(steps, **at, d=d, v=v, **rate)
    pure = f_pp(steps, **at, **rate) if row["status"] == "ok" else math.nan
    kernel = k_pp(steps, alpha=row["alpha"], d=d, **rate)
    return pd.DataFrame(
        {
            **at,
            "d": d,
            "v": v,
            **rate,
            "step": steps,
            "flops": float(d * batch) * steps,
            "loss": exact.loss,
            "error": exact.error,
            "f_0": f_0(**at, d=d, v=v),
            "f_pp": pure,
            "f_ac": f_ac(steps, **at, d=d, v=v, **rate),
            "k_pp": kernel / (rate["learning_rate"] * batch),
            "status": loss_status(exact.loss, exact.error),
        }
    )


def front(row: dict[str, Any], settings: dict[str, Any]) -> pd.DataFrame:
    """Exact front of one point, as rows of the EXPLORER_FRONTS schema."""
    at = {key: row[key] for key in ("alpha", "beta")}
    flops = np.geomspace(*settings["flops"], settings["budgets"])
    if row["status"] == NO_POWER_LAW:
        missing = dict.fromkeys(["d_opt", "loss_opt", *MEASURED], math.nan)
        return pd.DataFrame({**at, "flops": flops, **missing, "status": NO_POWER_LAW})
    model = {key: settings[key] for key in ("v_over_d", "c", "batch")}
    best = compute_optimal(flops, **at, **model)
    measured = {name: getattr(best, name) for name in MEASURED}
    optimum = {"d_opt": best.d, "loss_opt": best.loss, **measured}
    return pd.DataFrame({**at, "flops": flops, **optimum, "status": best.status})


def run_job(settings: dict[str, Any], paths: dict[str, str]) -> None:
    """Compute all points, and write the tables ``points``, ``losses`` and ``fronts``."""
    points, losses, fronts = [], [], []
    grid = list(product(settings["alpha"], settings["beta"]))
    for alpha, beta in track(grid, "points of the explorer", len(grid)):
        row = point(alpha, beta)
        points.append(row)
        losses += [curve(row, d, settings) for d in settings["d"]]
        fronts.append(front(row, settings))
    logging.info("computed %d points", len(grid))
    source = provenance(settings)
    write_table(pd.DataFrame(points), EXPLORER_POINTS, paths["points"], source)
    write_table(pd.concat(losses), EXPLORER_LOSSES, paths["losses"], source)
    write_table(pd.concat(fronts), EXPLORER_FRONTS, paths["fronts"], source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.settings, dict(snakemake.output.items()))
