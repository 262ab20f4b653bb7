"""How fronts depend on the learning-rate constant, the batch and the number of features."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from plrf.exact.front import OPTIMAL, compute_optimal
from plrf.exact.loss import DivergenceError
from plrf.exact.ridge import ConvergenceError
from plrf.progress import track
from plrf.statuses import DIVERGES, NOT_CONVERGED
from plrf.study.atlas import place, table, theory, without_exponents, without_values
from plrf.study.provenance import provenance
from plrf.study.schemas.atlas import HYPERPARAMETERS
from plrf.study.store import write_table

MEASURED = ("d", "loss", "eta", "xi", "c_exponent", "eta_error", "xi_error", "c_error", "status")
RULE = ("c", "batch", "v_over_d")


def cases(alpha: float, settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is varied, with which c, batch, v_over_d and budgets: one at a time.

    Infinitely many features are among those of tasks that have a trace.
    """
    rule = {key: settings[key] for key in RULE}
    values = {key: list(settings["values"][key]) for key in RULE}
    if 2 * alpha > 1:
        values["v_over_d"].append(np.inf)
    for varied in RULE:
        for value in values[varied]:
            yield {"varied": varied, "flops": settings["flops"], **rule, varied: value}
    for varied in RULE[1:]:
        for value in values[varied]:
            yield {"varied": varied, "flops": settings["flops_of_best_c"], **rule} | {
                varied: value,
                "c": OPTIMAL,
            }
    yield {"varied": "c", "flops": settings["flops"], **rule, "c": OPTIMAL}


def case_rows(alpha: float, beta: float, case: dict[str, Any]) -> list[dict[str, Any]]:
    """Fronts of one case as rows of the HYPERPARAMETERS schema."""
    flops, rule = list(case["flops"]), {key: case[key] for key in RULE}
    best = rule["c"] == OPTIMAL
    shown = rule | {"varied": case["varied"], "c_is_best": best} | theory(alpha, beta)
    if best:
        shown["c"] = np.nan
    try:
        found = compute_optimal(flops, alpha=alpha, beta=beta, **rule)
    except (DivergenceError, ConvergenceError) as error:
        logging.warning("alpha = %g, beta = %g: %s", alpha, beta, error)
        status = DIVERGES if isinstance(error, DivergenceError) else NOT_CONVERGED
        point = (alpha, beta)
        return [without_values(point, HYPERPARAMETERS, status, flops=f, **shown) for f in flops]
    names = (*MEASURED, "c") if best else MEASURED
    columns = {name: getattr(found, name).tolist() for name in names}
    return [
        place(alpha, beta) | shown | {"flops": f} | {name: columns[name][i] for name in names}
        for i, f in enumerate(flops)
    ]


def hyperparameters(points: list[tuple[float, float]], settings: dict[str, Any]) -> pd.DataFrame:
    """Fronts of all points and cases.

    Parameters
    ----------
    points : list of (alpha, beta)
    settings : dict
        flops and flops_of_best_c (budgets), values (lists of c, batch and v_over_d), and the
        v_over_d, c and batch that are kept while others vary.

    Returns
    -------
    DataFrame
        Rows of the HYPERPARAMETERS schema.
    """
    rows = without_exponents(points, HYPERPARAMETERS)
    there = [point for point in points if point not in {(r["alpha"], r["beta"]) for r in rows}]
    for alpha, beta in track(there, "points", len(there)):
        for case in cases(alpha, settings):
            rows += case_rows(alpha, beta, case)
    return table(rows, HYPERPARAMETERS)


def run_job(points: list[list[float]], settings: dict[str, Any], path: str) -> None:
    """Write the table."""
    source = provenance({"points": points, **settings})
    pairs = [(alpha, beta) for alpha, beta in points]
    write_table(hyperparameters(pairs, settings), HYPERPARAMETERS, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.points, snakemake.params.settings, snakemake.output[0])
