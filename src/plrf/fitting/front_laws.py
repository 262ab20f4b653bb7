"""Power laws along a front, and their errors by leaving out or resampling.

The best size follows d* ~ f^xi. The lowest loss follows P* = E + const f^-eta, so that the slope of
log P* is no exponent where there is an irreducible loss E: it is called eta without offset.

Source: model section 15 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.fitting.offset import OffsetLaw, fit_offset
from plrf.measure.bootstrap import bootstrap
from plrf.measure.curves import LossTable
from plrf.measure.estimates import MIN_BUDGETS
from plrf.measure.fronts import Front
from plrf.measure.power_law import slope_weights, slopes

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

QUANTITIES = ("eta", "xi", "eta_without_offset", "offset")


@dataclass(frozen=True, eq=False)
class FrontLaws:
    """Power laws of one front or of many, of shape (...).

    Attributes
    ----------
    loss : OffsetLaw
        Of P*.
    xi, log_d : ndarray, shape (...)
        Exponent of d*, and log d* at the centre of the laws of P*.
    loss_slope : ndarray, shape (...)
        Minus the slope of log P*: eta without offset.
    """

    loss: OffsetLaw
    xi: FloatArray
    log_d: FloatArray
    loss_slope: FloatArray

    @classmethod
    def of(cls, front: Front, window: BoolArray, least: int = MIN_BUDGETS) -> FrontLaws:
        """Fit the usable budgets of fronts (..., n_f) in a window (n_f,).

        All is NaN where there are fewer than `least`.
        """
        log_f, used = np.log(front.budgets), front.usable & window
        enough = used.sum(axis=-1) >= least
        used = used & enough[..., None]
        log_d, log_loss = (
            np.log(values, out=np.zeros(used.shape), where=used)
            for values in (np.broadcast_to(v, used.shape) for v in (front.d_opt, front.loss_opt))
        )
        loss = fit_offset(log_f, np.exp(log_loss), used)
        with np.errstate(invalid="ignore", divide="ignore"):
            xi, slope = (slopes(log_f, values, used) for values in (log_d, log_loss))
            line = used * (log_d - xi[..., None] * (log_f - loss.centre))
            middle = line.sum(axis=-1) / used.sum(axis=-1)
        xi, middle, slope = (np.where(enough, v, np.nan) for v in (xi, middle, slope))
        return cls(loss, xi, middle, -slope)

    @property
    def exponents(self) -> FloatArray:
        """The `QUANTITIES`, in shape (4, ...)."""
        return np.stack([self.loss.eta, self.xi, self.loss_slope, self.loss.offset])

    def log_best(self, log_f: FloatArray) -> FloatArray:
        """Log d* and log P* at budgets (m,), in shape (2, ..., m)."""
        log_d = self.log_d[..., None] + self.xi[..., None] * (log_f - self.loss.centre)
        return np.stack([log_d, self.loss.log_values(log_f)])

    def values(self, log_at: FloatArray) -> FloatArray:
        """`QUANTITIES`, then log d*, then log P* at budgets (m,), in shape (4 + 2 m, ...)."""
        return np.concatenate([self.exponents, *np.moveaxis(self.log_best(log_at), -1, 1)])


@dataclass(frozen=True, eq=False)
class Errors:
    """Standard errors of what follows from a front, in the order of its values.

    Attributes
    ----------
    std_errors, dof : ndarray, shape (q,)
        Standard errors and degrees of freedom of their t intervals; NaN where unknown.
    source : str
        ``"runs"``, a bootstrap over runs; ``"residuals"``, leaving out a budget or a size.
    refused : float
        Share of the refits without exponents.
    """

    std_errors: FloatArray
    dof: FloatArray
    source: str
    refused: float


def left_out_budgets(front: Front, window: BoolArray, log_at: FloatArray) -> Errors:
    """Errors from leaving out one usable budget at a time: runs of budgets are independent.

    Of the slope of log P* it is not how far log P* is from a line, which E bends, but from the law
    with E: the slope is linear in log P*, whose errors are those of predictions of budgets left out
    (HC3 of MacKinnon and White 1985).

    Parameters
    ----------
    front : Front
        Of shape (n_f,).
    window : ndarray of bool, shape (n_f,)
        Budgets that may be used.
    log_at : ndarray, shape (m,)
        Log flops at which optima are wanted.
    """
    used = front.usable & window
    places = np.flatnonzero(used)
    n = places.size
    if n < MIN_BUDGETS:
        unknown = np.full(len(QUANTITIES) + 2 * log_at.size, np.nan)
        return Errors(unknown, unknown, "residuals", 0.0)
    shape = (n, used.size)
    status = np.tile(front.status, (n, 1))
    status[np.arange(n), places] = "few_sizes"
    d_opt, loss_opt = (np.broadcast_to(v, shape) for v in (front.d_opt, front.loss_opt))
    others = Front(front.budgets, d_opt, loss_opt, status)
    laws = FrontLaws.of(others, window, MIN_BUDGETS - 1)
    found, log_f = laws.values(log_at), np.log(front.budgets)
    predicted = laws.loss.log_values(log_f[places])
    residuals = np.log(front.loss_opt[places]) - np.diagonal(predicted)
    std_errors = _jackknife(found)
    slope = QUANTITIES.index("eta_without_offset")
    weights = slope_weights(log_f, used)[places]
    std_errors[slope] = np.sqrt(np.sum((weights * residuals) ** 2))
    dof = np.full(len(found), n - 3.0)
    of_sizes = 1 / n + np.outer(log_at - log_f[places].mean(), weights)
    dof[[QUANTITIES.index("xi"), *range(4, 4 + log_at.size)]] = _dof([weights, *of_sizes])
    return Errors(std_errors, dof, "residuals", _refused(found))


def left_out_sizes(
    table: LossTable, find: Callable[..., Front], window: BoolArray, log_at: FloatArray
) -> Errors:
    """Errors from leaving out one size at a time: losses along a curve are not independent.

    Parameters
    ----------
    table : LossTable
        Its mean losses are used.
    find : callable
        From sizes, budgets and mean losses to a front.
    window, log_at
        As for `left_out_budgets`.
    """
    n = table.sizes.size
    fronts = [
        find(np.delete(table.sizes, i), table.budgets, np.delete(table.mean_loss, i, axis=0))
        for i in range(n)
    ]
    d_opt, loss_opt, status = (
        np.stack([getattr(front, name) for front in fronts])
        for name in ("d_opt", "loss_opt", "status")
    )
    values = FrontLaws.of(Front(table.budgets, d_opt, loss_opt, status), window).values(log_at)
    return Errors(_jackknife(values), np.full(len(values), n - 1.0), "residuals", _refused(values))


def resampled_runs(
    table: LossTable,
    front_of: Callable[[FloatArray], Front],
    window: BoolArray,
    log_at: FloatArray,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> Errors:
    """Errors from a bootstrap over runs (`plrf.measure.bootstrap`).

    Parameters
    ----------
    table : LossTable
        Several runs of each size.
    front_of : callable
        From mean losses (..., n_d, n_f) of the table to fronts.
    window, log_at
        As for `left_out_budgets`.
    resamples : int
    rng : Generator
    """

    def repeat(means: FloatArray) -> FloatArray:
        return FrontLaws.of(front_of(means), window).values(log_at)

    std_errors, dof, refused = bootstrap(table, repeat, resamples, rng)
    return Errors(std_errors, dof, "runs", refused)


def _dof(weights: Sequence[FloatArray]) -> FloatArray:
    """Degrees of freedom (q,) of sums of squared residuals, each residual weighted (q, n)."""
    squares = np.square(weights)
    dof: FloatArray = squares.sum(axis=1) ** 2 / np.sum(squares**2, axis=1)
    return dof


def _jackknife(values: FloatArray) -> FloatArray:
    """Standard errors of values (q, n), each with one unit left out; NaN if any is."""
    std_errors: FloatArray = np.sqrt(values.shape[1] - 1) * values.std(axis=1)
    return std_errors


def _refused(values: FloatArray) -> float:
    """Share of refits without xi."""
    return float(np.mean(np.isnan(values[QUANTITIES.index("xi")])))
