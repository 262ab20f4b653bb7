"""The scaling rule: how features, learning rate and batch follow the number of parameters."""

from dataclasses import dataclass

import numpy as np

from plrf.arguments import number, whole_number
from plrf.model import Model, power_law_model
from plrf.task import Task
from plrf.training import SGD


@dataclass(frozen=True)
class ScalingRule:
    """Features in proportion to parameters, and the learning rate ``c/(batch Tr D)``.

    Attributes
    ----------
    v_over_d : float
        Number of features over number of parameters; may be infinite.
    c : float
        Learning-rate constant; the kernel mass is close to ``c/2`` when it is small.
    batch : float
        Samples per step; any real number from 1 on where W is averaged out.
    """

    v_over_d: float = 4.0
    c: float = 0.5
    batch: float = 1

    def model(self, task: Task, d: float) -> Model:
        """Model of a size that may be any real number, as where W is averaged out."""
        return Model(task, d, task.features(self.v_over_d * d))

    def whole_model(self, task: Task, d: int) -> Model:
        """Model of a whole number of features, as W has."""
        return Model(task, d, round(task.features(self.v_over_d * d)))

    def training(self, model: Model) -> SGD:
        """Training of a model (model section 3)."""
        return SGD(self.c / (self.batch * model.task.trace(model.v)), self.batch)


def learning_rate(c: float, alpha: float, v: float, batch: int) -> float:
    """Learning rate ``gamma = c / (batch Tr D)`` of a power-law task (model section 3).

    Parameters
    ----------
    c : float
        Learning-rate constant; the kernel mass is close to ``c / 2`` when it is small.
    alpha : float
        Data complexity.
    v : float
        Number of features.
    batch : int
        Samples per step.

    Raises
    ------
    ValueError
        If an argument is not positive, or infinitely many features have no trace.
    TypeError
        If an argument is not a number.
    """
    c, alpha = number("c", c, above=0), number("alpha", alpha, above=0)
    v, batch = number("v", v, least=1, infinite=True), whole_number("batch", batch, least=1)
    model = power_law_model(alpha, 0.0, v, v)
    if model.task.trace(v) == np.inf:
        raise ValueError(f"alpha = {alpha:.12g}: must be above 0.5 where v is infinite")
    return ScalingRule(c=c, batch=batch).training(model).learning_rate
