"""Rows of the tables of fronts: exponents of Approaches 1 and 2, fronts, slices and optima.

Source: model sections 8 and 15 (docs/model.md).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from plrf.fitting.front_laws import QUANTITIES, Errors, FrontLaws
from plrf.fitting.groups import Group
from plrf.fitting.optimum import optimum_table
from plrf.fitting.slices import Find
from plrf.measure.estimates import MIN_BUDGETS, root_mean_squares
from plrf.measure.exponents import CONFIDENCE, REFUSED_SHARE
from plrf.measure.fronts import Front, parabolas, splines
from plrf.statuses import OK
from plrf.streams import random_stream
from plrf.theory.phases import NO_PHASE

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

METHODS = ("approach1", "approach2", "approach2_spline")

NO_OFFSET = "the front has no offset"
NO_ERROR = "without an error, since not all refits have a value"

POINT: dict[str, Any] = {
    "sweep": "",
    "spectrum": "",
    "alpha": np.nan,
    "beta": np.nan,
    "momentum": "none",
    "phase": NO_PHASE,
    "engine": "measured",
    "expected": np.nan,
    "exact": np.nan,
    "theory": np.nan,
}
"""Columns of exponents that say something of sweeps only."""


def finders(neighbours: int) -> dict[str, Find]:
    """How each method finds a front of sizes, budgets and mean losses."""
    return {
        "approach1": partial(parabolas, neighbours=1),
        "approach2": partial(parabolas, neighbours=neighbours),
        "approach2_spline": partial(splines, neighbours=neighbours),
    }


@dataclass(frozen=True, eq=False)
class FrontFit:
    """Power laws along the front of one method, over some of its budgets.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    front : Front
        At all budgets.
    window : ndarray of bool, shape (n_f,)
        Budgets that may be used.
    laws : FrontLaws
        Of those of them that are usable.
    errors : Errors
        Of the `QUANTITIES`, then of log d*, then of log P* at other budgets.
    """

    method: str
    front: Front
    window: BoolArray
    laws: FrontLaws
    errors: Errors

    @property
    def used(self) -> BoolArray:
        """Budgets that the laws are fitted to."""
        return self.front.usable & self.window

    @property
    def refusals(self) -> list[str]:
        """Why each of the `QUANTITIES` has no estimate; empty where it has one."""
        return refusals(self.laws, int(self.used.sum()))

    @property
    def residuals(self) -> FloatArray:
        """Measured minus fitted log P*, log d* and, on a line, log P*, shape (3, n_f)."""
        log_f = np.log(self.front.budgets)
        log_d, log_loss = self.laws.log_best(log_f)
        measured = np.log(self.front.loss_opt)
        line = measured + self.laws.loss_slope * log_f
        middle = line[self.used].mean() if self.used.any() else np.nan
        residuals = np.stack([measured - log_loss, np.log(self.front.d_opt) - log_d, line - middle])
        residuals[:, ~self.used] = np.nan
        return residuals

    def status(self, quantity: str) -> str:
        """Whether one of the `QUANTITIES` has an estimate, or why not, and whether an error."""
        index = QUANTITIES.index(quantity)
        why = self.refusals[index]
        if why:
            return f"refused: {why}"
        return f"{OK}; {NO_ERROR}" if np.isnan(self.errors.std_errors[index]) else OK

    def rows(self, window: int) -> pd.DataFrame:
        """Rows of the table of exponents, but for its group and its spreads."""
        notes = dropped_budgets(self.front, self.window)
        if self.used.sum() >= MIN_BUDGETS and self.errors.refused > REFUSED_SHARE:
            notes.insert(0, f"{self.errors.refused:.0%} of refits refused")
        status = ["; ".join([self.status(quantity), *notes]) for quantity in QUANTITIES]
        estimates, n = self.laws.exponents, len(QUANTITIES)
        reach = stdtrit(self.errors.dof[:n], (1 + CONFIDENCE) / 2) * self.errors.std_errors[:n]
        budgets, used = self.front.budgets[self.window], self.front.budgets[self.used]
        (window_low, window_high), (used_low, used_high) = _ends(budgets), _ends(used)
        loss, size, line = root_mean_squares(self.residuals)
        return pd.DataFrame(
            POINT
            | {
                "window": window,
                "window_low": window_low,
                "window_high": window_high,
                "method": self.method,
                "quantity": QUANTITIES,
                "estimate": estimates,
                "std_error": self.errors.std_errors[:n],
                "dof": self.errors.dof[:n],
                # An offset is not negative.
                "ci_low": np.maximum(estimates - reach, [-np.inf, -np.inf, -np.inf, 0]),
                "ci_high": estimates + reach,
                "error_source": self.errors.source,
                "used_low": used_low if used.size else window_low,
                "used_high": used_high if used.size else window_high,
                "n_budgets": used.size,
                "n_dropped": budgets.size - used.size,
                "rms_residual": [loss, size, line, loss],
                "status": status,
            }
        )


def refusals(laws: FrontLaws, budgets: int) -> list[str]:
    """Why each of the `QUANTITIES` has no estimate from so many budgets; empty where it has one."""
    if budgets < MIN_BUDGETS:
        return [f"{budgets} usable budgets, at least {MIN_BUDGETS} needed"] * len(QUANTITIES)
    return ["" if known else NO_OFFSET for known in np.isfinite(laws.exponents)]


def dropped_budgets(front: Front, window: BoolArray) -> list[str]:
    """A note on the budgets of a window that are not used, with reasons; none if all are."""
    dropped = Counter(front.status[window & ~front.usable].tolist())
    told = ", ".join(f"{n} {why}" for why, n in sorted(dropped.items()))
    return [f"dropped {told}"] if dropped else []


def fit_fronts(
    group: Group, log_at: FloatArray, *, neighbours: int, resamples: int, seed: int
) -> dict[str, list[FrontFit]]:
    """Fit the fronts of all methods over all windows; none where a group has no slices.

    Parameters
    ----------
    group : Group
    log_at : ndarray, shape (m,)
        Log flops of the budgets at which optima are wanted.
    neighbours : int
        Sizes on each side of the lowest loss that Approach 2 needs.
    resamples, seed : int
        Of the bootstrap over runs.
    """
    fits = {}
    for method, find in finders(neighbours).items():
        design = group.design(method)
        front = design.front(find)
        fits[method] = [
            FrontFit(
                method,
                front,
                window,
                FrontLaws.of(front, window),
                design.errors(
                    find,
                    window,
                    log_at,
                    resamples=resamples,
                    rng=random_stream(seed, f"front {group.name} {method}", i),
                ),
            )
            for i, window in enumerate(_windows(front.budgets, group.middle))
        ]
    return fits


def front_rows(fit: FrontFit, k: float) -> pd.DataFrame:
    """Rows of the table of fronts; k flops per parameter and sample."""
    front, residuals = fit.front, fit.residuals
    nan = np.full(front.budgets.shape, np.nan)
    parabola = np.stack([nan] * 3, axis=-1) if front.parabola is None else front.parabola
    return pd.DataFrame(
        {
            "method": fit.method,
            "flops": front.budgets,
            "d_opt": front.d_opt,
            "n_opt": front.budgets / (k * front.d_opt),
            "loss_opt": front.loss_opt,
            "d_low": front.d_low,
            "d_high": front.d_high,
            "curvature": parabola[:, 0],
            "slope": parabola[:, 1],
            "intercept": parabola[:, 2],
            "eta_residual": residuals[0],
            "xi_residual": residuals[1],
            "status": front.status,
        }
    )


def optimum_rows(fit: FrontFit, flops: FloatArray, k: float) -> pd.DataFrame:
    """Rows of the table of optima, but for the factor of extrapolation.

    Parameters
    ----------
    fit : FrontFit
        Over all budgets, with errors at the same budgets as here.
    flops : ndarray, shape (m,)
        Budgets.
    k : float
        Flops per parameter and sample.
    """
    logs = fit.laws.log_best(np.log(flops))
    first = len(QUANTITIES)
    std_errors, dof = (
        v[first:].reshape(logs.shape) for v in (fit.errors.std_errors, fit.errors.dof)
    )
    reach = stdtrit(dof, (1 + CONFIDENCE) / 2) * std_errors
    (d, loss), (d_low, loss_low), (d_high, loss_high) = np.exp([logs, logs - reach, logs + reach])
    status = fit.status("xi")
    if status.startswith(OK) and fit.status("eta") != OK:
        status += f"; losses {fit.status('eta').removeprefix(f'{OK}; ')}"
    return optimum_table(
        flops,
        k,
        d=(d, d_low, d_high),
        loss=(loss, loss_low, loss_high),
        method=fit.method,
        status=status,
    )


def isoflop_rows(group: Group) -> pd.DataFrame:
    """Losses of the slices, or of whole curves at their budgets, as rows of a table."""
    return group.design("approach2").rows()


def _windows(budgets: FloatArray, middle: float) -> list[BoolArray]:
    """All budgets, their lower and their upper half; one in the middle is in both."""
    return [np.full(budgets.shape, True), budgets <= middle, budgets >= middle]


def _ends(budgets: FloatArray) -> tuple[float, float]:
    """Lowest and highest budget; NaN if there is none."""
    return (float(budgets[0]), float(budgets[-1])) if budgets.size else (np.nan, np.nan)
