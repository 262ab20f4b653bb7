"""The critical batch: up to it steps can be saved at little cost (section 10)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from plrf.arguments import numbers
from plrf.exact.front import front_search
from plrf.exact.inversion import FIRST_HYPERBOLA
from plrf.exact.search import LEAST_SIZE, NoMinimumError, Search
from plrf.statuses import NO_MINIMUM, OK

Array = NDArray[np.float64]

COST = 1.1  # of halving the steps, in compute
STRIDE = np.log(4.0)  # in log B
TOLERANCE = 1e-3


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
        "ok", or "no minimum" if there is none between 1 and what leaves 16 steps.
    """

    flops: Array
    batch: Array
    d: Array
    steps: Array
    loss: Array
    status: NDArray[np.str_]


def critical_batch(flops: ArrayLike, **settings: Any) -> CriticalBatch:
    """Batch from which on half as many steps to the same loss cost 10% more compute.

    Each budget and batch has its best size: from ``(f, B)`` a larger batch B' leads to the loss of
    the former with ``1.1 f`` flops and half its steps.

    Parameters
    ----------
    flops : array, any shape
        Budgets f.
    settings
        As for `plrf.compute_optimal`, but for the batch. With ``c="optimal"`` each batch has its
        own learning rate.

    Raises
    ------
    ValueError, TypeError, DivergenceError
        As of `plrf.compute_optimal`.
    """
    flops = numbers("flops", flops, above=0)
    found = np.full((4, flops.size), np.nan)
    for k, budget in enumerate(flops.flat):
        found[:, k] = _critical(float(budget), front_search(batch=1, **settings))
    status = np.where(np.isfinite(found[0]), OK, NO_MINIMUM).reshape(flops.shape)
    batches, sizes, steps, loss = found.reshape(4, *flops.shape)
    return CriticalBatch(flops, batches, sizes, steps, loss, status)


def _critical(flops: float, search: Search) -> Array:
    """Critical batch, size, steps and loss at one budget; NaN if it is out of range."""

    @cache
    def best(budget: float, log_batch: float) -> Array:
        """Log of the number of steps, of d and of the loss."""
        rule = replace(search.losses.rule, batch=float(np.exp(log_batch)))
        with_batch = replace(search, losses=replace(search.losses, rule=rule))
        log_loss, _, log_d, *_ = with_batch.at(budget)[0]
        return np.array([np.log(budget) - log_d - log_batch, log_d, log_loss])

    def excess(log_batch: float) -> float:
        """Log of the loss with half the steps and more compute, over the one with all of them."""
        steps, _, log_loss = best(flops, log_batch)

        def too_many(more: float) -> float:
            return float(best(COST * flops, more)[0] - steps + np.log(2))

        more = _first_root(too_many, log_batch, highest)
        return float(best(COST * flops, more)[2] - log_loss)

    highest = float(np.log(flops / (FIRST_HYPERBOLA * LEAST_SIZE)))
    try:
        root = _first_root(excess, 0.0, highest) if excess(0.0) < 0 else np.nan
    except NoMinimumError:
        root = np.nan
    if np.isnan(root):
        return np.full(4, np.nan)
    steps, log_d, log_loss = best(flops, root)
    return np.exp([root, log_d, steps, log_loss])


def _first_root(function: Callable[[float], float], low: float, highest: float) -> float:
    """Where a function that begins on one side of zero first crosses it, to within strides."""
    sign = np.sign(function(low))
    while low + STRIDE <= highest:
        if sign * function(low + STRIDE) <= 0:
            root: float = brentq(function, low, low + STRIDE, xtol=TOLERANCE)
            return root
        low += STRIDE
    raise NoMinimumError(f"no root up to {highest}")
