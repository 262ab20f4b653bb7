"""Least-squares power laws, and the error of their exponents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MIN_CLUSTERS = 3
"""Clusters that a cluster-robust standard error needs."""


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """Least-squares line through log y against log x.

    Attributes
    ----------
    slope, intercept : float
        log y = intercept + slope log x, natural logarithms.
    std_error : float
        Standard error of the slope; NaN where it has no meaning.
    dof : int
        Degrees of freedom of the t distribution of the slope.
    residuals : ndarray, shape (n,)
        Measured minus fitted log y.
    """

    slope: float
    intercept: float
    std_error: float
    dof: int
    residuals: FloatArray


def power_law(x: ArrayLike, y: ArrayLike, clusters: ArrayLike | None = None) -> PowerLaw:
    """Fit a power law by ordinary least squares in log-log coordinates.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positive data, n >= 3, with at least two different x.
    clusters : array_like, shape (n,), optional
        Labels of the groups of points within which residuals may be correlated. Given these, the
        standard error is the cluster-robust one (CR1: Liang-Zeger with small-sample factor) with
        one degree of freedom less than there are clusters, and no more than n - 2; it is NaN with
        fewer than `MIN_CLUSTERS`. Without, residuals count as independent, of one variance.

    Raises
    ------
    ValueError
        If shapes differ, data are not positive and finite, or there are too few points.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must be 1-d and of one length, not {x.shape} and {y.shape}")
    if not all(np.all((v > 0) & np.isfinite(v)) for v in (x, y)):
        raise ValueError("a power law needs positive, finite data")
    if x.size < 3 or np.ptp(x) == 0:
        raise ValueError("a power law needs at least 3 points and two different values of x")
    log_x, log_y = np.log(x), np.log(y)
    slope = float(slopes(log_x, log_y, np.ones(x.shape, bool)))
    intercept = float(log_y.mean() - slope * log_x.mean())
    residuals = log_y - intercept - slope * log_x

    centred = log_x - log_x.mean()
    spread = float(centred @ centred)
    n = x.size
    if clusters is None:
        dof = n - 2
        variance = float(residuals @ residuals) / dof / spread
    else:
        labels = np.unique(clusters, return_inverse=True)[1]
        scores = np.bincount(labels, centred * residuals)
        groups = scores.size
        dof = min(groups - 1, n - 2)
        cr1 = groups / (groups - 1) * (n - 1) / (n - 2) if groups >= MIN_CLUSTERS else np.nan
        variance = cr1 * float(scores @ scores) / spread**2
    return PowerLaw(slope, intercept, float(np.sqrt(variance)), dof, residuals)


def slope_weights(x: FloatArray, used: BoolArray) -> FloatArray:
    """Weights (..., n) of y in the least-squares slope against x (n,) over the points `used`."""
    n = used.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        centred = np.where(used, x - np.sum(x * used, axis=-1, keepdims=True) / n, 0)
        weights: FloatArray = centred / np.sum(centred**2, axis=-1, keepdims=True)
    return weights


def slopes(x: FloatArray, y: FloatArray, used: BoolArray) -> FloatArray:
    """Least-squares slopes of y (..., n) against x (n,) over the points `used` (..., n)."""
    slopes: FloatArray = np.sum(slope_weights(x, used) * np.where(used, y, 0), axis=-1)
    return slopes
