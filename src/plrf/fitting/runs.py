"""Tables of trained models: one row for each run or record of a run, checked (model section 15).

A table has d parameters, n samples and the loss of each row; flops are k d n.
"""

from __future__ import annotations

import difflib
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.arguments import number
from plrf.files import FileError, read_file
from plrf.statuses import OK

FloatArray = NDArray[np.float64]

NO_LOSS = "no_loss"
DUPLICATE = "duplicate"
OUTLIER = "outlier"
THINNED = "thinned"

LOSSES = (1e-50, 1e50)
"""Range of losses: squares of squares of them are numbers as well."""

TOLD = 5  # rows in the message of an error


class RunsError(ValueError):
    """A table of runs that is refused; the message names column, rows and values."""


def read_runs(
    table: pd.DataFrame | str | PathLike[str],
    *,
    parameters: str = "parameters",
    samples: str | None = None,
    flops: str | None = None,
    loss: str = "loss",
    seed: str | None = None,
    group: str | None = None,
    flops_per_parameter_and_sample: float = 6.0,
    flops_factor: float = 1.5,
) -> pd.DataFrame:
    """Read the rows of a table, and refuse what cannot be right.

    Parameters
    ----------
    table : DataFrame or path
        The table, or a file of CSV or Parquet.
    parameters, samples, flops, loss, seed, group : str
        Names of its columns, the last four of which may be None, but for one of samples and flops;
        what is not there follows from ``flops = k parameters samples``.
    flops_per_parameter_and_sample : float
        k.
    flops_factor : float
        Where both samples and flops are given, the largest ratio, above 1, of flops to
        ``k parameters samples`` or the inverse.

    Returns
    -------
    DataFrame
        Columns group, row (counted from 1), parameters, samples, flops, loss, seed and status:
        ``"ok"``; ``"no_loss"`` where it is NaN or infinite, as of a run that failed;
        ``"duplicate"``, a row equal to an earlier one in all columns used, which counts once.

    Raises
    ------
    RunsError
        If a column is missing or named twice, a cell is no number, parameters, samples or flops,
        also those that follow, are not positive and finite, a loss is 0 or below or out of the
        range `LOSSES`, flops disagree, or no row of a group has a loss.
    ValueError, TypeError
        If another argument is out of range or not a number.
    """
    k = number("flops_per_parameter_and_sample", flops_per_parameter_and_sample, above=0)
    flops_factor = number("flops_factor", flops_factor, above=1)
    frame = read_frame(table)
    if samples is None and flops is None:
        raise RunsError("samples or flops: the name of at least one of these columns is needed")
    names = {
        "parameters": parameters,
        "samples": samples,
        "flops": flops,
        "loss": loss,
        "seed": seed,
        "group": group,
    }
    check_columns(frame.columns, names)
    if frame.empty:
        raise RunsError("the table has no rows")
    columns = {key: frame[name] for key, name in names.items() if name is not None}
    given: dict[str, FloatArray] = {
        key: _positive(columns[key]) for key in ("parameters", "samples", "flops") if key in columns
    }
    values = _completed(given, k)
    _check_agreement(values, k, flops_factor)
    runs = pd.DataFrame(
        {
            "group": _labels(columns, "group", len(frame)),
            "row": np.arange(1, len(frame) + 1),
            **{key: values[key] for key in ("parameters", "samples", "flops")},
            "loss": _losses(columns["loss"]),
            "seed": _labels(columns, "seed", len(frame)),
        }
    )
    without = runs.groupby("group")["loss"].count().eq(0)
    if without.any():
        told = f" of group {without.idxmax()!r}" if group else ""
        raise RunsError(f"column {loss}: no row{told} has a loss")
    repeated = runs.duplicated([name for name in runs if name != "row"])
    status = np.select([runs["loss"].isna(), repeated], [NO_LOSS, DUPLICATE], OK)
    return runs.assign(status=status)


def read_frame(table: pd.DataFrame | str | PathLike[str]) -> pd.DataFrame:
    """Give a table, or read it from a file of CSV or Parquet.

    Raises
    ------
    RunsError
        If there is no such file, or it cannot be read.
    TypeError
        If it is neither a table nor a path.
    """
    if isinstance(table, pd.DataFrame):
        return table
    if not isinstance(table, str | PathLike):
        raise TypeError(f"table = {table!r}: must be a DataFrame or the path of a file")
    try:
        return read_file(str(table))
    except FileError as error:
        raise RunsError(str(error)) from error


def check_columns(columns: Any, names: dict[str, str | None]) -> None:
    """Refuse names of columns that a table does not have, with what was perhaps meant.

    Parameters
    ----------
    columns : sequence of str
        The table's.
    names : dict
        Name of the column by what it holds; None where there is none.

    Raises
    ------
    RunsError
        If a column is missing, there are several of its name, or it is to hold two things.
    """
    known = list(columns)
    owners: dict[str, str] = {}
    for key, name in names.items():
        if name is None:
            continue
        if name not in known:
            told = [str(one) for one in known]
            close = difflib.get_close_matches(str(name), told, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(told)}"
            raise RunsError(f"{key} = {name!r}: the table has no such column; {hint}")
        if known.count(name) > 1:
            raise RunsError(f"{key} = {name!r}: the table has {known.count(name)} such columns")
        if owners.setdefault(name, key) != key:
            raise RunsError(f"{key} = {name!r}: must be another column than {owners[name]}")


def _numeric(column: pd.Series) -> FloatArray:
    """Numbers of a column, NaN where cells are empty; truth values are none."""
    cells = column.astype(object)
    numbers = pd.to_numeric(cells, errors="coerce")
    truths = cells.map(pd.api.types.is_bool)
    _refuse(column, truths | (numbers.isna() & cells.notna()), "must be a number")
    values: FloatArray = numbers.to_numpy(float, na_value=np.nan)
    return values


def _positive(column: pd.Series) -> FloatArray:
    values = _numeric(column)
    _refuse(column, ~((values > 0) & np.isfinite(values)), "must be a finite number above 0")
    return values


def _losses(column: pd.Series) -> FloatArray:
    values = _numeric(column)
    _refuse(column, values <= 0, "must be above 0, or empty if the run failed")
    known = np.where(np.isfinite(values), values, np.nan)
    _refuse(
        column,
        (known < LOSSES[0]) | (known > LOSSES[1]),
        f"must be between {LOSSES[0]:g} and {LOSSES[1]:g}, in some unit",
    )
    return known


def _completed(given: dict[str, FloatArray], k: float) -> dict[str, FloatArray]:
    """Parameters, samples and flops, where one of the last two may follow from the others."""
    values = dict(given)
    with np.errstate(over="ignore", under="ignore"):
        product = k * given["parameters"]
        if "samples" not in given:
            values["samples"] = given["flops"] / product
        if "flops" not in given:
            values["flops"] = product * given["samples"]
    for key in values.keys() - given.keys():  # at most one
        _positive(pd.Series(values[key], name=f"{key}, which follows from the others"))
    return values


def _labels(columns: dict[str, pd.Series], key: str, rows: int) -> Any:
    """Labels as text, empty where there is no such column."""
    if key not in columns:
        return np.full(rows, "", dtype=object)
    _refuse(columns[key], columns[key].isna(), "must not be empty")
    return columns[key].astype(str).to_numpy(object)


def _refuse(column: pd.Series, wrong: Any, rule: str) -> None:
    """Name the first rows whose values are wrong."""
    rows = np.flatnonzero(np.asarray(wrong))
    if rows.size:
        told = ", ".join(f"row {i + 1}: {column.iloc[i]!s}" for i in rows[:TOLD])
        more = f" and {rows.size - TOLD} more" if rows.size > TOLD else ""
        raise RunsError(f"column {column.name}, {told}{more}: {rule}")


def _check_agreement(values: dict[str, FloatArray], k: float, factor: float) -> None:
    """Refuse rows whose flops are far from k d n."""
    log_d, log_n, log_f = (np.log(values[key]) for key in ("parameters", "samples", "flops"))
    log_ratio = log_f - np.log(k) - log_d - log_n
    rows = np.flatnonzero(np.abs(log_ratio) > np.log(factor))
    if rows.size:
        told = ", ".join(f"row {i + 1} by {np.exp(log_ratio[i]):.3g}" for i in rows[:TOLD])
        more = f" and {rows.size - TOLD} more" if rows.size > TOLD else ""
        raise RunsError(
            f"flops differ from flops_per_parameter_and_sample x parameters x samples: {told}{more}"
            f"; at most a factor {factor:g} is allowed (flops_factor)"
        )
