"""Expected loss of one-pass SGD at any step, W averaged out (model sections 4, 5 and 10)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import numbers, whole_number
from plrf.exact import momentum as with_momentum
from plrf.exact.inversion import invert
from plrf.exact.modes import planned, single_steps, stepped
from plrf.exact.ridge import (
    ConvergenceError,
    DeterministicEquivalent,
    critical_learning_rate,
    kernel_mass,
)
from plrf.model import Model
from plrf.momentum import Momentum, momentum_of
from plrf.schedules import CONSTANT, Schedule, schedule_of
from plrf.spectrum import SpectrumTask, task_of
from plrf.training import SGD

Array = NDArray[np.float64]

MOST_STEPS = 10**8  # that are made one by one
LARGEST_STEP = 2**62  # with a schedule: whole numbers of 64 bits


class DivergenceError(ValueError):
    """The learning rate is at or above the stability threshold (model section 3)."""


@dataclass(frozen=True, eq=False)
class ExpectedLoss:
    """Expected loss; arrays have the shape of the steps, broadcast against the models' sizes.

    Attributes
    ----------
    loss, forcing, kernel : arrays
        P(r), F(r) and K(r) of model section 3.
    error : array
        Estimated relative error of ``loss``: the difference between two contours, or with momentum
        two rules of real nodes, and rounding.
        It is NaN, as are the losses of that model, where the solver did not converge.
    limit, capacity, kernel_mass : float or arrays
        P(infinity), F_0 and |K| of each model, in the shape of their sizes. With noise s2 of labels
        P(infinity) is ``(F_0 + s2 |K|)/(1 - |K|)``.

    With a schedule or momentum, forcing, kernel, limit and kernel mass are NaN.
    """

    loss: Array
    error: Array
    forcing: Array
    kernel: Array
    limit: Array | float
    capacity: Array | float
    kernel_mass: Array | float


def stable_kernel_mass(model: Model, sgd: SGD) -> float:
    """Kernel mass |K| of a stable learning rate (model section 3).

    Raises
    ------
    DivergenceError
        If the learning rate is not below the stability threshold; the message names it.
    """
    mass = kernel_mass(model, sgd)
    if mass >= 1:
        critical = critical_learning_rate(model, sgd.batch)
        raise DivergenceError(
            f"learning rate {sgd.learning_rate} diverges at {model}, batch={sgd.batch}: it must be "
            f"below {critical}"
        )
    return mass


def expected_loss(
    steps: ArrayLike,
    *,
    alpha: float | None = None,
    beta: float | None = None,
    eigenvalues: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    d: ArrayLike,
    v: ArrayLike | None = None,
    learning_rate: ArrayLike,
    batch: int = 1,
    noise: float = 0.0,
    schedule: str | Mapping[str, Any] | Schedule = CONSTANT,
    horizon: int | None = None,
    momentum: str | Mapping[str, Any] | Momentum | None = None,
) -> ExpectedLoss:
    """Expected loss of one-pass SGD at any steps, W averaged out (model sections 4, 5, 10).

    The cost for one step depends neither on the step nor, to within some ten percent, on d and v.
    With a schedule steps are made one by one, at a cost that grows like log d; beyond 10^6 in
    logarithmic time if the rate is a power of the step.
    Arrays broadcast: ``steps`` of shape (n,) with ``d`` of shape (m, 1) gives m curves in one call.

    Parameters
    ----------
    steps : array of non-negative integers (int or float), any shape and order
        SGD steps; 0 is the initial loss.
    alpha, beta : float
        Data and target complexity of a power-law task; or, instead of them and of v:
    eigenvalues, targets : arrays, shape (v,)
        Variances of the features, in any order, and the target's coefficients, of any task.
    d : float or array
        Number of parameters.
    v : float or array
        Number of features, ``d <= v <= 2**53``, or infinite where ``2 alpha > 1``.
    learning_rate : float or array
        gamma.
    batch : int
        Samples per step.
    noise : float
        Variance of the labels' noise; losses are against the target without it.
    schedule : str, mapping or Schedule
        How learning rate and batch change from what is given: a name, a mapping with ``name`` and
        parameters, or an object (`plrf.schedules`). With a schedule v must exceed d.
    horizon : int, optional
        Number of steps of the whole training, which some schedules are relative to. Without it each
        step is the end of a training of its own, planned for so many steps.
    momentum : str, mapping or Momentum, optional
        How gradients are remembered: a name, a mapping with ``name`` and parameters, or an object
        (`plrf.momentum`). With momentum v must be finite and exceed d.

    Returns
    -------
    ExpectedLoss
        Losses and their estimated errors, forcing and kernel; limit, capacity and kernel mass.

    Raises
    ------
    DivergenceError
        If a learning rate is not below the stability threshold; the message names it, and the first
        such step of a schedule.
    ValueError
        If a step is negative or not an integer, v < d or, below 48, not whole, another parameter
        is out of range (the message names argument, value and range), a schedule that is
        no power of the step has more than 10^8 of them, or shapes do not broadcast.
    TypeError
        If an argument is not a number.
    """
    steps = numbers("steps", steps, least=0, whole=True)
    task = task_of(alpha, beta, eigenvalues, targets, noise)
    if isinstance(task, SpectrumTask) and v is None:
        v = task.eigenvalues.size
    batch = whole_number("batch", batch, least=1)
    schedule = schedule_of(schedule)
    if horizon is not None:
        horizon = whole_number("horizon", horizon, least=1)
    sizes = np.broadcast_arrays(
        numbers("d", d, least=1),
        numbers("v", v, least=1, infinite=True),
        numbers("learning_rate", learning_rate, above=0),
    )
    # Each model once, with all its steps.
    models, places = np.unique(np.reshape(sizes, (3, -1)), axis=1, return_inverse=True)
    steps, place = np.broadcast_arrays(steps, places.reshape(sizes[0].shape))
    curves, error = np.empty((3, *steps.shape)), np.empty(steps.shape)
    scalars = np.empty((3, models.shape[1]))
    for k, (parameters, features, gamma) in enumerate(models.T):
        model = Model(task, parameters, features)
        _check_sizes(model)
        chosen = place == k
        last = int(steps[chosen].max(initial=1))
        of_model = momentum_of(momentum, model, batch)
        sgd = SGD(gamma, batch, schedule, horizon or max(last, 1), of_model)
        try:
            if sgd.constant:
                curve = _at_constant_rate(steps[chosen], model, sgd)
            elif sgd.momentum is None:
                follow = stepped if horizon else planned
                curve = _with_schedule(steps[chosen], model, sgd, follow)
            else:
                remembered = with_momentum.stepped if horizon else with_momentum.planned
                curve = _with_momentum(steps[chosen], model, sgd, remembered)
            curves[:, chosen], error[chosen], scalars[:, k] = curve
        except ConvergenceError:
            curves[:, chosen] = error[chosen] = scalars[:, k] = np.nan
    error /= np.abs(curves[0])
    parts = scalars[:, places].reshape(3, *sizes[0].shape)
    limit, capacity, masses = (array[()] for array in parts)
    return ExpectedLoss(curves[0], error, curves[1], curves[2], limit, capacity, masses)


def _at_constant_rate(steps: Array, model: Model, sgd: SGD) -> tuple[Array, Array, Array]:
    """Loss, forcing and kernel; absolute errors; limit, capacity and kernel mass."""
    mass, spectrum = stable_kernel_mass(model, sgd), DeterministicEquivalent(model)
    curves, error = invert(steps, spectrum, sgd)
    limit = (spectrum.capacity + spectrum.noise * mass) / (1 - mass)
    return curves, error, np.array([limit, spectrum.capacity, mass])


def _with_schedule(
    steps: Array, model: Model, sgd: SGD, follow: Callable[..., tuple[Array, Array]]
) -> tuple[Array, Array, Array]:
    """The same, of which loss, its error and capacity are known."""
    check_schedule(model, sgd, int(steps.max(initial=0)))
    numbers, places = np.unique(steps.astype(np.int64), return_inverse=True)
    spectrum = DeterministicEquivalent(model)
    loss, error = follow(numbers, spectrum, sgd) if numbers.size else (np.empty(0), np.empty(0))
    curves = np.full((3, steps.size), np.nan)
    curves[0] = loss[places]
    return curves, error[places], np.array([np.nan, spectrum.capacity, np.nan])


def _with_momentum(
    steps: Array, model: Model, sgd: SGD, follow: Callable[..., tuple[Array, Array]]
) -> tuple[Array, Array, Array]:
    """The same with momentum."""
    check_momentum(model, sgd, int(steps.max(initial=0)))
    numbers, places = np.unique(steps.astype(np.int64), return_inverse=True)
    loss, error = follow(numbers, model, sgd) if numbers.size else (np.empty(0), np.empty(0))
    curves = np.full((3, steps.size), np.nan)
    curves[0] = loss[places]
    capacity = DeterministicEquivalent(model).capacity
    return curves, error[places], np.array([np.nan, capacity, np.nan])


def check_momentum(model: Model, sgd: SGD, steps: int) -> None:
    """Check that real nodes can follow momentum over a number of steps (section 14).

    Raises
    ------
    DivergenceError
        If a step, repeated, would not be stable; the message names the learning rate below which
        all are.
    ValueError
        If v is infinite or does not exceed d, or there are too many steps.
    """
    if not model.d < model.v < np.inf:
        raise ValueError(f"{model}: v must be finite and exceed d with momentum")
    _check_steps(sgd, steps, with_momentum.MOST_STEPS, "momentum")
    if with_momentum.kernel_mass(model, sgd, steps) >= 1:
        critical = with_momentum.critical_learning_rate(model, sgd, steps)
        raise DivergenceError(
            f"learning rate {sgd.learning_rate} diverges at {model}, batch={sgd.batch}, with "
            f"{sgd.momentum}: it must be below {critical}"
        )


def _check_steps(sgd: SGD, steps: int, most: int, what: str) -> int:
    """Number of steps that are made one by one, if they are not too many."""
    if steps > LARGEST_STEP:
        raise ValueError(f"steps = {steps}: must be at most {LARGEST_STEP} with {what}")
    single = single_steps(sgd, max(steps, 1))
    if single > most:
        raise ValueError(
            f"steps = {steps}: must be at most {most} with {what}, unless the schedule is a power "
            f"of the step from well before that on"
        )
    return single


def check_schedule(model: Model, sgd: SGD, steps: int) -> None:
    """Check that complex modes can follow a schedule over a number of steps (section 10).

    Raises
    ------
    DivergenceError
        If a step's learning rate, kept, would not be stable; the message names the first one. It
        might do no harm for a few steps, but what grows would drown what is sought.
    ValueError
        If v = d, or there are too many steps.
    """
    if model.v == model.d:
        raise ValueError(f"{model}: v must exceed d with a schedule")
    single = _check_steps(sgd, steps, MOST_STEPS, "a schedule")
    critical: dict[int, float] = {}
    done = 0
    for rates, batches in sgd.blocks(single):
        sizes, places = np.unique(batches, return_inverse=True)
        for batch in set(sizes.tolist()) - critical.keys():
            critical[batch] = critical_learning_rate(model, batch)
        limits = np.array([critical[batch] for batch in sizes.tolist()])[places]
        if np.any(rates >= limits):
            first = int(np.argmax(rates >= limits))
            raise DivergenceError(
                f"learning rate {rates[first]} of step {done + first} diverges at {model}, batch="
                f"{batches[first]}: it must be below {limits[first]}"
            )
        done += rates.size


def _check_sizes(model: Model) -> None:
    """Check the sizes of a model against each other."""
    d, v = model.d, model.v
    if isinstance(model.task, SpectrumTask) and v != model.task.eigenvalues.size:
        raise ValueError(f"v = {v:g}: must be the number of eigenvalues of {model.task}")
    if not (d <= v and (v <= 2**53 or (v == np.inf and np.isfinite(model.task.trace(v))))):
        raise ValueError(f"{model}: need d <= v <= 2**53, or v infinite and 2 alpha > 1")
