"""Learning rates of all steps as functions of a few parameters: what an optimiser varies.

Rates are relative to the largest that is allowed.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from plrf.schedules import SCHEDULES

Array = NDArray[np.float64]


class Parametrised(Protocol):
    """Learning rates of all steps by parameters."""

    bounds: list[tuple[float, float]]

    def start(self, last: Array | None) -> Array:
        """Where to begin: from what `keep` returned, if anything."""
        ...

    def keep(self, x: Array) -> Array:
        """What a search at another number of steps may begin with."""
        ...

    def rates(self, x: Array) -> Array:
        """Rates of all steps."""
        ...

    def pull(self, x: Array, gradient: Array) -> Array:
        """Derivatives by the parameters, from those by the rates."""
        ...

    def shape(self, x: Array) -> float:
        """The parameter besides the largest rate; NaN if there is none."""
        ...


class Nodes:
    """Rates at nodes, and linear between them.

    Every step near both ends is a node, where each step may differ; between them so many for each
    factor of ten of the distance to the nearer end. Parameters are multiplied by the root of the
    number of steps that they act on, so that all matter about as much.

    Parameters
    ----------
    steps : int
    per_decade : int
        Nodes per factor of ten of the distance to an end.
    """

    START = 0.3

    def __init__(self, steps: int, per_decade: int) -> None:
        last, each = steps - 1, np.arange(steps)
        distances = np.geomspace(1, max(last / 2, 1), int(per_decade * np.log10(steps)) + 2)
        near = np.minimum(np.rint(np.concatenate([[0.0], distances])), last)
        self.nodes: Array = np.unique(np.concatenate([near, last - near]))
        self._left = np.clip(np.searchsorted(self.nodes, each, "right") - 1, 0, self.nodes.size - 2)
        self._part = (each - self.nodes[self._left]) / np.diff(self.nodes)[self._left]
        self._scale = np.sqrt(self._spread(np.ones(steps)))
        self.bounds = [(0.0, float(scale)) for scale in self._scale]

    def _spread(self, of_steps: Array) -> Array:
        """The transpose of linear interpolation."""
        spread = np.zeros(self.nodes.size)
        spread += np.bincount(self._left, (1 - self._part) * of_steps, spread.size)
        spread += np.bincount(self._left + 1, self._part * of_steps, spread.size)
        return spread

    def start(self, last: Array | None) -> Array:
        """The last rates over relative time, or a constant."""
        if last is None:
            return self.START * self._scale
        time = self.nodes / self.nodes[-1]
        values: Array = np.interp(time, np.linspace(0, 1, last.size), last) * self._scale
        return values

    def keep(self, x: Array) -> Array:
        """The rates."""
        return self.rates(x)

    def rates(self, x: Array) -> Array:
        """Rates of all steps."""
        values = x / self._scale
        rates: Array = (1 - self._part) * values[self._left] + self._part * values[self._left + 1]
        return rates

    def pull(self, x: Array, gradient: Array) -> Array:
        """Derivatives by the parameters."""
        return self._spread(gradient) / self._scale

    def shape(self, x: Array) -> float:
        """None."""
        return float("nan")


class Shape(NamedTuple):
    """The one parameter of a family of schedules: its name and range, and where to begin."""

    parameter: str
    low: float
    high: float
    start: float


SHAPES: dict[str, Shape | None] = {
    "constant": None,
    "power": Shape("exponent", 0.0, 4.0, 0.2),
    "polynomial": Shape("exponent", 0.0, 30.0, 1.0),
    "cosine": Shape("final", 0.0, 1.0, 0.1),
    "wsd": Shape("cooldown", 0.01, 1.0, 0.5),
}
"""Families whose largest rate and one more parameter are tuned."""


class Family:
    """Schedules of one name: the largest rate, and the parameter of `SHAPES` if there is one.

    Parameters
    ----------
    name : str
        Of the schedule.
    steps : int
        Number of steps, which is also the horizon.
    """

    START = 0.5

    def __init__(self, name: str, steps: int) -> None:
        self._name, self._of, self._steps = name, SHAPES[name], np.arange(steps)
        self.bounds = [(0.0, 1.0)] + ([self._of[1:3]] if self._of else [])

    def start(self, last: Array | None) -> Array:
        """The last parameters."""
        if last is not None:
            return last
        return np.array([self.START, *([self._of.start] if self._of else [])])

    def keep(self, x: Array) -> Array:
        """The parameters."""
        return x

    def _factors(self, shape: float) -> Array:
        named = {self._of.parameter: shape} if self._of else {}
        factors: Array = SCHEDULES[self._name](**named).rate(self._steps, self._steps.size)
        return factors

    def rates(self, x: Array) -> Array:
        """Rates of all steps."""
        rates: Array = x[0] * self._factors(self.shape(x))
        return rates

    def pull(self, x: Array, gradient: Array) -> Array:
        """Derivatives by the parameters, that by the shape over one part in as many as the steps.

        Where a cooldown begins within a step, a derivative would jump from step to step.
        """
        factors = self._factors(self.shape(x))
        pulled = [gradient @ factors]
        if self._of:
            low, high = np.clip(x[1] + np.array([-0.5, 0.5]) / factors.size, *self._of[1:3])
            change = (self._factors(high) - self._factors(low)) / (high - low)
            pulled.append(x[0] * gradient @ change)
        return np.array(pulled)

    def shape(self, x: Array) -> float:
        """The parameter besides the largest rate; NaN if there is none."""
        return float(x[1]) if self._of else float("nan")
