"""Measure the exponents of all points whose sweep has a window: fronts, IsoFLOP losses, fits."""

import logging
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from plrf.fitting import Front, LossTable, envelope, fit_exponents, isoflop, losses_at_budgets
from plrf.model import random_stream
from plrf.tables import (
    EXPONENTS,
    FRONTS,
    GRID,
    ISOFLOP,
    LOSSES,
    provenance,
    read_table,
    write_table,
)
from plrf.theory import exponents

POINT = ["sweep", "alpha", "beta", "engine"]


class Fits(NamedTuple):
    """Rows of the three tables that this stage writes."""

    exponents: pd.DataFrame
    fronts: pd.DataFrame
    isoflop: pd.DataFrame


def loss_table(curves: pd.DataFrame, budgets: np.ndarray) -> LossTable:
    """Losses of all sizes and runs of one point and engine at budgets; NaN where flagged."""
    sizes = np.unique(curves["d"])
    runs = np.unique(curves["run"])
    losses = np.full((sizes.size, runs.size, budgets.size), np.nan)
    for (d, run), curve in curves.groupby(["d", "run"]):
        place = np.searchsorted(sizes, d), np.searchsorted(runs, run)
        loss = curve["loss"].where(curve["status"] == "ok")
        losses[place] = losses_at_budgets(curve["flops"], loss, budgets)
    return LossTable(sizes.astype(float), budgets, losses)


def front_rows(front: Front, method: str) -> pd.DataFrame:
    """A front as rows of the FRONTS schema, without the point's columns."""
    parabola = front.parabola
    if parabola is None:
        parabola = np.full((front.budgets.size, 3), np.nan)
    return pd.DataFrame(
        {
            "method": method,
            "flops": front.budgets,
            "d_opt": front.d_opt,
            "loss_opt": front.loss_opt,
            "curvature": parabola[:, 0],
            "slope": parabola[:, 1],
            "intercept": parabola[:, 2],
            "status": front.status,
        }
    )


def isoflop_rows(table: LossTable) -> pd.DataFrame:
    """Mean losses at the budgets as rows of the ISOFLOP schema, without the point's columns."""
    flops, d = np.meshgrid(table.budgets, table.sizes)
    return pd.DataFrame(
        {"flops": flops.ravel(), "d": d.ravel().astype(int), "loss": table.mean_loss.ravel()}
    )


def fit_point(
    curves: pd.DataFrame, phase: str, window: list[float], fits: dict[str, int], seed: int
) -> Fits:
    """Fit one point and engine by Approaches 1 and 2 (model section 8).

    Parameters
    ----------
    curves : DataFrame
        Rows of the LOSSES schema of one sweep, alpha, beta and engine.
    phase : str
        The point's phase; on the "edge" exponents are refused.
    window : list of two floats
        Lowest and highest budget, in flops.
    fits : dict
        The config's fits block.
    seed : int
        The config's seed.
    """
    point = curves[POINT].iloc[0].to_dict()
    alpha, beta = point["alpha"], point["beta"]
    theory = dict(zip(("eta", "xi"), map(float, exponents(alpha, beta)), strict=True))
    count = {"approach1": fits["envelope_budgets"], "approach2": fits["isoflop_budgets"]}
    rows, fronts = [], []
    for method, n_budgets in count.items():
        table = loss_table(curves, np.geomspace(*window, n_budgets))
        by_approach1 = method == "approach1"
        front = envelope(table) if by_approach1 else isoflop(table, fits["parabola_sizes"])
        fronts.append(front_rows(front, method))
        measured = fit_exponents(
            table,
            method,
            parabola_sizes=fits["parabola_sizes"],
            resamples=fits["resamples"],
            rng=random_stream(seed, f"bootstrap {point['engine']} {method}", alpha, beta, *window),
        )
        if phase == "edge":
            nan = float("nan")
            measured = [
                replace(
                    fit,
                    estimate=nan,
                    std_error=nan,
                    ci_low=nan,
                    ci_high=nan,
                    status="refused: no exponents on the edge 2(alpha+beta) = 1",
                )
                for fit in measured
            ]
        rows += [asdict(fit) | {"theory": theory[fit.quantity]} for fit in measured]
    return Fits(
        pd.DataFrame(rows).assign(phase=phase, **point),
        pd.concat(fronts).assign(**point),
        isoflop_rows(table).assign(**point),
    )


def fit_all(
    grid: pd.DataFrame,
    losses: pd.DataFrame,
    windows: dict[str, list[float]],
    fits: dict[str, int],
    seed: int,
) -> Fits:
    """Fit all points of the sweeps that have a window."""
    phases = grid.set_index(["sweep", "alpha", "beta"])["phase"].to_dict()
    parts = []
    for key, curves in losses[losses["sweep"].isin(windows)].groupby(POINT):
        sweep, alpha, beta, engine = key
        parts.append(fit_point(curves, phases[sweep, alpha, beta], windows[sweep], fits, seed))
        for row in parts[-1].exponents.itertuples():
            logging.info(
                "%s %s %s %s: %s = %.4f +- %.4f (%s)",
                *(sweep, (alpha, beta), engine, row.method),
                *(row.quantity, row.estimate, row.std_error, row.status),
            )
    if not parts:
        return Fits(*(schema.empty_table().to_pandas() for schema in (EXPONENTS, FRONTS, ISOFLOP)))
    return Fits(*map(pd.concat, zip(*parts, strict=True)))


def run_job(
    grid_path: str,
    losses_path: str,
    windows: dict[str, list[float]],
    fits: dict[str, int],
    seed: int,
    paths: dict[str, str],
) -> None:
    """Fit all points and write the tables to ``paths``: exponents, fronts and isoflop."""
    results = fit_all(
        read_table(grid_path, GRID), read_table(losses_path, LOSSES), windows, fits, seed
    )
    source = provenance({"windows": windows, "fits": fits}, seed)
    for name, schema in (("fronts", FRONTS), ("isoflop", ISOFLOP), ("exponents", EXPONENTS)):
        write_table(getattr(results, name), schema, paths[name], source)


if __name__ == "__main__":
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.input.grid,
        snakemake.input.losses,
        snakemake.params.windows,
        snakemake.params.fits,
        snakemake.params.seed,
        dict(snakemake.output.items()),
    )
