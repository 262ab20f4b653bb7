"""How a law's parameters depend on choices that no noise explains: their systematic spread.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.fitting.law import FittedLaw, checked_table, fit_table
from plrf.fitting.resampling import Quantity
from plrf.measure.law_forms import FREE, LawForm
from plrf.measure.refits import HUBER, LEAST_SQUARES

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Rows = Callable[[FloatArray, FloatArray], BoolArray]
"""From the compute d n and the losses (m,) to the rows that are fitted (m,)."""


@dataclass(frozen=True)
class Variant:
    """One other way to fit the same table.

    Attributes
    ----------
    choice : str
        What is chosen otherwise; variants of one choice are compared with each other.
    name : str
    huber : float
        Residual of log L from which the loss function grows linearly.
    rows : callable
        Which rows are fitted.
    """

    choice: str
    name: str
    huber: float
    rows: Rows


def all_rows(compute: FloatArray, loss: FloatArray) -> BoolArray:
    """Fit everything."""
    return np.ones(loss.shape, dtype=bool)


def without_highest(k: int) -> Rows:
    """Fit all rows but those of the k highest losses."""

    def rows(compute: FloatArray, loss: FloatArray) -> BoolArray:
        kept = all_rows(compute, loss)
        kept[np.argsort(loss, kind="stable")[loss.size - k :]] = False
        return kept

    return rows


def lower_half(compute: FloatArray, loss: FloatArray) -> BoolArray:
    """Fit the rows up to the median compute."""
    rows: BoolArray = compute <= np.median(compute)
    return rows


def upper_half(compute: FloatArray, loss: FloatArray) -> BoolArray:
    """Fit the rows from the median compute on."""
    rows: BoolArray = compute >= np.median(compute)
    return rows


STANDARD = Variant("none", "as it is", HUBER, all_rows)
VARIANTS = (
    STANDARD,
    Variant("huber", "1e-4", 1e-4, all_rows),
    Variant("huber", "1e-2", 1e-2, all_rows),
    Variant("huber", "least squares", LEAST_SQUARES, all_rows),
    Variant("highest losses", "1 dropped", HUBER, without_highest(1)),
    Variant("highest losses", "5 dropped", HUBER, without_highest(5)),
    Variant("window", "lower half", HUBER, lower_half),
    Variant("window", "upper half", HUBER, upper_half),
)
"""The standard fit and others, each of which differs from it in one choice."""


@dataclass(frozen=True, eq=False)
class Variation:
    """A variant and its fit."""

    variant: Variant
    fitted: FittedLaw


def vary(
    d: ArrayLike,
    n: ArrayLike,
    loss: ArrayLike,
    *,
    form: LawForm = FREE,
    variants: tuple[Variant, ...] = VARIANTS,
) -> list[Variation]:
    """Fit the law in all variants (model section 8).

    Parameters
    ----------
    d, n, loss : array_like, shape (m,)
        Parameters, samples and loss of each run.
    form : LawForm
    variants : tuple of Variant

    Returns
    -------
    list of Variation
        In the order of the variants; a law with too few rows says so in its status.

    Raises
    ------
    ValueError
        As for `plrf.fitting.law.fit_table`.
    """
    d, n, loss = (np.exp(logs) for logs in checked_table(d, n, loss))
    found = []
    for variant in variants:
        rows = variant.rows(d * n, loss)
        fitted = fit_table(d[rows], n[rows], loss[rows], form=form, huber=variant.huber)
        found.append(Variation(variant, fitted))
    return found


def spreads(variations: list[Variation], quantity: Quantity) -> dict[str, float]:
    """Range of a quantity over the variants of each choice and the standard fit.

    Parameters
    ----------
    variations : list of Variation
    quantity : callable
        From parameters (..., 5) to one number each.

    Returns
    -------
    dict
        From choices to ranges; NaN where fewer than two variants have a law.
    """
    values: dict[str, list[float]] = {}
    standard = [v for v in variations if v.variant.choice == STANDARD.choice]
    for variation in variations:
        if variation not in standard:
            values.setdefault(variation.variant.choice, []).append(_value(variation, quantity))
    common = [_value(variation, quantity) for variation in standard]
    return {choice: _range(found + common) for choice, found in values.items()}


def _value(variation: Variation, quantity: Quantity) -> float:
    fitted = variation.fitted
    return float(quantity(fitted.parameters)) if fitted.status == "ok" else np.nan


def _range(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return max(known) - min(known) if len(known) > 1 else np.nan
