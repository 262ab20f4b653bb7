"""Schedules: learning rate and batch as functions of the step, by name (model section 10).

A schedule gives factors of the learning rate and of the batch that an `SGD` begins with. Some are
relative to the number of steps of the whole training, the horizon; after it they stay as they end.
"""

import math
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, dataclass, fields
from fractions import Fraction
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import number, whole_number
from plrf.batch_growth import BatchGrowth

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

COOLDOWNS = ("linear", "sqrt")
MOST_PARTS = 20


@runtime_checkable
class Schedule(Hashable, Protocol):
    """What a training asks of a schedule."""

    relative: ClassVar[bool]
    """Whether it needs the horizon."""

    @property
    def parts(self) -> int:
        """Number of equal parts, of whole steps each, that the horizon is divided into."""
        ...

    @property
    def power_from(self) -> int | None:
        """Step from which the rate is a power of the step that does not rise; None if never.

        There `rate` takes any real steps, and the batch stays.
        """
        ...

    def rate(self, steps: Steps, horizon: int) -> Array:
        """Factors of the learning rate at steps 0, 1, ..., none negative."""
        ...

    def growth(self, steps: Steps, horizon: int) -> Steps:
        """Factors of the batch at these steps, whole numbers."""
        ...

    def summed_growth(self, steps: Steps, horizon: int) -> Steps:
        """Sum of the factors of the batch over all steps before these."""
        ...


class _OneBatch:
    """Schedules that leave the batch as it is."""

    relative: ClassVar[bool] = False

    @property
    def parts(self) -> int:
        """The horizon is a whole."""
        return 1

    @property
    def power_from(self) -> int | None:
        """Never."""
        return None

    def growth(self, steps: Steps, horizon: int) -> Steps:
        """No growth."""
        return np.ones_like(steps)

    def summed_growth(self, steps: Steps, horizon: int) -> Steps:
        """One for each step."""
        return steps


def _warm_up(steps: Steps, length: float) -> Array:
    """Factors that rise linearly over the first steps, to 1 at the last of them."""
    return np.minimum((steps + 1) / max(length, 1.0), 1.0)


@dataclass(frozen=True)
class Constant(_OneBatch):
    """Everything stays as it begins."""

    @property
    def power_from(self) -> int | None:
        """From the start."""
        return 0

    def rate(self, steps: Steps, horizon: int) -> Array:
        """One."""
        return np.ones(steps.shape)


@dataclass(frozen=True)
class Warmup(_OneBatch):
    """Linear warm-up: ``min(1, (t+1)/steps)`` at step t.

    Attributes
    ----------
    steps : int
        Length of the warm-up.
    """

    steps: int

    def __post_init__(self) -> None:
        _store(self, "steps", whole_number("steps", self.steps, least=1))

    @property
    def power_from(self) -> int | None:
        """The end of the warm-up."""
        return self.steps

    def rate(self, steps: Steps, horizon: int) -> Array:
        """Rise to 1."""
        return _warm_up(steps, self.steps)


@dataclass(frozen=True)
class PowerDecay(_OneBatch):
    """Power decay ``(1 + t/scale)**-exponent`` at step t.

    Attributes
    ----------
    exponent : float
        Not negative.
    scale : float
        Steps until it decays.
    """

    exponent: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        _store(self, "exponent", number("exponent", self.exponent, least=0))
        _store(self, "scale", number("scale", self.scale, above=0))

    @property
    def power_from(self) -> int | None:
        """From the start."""
        return 0

    def rate(self, steps: Steps, horizon: int) -> Array:
        """Fall from 1 towards 0."""
        factor: Array = (1 + steps / self.scale) ** -self.exponent
        return factor


@dataclass(frozen=True)
class PolynomialDecay(_OneBatch):
    """Decay ``(1 - t/T)**exponent`` at step t to the horizon T.

    Attributes
    ----------
    exponent : float
        Not negative; 1 is a linear decay.
    """

    relative: ClassVar[bool] = True
    exponent: float = 1.0

    def __post_init__(self) -> None:
        _store(self, "exponent", number("exponent", self.exponent, least=0))

    def rate(self, steps: Steps, horizon: int) -> Array:
        """Fall from 1 to 0."""
        factor: Array = np.clip(1 - steps / horizon, 0, 1) ** self.exponent
        return factor


@dataclass(frozen=True)
class Cosine(_OneBatch):
    """Linear warm-up, then half a period of a cosine from 1 to ``final`` at the horizon.

    Attributes
    ----------
    warmup : float
        Part of the horizon, below 1.
    final : float
        Last factor, from 0 to 1.
    """

    relative: ClassVar[bool] = True
    warmup: float = 0.0
    final: float = 0.0

    def __post_init__(self) -> None:
        _part(self, "warmup", below=True)
        _part(self, "final")

    def rate(self, steps: Steps, horizon: int) -> Array:
        """Rise and fall."""
        start = self.warmup * horizon
        phase = np.clip((steps - start) / (horizon - start), 0, 1)
        factor = self.final + (1 - self.final) * (1 + np.cos(np.pi * phase)) / 2
        factors: Array = np.minimum(_warm_up(steps, start), factor)
        return factors


@dataclass(frozen=True)
class WarmupStableDecay(_OneBatch):
    """Linear warm-up, a constant rate, then a cooldown to ``final`` at the horizon.

    With the part x of the cooldown that is over, the rate falls as ``1 - x`` ("linear") or as
    ``1 - x**(1/2)`` ("sqrt").

    Attributes
    ----------
    warmup, cooldown : float
        Parts of the horizon, together at most 1; a cooldown takes some time.
    shape : str
        Of the cooldown: "linear" or "sqrt".
    final : float
        Last factor, from 0 to 1.
    """

    relative: ClassVar[bool] = True
    warmup: float = 0.0
    cooldown: float = 0.2
    shape: str = "linear"
    final: float = 0.0

    def __post_init__(self) -> None:
        _part(self, "warmup", below=True)
        _store(self, "cooldown", number("cooldown", self.cooldown, above=0))
        # With room for rounding: 0.9 + 0.1 may exceed 1.
        if self.warmup + self.cooldown > 1 + 1e-12:
            raise ValueError(
                f"cooldown = {self.cooldown:.12g}: must be at most 1 together with warmup = "
                f"{self.warmup:.12g}"
            )
        if self.shape not in COOLDOWNS:
            raise ValueError(f"shape = {self.shape!r}: must be one of {', '.join(COOLDOWNS)}")
        _part(self, "final")

    @property
    def parts(self) -> int:
        """Parts of which warm-up and cooldown are whole numbers, if twenty or fewer are enough."""
        return math.lcm(*(_denominator(part) for part in (self.warmup, self.cooldown)))

    def rate(self, steps: Steps, horizon: int) -> Array:
        """Rise, stay and fall."""
        length = self.cooldown * horizon
        over = np.clip((steps - (horizon - length)) / length, 0, 1)
        fallen = over if self.shape == "linear" else np.sqrt(over)
        warm = _warm_up(steps, self.warmup * horizon)
        factors: Array = np.minimum(warm, 1 - (1 - self.final) * fallen)
        return factors


SCHEDULES: dict[str, type[Any]] = {
    "constant": Constant,
    "warmup": Warmup,
    "power": PowerDecay,
    "polynomial": PolynomialDecay,
    "cosine": Cosine,
    "wsd": WarmupStableDecay,
    "batch_growth": BatchGrowth,
}
"""All schedules by name."""

CONSTANT = Constant()
"""The schedule of a training that has none."""


def schedule_of(value: str | Mapping[str, Any] | Schedule) -> Schedule:
    """Schedule by name and parameters (model section 10).

    Parameters
    ----------
    value : str, mapping or Schedule
        A name; a mapping with ``name`` and the schedule's parameters; or a schedule, which is
        returned as it is.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If the name is unknown, or a parameter is unknown, missing or out of range; the message
        names it, and what is known.
    TypeError
        If a parameter is not a number, or the value is none of these.
    """
    if isinstance(value, Schedule) and not isinstance(value, type):
        return value
    if not isinstance(value, str | Mapping):
        raise TypeError(f"schedule = {value!r}: must be a name, a mapping or a schedule")
    parameters = {"name": value} if isinstance(value, str) else dict(value)
    name = parameters.pop("name", None)
    if not isinstance(name, str) or name not in SCHEDULES:
        raise ValueError(f"schedule = {name!r}: must be one of {', '.join(SCHEDULES)}")
    kind = SCHEDULES[name]
    known = [field.name for field in fields(kind)]
    for key in parameters:
        if key not in known:
            raise ValueError(
                f"schedule {name!r} has no {key!r}: its parameters are {', '.join(known) or 'none'}"
            )
    missing = [field.name for field in fields(kind) if field.default is MISSING]
    missing = [key for key in missing if key not in parameters]
    if missing:
        raise ValueError(f"schedule {name!r} needs {', '.join(missing)}")
    made: Schedule = kind(**parameters)
    return made


def _denominator(part: float) -> int:
    """Number of equal parts of one of which a number is a multiple; 1 if it takes many."""
    fraction = Fraction(part).limit_denominator(MOST_PARTS)
    return fraction.denominator if abs(fraction - part) < 1e-12 else 1


def _store(schedule: Any, name: str, value: float) -> None:
    """Set a parameter of a frozen schedule to what was given, as a number of Python's own."""
    object.__setattr__(schedule, name, value)


def _part(schedule: Any, name: str, below: bool = False) -> None:
    """Check and store a part of the horizon or of the largest factor, from 0 to 1."""
    value = number(name, getattr(schedule, name), least=0)
    if value > 1 or (below and value == 1):
        raise ValueError(f"{name} = {value:.12g}: must be {'below' if below else 'at most'} 1")
    _store(schedule, name, value)
