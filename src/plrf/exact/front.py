"""The exact compute-optimal front: the best size and its loss, with d continuous (section 7).

At a budget of f flops a model of d parameters makes ``r = f/(d batch)`` steps. The expected loss is
a smooth function of log d and log f, known to about twelve digits; its minimum over d, and the
local exponents of the front, come from Chebyshev interpolation in log d.
"""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number, numbers, whole_number
from plrf.exact.inversion import FIRST_HYPERBOLA, invert_at
from plrf.exact.loss import DivergenceError
from plrf.exact.minimise import Minimum, minimise
from plrf.exact.ridge import (
    ConvergenceError,
    DeterministicEquivalent,
    critical_learning_rate,
    kernel_mass,
)
from plrf.model import Model
from plrf.scaling import ScalingRule
from plrf.statuses import NO_MINIMUM, NOT_CONVERGED, OK
from plrf.task import PowerLawTask, Task
from plrf.theory.phases import phase_name
from plrf.training import SGD

Array = NDArray[np.float64]

LEAST_SIZE = 12.0
LEAST_FEATURES = 49.0  # from 48 on v may be any real number
LARGEST_POWER = 1e280  # of v**(2 alpha), so that nothing overflows
LARGEST_SIZE = 1e12  # where a learning rate is unstable, it is so at all sizes
STABILITY_TOLERANCE = 1e-6  # in log d
HIGHEST_DECADE = 24  # of the budgets between which the front is inverted


@dataclass(frozen=True, eq=False)
class Optimum:
    """Exact compute-optimal front; arrays have the shape of ``flops``.

    Attributes
    ----------
    flops, d, loss : arrays
        Budgets, best sizes d*(f) and their losses P*(f).
    eta, xi : arrays
        Local exponents ``-d log P*/d log f`` and ``d log d*/d log f``.
    d_error, loss_error : arrays
        Estimated relative errors.
    eta_error, xi_error : arrays
        Estimated absolute errors.
    status : array of str
        "ok"; "no minimum" if the best size leaves the range from 12 parameters, 49 features and
        the least stable size to 16 steps; "not converged" if a loss could not be computed.
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


@dataclass(frozen=True)
class _ExactLosses:
    """Losses of a task by a scaling rule, as functions of log d and the budget."""

    task: Task
    rule: ScalingRule

    def at(self, log_d: float) -> tuple[Model, SGD]:
        """Model of a size, and its training."""
        model = self.rule.model(self.task, float(np.exp(log_d)))
        return model, self.rule.training(model)

    def log_loss(self, log_d: float, flops: float) -> Array:
        """Log P, and its derivative in log f at fixed d."""
        model, sgd = self.at(log_d)
        steps = flops / (model.d * sgd.batch)
        loss, slope = invert_at(steps, DeterministicEquivalent(model), sgd)
        if not loss > 0:
            raise ConvergenceError(f"loss at {model} and {flops:g} flops: {loss:g}")
        return np.array([np.log(loss), slope / loss])

    def stable(self, log_d: float) -> bool:
        """Whether SGD is stable at a size."""
        return kernel_mass(*self.at(log_d)) < 1

    def least_stable(self, low: float, high: float) -> float:
        """Least stable log d in a range: the threshold of c rises with d.

        Raises
        ------
        DivergenceError
            If there is none; the message names the threshold of c.
        """
        if self.stable(low):
            return low
        if not self.stable(high):
            model, sgd = self.at(high)
            critical = self.rule.c * critical_learning_rate(model, sgd.batch) / sgd.learning_rate
            raise DivergenceError(
                f"c = {self.rule.c:g}: SGD diverges at all sizes for {self.task}, v_over_d="
                f"{self.rule.v_over_d:g}, batch={sgd.batch}: c must be below {critical:.6g}"
            )
        while high - low > STABILITY_TOLERANCE:
            middle = (low + high) / 2
            low, high = (low, middle) if self.stable(middle) else (middle, high)
        return high


def size_range(alpha: float, v_over_d: float) -> tuple[float, float]:
    """Least and largest log d at which losses are smooth functions of d and nothing overflows.

    Parameters
    ----------
    alpha : float
        Data complexity.
    v_over_d : float
        Number of features over number of parameters; may be infinite.
    """
    least = max(LEAST_SIZE, LEAST_FEATURES / v_over_d)
    features = v_over_d if v_over_d < np.inf else 1.0
    return float(np.log(least)), float(np.log(LARGEST_POWER) / (2 * alpha) - np.log(features))


def _local(minimum: Minimum) -> Array:
    """Log d*, log P*, eta and xi from interpolants around the minimum.

    At the minimum ``d log P/d log d = 0``: P* changes with f through its slope at fixed d only, and
    d* so that the mixed derivative is made up for by the second one.
    """
    best, (log_loss, slope) = minimum.x, minimum.curves
    curvature, mixed = log_loss.deriv(2)(best), slope.deriv()(best)
    return np.array([best, log_loss(best), -slope(best), -mixed / curvature])


def compute_optimal(
    flops: ArrayLike,
    *,
    alpha: float,
    beta: float,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: int = 1,
    noise: float = 0.0,
) -> Optimum:
    """Exact compute-optimal front P*(f), d*(f) with its local exponents, d continuous (section 7).

    Sizes at which the learning rate is unstable are left out.

    Parameters
    ----------
    flops : array, any shape and order
        Budgets ``f = d r batch``.
    alpha, beta : float
        Data and target complexity.
    v_over_d : float
        Number of features over number of parameters, above 1; may be infinite if 2 alpha > 1.
    c : float
        Learning-rate constant, ``gamma = c/(batch Tr D)``.
    batch : int
        Samples per step.
    noise : float
        Variance of the labels' noise; losses are against the target without it (section 10).

    Returns
    -------
    Optimum

    Raises
    ------
    ValueError
        If a budget, c or batch is not positive, the noise is negative, v_over_d is too small, or
        the model has no power law (model section 1); the message names argument, value and range.
    TypeError
        If an argument is not a number.
    DivergenceError
        If the learning rate is unstable at all sizes; the message names the threshold of c.
    """
    flops = numbers("flops", flops, above=0)
    alpha, beta = number("alpha", alpha, above=0), number("beta", beta)
    v_over_d = number("v_over_d", v_over_d, above=1, infinite=True)
    c, batch = number("c", c, above=0), whole_number("batch", batch, least=1)
    if v_over_d == np.inf and 2 * alpha <= 1:
        raise ValueError(f"alpha = {alpha:.12g}: must be above 0.5 where v_over_d is infinite")
    phase_name(alpha, beta)  # raises where there is no power law
    noise = number("noise", noise, least=0)
    family = _ExactLosses(PowerLawTask(alpha, beta, noise), ScalingRule(v_over_d, c, batch))
    low, overflow = size_range(alpha, v_over_d)
    low = family.least_stable(low, max(low, min(np.log(LARGEST_SIZE), overflow)))
    rows = np.full((flops.size, 8), np.nan)
    status = np.full(flops.size, NO_MINIMUM, dtype=f"<U{len(NOT_CONVERGED)}")
    previous: tuple[float, Array] | None = None
    for k in np.argsort(flops, axis=None):
        budget = float(flops.flat[k])
        high = min(np.log(budget / (batch * FIRST_HYPERBOLA)), overflow)
        guess = None
        if previous is not None:
            log_budget, row = previous
            guess = row[0] + row[3] * (np.log(budget) - log_budget)
        try:
            found = minimise(partial(family.log_loss, flops=budget), low, high, guess)
        except ConvergenceError:
            status[k] = NOT_CONVERGED
            continue
        if found is None:
            continue
        row = _local(found)
        rows[k] = [*row, *np.abs(row - _local(found.coarser()))]
        status[k] = OK
        previous = np.log(budget), row
    measured, errors = np.moveaxis(rows.reshape(*flops.shape, 2, 4), (-2, -1), (0, 1))
    return Optimum(
        flops,
        d=np.exp(measured[0]),
        loss=np.exp(measured[1]),
        eta=measured[2],
        xi=measured[3],
        d_error=errors[0],
        loss_error=errors[1],
        eta_error=errors[2],
        xi_error=errors[3],
        status=status.reshape(flops.shape),
    )


def optimal_budgets(
    sizes: ArrayLike,
    *,
    alpha: float,
    beta: float,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: int = 1,
    noise: float = 0.0,
    highest: float = np.inf,
) -> Array:
    """Budgets f at which given sizes are best, ``d*(f) = d``, to about a percent.

    Interpolated between exact points of the front, two decades of flops apart from 1e3 on.

    Parameters
    ----------
    sizes : array
        Numbers of parameters d.
    alpha, beta, v_over_d, c, batch, noise
        As for `compute_optimal`.
    highest : float
        Budget beyond which it does not matter how much is needed: a point takes 10 ms.

    Returns
    -------
    array
        At least 1e3 flops; infinite beyond the last point of the front, NaN if it has none.
    """
    log_d = np.log(numbers("sizes", sizes, above=0))
    points = _number_of_points(log_d, alpha, highest)
    known_f, known_d = _front_points(points, alpha, beta, v_over_d, c, batch, noise)
    if not known_f.size:
        return np.full(log_d.shape, np.nan)
    found: Array = np.exp(np.interp(log_d, known_d, known_f, right=np.inf))
    return found


def optimal_sizes(
    flops: ArrayLike,
    *,
    largest: float,
    highest: float = np.inf,
    alpha: float,
    beta: float,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: int = 1,
    noise: float = 0.0,
) -> Array:
    """Best sizes d*(f) at given budgets, to about a percent, from the points of `optimal_budgets`.

    Parameters
    ----------
    flops : array
        Budgets.
    largest, highest : float
        The largest size and budget that matter: where they are those of a call of
        `optimal_budgets`, the two share their exact points, which take most of the time.
    alpha, beta, v_over_d, c, batch, noise
        As for `compute_optimal`.

    Returns
    -------
    array
        In log-log coordinates extrapolated beyond the points, also below sizes that
        `compute_optimal` knows; NaN if there are fewer than two points.
    """
    log_f = np.log(numbers("flops", flops, above=0))
    points = _number_of_points(np.log(number("largest", largest, above=0)), alpha, highest)
    known_f, known_d = _front_points(points, alpha, beta, v_over_d, c, batch, noise)
    if known_f.size < 2:
        return np.full(log_f.shape, np.nan)
    left = np.clip(np.searchsorted(known_f, log_f) - 1, 0, known_f.size - 2)
    slope = np.diff(known_d) / np.diff(known_f)
    found: Array = np.exp(known_d[left] + slope[left] * (log_f - known_f[left]))
    return found


def _number_of_points(log_d: ArrayLike, alpha: float, highest: float) -> int:
    """How many points of the front matter for some sizes, up to the first beyond a budget."""
    # f grows with the best size to the power 1/xi, at most 3 or, in phase Ia, 2 alpha + 1.
    needed = max(3.0, 2 * alpha + 1) * float(np.max(log_d)) / np.log(10) + 2
    last = min(HIGHEST_DECADE, needed, np.log10(highest) + 1)
    return np.arange(3, max(last, 7) + 1, 2).size


@cache  # the plan of runs and advice on them ask for the same
def _front_points(
    points: int, alpha: float, beta: float, v_over_d: float, c: float, batch: int, noise: float
) -> tuple[Array, Array]:
    """Log f and log d* of exact points of the front, shape (n,), two decades of flops apart."""
    budgets = 10.0 ** (3 + 2 * np.arange(points))
    model = {"v_over_d": v_over_d, "c": c, "noise": noise}
    front = compute_optimal(budgets, alpha=alpha, beta=beta, batch=batch, **model)
    known = front.status == OK
    return np.log(budgets[known]), np.log(front.d[known])
