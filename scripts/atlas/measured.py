"""Exponents that experiments without noise report, over a part of the plane."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from plrf.atlas.experiment import APPROACHES, Experiment, Reported, reported_exponents
from plrf.exact.target_fronts import TargetFronts, target_fronts
from plrf.measure.exponents import Measurement, fit_exact_front
from plrf.measure.fronts import Front
from plrf.progress import track
from plrf.scaling import ScalingRule
from plrf.statuses import OK, REFUSED
from plrf.study.atlas import (
    QUANTITIES,
    by_alpha,
    place,
    table,
    theory,
    without_exponents,
    without_values,
)
from plrf.study.provenance import provenance
from plrf.study.schemas.atlas import MEASURED
from plrf.study.store import write_table
from plrf.task import PowerLawTask


def experiments_of(settings: dict[str, Any]) -> list[Experiment]:
    """An experiment for each number of sizes."""
    keys = ("isoflop_budgets", "envelope_budgets", "neighbours")
    common = {key: settings[key] for key in keys}
    return [Experiment(tuple(settings["window"]), sizes, **common) for sizes in settings["sizes"]]


def reported_row(
    alpha: float, beta: float, quantity: str, sizes: int, found: Reported, exact: Measurement
) -> dict[str, Any]:
    """One exponent that an approach reports, beside the exact one in the window."""
    known, i = getattr(exact, quantity), QUANTITIES.index(quantity)
    return place(alpha, beta) | {
        "quantity": quantity,
        "sizes": sizes,
        "approach": found.approach,
        "theory": theory(alpha, beta)[f"{quantity}_theory"],
        "exact": known.estimate,
        "exact_error": known.std_error,
        "reported": float(found.exponents[i]),
        "std_error": float(found.errors[i]),
        "budgets": found.budgets,
        "reason": found.refusal,
        "status": REFUSED if found.refusal else OK,
    }


def point_rows(
    alpha: float, fronts: TargetFronts, k: int, beta: float, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """What all approaches report at one point, as rows of the MEASURED schema."""
    status = fronts.status[k]
    experiments = experiments_of(settings)
    best = fronts.d[k][status == OK]
    if not best.size:
        return [
            without_values(
                (alpha, beta),
                MEASURED,
                str(status[0]),
                quantity=quantity,
                sizes=experiment.sizes,
                approach=approach,
            )
            for experiment, approach, quantity in product(experiments, APPROACHES, QUANTITIES)
        ]
    front = Front(fronts.flops, fronts.d[k], fronts.loss[k], status)
    exact = fit_exact_front(front, fronts.d_error[k], fronts.loss_error[k])
    rule = ScalingRule(settings["v_over_d"], settings["c"], settings["batch"])
    return [
        reported_row(alpha, beta, quantity, experiment.sizes, found, exact)
        for experiment in experiments
        for found in reported_exponents(experiment, best, PowerLawTask(alpha, beta), rule)
        for quantity in QUANTITIES
    ]


def measured(points: list[tuple[float, float]], settings: dict[str, Any]) -> pd.DataFrame:
    """What experiments report at all points.

    Parameters
    ----------
    points : list of (alpha, beta)
    settings : dict
        window, sizes (a number for each experiment), isoflop_budgets, envelope_budgets,
        neighbours, v_over_d, c and batch.

    Returns
    -------
    DataFrame
        Rows of the MEASURED schema.
    """
    flops = np.geomspace(*settings["window"], settings["isoflop_budgets"])
    rule = {key: settings[key] for key in ("v_over_d", "c", "batch")}
    rows = without_exponents(points, MEASURED)
    groups = by_alpha(points)
    for alpha, betas in track(groups.items(), "alphas", len(groups)):
        fronts = target_fronts(flops, alpha=alpha, betas=betas, **rule)
        for k, beta in enumerate(betas):
            rows += point_rows(alpha, fronts, k, beta, settings)
    return table(rows, MEASURED)


def run_job(points: list[tuple[float, float]], settings: dict[str, Any], path: str) -> None:
    """Write the table."""
    source = provenance({"points": points, **settings})
    write_table(measured(points, settings), MEASURED, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.points, snakemake.params.settings, snakemake.output[0])
