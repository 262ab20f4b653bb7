"""Exact fronts at many budgets, at points in the phases and next to their boundaries."""

from typing import Any

import numpy as np
import pandas as pd

from plrf.exact.target_fronts import TargetFronts, target_fronts
from plrf.progress import track
from plrf.study.atlas import by_alpha, place, table, theory, without_exponents
from plrf.study.provenance import provenance
from plrf.study.schemas.atlas import CONVERGENCE
from plrf.study.store import write_table

VALUES = ("d", "loss", "eta", "xi")
COLUMNS = (*VALUES, *(f"{name}_error" for name in VALUES), "status")


def front_rows(alpha: float, beta: float, fronts: TargetFronts, k: int) -> list[dict[str, Any]]:
    """One front as rows of the CONVERGENCE schema."""
    columns = {name: getattr(fronts, name)[k].tolist() for name in COLUMNS}
    point = place(alpha, beta) | theory(alpha, beta)
    return [
        point | {"flops": flops} | {name: values[i] for name, values in columns.items()}
        for i, flops in enumerate(fronts.flops.tolist())
    ]


def convergence(points: list[tuple[float, float]], settings: dict[str, Any]) -> pd.DataFrame:
    """Fronts of all points.

    Parameters
    ----------
    points : list of (alpha, beta)
    settings : dict
        flops (lowest and highest budget), budgets (their number), v_over_d, c and batch.

    Returns
    -------
    DataFrame
        Rows of the CONVERGENCE schema.
    """
    flops = np.geomspace(*settings["flops"], settings["budgets"])
    rule = {key: settings[key] for key in ("v_over_d", "c", "batch")}
    rows = without_exponents(points, CONVERGENCE)
    groups = by_alpha(points)
    for alpha, betas in track(groups.items(), "alphas", len(groups)):
        fronts = target_fronts(flops, alpha=alpha, betas=betas, **rule)
        for k, beta in enumerate(betas):
            rows += front_rows(alpha, beta, fronts, k)
    return table(rows, CONVERGENCE)


def run_job(points: list[tuple[float, float]], settings: dict[str, Any], path: str) -> None:
    """Write the table."""
    source = provenance({"points": points, **settings})
    write_table(convergence(points, settings), CONVERGENCE, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.points, snakemake.params.settings, snakemake.output[0])
