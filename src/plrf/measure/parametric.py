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

from plrf.measure.law_forms import FREE, LawForm
from plrf.measure.refits import (
    HUBER,
    bounds,
    centred,
    inside,
    log_terms,
    moved,
    refit,
)

FloatArray = NDArray[np.float64]

# The grid of initial points: exponents, and the parts that E and A d^-a have in the loss.
_EXPONENTS = (0.1, 0.3, 0.6, 1.0, 1.5)
_PARTS = (0.05, 0.3, 0.6)
_STARTS = 4  # that many of them, the best, are minimised from
_FLAT = 1e-3  # a term that varies by less of the loss has no exponent


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
    form : LawForm
        Which of the parameters were free.
    huber : float
        Residual from which the loss function grew linearly.
    """

    parameters: FloatArray
    residuals: FloatArray
    status: str
    form: LawForm = FREE
    huber: float = HUBER

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


def fit_law(
    log_d: FloatArray,
    log_n: FloatArray,
    log_loss: FloatArray,
    *,
    weights: FloatArray | None = None,
    form: LawForm = FREE,
    huber: float = HUBER,
    largest_log_e: float | None = None,
) -> Law:
    """Fit the law by the Huber loss of log L, from the best points of a grid.

    Parameters
    ----------
    log_d, log_n, log_loss : ndarray, shape (n,)
        Natural logarithms of the sizes, samples and losses; n of at least 5.
    weights : ndarray, shape (n,), optional
        Weights of the losses; 1 by default.
    form : LawForm
        Which of the parameters are free.
    huber : float
        Residual of log L from which the loss function grows linearly; `LEAST_SQUARES` for squares.
    largest_log_e : float, optional
        Bound of log E; by default the least log loss, which one wrong loss could set too low.
    """
    weights = np.ones(log_loss.shape) if weights is None else weights
    x, y, centre = centred(log_d, log_n)
    # From here on A and B belong to the centred x and y.
    points = form.free_parameters(_grid(float(np.median(log_loss))))
    data = (x, y, log_loss, weights, form, huber)
    order = np.argsort([_objective(point, *data)[0] for point in points])
    least, most = bounds(log_loss)
    most[0] = most[0] if largest_log_e is None else largest_log_e
    low, high = (form.free_parameters(bound) for bound in (least, most))
    best = min(
        (
            minimize(
                _objective,
                point,
                args=data,
                jac=True,
                method="L-BFGS-B",
                bounds=list(zip(low, high, strict=True)),
                options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-7},
            )
            for point in points[order[:_STARTS]]
        ),
        key=lambda result: float(result.fun),
    )
    parameters = form.all_parameters(best.x)
    residuals = log_loss - np.logaddexp.reduce(log_terms(parameters, x, y))
    status = law_status(parameters, x, y) if best.status in (0, 2) else "the minimiser failed"
    return Law(moved(parameters, -centre), residuals, status, form, huber)


def refit_exponents(
    start: Law, log_d: FloatArray, log_n: FloatArray, log_losses: FloatArray
) -> FloatArray:
    """Eta and xi of many fits to losses that differ little from those of `start`.

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
    found = refit(start.parameters, log_d, log_n, log_losses, form=start.form, huber=start.huber)
    a, b = found[..., 2], found[..., 4]
    return np.stack([a * b / (a + b), b / (a + b)])


def law_status(point: FloatArray, x: FloatArray, y: FloatArray) -> str:
    """Whether parameters (5,) fitted to losses at log sizes and samples have two exponents.

    "ok", or why not; see `Law`.
    """
    if not inside(point):
        return "an exponent is out of bounds"
    terms = np.exp(log_terms(point, x, y))
    loss = terms.sum(axis=0)
    for name, term in (("A d^-a", terms[1]), ("B n^-b", terms[2])):
        # As a constant it would be a part of E, and the law would fit as well.
        if np.all(np.abs(term - term.mean()) < _FLAT * loss):
            return f"the term {name} is negligible, it has no exponent"
    return "ok"


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


def _objective(
    free: FloatArray,
    x: FloatArray,
    y: FloatArray,
    log_loss: FloatArray,
    weights: FloatArray,
    form: LawForm,
    huber: float,
) -> tuple[float, FloatArray]:
    """Sum of the Huber losses in units of `HUBER`, and its gradient by the free parameters."""
    terms = log_terms(form.all_parameters(free), x, y)
    largest = terms.max(axis=0)
    parts = np.exp(terms - largest)
    total = parts.sum(axis=0)
    parts /= total
    residual = largest + np.log(total) - log_loss
    clipped = np.clip(residual, -huber, huber)
    value = float((weights * clipped) @ (residual - clipped / 2)) / HUBER
    e, a, b = parts * (weights * clipped / HUBER)
    gradient = np.array([e.sum(), a.sum(), -(a @ x), b.sum(), -(b @ y)])
    return value, gradient @ form.matrix
