"""Momentum: rules of training that remember gradients, by name (model section 14).

In step t, with the sum g of a batch's gradients, ``y' = (1 - Delta_t) y + g`` is remembered and
``theta' = theta - gamma_t (direct g + weight_t y')``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import number
from plrf.model import Model
from plrf.task import PowerLawTask

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Momentum:
    """What a training remembers, and how it is used.

    Attributes
    ----------
    direct : float
        Factor of the gradient itself.
    weight : float
        Factor of what is remembered, in step 0.
    exponent : float
        That factor falls as ``(1 + t)**-exponent``.
    forgetting : float
        Part Delta of what is remembered that is lost in a step; in step 0 if it falls.
    delay : float
        Delta falls as ``delay/(delay + t)``; infinite where it stays.

    Raises
    ------
    ValueError
        If a number is negative, or forgetting above 1.
    TypeError
        If something is not a number.
    """

    direct: float
    weight: float
    exponent: float = 0.0
    forgetting: float = 1.0
    delay: float = np.inf

    def __post_init__(self) -> None:
        for name in ("direct", "weight", "exponent", "forgetting"):
            number(name, getattr(self, name), least=0)
        if self.forgetting > 1:
            raise ValueError(f"forgetting = {self.forgetting:.12g}: must be at most 1")
        number("delay", self.delay, above=0, infinite=True)

    def weights(self, steps: NDArray[Any]) -> Array:
        """Factors of what is remembered; in the shape of the steps."""
        factors: Array = self.weight * (1.0 + steps) ** -self.exponent
        return factors

    def forgettings(self, steps: NDArray[Any]) -> Array:
        """Parts that are lost; in the shape of the steps."""
        if np.isinf(self.delay):
            return np.full(steps.shape, self.forgetting)
        parts: Array = self.forgetting * self.delay / (self.delay + steps)
        return parts


def _mu(value: Any) -> float:
    """Check the part of what is remembered that is kept."""
    kept = number("momentum", value, least=0)
    if kept >= 1:
        raise ValueError(f"momentum = {kept:.12g}: must be below 1")
    return kept


def heavy_ball(model: Model, batch: float, momentum: Any = 0.9) -> Momentum:
    """SGD with momentum mu: ``y' = mu y + g``, ``theta' = theta - gamma y'``."""
    return Momentum(0.0, 1.0, forgetting=1 - _mu(momentum))


def nesterov(model: Model, batch: float, momentum: Any = 0.9) -> Momentum:
    """Nesterov's form: ``theta' = theta - gamma (g + mu y')``."""
    kept = _mu(momentum)
    return Momentum(1.0, kept, forgetting=1 - kept)


def dana_constant(model: Model, batch: float, c3: Any = 0.2, delta: Any = None) -> Momentum:
    """DANA-constant (arXiv:2505.16098): weight ``c3 B/d``, Delta ``delta/(delta + t)``."""
    weight = float(number("c3", c3, least=0) * batch / model.d)
    return Momentum(1.0, weight, delay=_delay(delta, model))


def dana_decaying(
    model: Model, batch: float, c3: Any = 0.2, delta: Any = None, exponent: Any = None
) -> Momentum:
    """DANA-decaying: weight ``c3 (1 + t)**-exponent``, by default ``1/(2 alpha)``."""
    weight = number("c3", c3, least=0)
    if exponent is None:
        exponent = 1 / (2 * _power_law("exponent", model).alpha)
    falls = number("exponent", exponent, least=0)
    return Momentum(1.0, weight, falls, delay=_delay(delta, model))


def _delay(delta: Any, model: Model) -> float:
    """Given, or that of the algorithm's authors: ``4 + (alpha + beta)/alpha``."""
    if delta is None:
        task = _power_law("delta", model)
        delta = 4 + (task.alpha + task.beta) / task.alpha
    return number("delta", delta, above=0)


def _power_law(name: str, model: Model) -> PowerLawTask:
    """The task, on which a default depends."""
    if not isinstance(model.task, PowerLawTask):
        raise ValueError(f"{name}: must be given where the task is no power law")
    return model.task


MOMENTA: dict[str, Callable[..., Momentum]] = {
    "heavy_ball": heavy_ball,
    "nesterov": nesterov,
    "dana_constant": dana_constant,
    "dana_decaying": dana_decaying,
}
"""All rules by name."""


def momentum_of(
    value: str | Mapping[str, Any] | Momentum | None, model: Model, batch: float
) -> Momentum | None:
    """Momentum of a model by name and parameters.

    Parameters
    ----------
    value : str, mapping or Momentum, optional
        A name; a mapping with ``name`` and the rule's parameters; or the rule itself.
    model : Model
        What it is for: some parameters depend on the size and the task.
    batch : float
        Samples per step.

    Raises
    ------
    ValueError
        If the name or a parameter is unknown, or a parameter is out of range or needed; the message
        names it, and what is known.
    TypeError
        If a parameter is not a number, or the value is none of these.
    """
    if value is None or isinstance(value, Momentum):
        return value
    if not isinstance(value, str | Mapping):
        raise TypeError(f"momentum = {value!r}: must be a name, a mapping or a Momentum")
    parameters = {"name": value} if isinstance(value, str) else dict(value)
    name = parameters.pop("name", None)
    if not isinstance(name, str) or name not in MOMENTA:
        raise ValueError(f"momentum = {name!r}: must be one of {', '.join(MOMENTA)}")
    known = list(signature(MOMENTA[name]).parameters)[2:]
    for key in parameters:
        if key not in known:
            raise ValueError(
                f"momentum {name!r} has no {key!r}: its parameters are {', '.join(known)}"
            )
    return MOMENTA[name](model, batch, **parameters)
