"""Local exponents of exact fronts with momentum and without, at some points and one budget."""

import logging
from itertools import product
from typing import Any

import pandas as pd

from plrf.exact.front import compute_optimal
from plrf.exact.loss import DivergenceError
from plrf.exact.ridge import ConvergenceError
from plrf.progress import track
from plrf.statuses import DIVERGES, EDGE, NO_POWER_LAW, NOT_CONVERGED
from plrf.study.momentum import ALGORITHMS, training
from plrf.study.provenance import provenance
from plrf.study.schemas.momentum import MOMENTUM_FRONTS
from plrf.study.store import write_table
from plrf.theory.momentum_exponents import heuristic_exponents
from plrf.theory.phases import phase_name

MEASURED = ("d", "loss", "eta", "xi", "d_error", "loss_error", "eta_error", "xi_error")
NOT_MEASURED = dict.fromkeys(MEASURED, float("nan"))


def front_row(
    point: list[float], algorithm: str, flops: float, settings: dict[str, Any]
) -> dict[str, Any]:
    """Measure one front at one budget: a row of the MOMENTUM_FRONTS schema.

    Without a power law, on its edge, and where the front was not found, the measured values are NaN
    and the status says why. Any other error is raised.
    """
    task = dict(zip(("alpha", "beta"), point, strict=True))
    eta, xi = heuristic_exponents(algorithm, *point)
    heuristic = {"eta_heuristic": float(eta), "xi_heuristic": float(xi)}
    row = task | {"algorithm": algorithm, "flops": flops} | heuristic | NOT_MEASURED
    try:
        row["phase"] = phase_name(*point)
    except ValueError:
        return row | {"phase": "none", "status": NO_POWER_LAW}
    if row["phase"] == "edge":
        return row | {"status": EDGE}
    rule = {key: settings[key] for key in ("v_over_d", "batch")}
    try:
        found = compute_optimal(flops, **task, **rule, **training(algorithm, settings))
    except (DivergenceError, ConvergenceError) as error:
        logging.warning("%s at %s: %s", algorithm, point, error)
        return row | {"status": DIVERGES if isinstance(error, DivergenceError) else NOT_CONVERGED}
    return row | {k: float(vars(found)[k]) for k in MEASURED} | {"status": str(found.status)}


def run_job(part: dict[str, Any], settings: dict[str, Any], path: str) -> None:
    """Measure all algorithms at some points and write the table.

    Parameters
    ----------
    part : dict
        points and flops, one budget.
    settings : dict
        v_over_d, batch, c, kept and c3.
    path : str
        The table.
    """
    cases = list(product(part["points"], ALGORITHMS))
    each = track(cases, "fronts with momentum", len(cases))
    rows = [front_row(*case, part["flops"], settings) for case in each]
    table = pd.DataFrame(rows, columns=MOMENTUM_FRONTS.names)
    write_table(table, MOMENTUM_FRONTS, path, provenance({**part, **settings}))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.part, snakemake.params.settings, snakemake.output[0])
