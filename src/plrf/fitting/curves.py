"""Whole curves: many recorded losses of each size, interpolated to common budgets.

Source: model sections 8 and 15 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.fitting.front_laws import Errors, left_out_sizes, resampled_runs
from plrf.fitting.slices import least_of_size
from plrf.measure.curves import LossTable, losses_at_budgets
from plrf.measure.fronts import Front
from plrf.measure.lowest import MIN_SIZES

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEAST_RECORDS = 5
"""Numbers of samples of a size between which losses can be interpolated: to 3e-4 over two decades
of samples, 2e-5 for ten of them."""

DEPENDENT = 20
"""Numbers of samples of a size from which on its losses are records of one run, not of many."""


def are_whole_curves(runs: pd.DataFrame, budgets: FloatArray, factor: float) -> bool:
    """Whether rows are points of curves of given sizes, rather than runs at a few budgets.

    They are if most rows belong to curves with `LEAST_RECORDS` points, of `MIN_SIZES` sizes, and
    are records of runs (`are_dependent`) or most flops are no budgets: a budget has `MIN_SIZES`
    sizes, and is apart from all other flops by more than the factor. Flops of records line up where
    sizes and numbers of samples have a common ratio.

    Parameters
    ----------
    runs : DataFrame
        Columns parameters, seed, samples and flops.
    budgets : ndarray, shape (n,)
        Common budget of each row, NaN where there is none (`plrf.fitting.slices.budgets_of`).
    factor : float
        Largest ratio of flops within a slice.
    """
    long = _records(runs) >= LEAST_RECORDS
    sizes = np.unique(least_of_size(runs.loc[long, "parameters"].sort_values()))
    if long.mean() <= 0.5 or sizes.size < MIN_SIZES:
        return False
    if are_dependent(runs):
        return True
    flops = np.unique(runs["flops"])
    gaps = np.flatnonzero(flops[1:] > flops[:-1] * factor)
    starts, ends = flops[np.append(0, gaps + 1)], flops[np.append(gaps, flops.size - 1)]
    place = np.searchsorted(starts, runs["flops"], side="right") - 1
    apart = (ends <= starts * factor * (1 + 1e-9))[place]
    of_budget = runs.groupby(budgets)["parameters"].transform("nunique")
    return bool((apart & (of_budget >= MIN_SIZES)).mean() <= 0.5)


def are_dependent(runs: pd.DataFrame) -> bool:
    """Whether most rows are records of runs (`DEPENDENT`), whose noise they share."""
    return bool((_records(runs) >= DEPENDENT).mean() > 0.5)


def _records(runs: pd.DataFrame) -> pd.Series:
    """Number of points of the curve that each row belongs to."""
    records: pd.Series = runs.groupby(["parameters", "seed"])["samples"].transform("nunique")
    return records


@dataclass(frozen=True, eq=False)
class Curves:
    """Losses of all sizes at common budgets, interpolated along whole curves.

    Attributes
    ----------
    table : LossTable
        With one run, the mean, unless there are equally many runs of all sizes.
    """

    table: LossTable

    @classmethod
    def of(cls, runs: pd.DataFrame, n_budgets: int) -> Curves:
        """Interpolate runs to log-spaced budgets between the ends that enough sizes reach.

        Sizes that differ by little (`plrf.fitting.slices.SAME_SIZE`) are runs of one.

        Parameters
        ----------
        runs : DataFrame
            Columns parameters, seed, flops and loss, of whole curves (`are_whole_curves`).
        n_budgets : int
            Number of budgets.
        """
        ordered = runs.sort_values("parameters")
        ordered = ordered.assign(size=least_of_size(ordered["parameters"]))
        keys = ["size", "parameters", "seed"]
        means = ordered.groupby([*keys, "flops"])["loss"].mean()
        curves = {
            key: curve.droplevel(keys) for key, curve in means.groupby(level=keys) if len(curve) > 1
        }
        ends = pd.DataFrame({key: (c.index[0], c.index[-1]) for key, c in curves.items()}).T
        ends = ends.groupby(level=0).agg({0: "max", 1: "min"})
        low, high = np.sort(ends[0])[MIN_SIZES - 1], np.sort(ends[1])[-MIN_SIZES]
        budgets = np.geomspace(low, max(high, low * 2), n_budgets)
        losses: dict[float, list[FloatArray]] = {}
        members: dict[float, list[float]] = {}
        for (size, d, _), curve in curves.items():
            found = losses_at_budgets(curve.index.to_numpy(float), curve.to_numpy(float), budgets)
            losses.setdefault(size, []).append(found)
            members.setdefault(size, []).append(d)
        counts = {len(of_size) for of_size in losses.values()}
        if len(counts) > 1:
            losses = {size: [np.mean(of_size, axis=0)] for size, of_size in losses.items()}
        order = sorted(losses)
        sizes = np.array([np.median(members[size]) for size in order])
        return cls(LossTable(sizes, budgets, np.stack([np.stack(losses[size]) for size in order])))

    def rows(self) -> pd.DataFrame:
        """Rows of the table of losses at budgets, but for the group."""
        budgets, sizes = np.meshgrid(self.table.budgets, self.table.sizes)
        rows = pd.DataFrame({"budget": budgets.ravel(), "d": sizes.ravel()})
        loss = self.table.mean_loss.ravel()
        rows = rows.assign(flops=rows["budget"], measured=loss, loss=loss, runs=self.table.n_runs)
        return rows[np.isfinite(loss)].sort_values(["budget", "d"], ignore_index=True)

    def front(self, find: Callable[..., Front]) -> Front:
        """Front by a method: from sizes, budgets and mean losses."""
        return find(self.table.sizes, self.table.budgets, self.table.mean_loss)

    def errors(
        self,
        find: Callable[..., Front],
        window: BoolArray,
        log_at: FloatArray,
        *,
        resamples: int,
        rng: np.random.Generator,
    ) -> Errors:
        """Errors of what follows from the front: over runs, or leaving out a size at a time.

        Parameters as for `plrf.fitting.slices.Slices.errors`.
        """
        if self.table.n_runs == 1:
            return left_out_sizes(self.table, find, window, log_at)

        def front_of(means: FloatArray) -> Front:
            return find(self.table.sizes, self.table.budgets, means)

        return resampled_runs(self.table, front_of, window, log_at, resamples=resamples, rng=rng)
