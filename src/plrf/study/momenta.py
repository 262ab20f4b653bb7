"""Momentum of sweeps: whether there is any, the rule of a model, and its text in tables."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

from plrf.model import Model
from plrf.momentum import MOMENTA, Momentum, momentum_of

NONE = "none"
"""Of a sweep that remembers nothing."""


def remembers(sweep: Mapping[str, Any]) -> bool:
    """Whether a sweep has momentum; a block without the key has none."""
    return bool(sweep.get("momentum", NONE) != NONE)


def rule_of(value: str | Mapping[str, Any], model: Model, batch: float) -> Momentum | None:
    """Momentum of a model, as the configuration gives it; see `plrf.momentum.momentum_of`."""
    return None if value == NONE else momentum_of(value, model, batch)


def momentum_text(value: str | Mapping[str, Any]) -> str:
    """Name of a rule, and its parameters where they are not the defaults, as in tables."""
    if value == NONE:
        return NONE
    parameters = {"name": value} if isinstance(value, str) else dict(value)
    name = parameters.pop("name")
    defaults = signature(MOMENTA[name]).parameters
    given = ", ".join(
        f"{key}={format(parameters[key], '.12g')}"
        for key in defaults
        if key in parameters and parameters[key] != defaults[key].default
    )
    return f"{name}({given})" if given else name
