"""Losses with momentum at any real number of steps, to a few digits: what fronts need (section 14).

As `plrf.exact.momentum`, on fewer real nodes and with longer steps of logarithmic time. Errors that
are smooth in the size leave exponents alone, so that these are known to more digits than losses.
"""

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from plrf.exact.momentum_time import coast
from plrf.exact.real_nodes import real_nodes
from plrf.exact.ridge import DeterministicEquivalent
from plrf.exact.three_numbers import march
from plrf.model import Model
from plrf.training import SGD

Array = NDArray[np.float64]

# With a refinement of 1: length of cells in log kappa, points of their rules, and steps of
# logarithmic time per decade. All else is made one by one.
CELL, POINTS, PER_DECADE = 0.8, 4, 10
LAST_SINGLE = 2**16
COARSER = 1.5  # by so much, of the nodes and steps that tell the error
SPACING = 0.2  # in log r, of the steps around those that are asked for


def log_loss(steps: float, model: Model, sgd: SGD, refinement: float = 1.0) -> Array:
    """Log P, its derivative in log r, and how far both are from a check (model section 14).

    Parameters
    ----------
    steps : float
        r, any real number from 16 on.
    model : Model
        With ``d < v``, finite; d and v may be any real numbers.
    sgd : SGD
        With momentum, at a constant rate.
    refinement : float
        Cells of the spectrum are shorter by so much, steps of logarithmic time too.

    Returns
    -------
    array, shape (4,)
        The last two are differences to what nodes and steps that are coarser by 1.5 give.
    """
    found = _interpolated(steps, model, sgd, refinement)
    check = _interpolated(steps, model, sgd, refinement / COARSER)
    return np.concatenate([found, found - check])


def rough_log_loss(steps: float, model: Model, sgd: SGD) -> float:
    """Log P to a percent or so, where only its order matters."""
    return float(_interpolated(steps, model, sgd, 0.5)[0])


def _interpolated(steps: float, model: Model, sgd: SGD, refinement: float) -> Array:
    """Log P and its derivative, by a polynomial through five steps nearby."""
    times = steps * np.exp(SPACING * np.arange(-2, 3))
    single = times < LAST_SINGLE
    times[single] = np.rint(times[single])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        values = np.log(_losses(times, model, sgd, refinement))
    curve = Polynomial.fit(np.log(times / steps), values, times.size - 1)
    return np.array([curve(0.0), curve.deriv()(0.0)])


def _losses(times: Array, model: Model, sgd: SGD, refinement: float) -> Array:
    """Expected losses at increasing times, whole numbers below ``LAST_SINGLE``."""
    nodes = real_nodes(model, CELL / refinement, POINTS)
    points, multiplicities = nodes.points, nodes.trace / nodes.points
    state = np.zeros((1, 3, points.size))
    state[0, 0] = nodes.signal
    floor, noise = DeterministicEquivalent(model).capacity, model.task.noise
    single = times < LAST_SINGLE
    stop = int(times[single][-1]) + 1 if single.all() else LAST_SINGLE
    made = []
    for ahead in sgd.remembered(stop):
        losses = np.empty((ahead[0].size, 1))
        fixed = np.full(1, floor), np.full(1, noise), losses
        march(state, points[None], multiplicities[None], *ahead, *fixed)
        made.append(losses[:, 0])
    early = np.concatenate(made)[times[single].astype(np.int64)]
    if single.all():
        return early
    pace = int(np.ceil(PER_DECADE * refinement))
    constants = state[0], points, multiplicities, floor, noise
    return np.concatenate([early, coast(times[~single], stop, *constants, sgd, pace)])
