"""The best schedules at some budgets, of all learning rates and of families."""

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from plrf.exact.optimal_schedule import FREE, OptimalSchedule, optimal_schedule
from plrf.exact.parametrised import SHAPES
from plrf.progress import track
from plrf.study.provenance import provenance
from plrf.study.schemas.algorithms import BEST_SCHEDULES, RATES
from plrf.study.store import write_table

FAMILIES = (FREE, *SHAPES)
RECORDED = 200  # steps of each schedule, equally far apart


def rate_rows(best: OptimalSchedule, **columns: Any) -> pd.DataFrame:
    """Learning rates at some steps, as rows of the RATES schema."""
    steps = np.unique(np.linspace(0, best.steps - 1, RECORDED).astype(int)) if best.steps else []
    rows = {"step": steps, "time": np.array(steps) / max(best.steps, 1), "c": best.c[steps]}
    return pd.DataFrame(rows).assign(flops=best.flops, **columns)


def run_job(config: dict[str, Any], paths: dict[str, str]) -> None:
    """Find the best schedules of all points, budgets and families, and write both tables.

    Parameters
    ----------
    config : dict
        points, flops, noise and v_over_d.
    paths : dict
        Outputs: schedules, rates.
    """
    settings = {key: config[key] for key in ("noise", "v_over_d")}
    cases = [
        (alpha, beta, flops, family)
        for alpha, beta in config["points"]
        for flops in config["flops"]
        for family in FAMILIES
    ]
    rows, rates = [], []
    for alpha, beta, flops, family in track(cases, "best schedules", len(cases)):
        best = optimal_schedule(flops, alpha=alpha, beta=beta, family=family, **settings)
        columns = {"alpha": alpha, "beta": beta, "noise": config["noise"], "family": family}
        largest = best.c.max(initial=0.0) if best.steps else np.nan
        rows.append({**asdict(best), **columns, "largest_c": largest})
        rates.append(rate_rows(best, **columns))
        logging.info("alpha=%s, beta=%s, %g flops, %s: %s", *cases[len(rows) - 1], best.status)
    source = provenance(config)
    write_table(
        pd.DataFrame(rows)[BEST_SCHEDULES.names], BEST_SCHEDULES, paths["schedules"], source
    )
    write_table(pd.concat(rates), RATES, paths["rates"], source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.config, dict(snakemake.output.items()))
