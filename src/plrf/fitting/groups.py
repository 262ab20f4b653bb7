"""A group of runs, ready for fits: what is left out and why, slices or curves, and a first law.

Source: model section 15 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.fitting.curves import Curves, are_dependent, are_whole_curves
from plrf.fitting.front_laws import Errors
from plrf.fitting.law import FittedLaw, fit_table
from plrf.fitting.runs import OUTLIER, THINNED
from plrf.fitting.slices import Find, Slices, budgets_of, moved_losses
from plrf.measure.estimates import MIN_BUDGETS
from plrf.measure.fronts import Front, parabolas
from plrf.measure.law_forms import FREE
from plrf.measure.parametric import fit_law
from plrf.measure.refits import log_terms
from plrf.statuses import OK

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

ISOFLOP_BUDGETS, ENVELOPE_BUDGETS = 17, 61
"""Log-spaced budgets to which whole curves are interpolated; the latter for Approach 1."""

FAR = 10.0
"""Robust standard deviations from the law from which on a loss is wrong, or of a failed run."""

LEAST_DEVIATION = 0.005
"""Least robust standard deviation of log losses: fits without noise flag nothing."""

ORDER = ["parameters", "seed", "samples", "loss"]

MOST_ROWS = 2000
"""Rows that the law is fitted to; of more, it takes every so many-th."""


class Design(Protocol):
    """Losses at budgets, from which a method makes a front."""

    def rows(self) -> pd.DataFrame:
        """Rows of the table of losses at budgets, but for the group."""

    def front(self, find: Find) -> Front:
        """Front by a method."""

    def errors(
        self,
        find: Find,
        window: BoolArray,
        log_at: FloatArray,
        *,
        resamples: int,
        rng: np.random.Generator,
    ) -> Errors:
        """Errors of what follows from it."""


@dataclass(frozen=True, eq=False)
class Group:
    """Runs of one group.

    Attributes
    ----------
    name : str
        Empty if the table has no groups.
    runs : DataFrame
        All rows, in the order of the table: columns of `plrf.fitting.runs.read_runs` with the final
        status, the budget of the row's slice, the loss moved to it, and the law's log residual.
    law : FittedLaw
        Fitted to the rows whose status is ok.
    curves : bool
        Whether rows are points of whole curves.
    """

    name: str
    runs: pd.DataFrame
    law: FittedLaw
    curves: bool

    @classmethod
    def of(cls, runs: pd.DataFrame, budget_factor: float) -> Group:
        """Flag outliers, fit the law, and find budgets.

        An outlier is a row above or below the law by more than `FAR` robust standard deviations of
        log losses, 1.4826 times the median of absolute residuals. The law is fitted by its Huber
        loss and E bounded by the median loss, so that some outliers do not matter, and again
        without them. Points of curves are slices all
        the same if these have enough usable budgets, and are not records of runs.

        Parameters
        ----------
        runs : DataFrame
            From `read_runs`, of one group.
        budget_factor : float
            Largest ratio of flops within a slice.
        """
        marked = runs.assign(status=runs["status"].mask(_thinned(runs), THINNED))
        kept = marked["status"].isin([OK, THINNED])
        residuals = _residuals(_robust_law(marked), marked)
        usual = np.abs(residuals[marked["status"] == OK])
        scale = 1.4826 * np.median(usual) if usual.size else np.nan
        far = kept & (np.abs(residuals) > FAR * max(scale, LEAST_DEVIATION))
        marked["status"] = marked["status"].mask(far, OUTLIER)
        kept &= ~far
        law = _law(marked)
        budgets = pd.Series(np.nan, runs.index)
        budgets[kept] = budgets_of(runs[kept], budget_factor)
        moved = moved_losses(runs, budgets.to_numpy(), law.parameters)
        residuals = _residuals(law.parameters, runs)
        rows = marked.assign(budget=budgets, moved=moved, log_residual=residuals)
        sliced = cls(str(runs["group"].iloc[0]), rows, law, curves=False)
        if not are_whole_curves(runs[kept], budgets[kept].to_numpy(), budget_factor):
            return sliced
        front = sliced.design("approach1").front(partial(parabolas, neighbours=1))
        if front.usable.sum() >= MIN_BUDGETS and not sliced.dependent:
            return sliced
        return replace(sliced, runs=sliced.runs.assign(budget=np.nan, moved=np.nan), curves=True)

    @property
    def counted(self) -> pd.DataFrame:
        """Rows that slices and curves are made of."""
        return self.runs[self.runs["status"].isin([OK, THINNED])]

    @property
    def fitted(self) -> pd.DataFrame:
        """Rows that the law is fitted to, in an order that is not that of the table."""
        return self.runs[self.runs["status"] == OK].sort_values(ORDER)

    @property
    def dependent(self) -> bool:
        """Whether rows are records of runs, so that sizes are independent and rows are not."""
        return are_dependent(self.counted)

    @property
    def middle(self) -> float:
        """Budget that parts the lower from the upper half: the median of slices, or of flops."""
        budgets = self.counted["budget"].dropna().drop_duplicates()
        return float((budgets if budgets.size else self.counted["flops"]).median())

    def windows(self) -> list[pd.DataFrame]:
        """Fitted rows of all budgets, of the lower and of the upper half."""
        rows = self.fitted
        flops = rows["budget"].fillna(rows["flops"])
        return [rows, rows[flops <= self.middle], rows[flops >= self.middle]]

    def design(self, method: str) -> Design:
        """Losses at budgets, as a method takes them: Approach 1 takes more of whole curves."""
        rows = self.counted
        if self.curves:
            return Curves.of(rows, ENVELOPE_BUDGETS if method == "approach1" else ISOFLOP_BUDGETS)
        return Slices.of(rows[rows["budget"].notna()])


def _thinned(runs: pd.DataFrame) -> pd.Series:
    """Sound rows that are left out of the law where there are very many."""
    sound = runs[runs["status"] == OK]
    every = -(-len(sound) // MOST_ROWS) or 1
    order = sound.sort_values(ORDER).index
    left_out = pd.Series(False, runs.index)
    left_out[order] = np.arange(len(order)) % every != 0
    return left_out


def _law(runs: pd.DataFrame) -> FittedLaw:
    """The law fitted to the rows that are ok."""
    return fit_table(*_columns(runs[runs["status"] == OK]))


def _robust_law(runs: pd.DataFrame) -> FloatArray:
    """Parameters (5,) of a law that losses far too low do not bind either; NaN of few rows."""
    logs = [np.log(column) for column in _columns(runs[runs["status"] == OK])]
    if logs[0].size <= FREE.size:
        return np.full(5, np.nan)
    return fit_law(*logs, largest_log_e=float(np.median(logs[2]))).parameters


def _residuals(law: FloatArray, runs: pd.DataFrame) -> FloatArray:
    """Measured minus fitted log losses; NaN without a law (5,) or a loss."""
    if np.isnan(law).any():
        return np.full(len(runs), np.nan)
    log_d, log_n, log_loss = (np.log(column) for column in _columns(runs))
    residuals: FloatArray = log_loss - np.logaddexp.reduce(log_terms(law, log_d, log_n))
    return residuals


def _columns(runs: pd.DataFrame) -> list[FloatArray]:
    return [runs[name].to_numpy() for name in ("parameters", "samples", "loss")]
