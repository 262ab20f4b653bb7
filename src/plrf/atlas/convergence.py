"""When a local exponent becomes that of the theory, and how fast it does (section 16)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from plrf.arguments import number, numbers
from plrf.measure.power_law import power_law
from plrf.statuses import BEYOND, FROM_THE_START, JUMPS, OK, TOO_FEW

Array = NDArray[np.float64]

# Statuses of a correction besides "ok", "theory jumps" and "too few budgets".
SIGN_CHANGES = "sign changes"
NOT_FALLING = "not falling"
DRIFTS = "drifts"  # falls, but not yet like a power

LEAST_BUDGETS = 3
FITTED = 5  # budgets that a correction's exponent is fitted to
RESOLVED = 10.0  # least deviation that counts, over its numerical error
CHANGED = 3.0  # least change between budgets that counts, over the sum of both errors
STEADY = 0.05  # largest error of a correction's exponent, relative, of one that is called a power


@dataclass(frozen=True)
class Horizon:
    """Least budget from which on an exponent stays close to the theory.

    Attributes
    ----------
    flops : float
        The budget; the first one that is known if the status is "from the start", infinite if it
        is "beyond", else NaN.
    error : float
        Estimated error in decades, from a grid of half as many budgets; a step of the budgets if
        the status is "from the start" and the deviation at one of the first two budgets is above
        half the tolerance, as it may leave it in between.
    deviation : float
        Exponent over theory, less 1, at the last budget.
    trend : float
        Change of its magnitude over the last step between budgets, per decade: positive where the
        exponent still moves away, 0 where it changes by less than three times both errors.
    status : str
        "ok", "from the start", "beyond", "theory jumps" or "too few budgets".
    """

    flops: float
    error: float
    deviation: float
    trend: float
    status: str


@dataclass(frozen=True)
class Correction:
    """How fast an exponent tends to the theory: ``|exponent - theory| ~ f**-rate``.

    Attributes
    ----------
    rate : float
        NaN unless the status is "ok" or "drifts".
    error : float
        Change against the rate one fit's range of budgets below.
    low, high : float
        Budgets of the fit.
    status : str
        "ok"; "drifts" if the error is above 5% of the rate; "sign changes" or "not falling"
        if the deviation does so within the budgets that a fit needs; "theory jumps" or "too few
        budgets".
    """

    rate: float
    error: float
    low: float
    high: float
    status: str


def horizon(
    flops: ArrayLike,
    exponent: ArrayLike,
    error: ArrayLike,
    theory: float,
    tolerance: float = 0.05,
) -> Horizon:
    """Least budget from which on an exponent stays within a tolerance, up to the last budget.

    Parameters
    ----------
    flops : array, shape (n,)
        Budgets; increasing.
    exponent, error : arrays, shape (n,)
        Local exponents and their errors; NaN where there is no front.
    theory : float
        What they tend to; NaN where it jumps.
    tolerance : float
        Of the relative deviation.

    Returns
    -------
    Horizon
        Between budgets the deviation is interpolated (PCHIP in log f).

    Raises
    ------
    ValueError
        If an argument is out of range or shapes differ.
    """
    tolerance = number("tolerance", tolerance, above=0)
    log_f, deviation, errors = _deviation(flops, exponent, error, theory)
    if np.isnan(theory):
        return Horizon(np.nan, np.nan, np.nan, np.nan, JUMPS)
    if log_f.size < LEAST_BUDGETS:
        return Horizon(np.nan, np.nan, np.nan, np.nan, TOO_FEW)
    change = np.diff(np.abs(deviation[-2:])).item()
    moves = np.abs(change) > CHANGED * errors[-2:].sum()
    trend = change / abs(theory) / (log_f[-1] - log_f[-2]) if moves else 0.0
    deviation = deviation / abs(theory)
    crossing, status = _last_crossing(log_f, deviation, tolerance)
    budget = np.inf if status == BEYOND else 10.0**crossing
    spread = _crossing_error(log_f, deviation, tolerance)
    return Horizon(float(budget), spread, float(deviation[-1]), float(trend), status)


def _crossing_error(log_f: Array, deviation: Array, tolerance: float) -> float:
    """Error of the last crossing in decades, from half as many budgets."""
    crossing, status = _last_crossing(log_f, deviation, tolerance)
    if status == BEYOND:
        return 0.0
    coarse, coarse_status = _last_crossing(log_f[::-2][::-1], deviation[::-2][::-1], tolerance)
    error, step = abs(crossing - coarse), float(log_f[1] - log_f[0])
    # Between budgets it may leave the tolerance unseen.
    unseen = status == FROM_THE_START and np.abs(deviation[:2]).max() > tolerance / 2
    return max(error, step) if unseen or coarse_status != status else error


def _last_crossing(log_f: Array, deviation: Array, tolerance: float) -> tuple[float, str]:
    """Decimal logarithm of the budget at which the deviation last leaves the tolerance."""
    if abs(deviation[-1]) > tolerance:
        return float(log_f[-1]), BEYOND
    outside = np.flatnonzero(np.abs(deviation) > tolerance)
    if not outside.size:
        return float(log_f[0]), FROM_THE_START
    curve = PchipInterpolator(log_f, deviation)
    edge = np.copysign(tolerance, deviation[outside[-1]])
    roots = curve.solve(edge, extrapolate=False)
    return float(roots[roots >= log_f[outside[-1]]].max()), OK


def leading_correction(
    flops: ArrayLike, exponent: ArrayLike, error: ArrayLike, theory: float
) -> Correction:
    """Exponent of the leading correction, from the last budgets where it can be told from errors.

    Parameters
    ----------
    flops : array, shape (n,)
        Budgets; increasing.
    exponent, error : arrays, shape (n,)
        Local exponents and their errors; NaN where there is no front.
    theory : float
        What they tend to; NaN where it jumps.

    Returns
    -------
    Correction

    Raises
    ------
    ValueError
        If an argument is out of range or shapes differ.
    """
    log_f, deviation, errors = _deviation(flops, exponent, error, theory)
    nothing = (np.nan,) * 4
    if np.isnan(theory):
        return Correction(*nothing, JUMPS)
    resolved = np.flatnonzero(np.abs(deviation) > RESOLVED * errors)
    end = resolved[-1] + 1 if resolved.size else 0
    if end < 2 * FITTED:
        return Correction(*nothing, TOO_FEW)
    used = slice(end - 2 * FITTED, end)
    log_f, deviation = log_f[used], deviation[used]
    if np.any(deviation[1:] * deviation[:-1] <= 0):
        return Correction(*nothing, SIGN_CHANGES)
    size = np.abs(deviation)
    if np.any(np.diff(size) >= 0):
        return Correction(*nothing, NOT_FALLING)
    before, rate = (
        -power_law(10.0 ** log_f[part], size[part]).slope
        for part in (slice(FITTED), slice(FITTED, None))
    )
    spread = abs(rate - before)
    status = OK if spread <= STEADY * rate else DRIFTS
    return Correction(rate, spread, float(10.0 ** log_f[FITTED]), float(10.0 ** log_f[-1]), status)


def _deviation(
    flops: ArrayLike, exponent: ArrayLike, error: ArrayLike, theory: float
) -> tuple[Array, Array, Array]:
    """Decimal log f, exponents less theory and errors, after the last budget without a front."""
    budgets, values = numbers("flops", flops, above=0), np.asarray(exponent, float)
    errors = np.asarray(error, float)
    if budgets.ndim != 1 or np.any(np.diff(budgets) <= 0):
        raise ValueError(f"flops = {budgets}: must be budgets that increase")
    for name, array in (("exponent", values), ("error", errors)):
        if array.shape != budgets.shape:
            raise ValueError(f"{name} of shape {array.shape}: must have that of flops")
    unknown = np.flatnonzero(~np.isfinite(values))
    first = unknown[-1] + 1 if unknown.size else 0
    deviation: Array = values[first:] - theory
    return np.log10(budgets[first:]), deviation, errors[first:]
