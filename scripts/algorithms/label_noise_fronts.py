"""Exact fronts with several variances of the labels' noise, at a given and at the best c."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from plrf.exact.front import OPTIMAL, compute_optimal
from plrf.progress import track
from plrf.study.provenance import provenance
from plrf.study.schemas.algorithms import NOISE_FRONTS
from plrf.study.store import write_table

BUDGETS_PER_DECADE = 1


def front_rows(
    point: list[float], noise: float, c: float | str, flops: np.ndarray, v_over_d: float
) -> pd.DataFrame:
    """One front as rows of the NOISE_FRONTS schema."""
    task = {"alpha": point[0], "beta": point[1], "noise": noise}
    front = compute_optimal(flops, c=c, v_over_d=v_over_d, **task)
    rate = OPTIMAL if c == OPTIMAL else "given"
    return pd.DataFrame({**vars(front), **task, "rate": rate})[NOISE_FRONTS.names]


def run_job(config: dict[str, Any], path: str) -> None:
    """Compute all fronts and write them.

    Parameters
    ----------
    config : dict
        points, variances, flops (lowest and highest budget), c and v_over_d.
    path : str
        The table.
    """
    low, high = config["flops"]
    flops = np.geomspace(low, high, round(np.log10(high / low) * BUDGETS_PER_DECADE) + 1)
    cases = list(product(config["points"], config["variances"], (config["c"], OPTIMAL)))
    each = track(cases, "fronts", len(cases))
    rows = pd.concat(front_rows(*case, flops, config["v_over_d"]) for case in each)
    write_table(rows, NOISE_FRONTS, path, provenance(config))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.config, snakemake.output[0])
