"""Tasks of a study: power laws at points, and spectra that files give.

Imported at every parse of the Snakefile: no scipy here.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from plrf.files import FileError, read_file
from plrf.spectrum import SpectrumTask
from plrf.study.problems import suggestion
from plrf.task import PowerLawTask, Task

COLUMNS = ("eigenvalue", "target")


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
    try:
        table = read_file(path)
    except FileError as error:
        raise SpectrumError(str(error)) from error
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
