"""Laws held against losses that they were not fitted to: forms compared, and predictions.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import huber as huber_loss
from scipy.special import ndtr, stdtrit

from plrf.fitting.law import FittedLaw, checked_table, fit_table
from plrf.fitting.resampling import CONFIDENCE, resample
from plrf.measure.law_forms import FORMS, FREE, LawForm
from plrf.measure.refits import HUBER, log_law_and_slopes

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Split = Callable[[FloatArray, FloatArray], BoolArray]
"""From log d and log n (m,) to the rows that each fold leaves out (folds, m)."""

LARGEST_SHARE = 0.25
"""Share of the rows, those of the largest budgets, that are left out."""

MOST_FOLDS = 10


def largest_budgets(log_d: FloatArray, log_n: FloatArray) -> BoolArray:
    """One fold: the rows above the 75th percentile of compute, or at it if none are above."""
    log_f = log_d + log_n
    limit, rounding = np.quantile(log_f, 1 - LARGEST_SHARE), 1e-9
    above: BoolArray = log_f > limit + rounding
    return (above if above.any() else log_f > limit - rounding)[None]


def sizes(log_d: FloatArray, log_n: FloatArray) -> BoolArray:
    """A fold for each size, or for neighbouring ones together if there are more than 10."""
    names, places = np.unique(log_d, return_inverse=True)
    folds = np.array_split(np.arange(names.size), min(MOST_FOLDS, names.size))
    return np.stack([np.isin(places, fold) for fold in folds])


SPLITS: dict[str, Split] = {"largest_budgets": largest_budgets, "sizes": sizes}
"""Ways to leave rows out, by name."""


@dataclass(frozen=True)
class FormScore:
    """How well a form of the law describes what it was fitted to, and what it was not.

    Attributes
    ----------
    form, split : str
        Names, see `FORMS` and `SPLITS`.
    free : int
        Number of free parameters.
    fitted, held_out : float
        Mean Huber loss of log L over the fitted rows, and over those left out of their folds.
    held_out_rms : float
        Root mean square of the residuals of log L of the rows left out.
    status : str
        "ok", that of the law, or how many folds had no law.
    """

    form: str
    split: str
    free: int
    fitted: float
    held_out: float
    held_out_rms: float
    status: str


@dataclass(frozen=True, eq=False)
class Prediction:
    """Losses of some rows by a law that was fitted to the others; arrays of shape (p,).

    Attributes
    ----------
    rows : ndarray of int
        Places of the rows that were not fitted.
    measured, predicted, low, high : ndarray
        Losses; the 95% interval is that of a new measurement, with the noise of the fitted rows.
    error : ndarray
        Measured over predicted loss, less 1.
    status : str
        That of the law and its resamples; without a law all but `measured` is NaN.
    """

    rows: NDArray[np.intp]
    measured: FloatArray
    predicted: FloatArray
    low: FloatArray
    high: FloatArray
    error: FloatArray
    status: str

    @property
    def covered(self) -> float:
        """Share of the measured losses in their intervals; NaN without a law."""
        inside = (self.low <= self.measured) & (self.measured <= self.high)
        return float(inside.mean()) if np.isfinite(self.low).all() else np.nan


def compare_forms(
    d: ArrayLike,
    n: ArrayLike,
    loss: ArrayLike,
    *,
    split: str,
    forms: Iterable[LawForm] = tuple(FORMS.values()),
    huber: float = HUBER,
) -> list[FormScore]:
    """Compare forms of the law by the losses of rows that were left out (model section 8).

    Parameters
    ----------
    d, n, loss : array_like, shape (m,)
        Parameters, samples and loss of each run.
    split : str
        Which rows are left out, one of `SPLITS`.
    forms : iterable of LawForm
    huber : float
        Residual of log L from which the loss function grows linearly.

    Returns
    -------
    list of FormScore
        In the order of the forms.

    Raises
    ------
    ValueError
        If the split is unknown, or as for `plrf.fitting.law.fit_table`.
    """
    if split not in SPLITS:
        raise ValueError(f"split = {split!r}: must be one of {', '.join(SPLITS)}")
    log_d, log_n, _ = checked_table(d, n, loss)
    left_out = SPLITS[split](log_d, log_n)
    fits = [fit_table(d, n, loss, form=form, huber=huber) for form in forms]
    return [_score(fitted, split, left_out) for fitted in fits]


def _score(fitted: FittedLaw, split: str, left_out: BoolArray) -> FormScore:
    """Fit a form again without each fold."""
    form, huber = fitted.law.form, fitted.law.huber
    if fitted.status != "ok":
        unknown = np.nan, np.nan, np.nan
        return FormScore(form.name, split, form.size, *unknown, fitted.status)
    parameters = fitted.refit((~left_out).astype(float))
    log_laws = log_law_and_slopes(parameters, fitted.log_d, fitted.log_n)[0]
    residuals = (fitted.log_loss - log_laws)[left_out]
    without = int(np.isnan(parameters[:, 2]).sum())
    return FormScore(
        form=form.name,
        split=split,
        free=form.size,
        fitted=float(huber_loss(huber, fitted.law.residuals).mean()),
        held_out=float(huber_loss(huber, residuals).mean()),
        held_out_rms=float(np.sqrt(np.mean(residuals**2))),
        status=f"no law without {without} of {len(left_out)} folds" if without else "ok",
    )


def predict_held_out(
    d: ArrayLike,
    n: ArrayLike,
    loss: ArrayLike,
    fitted_rows: ArrayLike,
    *,
    resamples: int,
    rng: np.random.Generator,
    form: LawForm = FREE,
    huber: float = HUBER,
) -> Prediction:
    """Fit the law to some rows, those below a budget say, and predict the losses of the others.

    Parameters
    ----------
    d, n, loss : array_like, shape (m,)
        Parameters, samples and loss of each run.
    fitted_rows : array_like of bool, shape (m,)
        Rows that the law is fitted to.
    resamples : int
        Of the fitted rows, at least 2. Each adds the residual of a random row to what it predicts.
    rng : numpy.random.Generator
    form : LawForm
    huber : float
        Residual of log L from which the loss function grows linearly.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        If there are not as many values as rows, or as for `plrf.fitting.law.fit_table`.
    """
    columns = [np.exp(logs) for logs in checked_table(d, n, loss)]
    kept = np.asarray(fitted_rows, dtype=bool)
    if kept.shape != columns[0].shape:
        raise ValueError(f"fitted_rows: must be one truth value per row, not of shape {kept.shape}")
    rows = np.flatnonzero(~kept)
    fitted = fit_table(*(column[kept] for column in columns), form=form, huber=huber)
    sample = resample(fitted, resamples, rng)
    measured = columns[2][rows]
    if fitted.status != "ok" or len(sample.parameters) < 2:
        unknown = np.full(rows.shape, np.nan)
        return Prediction(rows, measured, unknown, unknown, unknown, unknown, sample.status)
    log_d, log_n = np.log(columns[0][rows]), np.log(columns[1][rows])
    predicted = np.exp(log_law_and_slopes(fitted.parameters, log_d, log_n)[0])
    log_laws = log_law_and_slopes(sample.parameters, log_d, log_n)[0]
    noise = rng.choice(fitted.law.residuals, size=log_laws.shape) * np.sqrt(
        sample.units / sample.dof
    )
    tail = ndtr(stdtrit(sample.dof, (1 - CONFIDENCE) / 2))
    low, high = np.exp(np.quantile(log_laws + noise, [tail, 1 - tail], axis=0, method="weibull"))
    return Prediction(rows, measured, predicted, low, high, measured / predicted - 1, sample.status)
