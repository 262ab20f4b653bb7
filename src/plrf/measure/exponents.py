"""Exponents of the compute-optimal front, measured on loss curves, with their errors.

`fit_exponents` measures P* ~ f^-eta and d* ~ f^xi on a `LossTable` of any engine, by one of the
`METHODS`; `fit_exact_front` (``"approach0"``) on the exact front itself, with d continuous. Both
return a `Measurement`.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from plrf.measure.bootstrap import bootstrap
from plrf.measure.curves import LossTable
from plrf.measure.estimates import (
    METHODS,
    front_exponents,
    front_residuals,
    root_mean_squares,
    too_few_budgets,
)
from plrf.measure.fronts import Front
from plrf.measure.power_law import slope_weights

FloatArray = NDArray[np.float64]

QUANTITIES = ("eta", "xi")

CONFIDENCE = 0.95
"""Level of the confidence intervals."""

REFUSED_SHARE = 0.05
"""Share of refused bootstrap resamples above which the status of a fit tells it."""


@dataclass(frozen=True)
class ExponentFit:
    """A measured exponent; the fields are columns of the table of fits.

    Attributes
    ----------
    method, quantity : str
        The method, and ``"eta"``, from P* ~ f^-eta, or ``"xi"``, from d* ~ f^xi.
    estimate : float
        The exponent; NaN if refused.
    std_error, ci_low, ci_high : float
        Standard error, and limits of the t interval of level `CONFIDENCE`; NaN if refused or
        undefined.
    dof : float
        Degrees of freedom of the t interval.
    error_source : str
        What the standard error measures: ``"runs"``, the noise between independent runs;
        ``"residuals"``, without noise, how far the front is from a power law in the window, by
        its residuals or, for Approach 3, by leaving out one size at a time; ``"solver"``, a bound
        of the numerical error.
    used_low, used_high : float
        Lowest and highest budget used, in flops; if refused, of all budgets.
    n_budgets, n_dropped : int
        Number of usable budgets, and of the others.
    rms_residual : float
        Root mean square of the residuals, of natural logarithms: of P* or d* from its power law,
        for Approach 3 of all losses from the parametric law.
    status : str
        ``"ok"`` or ``"refused: "`` and why, followed by the number of budgets dropped for each
        reason (see `Front`), as in ``"ok; dropped 3 edge_minimum, 1 few_sizes"``.
    """

    method: str
    quantity: str
    estimate: float
    std_error: float
    dof: float
    ci_low: float
    ci_high: float
    error_source: str
    used_low: float
    used_high: float
    n_budgets: int
    n_dropped: int
    rms_residual: float
    status: str


@dataclass(frozen=True, eq=False)
class Measurement:
    """Both exponents, and the front that they were measured on.

    Attributes
    ----------
    eta, xi : ExponentFit
        The exponents.
    front : Front
        Optimal sizes and losses at the budgets.
    residuals : ndarray, shape (2, n_f)
        Measured minus fitted log P* and log d*; NaN at budgets that were not used, and for
        Approach 3, which fits no front.
    """

    eta: ExponentFit
    xi: ExponentFit
    front: Front
    residuals: FloatArray


def fit_exponents(
    table: LossTable,
    method: str,
    *,
    neighbours: int,
    resamples: int,
    rng: np.random.Generator,
) -> Measurement:
    """Measure eta and xi.

    Parameters
    ----------
    table : LossTable
        Losses at the budgets.
    method : str
        One of `METHODS`.
    neighbours : int
        Sizes on each side of the lowest loss that a parabola of Approach 2 is fitted to, and that
        a spline needs there.
    resamples : int
        Number of bootstrap resamples, at least 2, for a table with several runs.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    Measurement
        Refused with fewer usable budgets than `plrf.measure.estimates.MIN_BUDGETS`, or without a
        law that fits.

    Raises
    ------
    ValueError
        If the method is unknown, or `neighbours` or `resamples` too small.

    Notes
    -----
    With several runs, the standard error comes from a bootstrap of the whole procedure, from the
    mean over runs on. Runs, each with its W and its data, are the units; they are resampled
    independently for each size. As the variance of a resampled mean of n runs is biased low by
    the factor (n-1)/n, the standard error is multiplied by sqrt(n/(n-1)). The t interval has the
    degrees of freedom of Satterthwaite, between n - 1 and the number of sizes times that: the
    share of each size in the variance comes from the covariances of the resampled counts with
    the estimates (infinitesimal jackknife: Efron 2014). The bias of a method is no part of it.

    With one run there is no noise. The standard error is that of the regression (`power_law`)
    with budgets clustered by the size of lowest loss, because the residuals repeat from one size
    of the grid to the next. It measures how far the front is from a power law.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: {', '.join(METHODS)}")
    estimate = METHODS[method](table.sizes, table.budgets, table.mean_loss, neighbours)
    std_errors, dof, status = np.full(2, np.nan), np.full(2, np.nan), "ok"
    if estimate.refusal:
        status = f"refused: {estimate.refusal}"
    elif table.n_runs > 1:
        std_errors, dof, refused = bootstrap(table, estimate.repeat, resamples, rng)
        if refused > REFUSED_SHARE:
            status += f"; {refused:.0%} of resamples refused"
    else:
        std_errors, dof = estimate.errors_without_noise()
    return _measurement(
        method=method,
        front=estimate.front,
        estimates=estimate.exponents,
        std_errors=std_errors,
        dof=dof,
        error_source="runs" if table.n_runs > 1 else "residuals",
        residuals=estimate.residuals,
        rms=estimate.rms_residuals,
        status=status,
    )


def fit_exact_front(front: Front, d_error: FloatArray, loss_error: FloatArray) -> Measurement:
    """Measure eta and xi on the exact front (Approach 0): its mean slopes over the budgets.

    Parameters
    ----------
    front : Front
        From `plrf.exact.front.compute_optimal`.
    d_error, loss_error : ndarray, shape (n_f,)
        Relative errors of its sizes and losses; the standard error is the slope's error if all of
        them add up.
    """
    used = front.usable
    exponents = front_exponents(front, used)
    refusal = too_few_budgets(front)
    weights = np.abs(slope_weights(np.log(front.budgets), used))
    errors = np.where(used, [loss_error, d_error], 0) @ weights
    residuals = front_residuals(front, exponents)
    return _measurement(
        method="approach0",
        front=front,
        estimates=exponents,
        std_errors=np.where(np.isnan(exponents), np.nan, errors),
        dof=np.full(2, np.inf),
        error_source="solver",
        residuals=residuals,
        rms=root_mean_squares(residuals),
        status=f"refused: {refusal}" if refusal else "ok",
    )


def _measurement(
    *,
    method: str,
    front: Front,
    estimates: FloatArray,
    std_errors: FloatArray,
    dof: FloatArray,
    error_source: str,
    residuals: FloatArray,
    rms: FloatArray,
    status: str,
) -> Measurement:
    """Collect both exponents of a front, and count the budgets that were not used."""
    dropped = Counter(front.status[~front.usable].tolist())
    if dropped:
        status += "; dropped " + ", ".join(f"{n} {reason}" for reason, n in dropped.items())
    reach = stdtrit(dof, (1 + CONFIDENCE) / 2) * std_errors
    used = front.usable
    window = front.budgets if np.isnan(estimates[0]) else front.budgets[used]
    fits = [
        ExponentFit(
            method=method,
            quantity=quantity,
            estimate=float(estimates[i]),
            std_error=float(std_errors[i]),
            dof=float(dof[i]),
            ci_low=float(estimates[i] - reach[i]),
            ci_high=float(estimates[i] + reach[i]),
            error_source=error_source,
            used_low=float(window[0]),
            used_high=float(window[-1]),
            n_budgets=int(used.sum()),
            n_dropped=int((~used).sum()),
            rms_residual=float(rms[i]),
            status=status,
        )
        for i, quantity in enumerate(QUANTITIES)
    ]
    return Measurement(fits[0], fits[1], front, residuals)
