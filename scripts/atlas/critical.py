"""Critical batches, with the best learning rate of each batch, over a part of a coarse plane."""

from typing import Any

import pandas as pd

from plrf.exact.critical_batch import critical_batch
from plrf.exact.front import OPTIMAL
from plrf.progress import track
from plrf.study.atlas import by_alpha, place, table, without_exponents
from plrf.study.provenance import provenance
from plrf.study.schemas.atlas import CRITICAL
from plrf.study.store import write_table

COLUMNS = ("batch", "d", "steps", "loss", "status")


def critical(points: list[tuple[float, float]], settings: dict[str, Any]) -> pd.DataFrame:
    """Critical batches of all points.

    Parameters
    ----------
    points : list of (alpha, beta)
    settings : dict
        flops (a budget) and v_over_d.

    Returns
    -------
    DataFrame
        Rows of the CRITICAL schema.
    """
    flops = settings["flops"]
    rows = without_exponents(points, CRITICAL, flops=flops)
    there = [(alpha, beta) for alpha, betas in by_alpha(points).items() for beta in betas]
    for alpha, beta in track(there, "points", len(there)):
        found = critical_batch(
            flops, alpha=alpha, beta=beta, v_over_d=settings["v_over_d"], c=OPTIMAL
        )
        columns = {name: getattr(found, name).item() for name in COLUMNS}
        rows.append(place(alpha, beta) | {"flops": flops} | columns)
    return table(rows, CRITICAL)


def run_job(points: list[tuple[float, float]], settings: dict[str, Any], path: str) -> None:
    """Write the table."""
    source = provenance({"points": points, **settings})
    write_table(critical(points, settings), CRITICAL, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.points, snakemake.params.settings, snakemake.output[0])
