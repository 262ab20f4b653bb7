"""The training algorithm: one-pass SGD, and the steps at which its losses are recorded."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import whole_number
from plrf.momentum import Momentum
from plrf.schedules import CONSTANT, Schedule

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

BLOCK = 4096  # steps whose rates and batches are computed at a time


@dataclass(frozen=True)
class SGD:
    """One-pass SGD (model sections 1, 3 and 10).

    Attributes
    ----------
    learning_rate : float
        gamma, before the schedule's factor.
    batch : float
        Samples per step, whose gradients are summed; before the schedule's factor. A whole number
        where any are drawn.
    schedule : Schedule
        How both change with the step.
    horizon : int, optional
        Number of steps that a relative schedule is meant for.
    momentum : Momentum, optional
        How gradients are remembered (`plrf.momentum`), for one size; not at all without it.

    Raises
    ------
    ValueError
        If a relative schedule has no horizon.
    """

    learning_rate: float
    batch: float = 1
    schedule: Schedule = CONSTANT
    horizon: int | None = None
    momentum: Momentum | None = None

    def __post_init__(self) -> None:
        if self.horizon is not None:
            whole_number("horizon", self.horizon, least=1)
        elif self.schedule.relative:
            raise ValueError(f"horizon = {self.horizon}: {self.schedule} needs a number of steps")

    @property
    def constant(self) -> bool:
        """Whether all steps are the same: nothing changes, or is remembered."""
        return self.schedule == CONSTANT and self.momentum is None

    def factors(self, steps: Steps) -> Array:
        """Learning rates at some steps over the first one; in the shape of the steps."""
        return self.schedule.rate(steps, self.horizon or 0)

    def batches(self, steps: Steps) -> NDArray[Any]:
        """Samples of some steps; in their shape."""
        return self.batch * self.schedule.growth(steps, self.horizon or 0)

    def samples(self, steps: Steps) -> NDArray[Any]:
        """Samples of all steps before some; the flops up to there are d times as many."""
        return self.batch * self.schedule.summed_growth(steps, self.horizon or 0)

    def blocks(
        self, stop: int, length: int = BLOCK, start: int = 0
    ) -> Iterator[tuple[Array, NDArray[Any]]]:
        """Learning rates and batches of steps from ``start`` to stop - 1, some at a time."""
        for first in range(start, stop, length):
            steps = np.arange(first, min(first + length, stop))
            yield self.learning_rate * self.factors(steps), self.batches(steps)

    def remembered_at(self, steps: Steps) -> tuple[Array, Array, Array, Array, float]:
        """What steps with momentum take: arrays in the shape of the steps, and one number.

        Learning rates, batches, factors of what is remembered, parts of it that are lost; and the
        factor of the gradient itself.
        """
        momentum = self.momentum or Momentum(direct=1.0, weight=0.0)
        rates = self.learning_rate * self.factors(steps)
        of_memory = momentum.weights(steps), momentum.forgettings(steps)
        return rates, self.batches(steps).astype(float), *of_memory, momentum.direct

    def remembered(
        self, stop: int, start: int = 0
    ) -> Iterator[tuple[Array, Array, Array, Array, float]]:
        """The same of steps from ``start`` to stop - 1, some at a time."""
        for first in range(start, stop, BLOCK):
            yield self.remembered_at(np.arange(first, min(first + BLOCK, stop)))

    def each(self, stop: int) -> Iterator["SGD"]:
        """SGD with the constant rate and batch of steps 0 to stop - 1, one by one.

        While nothing changes it is the same object.
        """
        if self.constant:
            yield from repeat(self, stop)
            return
        now = SGD(self.learning_rate, self.batch)
        for rates, batches in self.blocks(stop):
            for rate, batch in zip(rates.tolist(), batches.tolist(), strict=True):
                if (rate, batch) != (now.learning_rate, now.batch):
                    now = SGD(rate, batch)
                yield now

    def decay(self, eigenvalues: Any) -> Any:
        """Factor ``1 - 2 gamma B lam + gamma^2 B (B+1) lam^2`` of a mode's loss in step 0."""
        gamma, batch = self.learning_rate, self.batch
        return 1 - 2 * gamma * batch * eigenvalues + gamma**2 * batch * (batch + 1) * eigenvalues**2

    def gain(self, eigenvalues: Any) -> Any:
        """What a mode gains in step 0 from the noise of gradients, in units of the loss."""
        return self.learning_rate**2 * self.batch * eigenvalues**2

    @property
    def parameters(self) -> dict[str, Any]:
        """What tells the algorithm from others: learning rate and batch, and a schedule if any."""
        rate = {"learning_rate": self.learning_rate, "batch": self.batch}
        return rate if self.constant else {**vars(self)}


def trainings(sgd: SGD, steps: Steps) -> list[tuple[SGD, Steps]]:
    """Trainings whose losses at some steps are sought, each with those that it records.

    A relative schedule is planned for its horizon: there each step is the end of a training of its
    own (model section 10). Otherwise all are steps of one.

    Parameters
    ----------
    sgd : SGD
        Of a relative schedule, with any horizon.
    steps : int array, shape (n,)
        Increasing; step 0 belongs to the shortest training.
    """
    if not sgd.schedule.relative:
        return [(sgd, steps)]
    horizons = np.maximum(steps, 1)
    plans = np.unique(horizons).tolist()
    return [(replace(sgd, horizon=plan), steps[horizons == plan]) for plan in plans]


@cache
def steps_of(schedule: Schedule, batches: int) -> int:
    """Least number of steps, planned as such, that take so many of the first step's batches."""

    def taken(steps: int) -> int:
        return int(schedule.summed_growth(np.array(steps), steps))

    last = 1
    while taken(last) < batches:
        last *= 2
    # Longer plans take more, and no step less than one batch.
    return bisect_left(range(last + 1), batches, lo=1, key=taken)


def recorded_steps(steps: int, per_decade: int) -> NDArray[np.int64]:
    """Log-spaced steps at which losses are recorded: 0, 1, ..., ``steps``, without repetition.

    Parameters
    ----------
    steps : int
        The last step, at least 1.
    per_decade : int
        Steps per decade where the spacing exceeds one step.
    """
    count = int(np.ceil(np.log10(steps) * per_decade)) + 1
    grid = np.rint(np.geomspace(1, steps, count)).astype(np.int64)
    grid[-1] = steps  # exactly, where floats are coarser than integers
    return np.unique(np.concatenate([[0], grid]))
