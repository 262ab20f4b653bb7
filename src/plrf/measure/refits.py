"""Many fits of the parametric law at once: other losses, other weights, any form.

Levenberg-Marquardt on iteratively reweighted least squares, whose fixed points are those of the
Huber loss of the residuals of log L; all fits advance together, in blocks that fit a cache.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.measure.law_forms import FREE, LawForm

FloatArray = NDArray[np.float64]

HUBER = 1e-3
"""Residual of log L from which the loss function grows linearly, and its unit at any scale."""

LEAST_SQUARES = 1.0
"""A Huber scale that no residual of log L reaches: least squares."""

LARGEST_EXPONENT = 5.0
"""Bound of a and b; a fit that reaches it, or 0, is refused."""

NEGLIGIBLE = 20.0
"""E below e^-20 times the least loss is 0: fits do not go below."""

_ITERATIONS = 200
_EXACT = 1e-20  # sums below it are rounding errors, of losses without noise
_SETTLED = 2  # steps that change a fit no more until it is left
_BLOCK = 50_000  # losses of the fits that advance together


def refit(
    start: FloatArray,
    log_d: FloatArray,
    log_n: FloatArray,
    log_losses: FloatArray,
    *,
    weights: FloatArray | None = None,
    form: LawForm = FREE,
    huber: float = HUBER,
) -> FloatArray:
    """Parameters of many fits to losses, or with weights, that differ little from those of a fit.

    Parameters
    ----------
    start : ndarray, shape (..., 5)
        The parameters to start from, of the same form.
    log_d, log_n : ndarray, shape (n,)
        Natural logarithms of the sizes and samples.
    log_losses : ndarray, shape (..., n)
        Natural logarithms of the losses; those that are NaN are left out.
    weights : ndarray, shape (..., n), optional
        Weights of the losses, such as how often a resample drew them; 1 by default.
    form : LawForm
    huber : float
        Residual of log L from which the loss function grows linearly.

    Returns
    -------
    ndarray, shape (..., 5)
        The shapes of losses, weights and starts, broadcast. NaN where a or b reaches its bound, or
        no losses are left.
    """
    shape = np.broadcast_shapes(
        log_losses.shape, () if weights is None else weights.shape, (*start.shape[:-1], 1)
    )
    n = shape[-1]
    losses = np.broadcast_to(log_losses, shape).reshape(-1, n)
    shares = np.broadcast_to(1.0 if weights is None else weights, shape).reshape(-1, n)
    points = np.broadcast_to(start, (*shape[:-1], 5)).reshape(-1, 5)
    present = np.isfinite(losses) & (shares > 0)
    found = np.full(points.shape, np.nan)
    if present.any():
        there, fits = present.any(axis=0), np.flatnonzero(present.any(axis=1))
        x, y, centre = centred(log_d[there], log_n[there])
        block = max(_BLOCK // x.size, 1)
        for first in range(0, fits.size, block):
            some = fits[first : first + block]
            kept = np.ix_(some, there)
            sums = _Sums(x, y, losses[kept], shares[kept], form, huber)
            found[some] = moved(sums.minimise(moved(points[some], centre)), -centre)
    found[~inside(found)] = np.nan
    return found.reshape(*shape[:-1], 5)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of Huber losses of r fits to n losses, as functions of their free parameters (r, k)."""

    x: FloatArray
    y: FloatArray
    log_losses: FloatArray
    weights: FloatArray
    form: LawForm
    huber: float

    def minimise(self, start: FloatArray) -> FloatArray:
        """The minima (r, 5), from starts (r, 5)."""
        there = np.where(self.weights > 0, self.log_losses, np.nan)
        low, high = (self.form.free_parameters(bound) for bound in bounds(there))
        points = self.form.free_parameters(start)
        damping = np.full(len(points), 1e-3)
        value, gradient, hessian = self.at(points, np.arange(len(points)))
        settled = np.zeros(len(points), dtype=int)  # in so many steps, one after the other
        for _ in range(_ITERATIONS):
            left = np.flatnonzero(settled < _SETTLED)
            if not left.size:
                break
            diagonal = np.einsum("rii->ri", hessian[left])
            floor = 1e-12 * diagonal.max(axis=1, keepdims=True)
            scaled = damping[left, None] * diagonal + floor
            damped = hessian[left] + np.eye(self.form.size) * scaled[..., None]
            step = np.linalg.solve(damped, gradient[left][..., None])[..., 0]
            trial = np.clip(points[left] - step, low[left], high[left])
            new = self.at(trial, left)
            near = np.abs(value[left] - new[0]) <= 1e-10 * value[left] + _EXACT
            settled[left] = np.where(near, settled[left] + 1, 0)
            better = new[0] < value[left]
            damping[left] = np.clip(damping[left] * np.where(better, 0.25, 4.0), 1e-9, 1e9)
            for old, found in zip((points, value, gradient, hessian), (trial, *new), strict=True):
                old[left[better]] = found[better]
        return self.form.all_parameters(points)

    def at(
        self, free: FloatArray, rows: NDArray[np.intp]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sums of the fits `rows`, and those of the least squares that touch them.

        Values in units of `HUBER`, shape (r,), gradients (r, k), and Hessians (r, k, k) of the
        squares.
        """
        log_losses, weights = self.log_losses[rows], self.weights[rows]
        log_law, slopes = log_law_and_slopes(self.form.all_parameters(free), self.x, self.y)
        residual = np.nan_to_num(log_law - log_losses)
        clipped = np.clip(residual, -self.huber, self.huber)
        value = np.sum(weights * clipped * (residual - clipped / 2), axis=-1) / HUBER
        weight = np.isfinite(log_losses) * weights / np.maximum(np.abs(residual), self.huber)
        slopes = self.form.matrix.T @ slopes
        weighted = slopes * (weight * (self.huber / HUBER))[:, None]
        gradient = np.einsum("rkn,rn->rk", weighted, residual)
        return value, gradient, weighted @ np.swapaxes(slopes, 1, 2)


def log_law_and_slopes(
    five: FloatArray, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Logarithm of the law (..., n), and its derivatives by the five parameters (..., 5, n).

    Parameters
    ----------
    five : ndarray, shape (..., 5)
        log E, log A, a, log B, b.
    x, y : ndarray, shape (n,)
        Logarithms of sizes and samples, from the origins to which A and B belong.
    """
    terms = log_terms(five, x, y)
    largest = terms.max(axis=0)
    parts = np.exp(terms - largest)
    total = parts.sum(axis=0)
    parts /= total
    e, a, b = parts
    return largest + np.log(total), np.stack([e, a, -x * a, b, -y * b], axis=-2)


def log_terms(five: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Logarithms of E, A d^-a and B n^-b at parameters (..., 5), shape (3, ..., n)."""
    log_e, log_a, a, log_b, b = np.moveaxis(five, -1, 0)[..., None]
    shape = np.broadcast_shapes(log_e.shape, x.shape)
    return np.stack([np.broadcast_to(log_e, shape), log_a - a * x, log_b - b * y])


def bounds(log_losses: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least and largest parameters (..., 5)."""
    least = np.nanmin(log_losses, axis=-1)
    free, zero = np.full(least.shape, np.inf), np.zeros(least.shape)
    low = [least - NEGLIGIBLE, -free, zero, -free, zero]
    high = [least, free, zero + LARGEST_EXPONENT, free, zero + LARGEST_EXPONENT]
    return np.stack(low, axis=-1), np.stack(high, axis=-1)


def inside(points: FloatArray) -> NDArray[np.bool_]:
    """Whether the exponents of points (..., 5) are within their bounds."""
    exponents = points[..., [2, 4]]
    within: NDArray[np.bool_] = np.all(
        (exponents > 1e-6) & (exponents < LARGEST_EXPONENT - 1e-6), axis=-1
    )
    return within


def centred(log_d: FloatArray, log_n: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logarithms from their means, and these."""
    centre = np.array([log_d.mean(), log_n.mean()])
    return log_d - centre[0], log_n - centre[1], centre


def moved(five: FloatArray, origin: FloatArray) -> FloatArray:
    """The same law (..., 5), with A and B for logarithms of d and n from other origins."""
    five = five.copy()
    five[..., [1, 3]] -= origin * five[..., [2, 4]]
    return five
