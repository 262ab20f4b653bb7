"""Samples (x, y) in batches of bounded memory: from arrays, npz files and Parquet files.

A kind of file is an entry of `KINDS`: a function that looks at a file and says how to read it.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Numbers in a batch, 16 MB of them, and its most rows.
BATCH_NUMBERS = 2**21
MOST_ROWS = 2**13
# Bytes of a column of a Parquet file that are read at a time. Its pages, a MB or two for each
# column, are whole in memory; row groups of some 10,000 rows make them smaller.
BUFFER = 2**16


@dataclass(frozen=True, eq=False)
class Source:
    """Where samples are, arrays or one file.

    Attributes
    ----------
    name : str
        For errors.
    rows : int
        Number of samples.
    features : tuple of str
        Names of the columns of x.
    read : callable
        From a number of rows to batches of at most as many, x (m, p) and y (m,).
    """

    name: str
    rows: int
    features: tuple[str, ...]
    read: Callable[[int], Iterator[tuple[NDArray[Any], NDArray[Any]]]]


class Samples:
    """Samples in batches, checked as they are read.

    Parameters
    ----------
    sources : list of Source
        At least one, with the same features in the same order.

    Raises
    ------
    ValueError
        While iterating, if a number is not finite; the message names its row and column.
    """

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self.features = sources[0].features
        self.n = sum(source.rows for source in sources)
        self._rows = min(MOST_ROWS, max(1, BATCH_NUMBERS // (len(self.features) + 1)))

    def __len__(self) -> int:
        """Number of batches, about: files may have shorter ones of their own."""
        return sum(-(-source.rows // self._rows) for source in self.sources)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """All batches, x (m, p) and y (m,) of float64, in the order of files and rows."""
        for source in self.sources:
            row = 0
            with _readable(source.name):
                for x, y in source.read(self._rows):
                    x, y = x.astype(float, copy=False), y.astype(float, copy=False)
                    self._check(source, row, x, y)
                    row += len(y)
                    yield x, y

    def _check(self, source: Source, row: int, x: Array, y: Array) -> None:
        """Find the first number that is not finite."""
        if np.isfinite(x).all() and np.isfinite(y).all():
            return
        table = np.column_stack([x, y])
        i, j = np.argwhere(~np.isfinite(table))[0]
        column = (*(f"column {name}" for name in self.features), "target")[j]
        raise ValueError(
            f"{source.name}: row {row + i}, {column}: {table[i, j]}, must be a finite number "
            "(rows count from 0)"
        )


def samples_of(
    x: ArrayLike | str | PathLike[str], y: ArrayLike | None = None, target: str = "y"
) -> Samples:
    """Samples from arrays or from files.

    Parameters
    ----------
    x : array_like, shape (n, p), or path
        Features; or a file or a glob of files, read in the order of their names: npz files with
        the arrays ``x`` and ``target``, or Parquet files, whose other columns are the features.
    y : array_like, shape (n,), optional
        Targets, if x is an array.
    target : str
        Name of the targets in files.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError
        If something is not a number.
    ValueError
        If lengths or columns differ, or a file cannot be read.
    """
    if isinstance(x, (str, PathLike)):
        if y is not None:
            raise TypeError("y: is in the files if x is a path, under the name target")
        return Samples(_same_features([_file(path, target) for path in paths(str(x))]))
    if y is None:
        raise TypeError("y: must be given with an array x")
    return Samples([_arrays(np.asarray(x), np.asarray(y))])


def paths(pattern: str) -> list[str]:
    """Files of a name, or that fit a pattern, in the order of their names.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    found = [pattern] if Path(pattern).is_file() else sorted(glob(pattern))
    if not found:
        raise FileNotFoundError(f"{pattern}: there is no such file, nor one that fits the pattern")
    return found


def _file(path: str, target: str) -> Source:
    """Look at a file."""
    suffix = Path(path).suffix
    if suffix not in KINDS:
        raise ValueError(f"{path}: must be a file of one of the kinds {', '.join(KINDS)}")
    with _readable(path):
        return KINDS[suffix](path, target)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Name the file that is damaged."""
    try:
        yield
    except (pa.ArrowException, OSError, BadZipFile, zlib.error) as error:
        raise ValueError(f"{name}: cannot be read ({error})") from error


def _same_features(sources: list[Source]) -> list[Source]:
    """Check that all files have the features of the first."""
    first = sources[0]
    for source in sources[1:]:
        if source.features != first.features:
            differing = sorted(set(source.features) ^ set(first.features))
            what = f"they differ in {', '.join(differing)}" if differing else "another order"
            raise ValueError(f"{source.name}: not the features of {first.name}: {what}")
    return sources


def _check_shapes(
    where: str, x: tuple[int, ...], y: tuple[int, ...], *types: np.dtype[Any]
) -> None:
    """Check that x (n, p) and y (n,) fit each other and are real."""
    for name, dtype in zip("xy", types, strict=True):
        if dtype.kind not in "iuf":
            raise TypeError(f"{where}{name}: {dtype}, must be real numbers")
    if len(x) != 2 or not x[1]:
        raise ValueError(f"{where}x: must be of shape (n, p), samples by features, not {x}")
    if y != x[:1]:
        raise ValueError(f"{where}y: must be of shape ({x[0]},) as x has {x[0]} rows, not {y}")


def _arrays(x: NDArray[Any], y: NDArray[Any]) -> Source:
    """Arrays, which may be memory-mapped."""
    _check_shapes("", x.shape, y.shape, x.dtype, y.dtype)

    def read(rows: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        for start in range(0, len(y), rows):
            yield x[start : start + rows], y[start : start + rows]

    return Source("x, y", len(y), tuple(map(str, range(x.shape[1]))), read)


def _npz(path: str, target: str) -> Source:
    """An npz file: x is read piece by piece from the archive, not as a whole."""
    with ZipFile(path) as archive:
        for name in ("x", target):
            if f"{name}.npy" not in archive.namelist():
                arrays = ", ".join(Path(member).stem for member in archive.namelist())
                raise ValueError(f"{path}: no array {name}, there are: {arrays}")
        with archive.open("x.npy") as member:
            shape, by_column, dtype = _npy_header(member)
    with np.load(path) as arrays_of:
        y = arrays_of[target]
    _check_shapes(f"{path}: ", shape, y.shape, dtype, y.dtype)
    if by_column and shape[1] > 1:
        raise ValueError(f"{path}: x is stored by columns: save np.ascontiguousarray(x)")

    def read(rows: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        with ZipFile(path) as archive, archive.open("x.npy") as member:
            _npy_header(member)
            for start in range(0, len(y), rows):
                part = y[start : start + rows]
                data = member.read(len(part) * shape[1] * dtype.itemsize)
                yield np.frombuffer(data, dtype).reshape(len(part), shape[1]), part

    return Source(path, len(y), tuple(map(str, range(shape[1]))), read)


def _npy_header(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether by columns, and type of the array that follows in the file."""
    formats = np.lib.format
    first = formats.read_magic(member)[0] == 1
    read: Any = formats.read_array_header_1_0 if first else formats.read_array_header_2_0
    header: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(member)
    return header


def _parquet(path: str, target: str) -> Source:
    """Parquet file: each column but the target and an index is a feature."""
    with pq.ParquetFile(path) as file:
        schema, n = file.schema_arrow, file.metadata.num_rows
    if target not in schema.names:
        raise ValueError(f"{path}: no column {target}, there are: {', '.join(schema.names)}")
    # The index of a table of pandas is no feature.
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    fields = [field for field in schema if field.name not in index]
    for field in fields:
        if not (pa.types.is_integer(field.type) or pa.types.is_floating(field.type)):
            raise TypeError(f"{path}: column {field.name}: {field.type}, must be real numbers")
    features = tuple(field.name for field in fields if field.name != target)
    if not features:
        raise ValueError(f"{path}: no column but the target {target}")

    def read(rows: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER) as file:
            for batch in file.iter_batches(rows, columns=[*features, target]):
                columns = [batch[name].to_numpy(zero_copy_only=False) for name in features]
                yield np.column_stack(columns), batch[target].to_numpy(zero_copy_only=False)

    return Source(path, n, features, read)


KINDS: dict[str, Callable[[str, str], Source]] = {".npz": _npz, ".parquet": _parquet}
"""Kinds of files by suffix: from a path and the name of the targets to a source."""
