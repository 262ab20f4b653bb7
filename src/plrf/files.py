"""Tables that users give as files; no scipy here, as every parse of the Snakefile imports it."""

import hashlib
import os
import warnings

import pandas as pd
import pyarrow as pa


class FileError(ValueError):
    """A file that gives no table; the message names it."""


def read_file(path: str) -> pd.DataFrame:
    """Read a table from a CSV or Parquet file, by its suffix.

    Raises
    ------
    FileError
        If there is none, or it cannot be read.
    """
    suffix = "." + path.rpartition(".")[2].lower()
    if suffix not in READERS:
        raise FileError(f"{path} must end in {' or '.join(READERS)}")
    try:
        return READERS[suffix](path)
    except FileNotFoundError:
        raise FileError(f"there is no file {os.path.abspath(path)}") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FileError(f"{path} cannot be read: {error}") from error


def digest(path: str) -> str:
    """SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_csv(path: str) -> pd.DataFrame:
    """Read a CSV file; pandas would take fields beyond the header's for an index."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(path, index_col=False)
        except pd.errors.ParserWarning:
            raise ValueError("rows have more fields than the header") from None


READERS = {".csv": _read_csv, ".parquet": pd.read_parquet}
