"""What a claim of the paper is tested by, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

REPRODUCED = "reproduced"
CORRECTED = "reproduced with a correction"
NOT_AT_THIS_SCALE = "not at this scale"
NOT_REPRODUCED = "not reproduced"
NOT_TESTED = "not tested"
VERDICTS = (REPRODUCED, CORRECTED, NOT_AT_THIS_SCALE, NOT_REPRODUCED, NOT_TESTED)
"""From the best to the worst."""


class Untested(Exception):
    """The study lacks what a claim is tested by; the message says what."""


@dataclass(frozen=True)
class Study:
    """What there is to test claims by.

    Attributes
    ----------
    tables : mapping
        Tables of results by name; a study has those of its blocks only.
    blocks : mapping
        Blocks of the configuration.
    """

    tables: Mapping[str, pd.DataFrame]
    blocks: Mapping[str, Any]

    def block(self, name: str) -> Any:
        """A block of the configuration; `Untested` if it is not there."""
        if name not in self.blocks:
            raise Untested(f"the configuration has no block {name}")
        return self.blocks[name]

    def points(self, sweep: str) -> list[tuple[float, float]]:
        """Points of a sweep that have exponents, in the order of alpha and beta."""
        rows = self.tables["exponents"].query("sweep == @sweep and phase != 'edge'")
        return sorted(set(zip(rows["alpha"], rows["beta"], strict=True)))


@dataclass(frozen=True)
class Finding:
    """Our number for a claim, and what follows.

    Attributes
    ----------
    ours, error : str
        The number, and its error with what it is.
    verdict : str
        One of `VERDICTS`.
    reason : str
        Why.
    paper : str
        The paper's value, where it depends on the point at which the study looks.
    """

    ours: str
    error: str
    verdict: str
    reason: str
    paper: str = ""
