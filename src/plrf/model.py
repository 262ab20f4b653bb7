"""The model: a task seen through random features W with d parameters (model section 1)."""

from dataclasses import dataclass
from typing import Any

from plrf.task import PowerLawTask, Task


@dataclass(frozen=True)
class Model:
    """A task and the size of what learns it: W has entries N(0, 1/d), v rows and d columns.

    Attributes
    ----------
    task : Task
        What there is to learn.
    d, v : float
        Numbers of parameters and features, ``d <= v``. They may be real numbers where W is
        averaged out.
    """

    task: Task
    d: float
    v: float

    @property
    def parameters(self) -> dict[str, Any]:
        """What tells the model from others, by the names of the columns of tables."""
        return {**self.task.parameters, "d": self.d, "v": self.v}

    def __str__(self) -> str:
        return f"{self.task}, d={self.d:g}, v={self.v:g}"


def power_law_model(alpha: float, beta: float, d: float, v: float, noise: float = 0.0) -> Model:
    """Model of the task with data and target complexity alpha and beta, and noise of labels."""
    return Model(PowerLawTask(alpha, beta, noise), d, v)
