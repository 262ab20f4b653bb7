"""Power laws with an offset, E + c x^-eta, by variable projection.

For a given eta the law is linear in (E, c): least squares of the relative residuals. What remains
is a function of one variable, minimised from the best point of a grid.

Source: model section 15 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LARGEST_ETA = 5.0
"""Bound of eta; a fit that reaches it has none."""

_GRID = np.geomspace(0.005, LARGEST_ETA, 60)  # ratio 1.12
_GOLDEN = (np.sqrt(5) - 1) / 2
_STEPS = 40  # of the golden section: 1e-8 of a ratio of the grid, where rounding ends it


@dataclass(frozen=True, eq=False)
class OffsetLaw:
    """Fitted laws ``offset + exp(log_scale - eta (log x - centre))``, all of one shape.

    Attributes
    ----------
    eta, offset, log_scale : ndarray, shape (...)
        NaN where there is no law. The offset is 0 where a negative one would fit better.
    centre : float
        Log x at which the scale is.
    """

    eta: FloatArray
    offset: FloatArray
    log_scale: FloatArray
    centre: float

    def log_values(self, log_x: FloatArray) -> FloatArray:
        """Logarithms of the laws at points (m,), in shape (..., m)."""
        power = self.log_scale[..., None] - self.eta[..., None] * (log_x - self.centre)
        values: FloatArray = np.log(self.offset[..., None] + np.exp(power))
        return values


def fit_offset(log_x: FloatArray, values: FloatArray, used: BoolArray) -> OffsetLaw:
    """Fit laws with E >= 0 and c > 0 to several sets of values at common points.

    Parameters
    ----------
    log_x : ndarray, shape (n,)
        Natural logarithms of the points.
    values : ndarray, shape (..., n)
        Positive where used.
    used : ndarray of bool, shape (..., n)
        Points that count, at least three of them.

    Returns
    -------
    OffsetLaw
        NaN where fewer points are used, values do not fall, or eta has no upper bound.
    """
    used = np.broadcast_to(used, values.shape)
    centre = float(log_x.mean()) if log_x.size else 0.0
    inverse = np.divide(1.0, values, out=np.zeros(values.shape), where=used)
    x = log_x - centre

    def squares(eta: FloatArray) -> FloatArray:
        return _projected(eta, x, inverse, used)[0]

    of_grid = np.stack([squares(np.full(values.shape[:-1], eta)) for eta in _GRID])
    best = of_grid.argmin(axis=0)
    inner = np.clip(best, 1, _GRID.size - 2)
    low, high = np.log(_GRID[inner - 1]), np.log(_GRID[inner + 1])
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        falls = squares(np.exp(left)) > squares(np.exp(right))
        low, high = np.where(falls, left, low), np.where(falls, high, right)
    eta = np.exp((low + high) / 2)
    least, offset, scale = _projected(eta, x, inverse, used)
    known = np.isfinite(least) & (used.sum(axis=-1) >= 3) & (best < _GRID.size - 1)
    log_scale = np.log(scale, out=np.full(scale.shape, np.nan), where=known)
    return OffsetLaw(
        np.where(known, eta, np.nan), np.where(known, offset, np.nan), log_scale, centre
    )


def _projected(
    eta: FloatArray, x: FloatArray, inverse: FloatArray, used: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Least squares (...) at eta (...), infinite where values do not fall; offset and scale."""
    power = np.exp(-eta[..., None] * x) * inverse
    ee, ep, pp = (
        (a * b).sum(-1) for a, b in ((inverse, inverse), (inverse, power), (power, power))
    )
    e, p = inverse.sum(-1), power.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = (e * pp - p * ep) / (ee * pp - ep**2)
        offset = np.where(offset > 0, offset, 0)
        scale = (p - offset * ep) / pp
    residuals = used - offset[..., None] * inverse - scale[..., None] * power
    squares = np.where(scale > 0, np.sum(residuals**2, axis=-1), np.inf)
    return squares, offset, scale
