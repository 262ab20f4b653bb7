"""What measured exponents are held against: exact fronts, fits without noise, their spread.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from plrf.exact.front import compute_optimal
from plrf.exact.loss import DivergenceError
from plrf.measure.curves import LossTable
from plrf.measure.estimates import METHODS, front_exponents
from plrf.measure.exponents import Measurement, fit_exact_front
from plrf.measure.fronts import Front
from plrf.schedules import CONSTANT, schedule_of
from plrf.statuses import DIVERGES, NO_MINIMUM
from plrf.task import Task

FloatArray = NDArray[np.float64]

NOT_SOLVED = "not solved with momentum and a schedule"
KEYS = ["sweep", "spectrum", "alpha", "beta", "engine", "window"]


@dataclass(frozen=True, eq=False)
class ExactFront:
    """The exact front of a window, and its slopes over any budgets in it.

    Attributes
    ----------
    measurement : Measurement
        Approach 0: the mean slopes over the budgets of the window.
    slopes : CubicHermiteSpline, optional
        Log d* and log P* as functions of log f; None where some budget has none.
    """

    measurement: Measurement
    slopes: CubicHermiteSpline | None

    @classmethod
    def compute(
        cls,
        budgets: FloatArray,
        task: Task,
        *,
        v_over_d: float,
        schedule: Any,
        momentum: Any,
        **settings: Any,
    ) -> ExactFront:
        """Compute the front with d continuous.

        There is none where v = d, where momentum diverges at the best sizes, or with both momentum
        and a schedule, which `plrf.exact.front.compute_optimal` does not follow.

        Parameters
        ----------
        budgets : ndarray, shape (n_f,)
            Compute, in flops; increasing.
        task : Task
            What there is to learn.
        schedule, momentum : str or mapping
            As a sweep has them.
        v_over_d, settings
            As for `plrf.exact.front.compute_optimal`.
        """
        remembers = momentum != "none"
        if remembers and schedule_of(schedule) != CONSTANT:
            return cls._missing(budgets, NOT_SOLVED)
        if task.features(v_over_d) == 1:
            return cls._missing(budgets, NO_MINIMUM)
        settings |= {"v_over_d": v_over_d, "schedule": schedule}
        settings |= {"momentum": momentum} if remembers else {}
        try:
            optimum = compute_optimal(budgets, **task.parameters, **settings)
        except DivergenceError:
            if not remembers:
                raise
            return cls._missing(budgets, DIVERGES)
        front = Front(budgets, optimum.d, optimum.loss, optimum.status)
        slopes = None
        if front.usable.all():
            logs = np.column_stack([np.log(optimum.d), np.log(optimum.loss)])
            derivatives = np.column_stack([optimum.xi, -optimum.eta])
            slopes = CubicHermiteSpline(np.log(budgets), logs, derivatives)
        return cls(fit_exact_front(front, optimum.d_error, optimum.loss_error), slopes)

    @classmethod
    def _missing(cls, budgets: FloatArray, status: str) -> ExactFront:
        """No front at any budget, and why."""
        nan, reasons = np.full(budgets.shape, np.nan), np.full(budgets.shape, status)
        return cls(fit_exact_front(Front(budgets, nan, nan, reasons), nan, nan), None)

    def exponents(self, budgets: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
        """Eta and xi over the budgets that a fit used, shape (2,)."""
        if self.slopes is None:
            return np.full(2, np.nan)
        d_opt, loss_opt = np.exp(self.slopes(np.log(budgets))).T
        front = Front(budgets, d_opt, loss_opt, np.full(budgets.shape, "ok"))
        return front_exponents(front, used)


def expected_exponents(
    table: LossTable,
    expected: LossTable | None,
    used: NDArray[np.bool_],
    method: str,
    neighbours: int,
) -> FloatArray:
    """Exponents by the same method, sizes and budgets on losses without noise, shape (2,).

    Parameters
    ----------
    table : LossTable
        The losses that were measured.
    expected : LossTable, optional
        Losses without noise at the same budgets; exponents are NaN if they lack a size.
    used : ndarray of bool, shape (n_f,)
        Budgets of the fit; of these, those without a minimum are left out.
    method, neighbours
        As for `plrf.measure.exponents.fit_exponents`.
    """
    if expected is None or not np.isin(table.sizes, expected.sizes).all():
        return np.full(2, np.nan)
    kept = np.isin(expected.sizes, table.sizes)
    # What this table does not have must not help the other one.
    mean = np.where(np.isnan(table.mean_loss), np.nan, expected.mean_loss[kept])
    return METHODS[method](table.sizes, table.budgets, mean, neighbours).exponents_over(used)


def spread(rows: pd.DataFrame, over: str) -> pd.Series:
    """Range of the estimates over methods or windows; NaN where there is only one.

    Parameters
    ----------
    rows : DataFrame
        Rows of the table of exponents.
    over : str
        "method" or "window".
    """
    keys = [key for key in (*KEYS, "method", "quantity") if key != over]
    # The exact front is the reference, not a method among the others.
    estimates = rows["estimate"].where((rows["method"] != "approach0") | (over == "window"))
    groups = estimates.groupby([rows[key] for key in keys], dropna=False)
    return (groups.transform("max") - groups.transform("min")).where(
        (groups.transform("count") > 1) & rows["estimate"].notna()
    )
