"""IsoFLOP slices: rows of nearly the same flops, each slice with sizes of its own.

Source: model sections 8 and 15 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.fitting.front_laws import Errors, left_out_budgets, resampled_runs
from plrf.measure.curves import LossTable
from plrf.measure.fronts import Front
from plrf.measure.refits import log_terms

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Find = Callable[..., Front]  # of sizes, budgets and mean losses

LEAST_SIZES = 3
"""Different sizes that make rows of nearly the same flops a slice."""


def budgets_of(runs: pd.DataFrame, factor: float) -> FloatArray:
    """Common budget of each row: the median flops of its slice.

    A slice is the interval of flops, its ends no more than a factor apart, that has most rows, then
    that which has most of what is left, and so on, while it has `LEAST_SIZES` sizes. Neither the
    order of rows nor the unit of flops matters.

    Parameters
    ----------
    runs : DataFrame
        Columns parameters and flops.
    factor : float
        Largest ratio of flops within a slice, at least 1.

    Returns
    -------
    ndarray, shape (n,)
        Budgets in flops; NaN for rows that are part of no slice.
    """
    order = np.argsort(runs["flops"].to_numpy(), kind="stable")
    flops, sizes = (runs[name].to_numpy()[order] for name in ("flops", "parameters"))
    budgets = np.full(flops.size, np.nan)
    left = np.arange(flops.size)
    # Exact budgets computed in another order of factors differ by rounding.
    width = factor * (1 + 1e-9)
    while left.size:
        ends = np.searchsorted(flops[left], flops[left] * width, side="right")
        first = int(np.argmax(ends - np.arange(left.size)))
        part = left[first : ends[first]]
        if part.size < LEAST_SIZES:
            break
        if np.unique(sizes[part]).size >= LEAST_SIZES:
            budgets[order[part]] = np.median(flops[part])
        left = np.delete(left, slice(first, ends[first]))
    return budgets


def moved_losses(runs: pd.DataFrame, budgets: FloatArray, law: FloatArray) -> FloatArray:
    """Losses at the common budgets: the law says by how much they differ from those measured.

    Parameters
    ----------
    runs : DataFrame
        Columns parameters, samples, flops and loss.
    budgets : ndarray, shape (n,)
        From `budgets_of`.
    law : ndarray, shape (5,)
        Parameters of the law fitted to all runs; NaN leaves losses where they are.

    Returns
    -------
    ndarray, shape (n,)
        NaN for rows of no slice.
    """
    inside = ~np.isnan(budgets)
    losses = np.where(inside, runs["loss"], np.nan)
    if np.isnan(law).any():
        return losses
    columns = ("parameters", "samples", "flops")
    log_d, log_n, log_f = (np.log(runs[name].to_numpy()[inside]) for name in columns)
    moved_n = log_n + np.log(budgets[inside]) - log_f
    before, after = (np.logaddexp.reduce(log_terms(law, log_d, n)) for n in (log_n, moved_n))
    losses[inside] *= np.exp(after - before)
    return losses


SAME_SIZE = 1.03
"""Ratio up to which sizes are one: between closer ones curves would bend with noise."""


@dataclass(frozen=True, eq=False)
class Slices:
    """Losses of several sizes at several budgets, where each budget has sizes of its own.

    Attributes
    ----------
    cells : DataFrame
        One row for each size of each slice, in their order: budget, d, flops of the runs, measured
        loss, a mean over runs, loss, the same moved to the budget, and runs, their number.
    runs : ndarray, shape (n_cells, n_runs), optional
        Losses of all runs at the budgets; None unless there are equally many, two at least, of each
        size.
    """

    cells: pd.DataFrame
    runs: FloatArray | None

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Slices:
        """Slices of rows.

        Parameters
        ----------
        rows : DataFrame
            Columns budget, parameters, flops, loss, and moved, which is the loss at the budget.
        """
        ordered = rows.sort_values(["budget", "parameters", "loss"])
        least = ordered.groupby("budget")["parameters"].transform(least_of_size)
        cells = ordered.groupby(["budget", least.rename("least")])
        means = cells.agg(
            d=("parameters", "median"),
            flops=("flops", "mean"),
            measured=("loss", "mean"),
            loss=("moved", "mean"),
            runs=("loss", "size"),
        )
        repeated = not means.empty and means["runs"].min() == means["runs"].max() > 1
        runs = np.stack([one.to_numpy(float) for _, one in cells["moved"]]) if repeated else None
        return cls(means.reset_index("budget").reset_index(drop=True), runs)

    @property
    def budgets(self) -> FloatArray:
        """Compute, in flops, shape (n_f,); increasing."""
        return np.unique(self.cells["budget"])

    def rows(self) -> pd.DataFrame:
        """Rows of the table of losses at budgets, but for the group."""
        return self.cells

    def front(self, find: Find, losses: FloatArray | None = None) -> Front:
        """Front by a method, slice by slice.

        Parameters
        ----------
        find : callable
            From sizes, budgets and mean losses to a front (`plrf.measure.fronts`).
        losses : ndarray, shape (..., n_cells), optional
            Other losses of the same cells, as of resampled runs.
        """
        losses = self.cells["loss"].to_numpy() if losses is None else losses
        sizes = self.cells["d"].to_numpy()
        parts = [
            find(sizes[places], np.array([budget]), losses[..., places, None])
            for budget, places in sorted(self.cells.groupby("budget").indices.items())
        ]
        return joined(parts)

    def errors(
        self,
        find: Find,
        window: BoolArray,
        log_at: FloatArray,
        *,
        resamples: int,
        rng: np.random.Generator,
    ) -> Errors:
        """Errors of what follows from the front: over runs, or leaving out a budget at a time.

        Parameters
        ----------
        find : callable
            As for `front`.
        window, log_at
            As for `plrf.fitting.front_laws.left_out_budgets`.
        resamples : int
            Of the bootstrap over runs.
        rng : Generator
        """
        if self.runs is None:
            return left_out_budgets(self.front(find), window, log_at)

        def front_of(means: FloatArray) -> Front:
            return self.front(find, means[..., 0])

        # Each size of each slice was trained apart from the others.
        cells = np.arange(1.0, len(self.runs) + 1)
        table = LossTable(cells, np.ones(1), self.runs[..., None])
        return resampled_runs(table, front_of, window, log_at, resamples=resamples, rng=rng)


def least_of_size(parameters: pd.Series) -> FloatArray:
    """The least of the parameters that are one size (`SAME_SIZE`) with each of these.

    Parameters
    ----------
    parameters : Series, shape (n,)
        Increasing, some of them perhaps equal.
    """
    values = parameters.to_numpy()
    least = np.empty(values.shape)
    first = 0
    while first < values.size:
        after = int(np.searchsorted(values, SAME_SIZE * values[first], side="right"))
        least[first:after] = values[first]
        first = after
    return least


def joined(parts: Sequence[Front]) -> Front:
    """Fronts of one budget each, (..., 1), as a front of all."""
    if not parts:
        nothing = np.empty(0)
        status = np.empty(0, dtype=str)
        return Front(nothing, nothing, nothing, status, d_low=nothing, d_high=nothing)

    def of(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    parabolas = [part.parabola for part in parts if part.parabola is not None]
    parabola = np.concatenate(parabolas, axis=-2) if parabolas else None
    return Front(
        budgets=of("budgets"),
        d_opt=of("d_opt"),
        loss_opt=of("loss_opt"),
        status=of("status"),
        best=of("best"),
        d_low=of("d_low"),
        d_high=of("d_high"),
        parabola=parabola,
    )
