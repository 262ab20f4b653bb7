"""The best schedules at fixed compute: of all learning rates, or of a family (section 10).

The loss after R steps is a smooth function of their R learning rates, and its gradient costs as
much as another two runs, so that quasi-Newton steps find the best ones.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from plrf.arguments import number
from plrf.exact.front import front_search
from plrf.exact.gradient import loss_and_gradient
from plrf.exact.inversion import FIRST_HYPERBOLA
from plrf.exact.minimise import minimise
from plrf.exact.modes import complex_modes
from plrf.exact.parametrised import SHAPES, Family, Nodes, Parametrised
from plrf.exact.ridge import (
    ConvergenceError,
    DeterministicEquivalent,
    critical_learning_rate,
)
from plrf.scaling import ScalingRule
from plrf.statuses import NO_MINIMUM, NOT_CONVERGED, OK
from plrf.task import Task

Array = NDArray[np.float64]
FREE = "free"
STABLE = 0.999  # of the critical learning rate, the largest that is tried
# Nodes per decade of a free schedule, and precision of log P: where the size is looked for, and of
# the result and what it is checked by.
SEARCH, CHECK, RESULT = (6, 1e-9), (6, 1e-11), (12, 1e-11)
MOST_STEPS = 10**6
TOLERANCE = 1e-3  # of the gradient of log P, at an optimum; shapes are known to one step
OPTIONS = {"maxiter": 5000, "maxfun": 10_000, "maxcor": 30, "gtol": 1e-8}


@dataclass(frozen=True, eq=False)
class OptimalSchedule:
    """A best schedule.

    Attributes
    ----------
    flops, d, batch : float
        Budget, best or given number of parameters, samples per step.
    steps : int
        Number of steps.
    loss, error : float
        Loss after them and its estimated relative error: the difference of two contours and, if
        each step is free, what twice as many nodes change.
    learning_rate : array, shape (steps,)
        gamma_t.
    c : array, shape (steps,)
        ``gamma_t batch Tr D``.
    shape : float
        The parameter of the family; NaN if it has none.
    status : str
        "ok", "not converged" or "no minimum".
    """

    flops: float
    d: float
    batch: float
    steps: int
    loss: float
    error: float
    learning_rate: Array = field(repr=False)
    c: Array = field(repr=False)
    shape: float
    status: str


def optimal_schedule(
    flops: float,
    *,
    alpha: float | None = None,
    beta: float | None = None,
    eigenvalues: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    d: float | None = None,
    v_over_d: float = 4.0,
    batch: float = 1,
    noise: float = 0.0,
    family: str = FREE,
) -> OptimalSchedule:
    """Find the learning rates with the least loss at fixed compute (model section 10).

    None is negative, and none exceeds 0.999 of the stability threshold.

    Parameters
    ----------
    flops : float
        Budget ``f = d r batch``.
    alpha, beta, eigenvalues, targets : optional
        The task, as for `plrf.compute_optimal`.
    d : float, optional
        Number of parameters; the best one without it. It may be any real number.
    v_over_d, batch, noise : float
        As for `plrf.compute_optimal`.
    family : str
        "free": each step has a learning rate of its own. Or the name of a schedule, of which the
        largest rate and one parameter are tuned: the exponent of "power" and "polynomial", the
        final factor of "cosine", the cooldown of "wsd", none of "constant".

    Returns
    -------
    OptimalSchedule

    Raises
    ------
    ValueError
        If an argument is out of range, the family is unknown, or the budget leaves fewer than 16
        steps or more than 10^6.
    TypeError
        If an argument is not a number.
    """
    flops, batch = number("flops", flops, above=0), number("batch", batch, least=1)
    if family != FREE and family not in SHAPES:
        raise ValueError(f"family = {family!r}: must be one of {', '.join([FREE, *SHAPES])}")
    search = front_search(
        alpha=alpha,
        beta=beta,
        eigenvalues=eigenvalues,
        targets=targets,
        v_over_d=v_over_d,
        c="optimal",
        batch=batch,
        noise=noise,
    )
    problem = _Problem(search.losses.task, search.losses.rule, flops, batch, family)
    low, high = search.bounds
    high -= 1 / FIRST_HYPERBOLA  # whole numbers of steps raise sizes by up to so much
    low = max(low, float(np.log(flops / (batch * MOST_STEPS))))
    high = min(high, float(np.log(flops / (batch * FIRST_HYPERBOLA))))
    if low > high:
        raise ValueError(
            f"flops = {flops:g}: must be at least {flops * np.exp(low - high):g}, for "
            f"{FIRST_HYPERBOLA} steps at the least size"
        )
    if d is not None:
        d = number("d", d, above=0)
        if not low <= np.log(d) <= high:
            raise ValueError(
                f"d = {d:g}: must be from {np.exp(low):g} to {np.exp(high):g}, for at least "
                f"{FIRST_HYPERBOLA} and at most {MOST_STEPS} steps"
            )
        return problem.result(d)
    try:
        start = float(search.at(flops)[0][2])
    except ArithmeticError:
        start = (low + high) / 2
    try:
        found = minimise(problem.log_loss, low, high, start)
        return problem.result(float(np.exp(found.x))) if found else problem.missing(NO_MINIMUM)
    except ConvergenceError:
        return problem.missing(NOT_CONVERGED)


class _Problem:
    """Best schedules of a family at a budget, as functions of the size."""

    def __init__(
        self, task: Task, rule: ScalingRule, flops: float, batch: float, family: str
    ) -> None:
        self.task, self.rule, self.flops, self.batch = task, rule, flops, batch
        self.family = family
        self.last: Array | None = None  # the rates that were best, where the next search begins

    def log_loss(self, log_d: float) -> Array:
        """Log of the least loss of a size, the only component."""
        return np.array([np.log(self._solve(float(np.exp(log_d)), *SEARCH).loss)])

    def result(self, d: float) -> OptimalSchedule:
        """The best schedule of a size."""
        if self.family != FREE:
            return self._solve(d, *RESULT)
        coarse, fine = self._solve(d, *CHECK), self._solve(d, *RESULT)
        return replace(fine, error=fine.error + abs(coarse.loss / fine.loss - 1))

    def missing(self, status: str) -> OptimalSchedule:
        """What is returned where there is none."""
        nan, empty = float("nan"), np.empty(0)
        return OptimalSchedule(self.flops, nan, self.batch, 0, nan, nan, empty, empty, nan, status)

    def _solve(self, d: float, per_decade: int, precision: float) -> OptimalSchedule:
        # Rounding leaves neither the range of sizes nor that of steps.
        steps = int(self.flops / (d * self.batch) * (1 + 1e-12))
        d = self.flops / (steps * self.batch)
        model = self.rule.model(self.task, d)
        spectrum = DeterministicEquivalent(model)
        top = STABLE * critical_learning_rate(model, self.batch)
        modes = complex_modes(spectrum, 2 / (top * (self.batch + 1)))
        free = self.family == FREE
        schedules: Parametrised = Nodes(steps, per_decade) if free else Family(self.family, steps)

        def objective(x: Array) -> tuple[float, Array]:
            loss, gradient = loss_and_gradient(
                top * schedules.rates(x), self.batch, modes.contour(0), spectrum
            )
            return float(np.log(loss)), top / loss * schedules.pull(x, gradient)

        found = minimize(
            objective,
            schedules.start(self.last),
            jac=True,
            method="L-BFGS-B",
            bounds=schedules.bounds,
            options=OPTIONS | {"ftol": precision},
        )
        rates = schedules.rates(found.x)
        self.last = schedules.keep(found.x)
        check, _ = loss_and_gradient(top * rates, self.batch, modes.contour(1), spectrum)
        loss = float(np.exp(found.fun))
        return OptimalSchedule(
            self.flops,
            d,
            self.batch,
            steps,
            loss,
            2 * abs(check / loss - 1),
            top * rates,
            top * rates * self.batch * self.task.trace(model.v),
            schedules.shape(found.x),
            OK if _at_optimum(found.x, found.jac, schedules.bounds) else NOT_CONVERGED,
        )


def _at_optimum(x: Array, gradient: Array, bounds: list[tuple[float, float]]) -> bool:
    """Whether no parameter that is free to move would lower the loss.

    The optimiser itself calls it a failure if rounding ends its last line search.
    """
    low, high = np.transpose(bounds)
    return bool(np.abs(np.clip(x - gradient, low, high) - x).max() < TOLERANCE)
