"""Points of the atlas: which have exponents, and rows of its tables for those that have none."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa

from plrf.statuses import EDGE, NO_POWER_LAW
from plrf.theory.phases import NO_PHASE, exponents, phase_name

QUANTITIES = ("eta", "xi")
Points = Iterable[tuple[float, float]]


def place(alpha: float, beta: float) -> dict[str, Any]:
    """Columns that name a point: alpha, beta, and its phase or "none"."""
    try:
        name = phase_name(alpha, beta)
    except ValueError:
        name = NO_PHASE
    return {"alpha": alpha, "beta": beta, "phase": name}


def lacks_exponents(alpha: float, beta: float) -> str:
    """Status of a point without exponents; empty if it has some."""
    return {NO_PHASE: NO_POWER_LAW, "edge": EDGE}.get(place(alpha, beta)["phase"], "")


def theory(alpha: float, beta: float) -> dict[str, float]:
    """Columns of both exponents in theory."""
    eta, xi = map(float, exponents(alpha, beta))
    return {"eta_theory": eta, "xi_theory": xi}


def by_alpha(points: Points) -> dict[float, list[float]]:
    """Betas of the points that have exponents, by their alpha."""
    groups: dict[float, list[float]] = {}
    for alpha, beta in points:
        if not lacks_exponents(alpha, beta):
            groups.setdefault(alpha, []).append(beta)
    return groups


def without_values(
    point: tuple[float, float], schema: pa.Schema, status: str, **columns: Any
) -> dict[str, Any]:
    """Row of a point of which nothing is known but some columns and the reason."""
    empty = {pa.float64(): float("nan"), pa.int64(): 0, pa.string(): "", pa.bool_(): False}
    blank = {field.name: empty[field.type] for field in schema}
    return blank | place(*point) | columns | {"status": status}


def without_exponents(points: Points, schema: pa.Schema, **columns: Any) -> list[dict[str, Any]]:
    """Rows of the points that have no exponents."""
    return [
        without_values(point, schema, status, **columns)
        for point in points
        if (status := lacks_exponents(*point))
    ]


def table(rows: list[dict[str, Any]], schema: pa.Schema) -> pd.DataFrame:
    """Rows in the order of the schema's columns."""
    return pd.DataFrame(rows, columns=schema.names)
