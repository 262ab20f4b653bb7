"""Profile intervals: what a parameter may be while the others are refitted.

An interval holds the values at which the least sum of Huber losses exceeds that of the fit by up to
``lambda/2`` times the 95% quantile of F with 1 and m - k degrees of freedom. For normal residuals r
and squares lambda is their variance, and this is the interval of the likelihood. In general it is
the variance of the parameter over the one that the curvature of the sum stands for (Kent 1982):

    lambda = V_pp/C_pp   with   C = (J^T diag(s) J)^-1   and   V = C J^T diag(psi^2/(1-h)^2) J C

with J the derivatives of the law, psi those of the Huber loss at r, and h the rows' leverages: V is
right also where some rows are noisier than others (MacKinnon and White 1985). s is the slope of psi
(Powell 1991). Few rows have residuals below the Huber scale, among them the k that the fit goes
through; so s is a difference over 0.7 standard deviations of the residuals to either side.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import fdtri

from plrf.fitting.law import FittedLaw
from plrf.fitting.resampling import CONFIDENCE
from plrf.measure.law_forms import PARAMETERS
from plrf.measure.refits import bounds, refit

FloatArray = NDArray[np.float64]

_SMOOTHED = 0.7  # standard deviations of the residuals, see above
_STEPS = 60  # in which an end is looked for, each half as long again as the one before
_PRECISION = 1e-3  # of an end, over the standard error
_EXACT = 1e-7  # residuals below it are of losses without noise, in single precision as well


@dataclass(frozen=True)
class Profile:
    """The profile interval of one parameter.

    Attributes
    ----------
    parameter : str
        One of `PARAMETERS`.
    estimate, low, high : float
        Of the parameter, log E as it is; -inf or the bound of an exponent where the interval has no
        end, NaN if there is no law.
    status : str
        "ok", "open" if an end is a bound, or that of the law.
    """

    parameter: str
    estimate: float
    low: float
    high: float
    status: str


def profile(fitted: FittedLaw, parameter: str) -> Profile:
    """95% profile interval of a, b or log E.

    Parameters
    ----------
    fitted : FittedLaw
    parameter : str
        "log_e", "a" or "b"; free in the form of the law.

    Returns
    -------
    Profile

    Raises
    ------
    ValueError
        If there is no such parameter, or it is not free.

    Notes
    -----
    Measured coverage of a, b and E in 400 trials each, for losses of IsoFLOP slices (12 budgets, 8
    sizes), a grid (8 sizes, 6 numbers of samples) and 245 scattered runs, with normal residuals of
    0.3% and 1%, Student's of 3 degrees of freedom, and residuals that are 3 times larger for the
    largest size or 5 times for the fewest samples: 93 to 98.5%, by the Huber loss and by least
    squares. For 5 slices of 7 sizes 91.5 to 98.5%.
    """
    index = _index(fitted, parameter)
    estimate = float(fitted.parameters[index])
    if fitted.status != "ok":
        return Profile(parameter, estimate, np.nan, np.nan, fitted.status)
    limits = [float(bound[index]) for bound in bounds(fitted.log_loss)]
    low, high = limits
    if np.abs(fitted.law.residuals).max() < _EXACT:
        low = high = estimate
    elif _determined(fitted):
        low, high = (_end(fitted, parameter, limit) for limit in limits)
    status = "open" if low <= limits[0] or high >= limits[1] else "ok"
    low, high = min(low, estimate), max(high, estimate)
    if parameter == "log_e" and low <= limits[0]:
        low = -np.inf
    return Profile(parameter, estimate, low, high, status)


def covariance(fitted: FittedLaw) -> tuple[FloatArray, FloatArray]:
    """Covariance of the five parameters by residuals, and the one that the curvature stands for.

    Returns
    -------
    from_residuals, from_curvature : ndarray, shape (5, 5)
        V and C above.
    """
    r, huber = fitted.law.residuals, fitted.law.huber
    half = max(_SMOOTHED * 1.4826 * float(np.median(np.abs(r))), 1e-6 * huber)
    rise = np.clip(r + half, -huber, huber) - np.clip(r - half, -huber, huber)
    scales = np.linalg.norm(fitted.slopes, axis=0)
    slopes = fitted.slopes / scales
    leverages = np.sum(np.linalg.qr(slopes)[0] ** 2, axis=1)
    curvature = np.linalg.inv(slopes.T @ (slopes * (rise / (2 * half))[:, None]))
    scores = slopes * (np.clip(r, -huber, huber) / (1 - leverages))[:, None]
    matrix = fitted.law.form.matrix / scales
    from_curvature: FloatArray = matrix @ curvature @ matrix.T
    half_way = scores @ curvature @ matrix.T
    return half_way.T @ half_way, from_curvature


def _determined(fitted: FittedLaw) -> bool:
    """Whether losses depend on all combinations of free parameters; not so of two sizes, say."""
    scales = np.linalg.norm(fitted.slopes, axis=0)
    if not np.all(scales > 0):
        return False
    return bool(np.linalg.matrix_rank(fitted.slopes / scales) == fitted.law.form.size)


def _index(fitted: FittedLaw, parameter: str) -> int:
    """Place of a free parameter."""
    if parameter not in ("log_e", "a", "b"):
        raise ValueError(f"parameter = {parameter!r}: must be 'log_e', 'a' or 'b'")
    index = PARAMETERS.index(parameter)
    if not fitted.law.form.matrix[index].any():
        raise ValueError(
            f"parameter = {parameter!r}: must be free in form {fitted.law.form.name!r}"
        )
    return index


def _end(fitted: FittedLaw, parameter: str, limit: float) -> float:
    """Where the profile crosses its threshold on the way to a limit; the limit if it does not."""
    index = PARAMETERS.index(parameter)
    form, estimate = fitted.law.form, float(fitted.parameters[index])
    variance, curvature = (float(c[index, index]) for c in covariance(fitted))
    if not curvature > 0:  # but for rounding errors some combination of parameters is unknown
        return limit
    quantile = float(fdtri(1, fitted.log_loss.size - form.size, CONFIDENCE))
    height = variance / curvature / 2 * quantile
    threshold = float(fitted.objective(fitted.parameters)) + height
    nearest = fitted.parameters
    # A refit depends on where it starts, so that the same value is not refitted again.
    known = {estimate: -height}

    def above(value: float) -> float:
        if value not in known:
            known[value] = refitted(value)
        return known[value]

    def refitted(value: float) -> float:
        nonlocal nearest
        start = nearest + form.matrix @ form.matrix[index] * (value - nearest[index])
        found = refit(
            start,
            fitted.log_d,
            fitted.log_n,
            fitted.log_loss,
            form=form.fixing(parameter, value),
            huber=fitted.law.huber,
        )
        if np.isnan(found).any():  # another exponent is at its bound: nothing is known against it
            return -height
        nearest = found
        return float(fitted.objective(found)) - threshold

    error = float(np.sqrt(variance))
    step, inner = float(np.copysign(error, limit - estimate)), estimate
    for _ in range(_STEPS):
        outer = inner + step
        if abs(outer - estimate) >= abs(limit - estimate):
            return limit
        if above(outer) > 0:
            end: float = brentq(above, inner, outer, xtol=_PRECISION * error)
            return end
        inner, step = outer, 1.5 * step
    return limit
