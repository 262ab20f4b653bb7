"""Exact fronts of many targets on the same features, at many budgets (sections 7 and 16).

The same minima as those of `plrf.compute_optimal`, one for each beta, which share spectra and where
best sizes are close losses; from budget to budget each begins where the last one points to.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number, numbers
from plrf.exact.budgets import BudgetLosses
from plrf.exact.inversion import FIRST_HYPERBOLA
from plrf.exact.many_minima import LOG_D, QUANTITIES, XI, ManyCurves
from plrf.exact.many_targets import losses_of_targets
from plrf.exact.search import LARGEST_SIZE, size_range
from plrf.scaling import ScalingRule
from plrf.statuses import NOT_CONVERGED, OK
from plrf.task import PowerLawTask
from plrf.theory.phases import phase_name

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TargetFronts:
    """Exact fronts: arrays of shape (k, n), a row for each beta and a column for each budget.

    Attributes
    ----------
    flops : array, shape (n,)
        Budgets.
    d, loss : arrays
        Best sizes d*(f) and their losses P*(f).
    eta, xi : arrays
        Local exponents ``-d log P*/d log f`` and ``d log d*/d log f``.
    d_error, loss_error : arrays
        Estimated relative errors.
    eta_error, xi_error : arrays
        Estimated absolute errors.
    status : array of str
        "ok", "no minimum" or "not converged", as of `plrf.compute_optimal`; values are NaN unless
        it is "ok".
    """

    flops: Array
    d: Array
    loss: Array
    eta: Array
    xi: Array
    d_error: Array
    loss_error: Array
    eta_error: Array
    xi_error: Array
    status: NDArray[np.str_]


def target_fronts(
    flops: ArrayLike,
    *,
    alpha: float,
    betas: ArrayLike,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: float = 1,
) -> TargetFronts:
    """Exact fronts of many targets, as `plrf.compute_optimal` finds them one by one (section 16).

    Parameters
    ----------
    flops : array, shape (n,)
        Budgets; increasing.
    alpha : float
        Data complexity.
    betas : array, shape (k,)
        Target complexities.
    v_over_d : float
        Number of features over number of parameters; above 1 and finite.
    c : float
        Learning-rate constant, ``gamma = c/(batch Tr D)``.
    batch : float
        Samples per step.

    Returns
    -------
    TargetFronts

    Raises
    ------
    ValueError
        If budgets do not increase, another argument is out of range (the message names it), or a
        beta has no power law.
    TypeError
        If an argument is not a number.
    DivergenceError
        If the learning rate is unstable at all sizes; the message names the threshold of c.
    """
    flops, betas = numbers("flops", flops, above=0), numbers("betas", betas)
    if flops.ndim != 1 or np.any(np.diff(flops) <= 0):
        raise ValueError(f"flops = {flops}: must be budgets that increase")
    v_over_d = number("v_over_d", v_over_d, above=1)
    rule = ScalingRule(v_over_d, number("c", c, above=0), number("batch", batch, least=1))
    targets = tuple(betas.tolist())
    for beta in targets:
        phase_name(alpha, beta)  # raises where there is no power law
    low, overflow = size_range(alpha, v_over_d)
    losses = BudgetLosses(PowerLawTask(alpha, 0.0), rule)
    low = losses.least_stable(low, max(low, min(np.log(LARGEST_SIZE), overflow)))
    values = np.full((len(targets), flops.size, 2, len(QUANTITIES)), np.nan)
    status = np.empty((len(targets), flops.size), f"<U{len(NOT_CONVERGED)}")
    guesses = np.full(len(targets), np.nan)
    for k, budget in enumerate(flops.tolist()):
        high = min(np.log(budget / (rule.batch * FIRST_HYPERBOLA)), overflow)

        def function(log_d: float, budget: float = budget) -> Array:
            loss, slope = losses_of_targets(log_d, budget, alpha, targets, rule)
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.array([np.log(loss), slope / loss])

        if k:  # where a front goes on as it did
            ahead = values[:, k - 1, 0, XI] * np.log(budget / flops[k - 1])
            guesses += np.where(status[:, k - 1] == OK, ahead, 0.0)
        values[:, k], status[:, k] = ManyCurves(function, low, high, 2 * alpha < 1).minima(guesses)
        guesses = np.where(status[:, k] == OK, values[:, k, 0, LOG_D], guesses)
    (log_loss, eta, log_d, xi), errors = np.moveaxis(values, (2, 3), (0, 1))
    return TargetFronts(
        flops,
        d=np.exp(log_d),
        loss=np.exp(log_loss),
        eta=eta,
        xi=xi,
        loss_error=errors[0],
        eta_error=errors[1],
        d_error=errors[2],
        xi_error=errors[3],
        status=status,
    )
