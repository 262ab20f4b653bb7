"""Compute-optimal front of the estimate of the loss (model sections 6 and 7).

What the named parts of the loss predict at a finite budget: the size that minimises
`plrf.theory.parts.loss_estimate`, and the local exponents of its front.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import number, whole_number
from plrf.exact.minimise import minimise
from plrf.exact.search import size_range
from plrf.scaling import ScalingRule
from plrf.statuses import NO_MINIMUM, OK
from plrf.task import PowerLawTask
from plrf.theory.parts import loss_estimate

Array = NDArray[np.float64]

LEAST_STEPS = 16.0
LARGEST_V = 2.0**52
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
class _EstimatedLosses:
    """Estimates of the loss by a scaling rule, as functions of log d and the budget."""

    task: PowerLawTask
    rule: ScalingRule

    def log_loss(self, log_d: float, flops: float) -> Array:
        """Log of the estimate, the only component."""
        model = self.rule.model(self.task, float(np.exp(log_d)))
        sgd = self.rule.training(model)
        steps = flops / (model.d * sgd.batch)
        log_loss: Array = np.log(
            [float(loss_estimate(steps, **model.parameters, **sgd.parameters))]
        )
        return log_loss

    def minimum(self, flops: float, guess: float | None = None) -> Array:
        """Log of the best size, and of the estimate there; NaN if there is none."""
        v_over_d, batch = self.rule.v_over_d, self.rule.batch
        low, overflow = size_range(self.task.alpha, v_over_d)
        largest = min(flops / (batch * LEAST_STEPS), LARGEST_V / v_over_d)
        high = min(float(np.log(largest)), overflow)
        found = minimise(partial(self.log_loss, flops=flops), low, high, guess)
        return (
            np.full(2, np.nan) if found is None else np.array([found.x, found.curves[0](found.x)])
        )


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
        On the edge 2(alpha+beta) = 1 and below it, or if an argument is out of range.
    TypeError
        If an argument is not a number.
    """
    flops = number("flops", flops, above=0)
    alpha, beta = number("alpha", alpha, above=0), number("beta", beta)
    v_over_d = number("v_over_d", v_over_d, above=1)
    c, batch = number("c", c, above=0), whole_number("batch", batch, least=1)
    family = _EstimatedLosses(PowerLawTask(alpha, beta), ScalingRule(v_over_d, c, batch))
    rows = np.full((STENCIL.size, 2), np.nan)
    guess = family.minimum(flops)[0]
    if np.isfinite(guess):
        budgets = flops * np.exp(SPACING * STENCIL)
        rows = np.array([family.minimum(budget, guess) for budget in budgets])
    if np.isnan(rows).any():  # derivatives need all of them
        rows[:] = np.nan
    log_d, log_loss = rows.T
    eta, xi = -FIVE_POINTS @ log_loss, FIVE_POINTS @ log_d
    return EstimatedOptimum(
        d=float(np.exp(log_d[2])),
        loss=float(np.exp(log_loss[2])),
        eta=float(eta),
        xi=float(xi),
        eta_error=float(abs(eta + THREE_POINTS @ log_loss)),
        xi_error=float(abs(xi - THREE_POINTS @ log_d)),
        status=OK if np.isfinite(xi) else NO_MINIMUM,
    )
