"""Compute-optimal front of the estimate of the loss (model sections 6 and 7).

What the named parts of the loss predict at a finite budget: the size that minimises
`plrf.asymptotics.loss_estimate`, and the local exponents of its front.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebpts1
from numpy.typing import NDArray

from plrf.asymptotics import loss_estimate
from plrf.model import learning_rate

LEAST_SIZE, LEAST_STEPS = 12.0, 16.0
LARGEST_V = 2.0**52
SCAN_SIZES = 24
NODES = 11
HALF_WIDTH = 0.5  # of the interpolation in log d
SPACING = 0.25  # of the budgets in log f for derivatives
STENCIL = np.arange(-2, 3)
# Derivatives at the middle of five and of three equally spaced points.
FIVE_POINTS = np.array([1, -8, 0, 8, -1]) / (12 * SPACING)
THREE_POINTS = np.array([0, -1, 0, 1, 0]) / (2 * SPACING)


@dataclass(frozen=True)
class EstimatedOptimum:
    """Minimum of the estimate over d at one budget, and the local exponents there.

    Attributes
    ----------
    d, loss : float
        Best size, and the estimate of the loss there.
    eta, xi : float
        Local exponents ``-d log loss/d log f`` and ``d log d/d log f``.
    eta_error, xi_error : float
        Estimated absolute errors: the difference between two rules for derivatives.
    status : str
        "ok", or "no minimum" if the best size leaves the range from 12 parameters to 16 steps.
    """

    d: float
    loss: float
    eta: float
    xi: float
    eta_error: float
    xi_error: float
    status: str


@dataclass(frozen=True)
class _Problem:
    """Logarithm of the estimate as a function of log d at one budget."""

    alpha: float
    beta: float
    v_over_d: float
    c: float
    batch: int

    def log_loss(self, log_d: float, flops: float) -> float:
        d = float(np.exp(log_d))
        v = self.v_over_d * d
        gamma = learning_rate(self.c, self.alpha, v, self.batch)
        steps = flops / (d * self.batch)
        estimate = loss_estimate(
            steps,
            alpha=self.alpha,
            beta=self.beta,
            d=d,
            v=v,
            learning_rate=gamma,
            batch=self.batch,
        )
        return float(np.log(estimate))

    def scan(self, flops: float) -> float:
        """Best of a few sizes over the whole range; NaN if it is the first or the last."""
        largest = min(flops / (self.batch * LEAST_STEPS), LARGEST_V / self.v_over_d)
        sizes = np.linspace(np.log(LEAST_SIZE), np.log(largest), SCAN_SIZES)
        best = int(np.argmin([self.log_loss(x, flops) for x in sizes]))
        return float(sizes[best]) if 0 < best < SCAN_SIZES - 1 else np.nan

    def minimum(self, guess: float, flops: float) -> NDArray[np.float64]:
        """Log of the best size near a guess, and of the estimate there."""
        for _ in range(SCAN_SIZES):
            nodes = guess + HALF_WIDTH * chebpts1(NODES)
            values = [self.log_loss(x, flops) for x in nodes]
            domain = [guess - HALF_WIDTH, guess + HALF_WIDTH]
            curve = Chebyshev.fit(nodes, values, NODES - 1, domain=domain)
            roots = curve.deriv().roots()
            inside = np.isreal(roots) & (np.abs(roots.real - guess) < HALF_WIDTH)
            points = np.append(roots[inside].real, domain)
            best = points[np.argmin(curve(points))]
            if abs(best - guess) < 0.9 * HALF_WIDTH:
                return np.array([best, curve(best)])
            guess = best
        return np.full(2, np.nan)


def estimated_optimum(
    flops: float,
    *,
    alpha: float,
    beta: float,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: int = 1,
) -> EstimatedOptimum:
    """Minimise the estimate of the loss over d at a budget (model sections 6 and 7).

    Parameters
    ----------
    flops : float
        Budget ``f = d r batch``.
    alpha, beta : float
        Data and target complexity, with 2(alpha+beta) > 1.
    v_over_d : float
        Number of features over number of parameters, above 1.
    c : float
        Learning-rate constant, ``gamma = c/(batch Tr D)``.
    batch : int
        Samples per step.

    Raises
    ------
    ValueError
        On the edge 2(alpha+beta) = 1 and below it.
    """
    problem = _Problem(alpha, beta, v_over_d, c, batch)
    rows = np.full((STENCIL.size, 2), np.nan)
    guess = problem.scan(flops)
    if np.isfinite(guess):
        guess = problem.minimum(guess, flops)[0]
    if np.isfinite(guess):
        budgets = flops * np.exp(SPACING * STENCIL)
        rows = np.array([problem.minimum(guess, budget) for budget in budgets])
    log_d, log_loss = rows.T
    eta, xi = -FIVE_POINTS @ log_loss, FIVE_POINTS @ log_d
    return EstimatedOptimum(
        d=float(np.exp(log_d[2])),
        loss=float(np.exp(log_loss[2])),
        eta=float(eta),
        xi=float(xi),
        eta_error=float(abs(eta + THREE_POINTS @ log_loss)),
        xi_error=float(abs(xi - THREE_POINTS @ log_d)),
        status="ok" if np.isfinite(xi) else "no minimum",
    )
