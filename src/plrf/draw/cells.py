"""How tables for readers write numbers and rows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd


def number(value: float, pattern: str = "{:.4f}") -> str:
    """Write a number, and zero without a sign; a dash where there is none."""
    text = pattern.format(value) if np.isfinite(value) else "–"
    return text.removeprefix("-") if text.strip("-0.") == "" else text


def std_error(row: Any) -> str:
    """A standard error of the EXPONENTS schema; that of a solver is far below the digits shown."""
    return number(row.std_error, "{:.0e}" if row.error_source == "solver" else "{:.4f}")


def interval(row: Any) -> str:
    """A 95% interval of the EXPONENTS schema."""
    return f"{number(row.ci_low)} to {number(row.ci_high)}"


def markdown_rows(columns: Mapping[str, Callable[[Any], str]], rows: pd.DataFrame) -> Iterable[str]:
    """Lines of a Markdown table, with one cell for each column and row."""
    yield "| " + " | ".join(columns) + " |"
    yield "|" + " --- |" * len(columns)
    for row in rows.itertuples():
        yield "| " + " | ".join(cell(row) for cell in columns.values()) + " |"


def markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table of cells that are written already."""
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
