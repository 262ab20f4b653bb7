"""The exact compute-optimal front: the best size and its loss, with d continuous (section 7).

At a budget of f flops a model of d parameters makes ``r = f/(d batch)`` steps. The expected loss is
a smooth function of log d and log f, known to about twelve digits; its minimum over d, and the
local exponents of the front, come from Chebyshev interpolation in log d. The best learning rate and
batch are minima of such minima.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number, numbers
from plrf.exact.budgets import BudgetLosses
from plrf.exact.minimise import NoMinimumError
from plrf.exact.ridge import ConvergenceError
from plrf.exact.search import LEAST_SIZE, Search, size_range
from plrf.momentum import Momentum
from plrf.scaling import ScalingRule
from plrf.schedules import CONSTANT, Schedule, schedule_of
from plrf.spectrum import task_of
from plrf.statuses import NO_MINIMUM, NOT_CONVERGED, OK
from plrf.task import PowerLawTask
from plrf.theory.phases import phase_name

Array = NDArray[np.float64]

OPTIMAL = "optimal"
FEWER_NODES = 6  # of the interpolation in log d, with momentum


@dataclass(frozen=True, eq=False)
class Optimum:
    """Exact compute-optimal front; arrays have the shape of ``flops``.

    Attributes
    ----------
    flops, d, loss : arrays
        Budgets, best sizes d*(f) and their losses P*(f).
    eta, xi : arrays
        Local exponents ``-d log P*/d log f`` and ``d log d*/d log f``.
    c, batch : arrays
        Learning-rate constant and batch, the best ones where they are sought.
    c_exponent, batch_exponent : arrays
        Their local exponents ``d log c*/d log f`` and ``d log B*/d log f``; 0 if they are given or
        at a bound, 0.99 of the threshold of c at the least size or a batch of 1.
    d_error, loss_error, c_error, batch_error : arrays
        Estimated relative errors.
    eta_error, xi_error, c_exponent_error, batch_exponent_error : arrays
        Estimated absolute errors.
    status : array of str
        "ok"; "no minimum" if the best size leaves the range from 12 parameters, 49 features and
        the least stable size to 16 batches, or the best c falls below 1e-9 of its threshold; "not
        converged" if a loss could not be computed.
    """

    flops: Array
    d: Array
    loss: Array
    eta: Array
    xi: Array
    c: Array
    batch: Array
    c_exponent: Array
    batch_exponent: Array
    d_error: Array
    loss_error: Array
    eta_error: Array
    xi_error: Array
    c_error: Array
    batch_error: Array
    c_exponent_error: Array
    batch_exponent_error: Array
    status: NDArray[np.str_]


def compute_optimal(
    flops: ArrayLike,
    *,
    alpha: float | None = None,
    beta: float | None = None,
    eigenvalues: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    v_over_d: float = 4.0,
    c: float | Literal["optimal"] = 0.5,
    batch: float | Literal["optimal"] = 1,
    noise: float = 0.0,
    schedule: str | Mapping[str, Any] | Schedule = CONSTANT,
    momentum: str | Mapping[str, Any] | Momentum | None = None,
    refinement: float = 1.0,
) -> Optimum:
    """Exact compute-optimal front P*(f), d*(f) with its local exponents, d continuous (section 7).

    Sizes at which the learning rate is unstable are left out. With a schedule each evaluation makes
    all steps, one by one or in log time (section 10), and the front is one over planned trainings.

    Parameters
    ----------
    flops : array, any shape and order
        Budgets ``f = d r batch``.
    alpha, beta : float
        Data and target complexity of a power-law task; or, instead of them and of v_over_d:
    eigenvalues, targets : arrays, shape (v,)
        Variances of the features, in any order, and the target's coefficients, of any task. Sizes
        are below v.
    v_over_d : float
        Number of features over number of parameters, above 1; may be infinite if 2 alpha > 1.
    c : float or "optimal"
        Learning-rate constant, ``gamma = c/(batch Tr D)``; the best of those that are stable at all
        sizes, at each budget, if "optimal".
    batch : float or "optimal"
        Samples per step, any real number from 1 on; the best one at each budget if "optimal".
    noise : float
        Variance of the labels' noise; losses are against the target without it (section 10).
    schedule : str, mapping or Schedule
        As for `plrf.expected_loss`.
    momentum : str, mapping or Momentum, optional
        As for `plrf.expected_loss`, at a constant rate and with given c and batch. Losses are known
        to some 1e-5 then (section 14).
    refinement : float
        With momentum, by how much nodes and steps are finer than those.

    Returns
    -------
    Optimum

    Raises
    ------
    ValueError
        If a budget, c or batch is not positive, the noise is negative, v_over_d is too small, or
        the model has no power law (model section 1); the message names argument, value and range.
        If a schedule would have to be followed over too many steps, or goes with momentum.
    TypeError
        If an argument is not a number.
    DivergenceError
        If the learning rate is unstable at all sizes; the message names the threshold of c. With
        momentum, if it is at the best size.
    """
    flops = numbers("flops", flops, above=0)
    search = front_search(
        alpha=alpha,
        beta=beta,
        eigenvalues=eigenvalues,
        targets=targets,
        v_over_d=v_over_d,
        c=c,
        batch=batch,
        noise=noise,
        schedule=schedule,
        momentum=momentum,
        refinement=refinement,
    )
    rows = np.full((flops.size, 2, 10), np.nan)
    status = np.full(flops.size, NO_MINIMUM, dtype=f"<U{len(NOT_CONVERGED)}")
    previous: tuple[float, Array] | None = None
    for k in np.argsort(flops, axis=None):
        budget = float(flops.flat[k])
        if previous is not None:
            log_budget, row = previous
            search.guesses["d"] = row[2] + row[3] * (np.log(budget) - log_budget)
        try:
            rows[k] = search.at(budget)
        except ConvergenceError:
            status[k] = NOT_CONVERGED
        except NoMinimumError:
            continue
        else:
            status[k] = OK
            previous = np.log(budget), rows[k, 0]
    return _optimum(flops, rows.reshape(*flops.shape, 2, 10), status.reshape(flops.shape))


def front_search(
    *,
    alpha: float | None = None,
    beta: float | None = None,
    eigenvalues: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    v_over_d: float = 4.0,
    c: float | Literal["optimal"] = 0.5,
    batch: float | Literal["optimal"] = 1,
    noise: float = 0.0,
    schedule: str | Mapping[str, Any] | Schedule = CONSTANT,
    momentum: str | Mapping[str, Any] | Momentum | None = None,
    refinement: float = 1.0,
) -> Search:
    """Search for the front of `compute_optimal`, whose parameters are checked."""
    task = task_of(alpha, beta, eigenvalues, targets, noise)
    if isinstance(task, PowerLawTask):
        v_over_d = number("v_over_d", v_over_d, above=1, infinite=True)
        bounds = _power_law_range(task, v_over_d)
    else:
        bounds = float(np.log(LEAST_SIZE)), float(np.log(max(task.eigenvalues.size - 1, 1)))
    asked = {"c": c, "batch": batch}
    free = [name for name, value in asked.items() if value == OPTIMAL]
    c = ScalingRule.c if c == OPTIMAL else number("c", c, above=0)
    batch = ScalingRule.batch if batch == OPTIMAL else number("batch", batch, least=1)
    rule, schedule = ScalingRule(v_over_d, c, batch), schedule_of(schedule)
    if momentum is None:
        return Search(BudgetLosses(task, rule, schedule), bounds, free)
    _check_remembering(v_over_d, free, schedule)
    refinement = number("refinement", refinement, above=0)
    losses = BudgetLosses(task, rule, schedule, momentum, refinement)
    losses.remembering(bounds[0])  # raises where the rule or its parameters are none
    return Search(losses, bounds, nodes=FEWER_NODES)


def _check_remembering(v_over_d: float, free: list[str], schedule: Schedule) -> None:
    """Check that nothing is asked for with momentum that its search does not know."""
    if v_over_d == np.inf:
        raise ValueError(f"v_over_d = {v_over_d}: must be finite with momentum")
    if free:
        raise ValueError(f"{free[0]} = {OPTIMAL!r}: must be a number with momentum")
    if schedule != CONSTANT:
        raise ValueError(f"schedule = {schedule}: must be constant with momentum")


def _power_law_range(task: PowerLawTask, v_over_d: float) -> tuple[float, float]:
    """Least and largest log d, if there is a power law and the features have a trace."""
    alpha, beta = task.alpha, task.beta
    phase_name(alpha, beta)  # raises where there is no power law
    if v_over_d == np.inf and 2 * alpha <= 1:
        raise ValueError(f"alpha = {alpha:.12g}: must be above 0.5 where v_over_d is infinite")
    if v_over_d == np.inf and 2 * (alpha + beta) <= 1:
        raise ValueError(f"beta = {beta:.12g}: must be above {0.5 - alpha:.12g} at v_over_d = inf")
    return size_range(alpha, v_over_d)


def _optimum(flops: Array, rows: Array, status: NDArray[np.str_]) -> Optimum:
    """Name the rows that a search returns, of shape (..., 2, 10)."""
    found, errors = np.moveaxis(rows, (-2, -1), (0, 1))
    log_loss, slope, log_d, xi, log_c, of_c, log_batch, of_batch = found[:8]
    return Optimum(
        flops,
        d=np.exp(log_d),
        loss=np.exp(log_loss),
        eta=-slope,
        xi=xi,
        c=np.exp(log_c),
        batch=np.exp(log_batch),
        c_exponent=of_c,
        batch_exponent=of_batch,
        loss_error=errors[0],
        eta_error=errors[1],
        d_error=errors[2],
        xi_error=errors[3],
        c_error=errors[4],
        c_exponent_error=errors[5],
        batch_error=errors[6],
        batch_exponent_error=errors[7],
        status=status,
    )
