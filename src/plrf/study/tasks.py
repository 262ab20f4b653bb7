"""Tasks of a study: power laws at points, and spectra that files give.

Imported at every parse of the Snakefile: no scipy here.
"""

import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from plrf.spectrum import SpectrumTask
from plrf.study.problems import suggestion
from plrf.task import PowerLawTask, Task

COLUMNS = ("eigenvalue", "target")


def _read_csv(path: str) -> pd.DataFrame:
    """Read a CSV file; pandas would take fields beyond the header's for an index."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(path, index_col=False)
        except pd.errors.ParserWarning:
            raise ValueError("rows have more fields than the header") from None


READERS = {".csv": _read_csv, ".parquet": pd.read_parquet}


class SpectrumError(ValueError):
    """A file that gives no spectrum; the message names file, row and column."""


def task_of(point: Mapping[str, Any]) -> Task:
    """The task of a row of the grid, or of anything else with its columns.

    Raises
    ------
    SpectrumError
        If it is that of a file which gives none.
    """
    if point["spectrum"]:
        return spectrum_task(point["spectrum"], point["noise"])
    return power_law_task(point["alpha"], point["beta"], point["noise"])


@cache  # the same object each time, since what is known of a task is remembered by it
def power_law_task(alpha: float, beta: float, noise: float) -> PowerLawTask:
    """A power law."""
    return PowerLawTask(alpha, beta, noise)


@cache  # a file is read once
def spectrum_task(path: str, noise: float) -> SpectrumTask:
    """The task of a CSV or Parquet file with the columns eigenvalue and target, a row each.

    Raises
    ------
    SpectrumError
        If it cannot be read, lacks a column or all rows, or a value is none; the message names
        file, row, counted from 1 without the header, and column.
    """
    table = _read(path)
    for name in COLUMNS:
        if name not in table:
            raise SpectrumError(f"{path} has no column {name}; {suggestion(name, table)}")
    if table.empty:
        raise SpectrumError(f"{path} has no rows")
    values = table[list(COLUMNS)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    right = np.isfinite(values) & (values > [0, -np.inf])
    if not right.all():
        row, column = np.argwhere(~right)[0]
        name, value = COLUMNS[column], table[COLUMNS[column]].iloc[row]
        rule = "a finite number" + (" above 0" if column == 0 else "")
        raise SpectrumError(f"{path}, row {row + 1}, column {name} = {value}: must be {rule}")
    if not values[:, 1].any():
        raise SpectrumError(f"{path}: all targets are 0, there is nothing to learn")
    return SpectrumTask(values[:, 0], values[:, 1], noise)


def _read(path: str) -> pd.DataFrame:
    """Read a file by its suffix."""
    suffix = "." + path.rpartition(".")[2].lower()
    if suffix not in READERS:
        raise SpectrumError(f"{path} must end in {' or '.join(READERS)}")
    try:
        return READERS[suffix](path)
    except FileNotFoundError:
        raise SpectrumError(f"there is no file {path}") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SpectrumError(f"{path} cannot be read: {error}") from error
