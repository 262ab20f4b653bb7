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
_STARTS = 8  # that many of them, the best, are minimised from
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
    converged : bool
        False if the minimiser failed, or a or b is at its bound.
    """

    parameters: FloatArray
    residuals: FloatArray
    converged: bool

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


def fit_law(
    log_d: FloatArray, log_n: FloatArray, log_loss: FloatArray, start: Law | None = None
) -> Law:
    """Fit the law by the Huber loss of log L.

    Parameters
    ----------
    log_d, log_n, log_loss : ndarray, shape (n,)
        Natural logarithms of the sizes, samples and losses; n of at least 5.
    start : Law, optional
        Where to start; without it, from the best points of a grid.
    """
    centre = np.array([log_d.mean(), log_n.mean()])
    x, y = log_d - centre[0], log_n - centre[1]
    least = float(log_loss.min())
    # From here on A and B belong to the centred x and y.
    shift = _shift(centre)
    if start is None:
        points = _grid(float(np.median(log_loss)))
        order = np.argsort([_objective(point, x, y, log_loss)[0] for point in points])
        starts = points[order[:_STARTS]]
    else:
        starts = (start.parameters + shift @ start.parameters)[None]
    bounds = [(least - _NEGLIGIBLE, least), (None, None), (0, LARGEST_EXPONENT)]
    bounds += bounds[1:]
    best = min(
        (
            minimize(
                _objective,
                point,
                args=(x, y, log_loss),
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-7},
            )
            for point in starts
        ),
        key=lambda result: float(result.fun),
    )
    exponents = best.x[[2, 4]]
    inside = bool(np.all((exponents > 1e-6) & (exponents < LARGEST_EXPONENT - 1e-6)))
    residuals = log_loss - np.logaddexp.reduce(_terms(best.x, x, y))
    return Law(best.x - shift @ best.x, residuals, inside and best.status in (0, 2))


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
