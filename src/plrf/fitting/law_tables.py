"""Rows of the tables of the parametric law: exponents, parameters, optima and their errors.

Source: model sections 8 and 15 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.fitting import quantities
from plrf.fitting.front_tables import POINT
from plrf.fitting.groups import Group
from plrf.fitting.law import FittedLaw, fit_table
from plrf.fitting.optimum import optimum_table
from plrf.fitting.profiles import Profile, profile
from plrf.fitting.resampling import Interval, Quantity, ResampledLaw, resample
from plrf.fitting.separation import (
    NOT_SEPARATED,
    ON_A_LINE,
    Separation,
    further_runs,
    separation,
)
from plrf.fitting.variable_projection import variable_projection
from plrf.statuses import OK
from plrf.streams import random_stream

FloatArray = NDArray[np.float64]
Fit = Callable[..., FittedLaw]  # of d, n and losses

METHODS: dict[str, Fit] = {"approach3": fit_table, "variable_projection": variable_projection}

EXPONENTS = ("eta", "xi")

FACTORS = (0.25, 0.5, 2.0, 4.0)
"""Sizes over the best one whose cost is told."""

MOST_SUGGESTIONS = 8

MOST_REFITTED, LEAST_RESAMPLES = 1_000_000, 400
"""Rows that all resamples of a law have together at most, unless that would be fewer resamples."""


@dataclass(frozen=True, eq=False)
class LawFit:
    """A law of one method over one window, with resamples.

    Attributes
    ----------
    rows : DataFrame
        What it was fitted to.
    laws : ResampledLaw
    profiles : dict
        Profile intervals of a and b.
    separation : Separation
        What the rows say of a and b together.
    source : str
        What was resampled: rows, or sizes where rows are records of one run.
    """

    rows: pd.DataFrame
    laws: ResampledLaw
    profiles: dict[str, Profile]
    separation: Separation
    source: str

    @classmethod
    def of(
        cls, group: Group, rows: pd.DataFrame, fit: Fit, resamples: int, rng: np.random.Generator
    ) -> LawFit:
        """Fit a law to some rows of a group, and to resamples of them."""
        law = fit(rows["parameters"], rows["samples"], rows["loss"])
        units = rows["parameters"] if group.dependent else None
        laws = resample(law, affordable(resamples, len(rows)), rng, groups=units)
        profiles = {name: profile(law, name) for name in ("a", "b")}
        apart = separation(laws, profiles["a"], profiles["b"])
        return cls(rows, laws, profiles, apart, "sizes" if group.dependent else "rows")

    @property
    def status(self) -> str:
        """Whether the exponents can be quoted: "ok", or refused and why."""
        if self.separation.status.startswith(NOT_SEPARATED):
            return f"refused: {self.separation.status}"
        return _refused(self.laws.status)

    def best(self, quantity: Quantity) -> Interval:
        """Interval of what depends on sizes of a budget; none where runs lie on a line."""
        found = self.laws.interval(quantity)
        if self.separation.status != ON_A_LINE:
            return replace(found, status=_refused(found.status))
        unknown = np.full(found.estimate.shape, np.nan)
        return Interval(unknown, unknown, unknown, unknown, f"refused: {ON_A_LINE}")


def fit_laws(group: Group, *, resamples: int, seed: int) -> dict[str, list[LawFit]]:
    """Laws by all methods over all budgets, their lower and their upper half.

    Parameters
    ----------
    group : Group
    resamples : int
        Over all budgets; over the halves a quarter of them.
    seed : int
    """
    return {
        method: [
            LawFit.of(
                group,
                rows,
                fit,
                max(resamples // 4, 2) if window else resamples,
                random_stream(seed, f"rows {group.name} {method}", window),
            )
            for window, rows in enumerate(group.windows())
        ]
        for method, fit in METHODS.items()
    }


def exponent_rows(fit: LawFit, method: str, window: int) -> pd.DataFrame:
    """Rows of the table of exponents, but for the group and the spreads."""
    found = [fit.laws.interval(quantities.QUANTITIES[name]) for name in EXPONENTS]
    flops, law = fit.rows["flops"], fit.laws.fitted.law
    rows = pd.DataFrame(
        POINT
        | {
            "window": window,
            "window_low": flops.min(),
            "window_high": flops.max(),
            "method": method,
            "quantity": EXPONENTS,
            "dof": float(fit.laws.dof),
            "error_source": fit.source,
            "used_low": flops.min(),
            "used_high": flops.max(),
            "n_budgets": fit.rows["budget"].nunique(),
            "n_dropped": 0,
            "rms_residual": np.sqrt(np.mean(law.residuals**2)) if len(flops) else np.nan,
        }
        | _columns(found)
    )
    if not fit.status.startswith(OK):
        rows[["estimate", "std_error", "ci_low", "ci_high"]] = np.nan
    return rows.assign(status=fit.status)


def optimum_rows(fit: LawFit, flops: FloatArray, k: float, method: str) -> pd.DataFrame:
    """Rows of the table of optima, but for the factor of extrapolation; flops of shape (m,)."""
    d = fit.best(lambda parameters: quantities.best_d(parameters, flops, k))
    loss = fit.best(lambda parameters: quantities.best_loss(parameters, flops, k))
    return optimum_table(
        flops,
        k,
        d=(d.estimate, d.low, d.high),
        loss=(loss.estimate, loss.low, loss.high),
        method=method,
        status=d.status,
    )


def flatness_rows(fit: LawFit, flops: FloatArray, k: float) -> pd.DataFrame:
    """What sizes off the best one cost at budgets (m,): loss over the lowest one, less 1."""
    budgets, factors = (grid.ravel() for grid in np.meshgrid(flops, FACTORS, indexing="ij"))

    def cost(parameters: FloatArray) -> FloatArray:
        lowest = quantities.best_loss(parameters, budgets, k)
        return quantities.loss_above_best(parameters, budgets, factors, k) / lowest

    found = fit.best(cost)
    columns = {"cost": found.estimate, "cost_low": found.low, "cost_high": found.high}
    return pd.DataFrame({"flops": budgets, "factor": factors} | columns | {"status": found.status})


def suggestion_rows(fit: LawFit, k: float) -> pd.DataFrame:
    """Further runs, one at a time, that would shrink the errors of a and b most."""
    runs = further_runs(fit.laws.fitted)
    now = [fit.laws.interval(quantities.QUANTITIES[name]).std_error for name in ("a", "b")]
    rows = pd.DataFrame(
        {
            "parameters": runs.d,
            "samples": runs.n,
            "flops": k * runs.d * runs.n,
            "a_error": runs.a_error * now[0],
            "b_error": runs.b_error * now[1],
            "a_error_now": now[0],
            "b_error_now": now[1],
            "status": fit.separation.status,
        }
    )
    return rows.head(MOST_SUGGESTIONS).assign(rank=lambda one: np.arange(1, len(one) + 1))


def affordable(resamples: int, rows: int) -> int:
    """Resamples of so many rows: as many as are wanted, but for large tables."""
    return min(resamples, max(MOST_REFITTED // max(rows, 1), LEAST_RESAMPLES))


def _columns(found: list[Interval]) -> dict[str, object]:
    """Columns of estimates from intervals of single numbers."""
    return {
        "estimate": [float(one.estimate) for one in found],
        "std_error": [float(one.std_error) for one in found],
        "ci_low": [float(one.low) for one in found],
        "ci_high": [float(one.high) for one in found],
    }


def _refused(status: str) -> str:
    return status if status.startswith(OK) else f"refused: {status}"
