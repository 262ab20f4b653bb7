"""Losses of models that are trained on a budget, and where they are stable (sections 7 and 10)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from plrf.exact.inversion import invert_at
from plrf.exact.loss import DivergenceError, check_momentum, check_schedule
from plrf.exact.modes import planned
from plrf.exact.momentum import critical_learning_rate as momentum_threshold
from plrf.exact.momentum_losses import log_loss, rough_log_loss
from plrf.exact.ridge import (
    ConvergenceError,
    DeterministicEquivalent,
    critical_learning_rate,
    kernel_mass,
)
from plrf.model import Model
from plrf.momentum import Momentum, momentum_of
from plrf.scaling import ScalingRule
from plrf.schedules import CONSTANT, Schedule
from plrf.task import Task
from plrf.training import SGD

Array = NDArray[np.float64]

STABILITY_TOLERANCE = 1e-6  # in log d
SPACING = 0.05  # in log f, of the trainings planned around a budget


@dataclass(frozen=True)
class BudgetLosses:
    """Losses of a task by a scaling rule, as functions of log d and the budget.

    Attributes
    ----------
    task : Task
    rule : ScalingRule
        Its batch may be any real number from 1 on.
    schedule : Schedule
        If it is relative, a loss is that of the training planned for the budget.
    momentum : str, mapping or Momentum, optional
        Of each size, at a constant rate.
    refinement : float
        With momentum, of the nodes and steps (`plrf.exact.momentum_losses.log_loss`).
    """

    task: Task
    rule: ScalingRule
    schedule: Schedule = CONSTANT
    momentum: str | Mapping[str, Any] | Momentum | None = None
    refinement: float = 1.0

    def at(self, log_d: float) -> tuple[Model, SGD]:
        """Model of a size, and its training but for the schedule."""
        model = self.rule.model(self.task, float(np.exp(log_d)))
        return model, self.rule.training(model)

    def remembering(self, log_d: float) -> tuple[Model, SGD]:
        """Model of a size, and its training with momentum."""
        model, sgd = self.at(log_d)
        return model, replace(sgd, momentum=momentum_of(self.momentum, model, sgd.batch))

    def rough(self, log_d: float, flops: float) -> float:
        """Log P with momentum, to a percent or so."""
        model, sgd = self.remembering(log_d)
        found = rough_log_loss(flops / (model.d * sgd.batch), model, sgd)
        if not np.isfinite(found):
            raise ConvergenceError(f"no loss at {model} and {flops:g} flops with {sgd.momentum}")
        return found

    def check(self, log_d: float, flops: float) -> None:
        """Check that momentum is stable at a size up to the end of its training.

        Raises
        ------
        DivergenceError
            If it is not; the message names the threshold of c.
        """
        model, sgd = self.remembering(log_d)
        last = int(flops / (model.d * sgd.batch))
        try:
            check_momentum(model, sgd, last)
        except DivergenceError as error:
            limit = momentum_threshold(model, sgd, last) / sgd.learning_rate * self.rule.c
            raise DivergenceError(
                f"c = {self.rule.c:g} diverges at {model}, batch={sgd.batch}, with {sgd.momentum}: "
                f"it must be below {limit:.6g}"
            ) from error

    def log_loss(self, log_d: float, flops: float) -> Array:
        """Log P, its derivative in log f at fixed d, and how far both are from a check.

        Trainings are planned for whole numbers of steps, over which a schedule's parts may jump;
        at a constant rate nothing is checked.

        Raises
        ------
        ConvergenceError
            If the loss could not be computed, or is not positive.
        """
        if self.momentum is not None:
            return self._remembered(log_d, flops)
        model, sgd = self.at(log_d)
        spectrum = DeterministicEquivalent(model)
        if self.schedule != CONSTANT:
            return self._planned(flops / model.d, spectrum, sgd)
        loss, slope = invert_at(flops / (model.d * sgd.batch), spectrum, sgd)
        if not loss > 0:
            raise ConvergenceError(f"loss at {model} and {flops:g} flops: {loss:g}")
        return np.array([np.log(loss), slope / loss, 0.0, 0.0])

    def _remembered(self, log_d: float, flops: float) -> Array:
        """The same with momentum."""
        model, sgd = self.remembering(log_d)
        found = log_loss(flops / (model.d * sgd.batch), model, sgd, self.refinement)
        if not np.all(np.isfinite(found)):
            raise ConvergenceError(f"no loss at {model} and {flops:g} flops with {sgd.momentum}")
        return found

    def _planned(self, samples: float, spectrum: DeterministicEquivalent, sgd: SGD) -> Array:
        """The same with a schedule, from trainings of whole numbers of steps nearby."""
        steps = samples / sgd.batch
        steps *= steps / self._samples(round(steps))  # as the batch grows
        parts = steps / self.schedule.parts
        near = round(parts) + max(round(SPACING * parts), 1) * np.arange(-2, 3)
        horizons = self.schedule.parts * near[near > 0]
        last = int(horizons[-1])
        longest = replace(sgd, schedule=self.schedule, horizon=last)
        check_schedule(spectrum.model, longest, last)
        loss, _ = planned(horizons, spectrum, longest)
        if not np.all(loss > 0):
            raise ConvergenceError(
                f"loss at {spectrum.model} and {samples:g} samples: {loss.min():g}"
            )
        ends = sgd.batch * np.array([self._samples(int(horizon)) for horizon in horizons])
        x, y = np.log(ends / samples), np.log(loss)
        degrees = x.size - 1, min(2, x.size - 2)
        through, smooth = (Polynomial.fit(x, y, degree) for degree in degrees)
        found, check = (np.array([fit(0.0), fit.deriv()(0.0)]) for fit in (through, smooth))
        return np.concatenate([found, found - check])

    def _samples(self, horizon: int) -> int:
        """Samples of a training planned for a number of steps, over those of its first step."""
        return int(self.schedule.summed_growth(np.array([horizon]), horizon)[0])

    def stable(self, log_d: float) -> bool:
        """Whether SGD is stable at a size."""
        return kernel_mass(*self.at(log_d)) < 1

    def critical_c(self, log_d: float) -> float:
        """Threshold of c at a size."""
        model, sgd = self.at(log_d)
        return self.rule.c * critical_learning_rate(model, sgd.batch) / sgd.learning_rate

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
            raise DivergenceError(
                f"c = {self.rule.c:g}: SGD diverges at all sizes for {self.task}, v_over_d="
                f"{self.rule.v_over_d:g}, batch={self.rule.batch}: c must be below "
                f"{self.critical_c(high):.6g}"
            )
        while high - low > STABILITY_TOLERANCE:
            middle = (low + high) / 2
            low, high = (low, middle) if self.stable(middle) else (middle, high)
        return high
