"""Phases of the points of a study."""

from collections.abc import Mapping
from typing import Any

from plrf.theory.phases import NO_PHASE, phase_name


def phase_of(point: Mapping[str, Any]) -> str:
    """Phase of a row of the grid; none of a spectrum from a file, whatever it is like."""
    return NO_PHASE if point["spectrum"] else phase_name(point["alpha"], point["beta"])
