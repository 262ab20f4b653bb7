"""Approach 3: the law L = E + A d^-a + B n^-b, fitted to losses at d parameters and n samples.

Hoffmann et al. (2022) with the corrections of Besiroglu et al. (2024): the Huber loss of the
residuals of log L is summed, not averaged with a loose tolerance, and minimised from a grid of
initial points. In logarithms the law is a log-sum-exp of three linear functions, so that nothing
overflows and the gradient is exact.

Minimised over d at fixed compute f = d n it has the front P* - E ~ f^-eta and d* ~ f^xi with
eta = ab/(a+b) and xi = b/(a+b).

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]

HUBER = 1e-3
"""Residual of log L from which the loss function grows linearly."""

LARGEST_EXPONENT = 5.0
"""Bound of a and b; a fit that reaches it, or 0, is refused."""

# The grid of initial points: exponents, and the parts that E and A d^-a have in the loss.
_EXPONENTS = (0.1, 0.3, 0.6, 1.0, 1.5)
_PARTS = (0.05, 0.3, 0.6)
_STARTS = 4  # that many of them, the best, are minimised from
_ITERATIONS = 200  # of all fits to resampled losses
_SETTLED = 2  # steps that change a fit no more until it is left
_NEGLIGIBLE = 20.0  # E below e^-20 times the least loss is 0


@dataclass(frozen=True, eq=False)
class Law:
    """A fitted law; log loss as a function of log d and log n, natural logarithms.

    Attributes
    ----------
    parameters : ndarray, shape (5,)
        log E, log A, a, log B, b.
    residuals : ndarray, shape (n,)
        Measured minus fitted log losses.
    status : str
        "ok", or why the law has no exponents: the minimiser failed, a or b is at its bound, or
        one of the terms varies so little over the data that its exponent means nothing.
    """

    parameters: FloatArray
    residuals: FloatArray
    status: str

    @property
    def converged(self) -> bool:
        """Whether the law has exponents."""
        return self.status == "ok"

    @property
    def exponents(self) -> FloatArray:
        """Eta and xi of the front; NaN if the fit has not converged."""
        if not self.converged:
            return np.full(2, np.nan)
        a, b = map(float, self.parameters[[2, 4]])
        return np.array([a * b / (a + b), b / (a + b)])

    def front(self, flops: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Optimal size and its loss at budgets, in the shape of `flops`."""
        log_e, log_a, a, log_b, b = map(float, self.parameters)
        log_d = (np.log(a / b) + log_a - log_b + b * np.log(flops)) / (a + b)
        terms = [
            np.full(log_d.shape, log_e),
            log_a - a * log_d,
            log_b - b * (np.log(flops) - log_d),
        ]
        return np.exp(log_d), np.exp(np.logaddexp.reduce(terms))


def fit_law(log_d: FloatArray, log_n: FloatArray, log_loss: FloatArray) -> Law:
    """Fit the law by the Huber loss of log L, from the best points of a grid.

    Parameters
    ----------
    log_d, log_n, log_loss : ndarray, shape (n,)
        Natural logarithms of the sizes, samples and losses; n of at least 5.
    """
    centre = np.array([log_d.mean(), log_n.mean()])
    x, y = log_d - centre[0], log_n - centre[1]
    # From here on A and B belong to the centred x and y.
    points = _grid(float(np.median(log_loss)))
    order = np.argsort([_objective(point, x, y, log_loss)[0] for point in points])
    low, high = _bounds(log_loss)
    best = min(
        (
            minimize(
                _objective,
                point,
                args=(x, y, log_loss),
                jac=True,
                method="L-BFGS-B",
                bounds=list(zip(low, high, strict=True)),
                options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-7},
            )
            for point in points[order[:_STARTS]]
        ),
        key=lambda result: float(result.fun),
    )
    residuals = log_loss - np.logaddexp.reduce(_terms(best.x, x, y))
    status = _status(best.x, x, y) if best.status in (0, 2) else "the minimiser failed"
    return Law(best.x - _shift(centre) @ best.x, residuals, status)


def refit_exponents(
    start: Law, log_d: FloatArray, log_n: FloatArray, log_losses: FloatArray
) -> FloatArray:
    """Eta and xi of many fits to losses that differ little from those of `start`.

    All are fitted at once by iteratively reweighted least squares with Levenberg's damping,
    whose fixed points are those of the Huber loss.

    Parameters
    ----------
    start : Law
        The fit to start from.
    log_d, log_n : ndarray, shape (n,)
        Natural logarithms of the sizes and samples.
    log_losses : ndarray, shape (..., n)
        Natural logarithms of the losses; those that are NaN are left out.

    Returns
    -------
    ndarray, shape (2, ...)
        NaN where a or b reaches its bound, or no losses are left.
    """
    losses = log_losses.reshape(-1, log_d.size)
    there = np.isfinite(losses).any(axis=0)
    if not there.any():
        return np.full((2, *log_losses.shape[:-1]), np.nan)
    log_d, log_n, losses = log_d[there], log_n[there], losses[:, there]
    centre = np.array([log_d.mean(), log_n.mean()])
    x, y = log_d - centre[0], log_n - centre[1]
    low, high = _bounds(losses)
    points = np.tile(start.parameters + _shift(centre) @ start.parameters, (len(losses), 1))
    damping = np.full(len(losses), 1e-3)
    value, gradient, hessian = _reweighted(points, x, y, losses)
    settled = np.zeros(len(losses), dtype=int)  # in so many steps, one after the other
    for _ in range(_ITERATIONS):
        left = np.flatnonzero(settled < _SETTLED)
        if not left.size:
            break
        diagonal = np.einsum("rii->ri", hessian[left])
        floor = 1e-12 * diagonal.max(axis=1, keepdims=True)
        damped = hessian[left] + np.eye(5) * (damping[left, None] * diagonal + floor)[..., None]
        step = np.linalg.solve(damped, gradient[left][..., None])[..., 0]
        trial = np.clip(points[left] - step, low[left], high[left])
        new = _reweighted(trial, x, y, losses[left])
        near = np.abs(value[left] - new[0]) <= 1e-10 * value[left]
        settled[left] = np.where(near, settled[left] + 1, 0)
        better = new[0] < value[left]
        damping[left] = np.clip(damping[left] * np.where(better, 0.25, 4.0), 1e-9, 1e9)
        for old, found in zip((points, value, gradient, hessian), (trial, *new), strict=True):
            old[left[better]] = found[better]
    a, b = points[:, 2], points[:, 4]
    with np.errstate(invalid="ignore"):
        exponents = np.where(_inside(points), [a * b / (a + b), b / (a + b)], np.nan)
    return exponents.reshape(2, *log_losses.shape[:-1])


def _reweighted(
    points: FloatArray, x: FloatArray, y: FloatArray, log_losses: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums of Huber losses at points (r, 5), and those of the least squares that touch them.

    Values in units of `HUBER`, shape (r,), gradients (r, 5), and Hessians (r, 5, 5) of the squares.
    """
    log_e, log_a, a, log_b, b = points.T[..., None]
    terms = np.stack([np.broadcast_to(log_e, log_losses.shape), log_a - a * x, log_b - b * y])
    largest = terms.max(axis=0)
    parts = np.exp(terms - largest)
    total = parts.sum(axis=0)
    parts /= total
    residual = np.nan_to_num(largest + np.log(total) - log_losses)
    clipped = np.clip(residual, -HUBER, HUBER)
    value = np.sum(clipped * (residual - clipped / 2), axis=-1) / HUBER
    e, a, b = parts
    slopes = np.stack([e, a, -x * a, b, -y * b], axis=1)
    weight = np.isfinite(log_losses) / np.maximum(np.abs(residual), HUBER)
    weighted = slopes * weight[:, None]
    gradient = np.einsum("rkn,rn->rk", weighted, residual)
    return value, gradient, weighted @ np.swapaxes(slopes, 1, 2)


def _bounds(log_losses: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least and largest parameters (..., 5)."""
    least = np.nanmin(log_losses, axis=-1)
    free, zero = np.full(least.shape, np.inf), np.zeros(least.shape)
    low = [least - _NEGLIGIBLE, -free, zero, -free, zero]
    high = [least, free, zero + LARGEST_EXPONENT, free, zero + LARGEST_EXPONENT]
    return np.stack(low, axis=-1), np.stack(high, axis=-1)


def _inside(points: FloatArray) -> NDArray[np.bool_]:
    """Whether the exponents of points (..., 5) are within their bounds."""
    exponents = points[..., [2, 4]]
    inside: NDArray[np.bool_] = np.all(
        (exponents > 1e-6) & (exponents < LARGEST_EXPONENT - 1e-6), axis=-1
    )
    return inside


def _status(point: FloatArray, x: FloatArray, y: FloatArray) -> str:
    """Whether a fitted point has two exponents, see `Law`."""
    if not _inside(point):
        return "an exponent is out of bounds"
    terms = np.exp(_terms(point, x, y))
    loss = terms.sum(axis=0)
    for name, term in (("A d^-a", terms[1]), ("B n^-b", terms[2])):
        # As a constant it would be a part of E, and the law would fit as well.
        if np.all(np.abs(term - term.mean()) < HUBER * loss):
            return f"the term {name} is negligible, it has no exponent"
    return "ok"


def _shift(centre: FloatArray) -> FloatArray:
    """Matrix that adds to log A and log B what centring d and n takes away."""
    matrix = np.zeros((5, 5))
    matrix[1, 2], matrix[3, 4] = -centre
    return matrix


def _grid(log_loss: float) -> FloatArray:
    """Initial points whose law has this log loss at the centre of the data."""
    return np.array(
        [
            [
                log_loss + np.log(part_e),
                log_loss + np.log((1 - part_e) * part_a),
                a,
                log_loss + np.log((1 - part_e) * (1 - part_a)),
                b,
            ]
            for a, b, part_e, part_a in product(_EXPONENTS, _EXPONENTS, _PARTS, _PARTS)
        ]
    )


def _terms(point: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Logarithms of E, A d^-a and B n^-b, shape (3, n)."""
    log_e, log_a, a, log_b, b = point
    return np.stack([np.full(x.shape, log_e), log_a - a * x, log_b - b * y])


def _objective(
    point: FloatArray, x: FloatArray, y: FloatArray, log_loss: FloatArray
) -> tuple[float, FloatArray]:
    """Sum of the Huber losses in units of `HUBER`, and its gradient."""
    terms = _terms(point, x, y)
    largest = terms.max(axis=0)
    parts = np.exp(terms - largest)
    total = parts.sum(axis=0)
    parts /= total
    residual = largest + np.log(total) - log_loss
    clipped = np.clip(residual, -HUBER, HUBER)
    value = float(clipped @ (residual - clipped / 2)) / HUBER
    e, a, b = parts * (clipped / HUBER)
    return value, np.array([e.sum(), a.sum(), -(a @ x), b.sum(), -(b @ y)])
