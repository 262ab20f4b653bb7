"""Heuristic exponents of fronts with momentum, to be measured (model section 14)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.theory.phases import exponents

Array = NDArray[np.float64]

LIKE_SGD = ("sgd", "heavy_ball")


def heuristic_exponents(algorithm: str, alpha: ArrayLike, beta: ArrayLike) -> tuple[Array, Array]:
    """Exponents of ``P* ~ f^-eta`` and ``d* ~ f^xi`` that a heuristic suggests.

    The terms of SGD's loss are taken at an effective time tau: ``t**2/d`` from step d on for
    DANA-constant, ``t**(2 - 1/(2 alpha))`` for DANA-decaying. The best size is where two terms
    balance: as in SGD's phase, or, where 2 beta > 1, F_ac and F_0 if that gives more. There SGD
    never is, whose F_ac falls slower with t than with d.

    Parameters
    ----------
    algorithm : str
        sgd, heavy_ball, dana_constant or dana_decaying.
    alpha, beta : array_like of float
        Data and target complexity, broadcast against each other.

    Returns
    -------
    eta, xi : arrays
        SGD's own for the first two, and for ``2 alpha < 1``, where nothing is gained; NaN where
        there is no power law.
    """
    alpha, beta = np.broadcast_arrays(np.asarray(alpha, float), np.asarray(beta, float))
    eta, xi = exponents(alpha, beta)
    if algorithm in LIKE_SGD:
        return eta, xi
    gained = np.stack([_at(algorithm, alpha, *balance(alpha, beta)) for balance in BALANCES])
    best = np.argmax(gained[:, 0], axis=0)[None, None]
    of_momentum = np.take_along_axis(gained, best, axis=0)[0]
    gains = np.isfinite(eta) & (2 * alpha > 1)
    return np.where(gains, of_momentum[0], eta), np.where(gains, of_momentum[1], xi)


def _of_phase(alpha: Array, beta: Array) -> tuple[Array, Array]:
    """SGD's balance: at ``tau = d**power``, where the loss is ``d**-fall``."""
    p, third = 2 * alpha + 2 * beta - 1, beta > alpha
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(third, 1.0, alpha / beta)
        fall = np.where(third, 2 - 1 / (2 * alpha), p / (2 * beta))
    return np.where(beta < 0.5, 2 * alpha, power), np.where(beta < 0.5, p, fall)


def _of_capacity(alpha: Array, beta: Array) -> tuple[Array, Array]:
    """F_ac against F_0, where there is an F_ac."""
    return 2 * alpha, np.where(beta > 0.5, 2 * alpha, -np.inf)


BALANCES = (_of_phase, _of_capacity)


def _at(algorithm: str, alpha: Array, power: Array, fall: Array) -> Array:
    """Exponents eta and xi at a balance; shape (2, ...)."""
    decaying = algorithm == "dana_decaying"
    speed = np.where(2 * alpha > 1, 2 - 1 / (2 * alpha), 1.0)
    steps = power / speed if decaying else (1 + power) / 2
    found: Array = np.stack([fall, np.ones_like(fall)]) / (1 + steps)
    return found
