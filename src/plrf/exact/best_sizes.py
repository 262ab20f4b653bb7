"""Budgets at which sizes are best, and the other way round, to about a percent (section 7)."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number, numbers
from plrf.exact.front import compute_optimal
from plrf.statuses import OK
from plrf.task import Task

Array = NDArray[np.float64]

HIGHEST_DECADE = 24  # of the budgets between which the front is inverted


def optimal_budgets(
    sizes: ArrayLike,
    task: Task,
    *,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: int = 1,
    highest: float = np.inf,
) -> Array:
    """Budgets f at which given sizes are best, ``d*(f) = d``, to about a percent.

    Interpolated between exact points of the front, two decades of flops apart from 1e3 on.

    Parameters
    ----------
    sizes : array
        Numbers of parameters d.
    task : Task
        What there is to learn.
    v_over_d, c, batch
        As for `compute_optimal`.
    highest : float
        Budget beyond which it does not matter how much is needed: a point takes 10 ms.

    Returns
    -------
    array
        At least 1e3 flops; infinite beyond the last point of the front, NaN if it has none.
    """
    log_d = np.log(numbers("sizes", sizes, above=0))
    points = _number_of_points(log_d, task, highest)
    known_f, known_d = _front_points(points, task, v_over_d, c, batch)
    if not known_f.size:
        return np.full(log_d.shape, np.nan)
    found: Array = np.exp(np.interp(log_d, known_d, known_f, right=np.inf))
    return found


def optimal_sizes(
    flops: ArrayLike,
    task: Task,
    *,
    largest: float,
    highest: float = np.inf,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: int = 1,
) -> Array:
    """Best sizes d*(f) at given budgets, to about a percent, from the points of `optimal_budgets`.

    Parameters
    ----------
    flops : array
        Budgets.
    task : Task
        What there is to learn.
    largest, highest : float
        The largest size and budget that matter: where they are those of a call of
        `optimal_budgets`, the two share their exact points, which take most of the time.
    v_over_d, c, batch
        As for `compute_optimal`.

    Returns
    -------
    array
        In log-log coordinates extrapolated beyond the points, also below sizes that
        `compute_optimal` knows; NaN if there are fewer than two points.
    """
    log_f = np.log(numbers("flops", flops, above=0))
    points = _number_of_points(np.log(number("largest", largest, above=0)), task, highest)
    known_f, known_d = _front_points(points, task, v_over_d, c, batch)
    if known_f.size < 2:
        return np.full(log_f.shape, np.nan)
    left = np.clip(np.searchsorted(known_f, log_f) - 1, 0, known_f.size - 2)
    slope = np.diff(known_d) / np.diff(known_f)
    found: Array = np.exp(known_d[left] + slope[left] * (log_f - known_f[left]))
    return found


def _number_of_points(log_d: ArrayLike, task: Task, highest: float) -> int:
    """How many points of the front matter for some sizes, up to the first beyond a budget."""
    # f grows with the best size to the power 1/xi, at most 3 or, in phase Ia, 2 alpha + 1.
    needed = max(3.0, task.decay + 1) * float(np.max(log_d)) / np.log(10) + 2
    last = min(HIGHEST_DECADE, needed, np.log10(highest) + 1)
    return np.arange(3, max(last, 7) + 1, 2).size


@cache  # the plan of runs and advice on them ask for the same
def _front_points(
    points: int, task: Task, v_over_d: float, c: float, batch: int
) -> tuple[Array, Array]:
    """Log f and log d* of exact points of the front, shape (n,), two decades of flops apart."""
    budgets = 10.0 ** (3 + 2 * np.arange(points))
    front = compute_optimal(budgets, **task.parameters, v_over_d=v_over_d, c=c, batch=batch)
    known = front.status == OK
    return np.log(budgets[known]), np.log(front.d[known])
