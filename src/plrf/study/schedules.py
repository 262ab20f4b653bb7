"""Schedules of sweeps: whether there is one, and its text in tables."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from plrf.schedules import CONSTANT, SCHEDULES, Schedule, schedule_of


def scheduled(sweep: Mapping[str, Any]) -> bool:
    """Whether learning rate or batch of a sweep change with the step."""
    return schedule_of(sweep["schedule"]) != CONSTANT


def schedule_text(schedule: Schedule) -> str:
    """Name of a schedule, and its parameters where they are not the defaults, as in tables."""
    name = next(name for name, kind in SCHEDULES.items() if kind is type(schedule))
    values = {field: getattr(schedule, field.name) for field in fields(SCHEDULES[name])}
    given = ", ".join(
        f"{field.name}={value if isinstance(value, str) else format(value, '.12g')}"
        for field, value in values.items()
        if value != field.default
    )
    return f"{name}({given})" if given else name
