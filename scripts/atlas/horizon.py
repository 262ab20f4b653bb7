"""From which compute on exact exponents are close to the theory, over a part of the plane."""

from typing import Any

import numpy as np
import pandas as pd

from plrf.atlas.convergence import horizon, leading_correction
from plrf.exact.target_fronts import TargetFronts, target_fronts
from plrf.progress import track
from plrf.statuses import NOT_CONVERGED
from plrf.study.atlas import QUANTITIES, by_alpha, place, table, theory, without_exponents
from plrf.study.provenance import provenance
from plrf.study.schemas.atlas import HORIZON
from plrf.study.store import write_table


def horizon_row(
    alpha: float, beta: float, quantity: str, fronts: TargetFronts, k: int, tolerance: float
) -> dict[str, Any]:
    """One exponent of a front as a row of the HORIZON schema."""
    expected = theory(alpha, beta)[f"{quantity}_theory"]
    values, errors = (getattr(fronts, quantity + end)[k] for end in ("", "_error"))
    found = horizon(fronts.flops, values, errors, expected, tolerance)
    correction = leading_correction(fronts.flops, values, errors, expected)
    failed = bool((fronts.status[k] == NOT_CONVERGED).any())
    return place(alpha, beta) | {
        "quantity": quantity,
        "theory": expected,
        "flops": np.nan if failed else found.flops,
        "flops_error": np.nan if failed else found.error,
        "deviation": found.deviation,
        "trend": found.trend,
        "rate": correction.rate,
        "rate_error": correction.error,
        "rate_status": correction.status,
        "status": NOT_CONVERGED if failed else found.status,
    }


def horizons(points: list[tuple[float, float]], settings: dict[str, Any]) -> pd.DataFrame:
    """Horizons and leading corrections of both exponents at all points.

    Parameters
    ----------
    points : list of (alpha, beta)
    settings : dict
        flops (lowest and highest budget), budgets (their number), tolerance, v_over_d, c and batch.

    Returns
    -------
    DataFrame
        Rows of the HORIZON schema.
    """
    flops = np.geomspace(*settings["flops"], settings["budgets"])
    rule = {key: settings[key] for key in ("v_over_d", "c", "batch")}
    rows = [row for q in QUANTITIES for row in without_exponents(points, HORIZON, quantity=q)]
    groups = by_alpha(points)
    for alpha, betas in track(groups.items(), "alphas", len(groups)):
        fronts = target_fronts(flops, alpha=alpha, betas=betas, **rule)
        rows += [
            horizon_row(alpha, beta, quantity, fronts, k, settings["tolerance"])
            for k, beta in enumerate(betas)
            for quantity in QUANTITIES
        ]
    return table(rows, HORIZON)


def run_job(points: list[tuple[float, float]], settings: dict[str, Any], path: str) -> None:
    """Write the table."""
    source = provenance({"points": points, **settings})
    write_table(horizons(points, settings), HORIZON, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.points, snakemake.params.settings, snakemake.output[0])
