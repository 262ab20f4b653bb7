"""The critical batch: up to it steps can be saved at little cost (section 10)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from plrf.arguments import numbers
from plrf.exact.front import front_search
from plrf.exact.inversion import FIRST_HYPERBOLA
from plrf.exact.loss import DivergenceError
from plrf.exact.minimise import NoMinimumError
from plrf.exact.ridge import ConvergenceError
from plrf.exact.search import LEAST_SIZE, Search
from plrf.schedules import CONSTANT, Schedule
from plrf.statuses import BELOW, NO_MINIMUM, NOT_CONVERGED, OK

Array = NDArray[np.float64]

COST = 1.1  # of halving the steps, in compute
SPACING = 0.4  # in log B, of fronts between which cubic splines are right to 1e-3
LEAST_POINTS = 4


@dataclass(frozen=True, eq=False)
class CriticalBatch:
    """Critical batches; arrays have the shape of ``flops``.

    Attributes
    ----------
    flops, batch : arrays
        Budgets, and the batch at which steps are saved at the stated cost; a real number.
    d, steps, loss : arrays
        Best size, number of steps and loss with that batch.
    status : array of str
        "ok"; "below" if each batch that has a best size is above it; "no minimum" if none up to 16
        steps is; "not converged" if a loss could not be computed.
    """

    flops: Array
    batch: Array
    d: Array
    steps: Array
    loss: Array
    status: NDArray[np.str_]


def critical_batch(
    flops: ArrayLike,
    *,
    alpha: float | None = None,
    beta: float | None = None,
    eigenvalues: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    v_over_d: float = 4.0,
    c: float | Literal["optimal"] = 0.5,
    noise: float = 0.0,
    schedule: str | Mapping[str, Any] | Schedule = CONSTANT,
) -> CriticalBatch:
    """Batch from which on half as many steps to the same loss cost 10% more compute (section 10).

    Each budget and batch has its best size: from ``(f, B)`` a larger batch B' leads to the loss of
    the former with ``1.1 f`` flops and half its steps.

    Parameters
    ----------
    flops : array, any shape
        Budgets f.
    alpha, beta, eigenvalues, targets, v_over_d, noise, schedule : optional
        As for `plrf.compute_optimal`.
    c : float or "optimal"
        As there; if "optimal", each batch has its own learning rate, and a budget takes seconds.

    Returns
    -------
    CriticalBatch

    Raises
    ------
    ValueError, TypeError
        As of `plrf.compute_optimal`.
    """
    flops = numbers("flops", flops, above=0)
    found, status = np.full((4, flops.size), np.nan), np.full(flops.size, NOT_CONVERGED)
    for k, budget in enumerate(flops.flat):
        search = front_search(
            alpha=alpha,
            beta=beta,
            eigenvalues=eigenvalues,
            targets=targets,
            v_over_d=v_over_d,
            c=c,
            noise=noise,
            schedule=schedule,
        )
        try:
            found[:, k], status[k] = _critical(float(budget), search)
        except ConvergenceError:
            status[k] = NOT_CONVERGED
    batches, sizes, steps, loss = found.reshape(4, *flops.shape)
    return CriticalBatch(flops, batches, sizes, steps, loss, status.reshape(flops.shape))


def _critical(flops: float, search: Search) -> tuple[Array, str]:
    """Critical batch, size, steps and loss at one budget, NaN if there is none; and the status."""
    log_batches, curves, crossing = np.empty(0), np.empty((0, 2, 3)), np.nan
    for log_batch in np.arange(0, np.log(flops / (FIRST_HYPERBOLA * LEAST_SIZE)), SPACING):
        try:
            pair = [_best(budget, log_batch, search) for budget in (flops, COST * flops)]
        except (NoMinimumError, DivergenceError):
            if log_batches.size:
                break
            continue  # noise may leave no best size to small batches
        log_batches, curves = np.append(log_batches, log_batch), np.append(curves, [pair], axis=0)
        if log_batches.size >= LEAST_POINTS:
            crossing = _crossing(log_batches, curves)
        if not np.isnan(crossing):
            break
    if not np.isfinite(crossing):
        return np.full(4, np.nan), NO_MINIMUM if np.isnan(crossing) else BELOW
    steps, log_d, log_loss = _best(flops, crossing, search)
    return np.exp([crossing, log_d, steps, log_loss]), OK


def _best(flops: float, log_batch: float, search: Search) -> Array:
    """Log of the number of steps, of d and of the loss at the best size."""
    rule = replace(search.losses.rule, batch=float(np.exp(log_batch)))
    log_loss, _, log_d, *_ = replace(search, losses=replace(search.losses, rule=rule)).at(flops)[0]
    return np.array([np.log(flops) - log_d - log_batch, log_d, log_loss])


def _crossing(log_batches: Array, curves: Array) -> float:
    """Log of the batch from which on half the steps with more compute lead to a higher loss.

    Parameters
    ----------
    log_batches : array, shape (n,)
    curves : array, shape (n, 2, 3)
        Log of steps, size and loss, with the budget and with more.

    Returns
    -------
    float
        Minus infinity if that is so from the first batch on, NaN if it is not so at any.
    """
    known, more = (CubicSpline(log_batches, curves[:, k]) for k in range(2))
    steps_of_more = CubicSpline(log_batches, curves[:, 1, 0])

    def excess(log_batch: float) -> float:
        steps, _, log_loss = known(log_batch)
        larger = steps_of_more.solve(steps - np.log(2), extrapolate=False)
        larger = larger[larger > log_batch]
        return float(more(larger[0])[2] - log_loss) if larger.size else np.nan

    tried = np.linspace(log_batches[0], log_batches[-1], 8 * log_batches.size)
    (above,) = np.nonzero([excess(log_batch) >= 0 for log_batch in tried])
    if not above.size:
        return np.nan
    if not above[0]:
        return -np.inf
    root: float = brentq(excess, tried[above[0] - 1], tried[above[0]])
    return root
