"""Exact exponents over a part of the (alpha, beta) plane, at one budget."""

import logging
from itertools import product
from typing import Any

import pandas as pd

from plrf.exact.front import compute_optimal
from plrf.exact.loss import DivergenceError
from plrf.exact.ridge import ConvergenceError
from plrf.progress import track
from plrf.statuses import DIVERGES, EDGE, NO_POWER_LAW, NOT_CONVERGED
from plrf.study.provenance import provenance
from plrf.study.schemas.plane import PLANE
from plrf.study.store import write_table
from plrf.theory.phases import exponents, phase_name

UNKNOWN = float("nan")
NOT_MEASURED = dict.fromkeys(("d_opt", "loss_opt", "eta", "xi", "eta_error", "xi_error"), UNKNOWN)


def phase_or_none(alpha: float, beta: float) -> str:
    """Name of the phase, or "none" where there is no power law."""
    try:
        return phase_name(alpha, beta)
    except ValueError:
        return "none"


def measure_point(alpha: float, beta: float, front: dict[str, Any]) -> dict[str, Any]:
    """Measure the local exponents of the exact front at one point (model section 8, Approach 0).

    Parameters
    ----------
    alpha, beta : float
        Data and target complexity, anywhere in the plane.
    front : dict
        Budget ``flops``, ``v_over_d``, ``c`` and ``batch``.

    Returns
    -------
    dict
        A row of the PLANE schema. Without a power law, on its edge, and where the front was not
        found, the measured values are NaN and the status says why. Any other error is raised.
    """
    name = phase_or_none(alpha, beta)
    eta_theory, xi_theory = map(float, exponents(alpha, beta))
    row = {
        "alpha": alpha,
        "beta": beta,
        "phase": name,
        "flops": front["flops"],
        "eta_theory": eta_theory,
        "xi_theory": xi_theory,
    }
    if name in ("none", "edge"):
        return row | NOT_MEASURED | {"status": NO_POWER_LAW if name == "none" else EDGE}
    try:
        found = compute_optimal(alpha=alpha, beta=beta, **front)
    except (DivergenceError, ConvergenceError) as error:
        logging.warning("alpha = %g, beta = %g: %s", alpha, beta, error)
        status = DIVERGES if isinstance(error, DivergenceError) else NOT_CONVERGED
        return row | NOT_MEASURED | {"status": status}
    return row | {
        "d_opt": float(found.d),
        "loss_opt": float(found.loss),
        "eta": float(found.eta),
        "xi": float(found.xi),
        "eta_error": float(found.eta_error),
        "xi_error": float(found.xi_error),
        "status": str(found.status),
    }


def measure_plane(alphas: list[float], betas: list[float], front: dict[str, Any]) -> pd.DataFrame:
    """Measure all pairs of an alpha and a beta: rows of the PLANE schema."""
    points = track(product(alphas, betas), "points of the plane", len(alphas) * len(betas))
    rows = [measure_point(alpha, beta, front) for alpha, beta in points]
    logging.info("measured %d points", len(rows))
    return pd.DataFrame(rows, columns=PLANE.names)


def run_job(alphas: list[float], betas: list[float], front: dict[str, Any], path: str) -> None:
    """Measure a part of the plane and write its table."""
    source = provenance({"alphas": alphas, "betas": betas, "front": front})
    write_table(measure_plane(alphas, betas, front), PLANE, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.params.alphas,
        snakemake.params.betas,
        snakemake.params.front,
        snakemake.output[0],
    )
