"""Loss curves at common budgets of compute (model section 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from plrf.engines.registry import ENGINES

FloatArray = NDArray[np.float64]


def losses_at_budgets(flops: ArrayLike, loss: ArrayLike, budgets: ArrayLike) -> FloatArray:
    """Interpolate one recorded loss curve to flops budgets.

    The interpolant is piecewise cubic and monotone (PCHIP) in log loss against log flops. Records
    at 0 flops are left out, and so is everything from the first non-finite loss on: a run that
    diverged has no later losses.

    Parameters
    ----------
    flops : array_like, shape (n,)
        Compute at the records, in flops; increasing.
    loss : array_like, shape (n,)
        Recorded losses; positive where finite.
    budgets : array_like, shape (n_f,)
        Budgets, in flops.

    Returns
    -------
    ndarray, shape (n_f,)
        Losses at the budgets; NaN outside the recorded range.

    Raises
    ------
    ValueError
        If the shapes differ, `flops` does not increase, or a loss is not positive.
    """
    flops, loss = np.asarray(flops, float), np.asarray(loss, float)
    budgets = np.asarray(budgets, float)
    if flops.ndim != 1 or flops.shape != loss.shape:
        raise ValueError(
            f"flops and loss must be 1-d and of one length, not {flops.shape} and {loss.shape}"
        )
    if not np.all(np.diff(flops) > 0):
        raise ValueError("flops must be increasing")
    recorded = (flops > 0) & np.logical_and.accumulate(np.isfinite(loss))
    if np.any(loss[recorded] <= 0):
        raise ValueError(f"losses must be positive, not {loss[recorded].min():g}")
    if recorded.sum() < 2:
        return np.full(budgets.shape, np.nan)
    curve = PchipInterpolator(np.log(flops[recorded]), np.log(loss[recorded]), extrapolate=False)
    log_loss: FloatArray = curve(np.log(budgets))
    return np.exp(log_loss)


@dataclass(frozen=True, eq=False)
class LossTable:
    """Losses of several sizes at common flops budgets.

    Attributes
    ----------
    sizes : ndarray, shape (n_d,)
        Model-parameter counts d; increasing.
    budgets : ndarray, shape (n_f,)
        Compute, in flops; increasing.
    losses : ndarray, shape (n_d, n_runs, n_f)
        Loss of each independent run (1 for a deterministic engine); NaN where the curve does not
        reach the budget or the run has diverged.

    Raises
    ------
    ValueError
        If sizes or budgets are not positive and increasing, shapes do not fit, or a loss is
        neither positive and finite nor NaN.
    """

    sizes: FloatArray
    budgets: FloatArray
    losses: FloatArray

    def __post_init__(self) -> None:
        for name, values in (("sizes", self.sizes), ("budgets", self.budgets)):
            increasing = np.all(values > 0) and np.all(np.diff(values) > 0)
            if values.ndim != 1 or values.size == 0 or not increasing:
                raise ValueError(f"{name} must be 1-d, positive and increasing")
        n_d, n_f = self.sizes.size, self.budgets.size
        if self.losses.ndim != 3 or self.losses.shape[::2] != (n_d, n_f) or not self.n_runs:
            raise ValueError(
                f"losses must have shape ({n_d}, number of runs, {n_f}), not {self.losses.shape}"
            )
        if np.any(self.losses <= 0) or np.any(np.isinf(self.losses)):
            raise ValueError("losses must be positive and finite, or NaN")

    @property
    def n_runs(self) -> int:
        """Number of independent runs of each size."""
        return int(self.losses.shape[1])

    @property
    def mean_loss(self) -> FloatArray:
        """Estimate of the expected loss, shape (n_d, n_f).

        NaN where any run is missing: the mean over the runs that survived would be biased.
        """
        mean: FloatArray = self.losses.mean(axis=1)
        return mean


def loss_table(curves: pd.DataFrame, budgets: FloatArray) -> LossTable:
    """Losses of all sizes and runs at budgets; NaN where they are flagged.

    Parameters
    ----------
    curves : DataFrame
        Rows of the table of losses: one point and engine.
    budgets : ndarray, shape (n_f,)
        Compute, in flops; increasing.
    """
    sizes = np.unique(curves["d"])
    runs = np.unique(curves["run"])
    losses = np.full((sizes.size, runs.size, budgets.size), np.nan)
    for (d, run), curve in curves.groupby(["d", "run"]):
        place = np.searchsorted(sizes, d), np.searchsorted(runs, run)
        loss = curve["loss"].where(curve["status"] == "ok")
        losses[place] = losses_at_budgets(curve["flops"], loss, budgets)
    return LossTable(sizes.astype(float), budgets, losses)


def one_series(losses: pd.DataFrame) -> pd.DataFrame:
    """Join the sizes of engines that do the same at smaller and at larger ones.

    Parameters
    ----------
    losses : DataFrame
        Rows of the table of losses: one alpha of a sweep.

    Returns
    -------
    DataFrame
        An engine that continues another one there (`plrf.engines.registry`) has the name of the
        latter, and only the sizes beyond those of the latter.
    """
    largest = losses.groupby("engine")["d"].max()
    smaller = {name: engine.smaller for name, engine in ENGINES.items() if engine.smaller}
    joined = {name: other for name, other in smaller.items() if other in largest}
    limit = losses["engine"].map(joined).map(largest)
    kept = losses[~(losses["d"] <= limit)]
    return kept.assign(engine=kept["engine"].replace(joined))
