"""What follows from a law's parameters: exponents, best sizes, losses, costs of other choices.

All functions take parameters (log E, log A, a, log B, b) of shape (..., 5), those of one fit or of
many, so that an interval of any of them comes from the same resampled laws
(`plrf.fitting.resampling`). Budgets are in flops, f = k d n with k flops per parameter and sample.

At a fixed budget the two terms vary as powers of d/d*, whatever the budget is: the relative cost of
a size off the optimum is one of the reducible loss P* - E ~ f^-eta.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FLOPS_PER_PARAMETER_AND_SAMPLE = 6.0
"""Of transformers: forward and backward pass."""


def eta(parameters: FloatArray) -> FloatArray:
    """Exponent of the reducible loss, ab/(a+b); (..., 5) to (...)."""
    a, b = parameters[..., 2], parameters[..., 4]
    return a * b / (a + b)


def xi(parameters: FloatArray) -> FloatArray:
    """Exponent of the best size, b/(a+b); (..., 5) to (...)."""
    a, b = parameters[..., 2], parameters[..., 4]
    return b / (a + b)


QUANTITIES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "E": lambda parameters: np.exp(parameters[..., 0]),
    "A": lambda parameters: np.exp(parameters[..., 1]),
    "a": lambda parameters: parameters[..., 2],
    "B": lambda parameters: np.exp(parameters[..., 3]),
    "b": lambda parameters: parameters[..., 4],
    "eta": eta,
    "xi": xi,
}
"""Single numbers by name, as functions of parameters (..., 5)."""


def loss(parameters: FloatArray, d: FloatArray, n: FloatArray) -> FloatArray:
    """The law's loss at d parameters and n samples, of shape (m,) or (..., m); to (..., m)."""
    log_e, log_a, a, log_b, b = _columns(parameters)
    of_size, of_samples = log_a - a * np.log(d), log_b - b * np.log(n)
    return np.exp(log_e) + np.exp(of_size) + np.exp(of_samples)


def best_d(
    parameters: FloatArray, flops: FloatArray, k: float = FLOPS_PER_PARAMETER_AND_SAMPLE
) -> FloatArray:
    """The best size d* at budgets (m,) in flops; (..., 5) to (..., m)."""
    _, log_a, a, log_b, b = _columns(parameters)
    log_dn = np.log(flops / k)
    return np.exp((np.log(a / b) + log_a - log_b + b * log_dn) / (a + b))


def best_n(
    parameters: FloatArray, flops: FloatArray, k: float = FLOPS_PER_PARAMETER_AND_SAMPLE
) -> FloatArray:
    """The number of samples n* of the best size at budgets (m,); (..., 5) to (..., m)."""
    return flops / k / best_d(parameters, flops, k)


def samples_per_parameter(
    parameters: FloatArray, flops: FloatArray, k: float = FLOPS_PER_PARAMETER_AND_SAMPLE
) -> FloatArray:
    """n*/d*, tokens per parameter, at budgets (m,); (..., 5) to (..., m)."""
    return flops / k / best_d(parameters, flops, k) ** 2


def best_loss(
    parameters: FloatArray, flops: FloatArray, k: float = FLOPS_PER_PARAMETER_AND_SAMPLE
) -> FloatArray:
    """The loss P* of the best size at budgets (m,); (..., 5) to (..., m)."""
    return off_optimum(parameters, flops, np.ones(1), k)


def off_optimum(
    parameters: FloatArray,
    flops: FloatArray,
    factors: FloatArray,
    k: float = FLOPS_PER_PARAMETER_AND_SAMPLE,
) -> FloatArray:
    """Loss at budgets of sizes that are `factors` times the best one.

    Parameters
    ----------
    parameters : ndarray, shape (..., 5)
    flops, factors : ndarray, shape (m,) or ()
        Budgets in flops and sizes over d*, which broadcast.
    k : float
        Flops per parameter and sample.

    Returns
    -------
    ndarray, shape (..., m)
    """
    d = best_d(parameters, flops, k)
    return loss(parameters, d * factors, flops / k / (d * factors))


def loss_above_best(
    parameters: FloatArray,
    flops: FloatArray,
    factors: FloatArray,
    k: float = FLOPS_PER_PARAMETER_AND_SAMPLE,
) -> FloatArray:
    """By how much the loss at budgets is above P*, for sizes `factors` times the best one.

    Arguments and shapes as for `off_optimum`; the unit is that of the loss.
    """
    _, log_a, a, log_b, b = _columns(parameters)
    log_d = np.log(best_d(parameters, flops, k))
    log_n = np.log(flops / k) - log_d
    move = np.log(factors)
    # The change of each term: a difference of losses would cancel.
    of_size: FloatArray = np.exp(log_a - a * log_d) * np.expm1(-a * move)
    of_samples: FloatArray = np.exp(log_b - b * log_n) * np.expm1(b * move)
    return of_size + of_samples


def compute_share(parameters: FloatArray, factors: FloatArray) -> FloatArray:
    """Share of the flops that would reach the same loss at the best size; the rest is wasted.

    It is ``((b q^-a + a q^b)/(a + b))^(-1/eta)`` at q = d/d*, for any budget.

    Parameters
    ----------
    parameters : ndarray, shape (..., 5)
    factors : ndarray, shape (m,)
        Sizes over d*.

    Returns
    -------
    ndarray, shape (..., m)
        At most 1.
    """
    _, _, a, _, b = _columns(parameters)
    reducible = (b * factors**-a + a * factors**b) / (a + b)
    share: FloatArray = reducible ** (-(a + b) / (a * b))
    return share


def _columns(parameters: FloatArray) -> tuple[FloatArray, ...]:
    """The five parameters, each of shape (..., 1)."""
    return tuple(np.split(parameters, 5, axis=-1))
