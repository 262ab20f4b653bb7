"""Fits of one point: all engines, windows and methods, as rows of tables (model section 8)."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.engines.registry import EXACT
from plrf.measure.curves import LossTable, loss_table, one_series
from plrf.measure.estimates import METHODS
from plrf.measure.exponents import QUANTITIES, Measurement, fit_exponents
from plrf.measure.references import ExactFront, expected_exponents, spread
from plrf.schedules import CONSTANT, schedule_of
from plrf.streams import random_stream
from plrf.task import Task
from plrf.theory.phases import NO_PHASE, exponents

FloatArray = NDArray[np.float64]

POINT = ["sweep", "spectrum", "alpha", "beta", "momentum"]
ESTIMATE = ["estimate", "std_error", "dof", "ci_low", "ci_high", "expected", "exact"]


class Fits(NamedTuple):
    """Rows of the three tables that this stage writes."""

    exponents: pd.DataFrame
    fronts: pd.DataFrame
    isoflop: pd.DataFrame


def exponent_rows(
    fit: Measurement, expected: FloatArray, exact: FloatArray, **columns: Any
) -> pd.DataFrame:
    """A measurement as rows of the EXPONENTS schema, without the columns added later."""
    rows = pd.DataFrame([asdict(fit.eta), asdict(fit.xi)])
    return rows.assign(expected=expected, exact=exact, **columns)


def front_rows(fit: Measurement, **columns: Any) -> pd.DataFrame:
    """The front of a measurement as rows of the FRONTS schema."""
    front, nan = fit.front, np.full(fit.front.budgets.size, np.nan)
    parabola = np.column_stack([nan] * 3) if front.parabola is None else front.parabola
    return pd.DataFrame(
        {
            "method": fit.eta.method,
            "flops": front.budgets,
            "d_opt": front.d_opt,
            "loss_opt": front.loss_opt,
            "d_low": nan if front.d_low is None else front.d_low,
            "d_high": nan if front.d_high is None else front.d_high,
            "curvature": parabola[:, 0],
            "slope": parabola[:, 1],
            "intercept": parabola[:, 2],
            "eta_residual": fit.residuals[0],
            "xi_residual": fit.residuals[1],
            "status": front.status,
        }
    ).assign(**columns)


def isoflop_rows(table: LossTable, **columns: Any) -> pd.DataFrame:
    """Mean losses at the budgets as rows of the ISOFLOP schema."""
    flops, d = np.meshgrid(table.budgets, table.sizes)
    rows = {"flops": flops.ravel(), "d": d.ravel().astype(int), "loss": table.mean_loss.ravel()}
    return pd.DataFrame(rows).assign(**columns)


def fit_window(
    curves: pd.DataFrame,
    task: Task,
    sweep: Mapping[str, Any],
    window: int,
    fits: Mapping[str, int],
    seed: int,
) -> Fits:
    """Fit all engines of one point in one window by all methods (model section 8).

    Parameters
    ----------
    curves : DataFrame
        Rows of the LOSSES schema of one point of a sweep.
    task : Task
        What is learned there.
    sweep : dict
        The sweep's windows, v_over_d, c, batch, noise, schedule and momentum.
    window : int
        Place in the list of windows.
    fits : dict
        The config's fits block.
    seed : int
        The config's seed.
    """
    point, (low, high) = curves[POINT].iloc[0].to_dict(), sweep["windows"][window]
    few, many = (np.geomspace(low, high, fits[f"{key}_budgets"]) for key in ("isoflop", "envelope"))
    tables = {
        engine: {budgets.size: loss_table(rows, budgets) for budgets in (few, many)}
        for engine, rows in one_series(curves).groupby("engine")
    }
    settings = {key: sweep[key] for key in ("v_over_d", "c", "batch", "schedule", "momentum")}
    exact = ExactFront.compute(few, task, **settings)
    columns = point | {"engine": EXACT, "window": window}
    solved = exact.measurement
    slopes = np.array([solved.eta.estimate, solved.xi.estimate])
    rows = [exponent_rows(solved, slopes, slopes, **columns)]
    fronts, isoflop = [front_rows(solved, **columns)], []
    neighbours = fits["parabola_neighbours"]
    for engine, of_size in tables.items():
        columns["engine"] = engine
        isoflop.append(isoflop_rows(of_size[few.size], **columns))
        for method in METHODS:
            n_budgets = many.size if method == "approach1" else few.size
            table = of_size[n_budgets]
            rng = random_stream(seed, f"bootstrap {engine} {method}", *task.seeds, low, high)
            fit = fit_exponents(
                table, method, neighbours=neighbours, resamples=fits["resamples"], rng=rng
            )
            used = fit.front.usable
            expected = np.array([fit.eta.estimate, fit.xi.estimate])
            if engine != EXACT and np.isfinite(expected[0]):
                solution = tables.get(EXACT, {}).get(n_budgets)
                expected = expected_exponents(table, solution, used, method, neighbours)
            slopes = exact.exponents(table.budgets, used)
            rows.append(exponent_rows(fit, expected, slopes, **columns))
            fronts.append(front_rows(fit, **columns))
    return Fits(
        pd.concat(rows).assign(window_low=low, window_high=high),
        pd.concat(fronts),
        pd.concat(isoflop),
    )


def fit_point(
    curves: pd.DataFrame,
    task: Task,
    phase: str,
    sweep: Mapping[str, Any],
    fits: Mapping[str, int],
    seed: int,
) -> Fits:
    """Fit one point in all windows; on the "edge" exponents are refused."""
    windows = range(len(sweep["windows"]))
    parts = [fit_window(curves, task, sweep, window, fits, seed) for window in windows]
    found = Fits(*(pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True)))
    rows = found.exponents.assign(phase=phase)
    # What the paper says of exponents is for power laws, labels without noise, a constant rate, and
    # nothing that is remembered.
    other = phase == NO_PHASE or sweep["noise"] or schedule_of(sweep["schedule"]) != CONSTANT
    other = other or sweep["momentum"] != "none"
    point = curves[["alpha", "beta"]].iloc[0]
    theory = np.full(2, np.nan) if other else np.array(exponents(*point))
    rows["theory"] = rows["quantity"].map(dict(zip(QUANTITIES, map(float, theory), strict=True)))
    if phase == "edge":
        rows[[*ESTIMATE, "rms_residual"]] = np.nan
        rows["status"] = "refused: no exponents on the edge 2(alpha+beta) = 1"
    rows["method_spread"] = spread(rows, "method")
    rows["window_spread"] = spread(rows, "window")
    return found._replace(exponents=rows)
