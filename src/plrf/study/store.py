"""Parquet tables on disk: whole or not there, checked when they are read; files for readers."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


class TableError(RuntimeError):
    """A table cannot be read, or does not have the columns that it should have."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name to write to, which then replaces the file: whole, or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        error.add_note(f"{path} was not written; a file that was there before is as it was")
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_table(
    frame: pd.DataFrame, schema: pa.Schema, path: str | Path, source: Mapping[str, str]
) -> None:
    """Write a table under a temporary name, then rename it: it is whole or not there.

    Parameters
    ----------
    frame : DataFrame
        Has the schema's columns, in any order.
    schema : pyarrow.Schema
        Of `plrf.study.schemas`.
    path : path
        The Parquet file.
    source : mapping
        From `plrf.study.provenance.provenance`; stored in the file's metadata under ``plrf``.

    Raises
    ------
    TableError
        If columns are missing or superfluous, or values do not fit their type.
    """
    if set(frame.columns) != set(schema.names):
        difference = sorted(set(frame.columns) ^ set(schema.names))
        raise TableError(f"{path}: columns differ from the schema: {', '.join(difference)}")
    columns = []
    for field in schema:
        try:
            # Through numpy, since from pandas NaN would become null.
            values = frame[field.name].to_numpy()
            columns.append(pa.array(values, type=field.type, from_pandas=False))
        except (pa.ArrowException, OverflowError) as error:
            raise TableError(f"{path}: column {field.name}: {error}") from error
        if columns[-1].null_count:
            raise TableError(f"{path}: column {field.name}: missing values")
    write_batches(pa.Table.from_arrays(columns, schema=schema).to_batches(), schema, path, source)


def write_rendered(
    frame: pd.DataFrame, markdown: str, csv_path: str | Path, markdown_path: str | Path
) -> None:
    """Write a table for readers: as CSV with all digits, and as the Markdown that is given."""
    with replacing(csv_path) as temporary:
        frame.to_csv(temporary, index=False)
    with replacing(markdown_path) as temporary:
        temporary.write_text(markdown, encoding="utf-8")


def write_batches(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    path: str | Path,
    source: Mapping[str, str],
) -> None:
    """Write a table of any length, one batch of rows in memory at a time; see `write_table`.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Each has the schema's columns, and becomes a row group of the file.
    schema, path, source
        As in `write_table`.
    """
    schema = schema.with_metadata({"plrf": json.dumps(dict(source), sort_keys=True)})
    options = {"compression": "zstd", "write_page_checksum": True}
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, **options) as writer:
        for batch in batches:
            writer.write_batch(batch)


ADVICE = "delete it and run the workflow again: it will be made anew"


@contextmanager
def _opened(path: str | Path, schema: pa.Schema) -> Iterator[pq.ParquetFile]:
    """Open a table and check its columns; say what to do if it is damaged."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            if not file.schema_arrow.equals(schema, check_metadata=False):
                raise TableError(f"{path}: not the columns that this version writes; {ADVICE}")
            yield file
    # A damaged footer may claim names that are no text, or more rows than memory holds.
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise TableError(f"{path}: cannot be read ({error}); {ADVICE}") from error


def read_batches(path: str | Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Read a table of any length, one batch of rows in memory at a time; see `read_table`."""
    with _opened(path, schema) as file:
        yield from file.iter_batches()


def read_table(
    path: str | Path,
    schema: pa.Schema,
    filters: Any = None,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Read a table and check its columns.

    Parameters
    ----------
    path : path
        The Parquet file.
    schema : pyarrow.Schema
        The schema that it must have.
    filters : optional
        Row filter, as in ``pyarrow.parquet.read_table``: other rows are hardly read.
    columns : list of str, optional
        The columns wanted, all by default.

    Raises
    ------
    TableError
        If the file is damaged or has another schema; the message says what to do.
    """
    with _opened(path, schema):
        frame: pd.DataFrame = pq.read_table(
            path, columns=columns, filters=filters, page_checksum_verification=True
        ).to_pandas()
    return frame
