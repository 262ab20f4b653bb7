"""The Parquet tables of the workflow: their schemas, provenance, and how they are written.

Tables are long and tidy: parameters stand as columns, one measured number per row.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

import plrf

_POINT = [("sweep", pa.string()), ("alpha", pa.float64()), ("beta", pa.float64())]


def _schema(*fields: tuple[str, pa.DataType]) -> pa.Schema:
    """Schema whose columns are never null: what is missing is NaN, with a status."""
    return pa.schema([pa.field(name, dtype, nullable=False) for name, dtype in fields])


GRID = _schema(
    *_POINT,
    ("d", pa.int64()),
    ("v", pa.int64()),
    ("batch", pa.int64()),
    ("c", pa.float64()),
    ("learning_rate", pa.float64()),
    ("kernel_mass", pa.float64()),
    ("flops", pa.float64()),  # budget of one run
    ("steps", pa.int64()),
    ("simulated_steps", pa.int64()),  # of sgd and recursion
    ("runs", pa.int64()),
    ("sgd", pa.bool_()),
    ("recursion", pa.bool_()),
    ("volterra", pa.bool_()),
    ("phase", pa.string()),
)
LOSSES = _schema(
    *_POINT,
    ("d", pa.int64()),
    ("v", pa.int64()),
    ("batch", pa.int64()),
    ("learning_rate", pa.float64()),
    ("engine", pa.string()),  # sgd, recursion (given W) or volterra (W averaged out)
    ("run", pa.int64()),  # -1 for volterra
    ("step", pa.int64()),
    ("flops", pa.float64()),  # d * step * batch
    ("loss", pa.float64()),  # NaN from a divergence on
    ("error", pa.float64()),  # the solver's own relative error; NaN for sgd
    ("status", pa.string()),  # ok, diverged, inaccurate or failed
)
ISOFLOP = _schema(
    *_POINT,
    ("engine", pa.string()),
    ("window", pa.int64()),  # place in the sweep's list of windows: 0 is the main one
    ("flops", pa.float64()),
    ("d", pa.int64()),
    ("loss", pa.float64()),  # mean over runs; NaN where the size does not reach the budget
)
FRONTS = _schema(
    *_POINT,
    ("engine", pa.string()),
    ("window", pa.int64()),
    ("method", pa.string()),  # approach0, approach1, approach2, approach2_spline or approach3
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("loss_opt", pa.float64()),
    ("d_low", pa.float64()),  # sizes that the minimum was interpolated between or fitted to
    ("d_high", pa.float64()),
    # Parabola of Approaches 1 and 2: log loss = curvature x^2 + slope x + intercept, x = log d
    ("curvature", pa.float64()),
    ("slope", pa.float64()),
    ("intercept", pa.float64()),
    ("eta_residual", pa.float64()),  # of log loss_opt from the power law; NaN if not used
    ("xi_residual", pa.float64()),  # of log d_opt
    ("status", pa.string()),
)
# The deviation of an estimate from theory is the sum of three: estimate - expected is noise,
# expected - exact the method's own bias, and exact - theory is due to the finite size.
EXPONENTS = _schema(
    *_POINT,
    ("phase", pa.string()),
    ("engine", pa.string()),
    ("window", pa.int64()),
    ("window_low", pa.float64()),  # flops
    ("window_high", pa.float64()),
    ("method", pa.string()),
    ("quantity", pa.string()),  # eta or xi
    ("estimate", pa.float64()),
    ("std_error", pa.float64()),
    ("dof", pa.float64()),  # degrees of freedom of the t interval; infinite for solver
    ("ci_low", pa.float64()),  # 95% interval
    ("ci_high", pa.float64()),
    ("error_source", pa.string()),  # runs (bootstrap), residuals (of the power law) or solver
    ("used_low", pa.float64()),  # lowest and highest budget used, flops
    ("used_high", pa.float64()),
    ("n_budgets", pa.int64()),  # budgets used
    ("n_dropped", pa.int64()),
    ("rms_residual", pa.float64()),  # of the natural logarithms
    ("expected", pa.float64()),  # the same method, sizes and budgets on volterra losses
    ("exact", pa.float64()),  # slope of the exact front over the same budgets
    ("theory", pa.float64()),  # asymptotic
    ("method_spread", pa.float64()),  # systematic: range over methods, same engine and window
    ("window_spread", pa.float64()),  # systematic: range over windows, same engine and method
    ("status", pa.string()),
)
PLANE = _schema(  # exact fronts over the plane at one budget: NaN where the status is not ok
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("phase", pa.string()),  # "none" where there is no power law
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("loss_opt", pa.float64()),
    ("eta", pa.float64()),  # local exponents
    ("xi", pa.float64()),
    ("eta_error", pa.float64()),
    ("xi_error", pa.float64()),
    ("eta_theory", pa.float64()),
    ("xi_theory", pa.float64()),
    ("status", pa.string()),
)
# Spectra of K^ = D^1/2 W W^T D^1/2 and its mass as seen by D^1/2 b, zero eigenvalues left out
_SPECTRUM = [
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("d", pa.int64()),
    ("v", pa.int64()),
]
SPECTRUM_HISTOGRAM = _schema(
    *_SPECTRUM,
    ("samples", pa.int64()),
    ("x_low", pa.float64()),  # ends of the bin
    ("x_high", pa.float64()),
    ("count", pa.float64()),  # eigenvalues in the bin, mean over W
    ("mass", pa.float64()),  # sum of c_i**2 in the bin, mean over W
    ("std_error", pa.float64()),  # of the mass
)
EIGENVALUES = _schema(
    *_SPECTRUM,
    ("sample", pa.int64()),
    ("eigenvalue", pa.float64()),
    ("mass", pa.float64()),  # c_i**2
)
SPECTRUM_DENSITY = _schema(
    *_SPECTRUM,
    ("band", pa.int64()),  # intervals of the spectrum; 0 is the lowest, the bulk
    ("x", pa.float64()),
    ("weight", pa.float64()),  # quadrature weight: integrals are sums over rows
    ("density", pa.float64()),  # of eigenvalues
    ("mass_density", pa.float64()),  # of the mass seen by D^1/2 b
    ("pure_points", pa.float64()),  # what F_pp takes for the density of the mass
    ("continuous", pa.float64()),  # what F_ac adds to it
    ("status", pa.string()),  # ok or not converged
)
CONTOURS = _schema(
    *_SPECTRUM,
    ("contour", pa.string()),  # Gamma_0, Gamma_C or Gamma_caps; circle or hyperbola
    ("learning_rate", pa.float64()),  # NaN where the contour does not depend on it
    ("first_step", pa.float64()),  # steps that the contour serves; NaN if any
    ("last_step", pa.float64()),
    ("node", pa.int64()),
    ("real", pa.float64()),
    ("imag", pa.float64()),
)
LOSS_RATIOS = _schema(
    *_SPECTRUM,
    ("batch", pa.int64()),
    ("learning_rate", pa.float64()),
    ("step", pa.float64()),
    ("loss", pa.float64()),
    ("error", pa.float64()),  # relative error of the loss
    ("estimate", pa.float64()),  # F_0 + F_pp + F_ac + K_pp/(gamma B)
    ("status", pa.string()),
)
LOCAL_EXPONENTS = _schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("phase", pa.string()),
    ("source", pa.string()),  # exact, or the estimate
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("quantity", pa.string()),  # eta or xi
    ("value", pa.float64()),  # local exponent at this budget
    ("error", pa.float64()),  # absolute
    ("theory", pa.float64()),
    ("status", pa.string()),  # ok or no minimum
)
# The explorer: a grid of points, those without a power law included.
EXPLORER_POINTS = _schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("phase", pa.string()),  # "none" where there is no power law
    ("eta", pa.float64()),  # theory; NaN on the edge and where there is no power law
    ("xi", pa.float64()),  # theory; NaN also where it jumps
    ("status", pa.string()),  # ok, edge or no power law
)
EXPLORER_LOSSES = _schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("d", pa.int64()),
    ("v", pa.int64()),
    ("batch", pa.int64()),
    ("learning_rate", pa.float64()),
    ("step", pa.int64()),
    ("flops", pa.float64()),  # d * step * batch
    ("loss", pa.float64()),
    ("error", pa.float64()),  # the solver's own relative error
    ("f_0", pa.float64()),
    ("f_pp", pa.float64()),  # NaN where it is infinite: no power law, or on the edge
    ("f_ac", pa.float64()),
    ("k_pp", pa.float64()),  # over gamma B, as it enters the loss
    ("status", pa.string()),  # of the loss: ok, inaccurate or failed
)
EXPLORER_FRONTS = _schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("loss_opt", pa.float64()),
    ("eta", pa.float64()),  # local exponents
    ("xi", pa.float64()),
    ("d_error", pa.float64()),  # relative
    ("loss_error", pa.float64()),
    ("eta_error", pa.float64()),  # absolute
    ("xi_error", pa.float64()),
    ("status", pa.string()),  # ok, no minimum or no power law
)
CHECKS = _schema(("check", pa.string()), ("passed", pa.bool_()), ("detail", pa.string()))


# A loss whose solver states a larger relative error is flagged, and left out of fits.
ACCURACY = 1e-6


def loss_status(loss: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.str_]:
    """Status of losses: "ok", "inaccurate" by the solver's own error, "diverged" or "failed".

    A solver that failed has no loss and no error.
    """
    missing = ~np.isfinite(loss)
    conditions = [missing & np.isnan(error), missing, ~(error <= ACCURACY)]
    return np.select(conditions, ["failed", "diverged", "inaccurate"], "ok")


class TableError(RuntimeError):
    """A table cannot be read, or does not have the columns that it should have."""


# Variables by which a git hook names the repository that it runs for.
_GIT_REPOSITORY = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
}
# Why git knows no commit, by what it then says.
_GIT_REASONS = {
    "not a git repository": "not a git checkout",
    "did not match any file": "not a git checkout",
    "bad revision": "nothing was committed yet",
    "safe.directory": "git does not trust this folder; allow it in git's safe.directory",
}


def _git(*arguments: str) -> str:
    """Output of git about the folder that holds the library."""
    environment = {key: os.environ[key] for key in os.environ.keys() - _GIT_REPOSITORY}
    return subprocess.run(
        ["git", "-C", str(Path(__file__).parent), *arguments],
        env=environment | {"LC_ALL": "C"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
    ).stdout.strip()


def _git_commit() -> str:
    """Commit of the checkout that holds the library, marked if changed; or why it is unknown.

    It is the commit of a repository that tracks the library: this project's own, or a larger one
    that holds the project's files, since its commit says just as well which they are. A repository
    in which an archive was only unpacked, or a wheel installed, has no say.

    The workflow says it in the environment where Snakemake has fetched it without a checkout.
    """
    if commit := os.getenv("PLRF_COMMIT"):
        return commit
    try:
        _git("ls-files", "--error-unmatch", Path(__file__).name)
        return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except OSError:
        return "unknown: git is not installed"
    except subprocess.CalledProcessError as error:
        reasons = (reason for sign, reason in _GIT_REASONS.items() if sign in error.stderr)
        return "unknown: " + next(reasons, "git failed")


def provenance(parameters: Any, seed: int | None = None) -> dict[str, str]:
    """Where a table comes from, for its metadata.

    Parameters
    ----------
    parameters : JSON-like
        The part of the configuration that the table depends on.
    seed : int, optional
        The config's seed, where the table depends on it.

    Returns
    -------
    dict
        ``config_hash`` (SHA-256 of the parameters), ``plrf_version``, ``git_commit`` (with
        ``-dirty`` if files were changed; or "unknown: " and why), ``seed``.
    """
    canonical = json.dumps(parameters, sort_keys=True, default=str)
    return {
        "config_hash": hashlib.sha256(canonical.encode()).hexdigest(),
        "plrf_version": plrf.__version__,
        "git_commit": _git_commit(),
        "seed": "none" if seed is None else str(seed),
    }


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
        One of this module's.
    path : path
        The Parquet file.
    source : mapping
        From :func:`provenance`; stored in the file's metadata under ``plrf``.

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


def read_provenance(*paths: str | Path) -> dict[str, str]:
    """Provenance of tables, from their metadata: their different values, joined by commas."""
    sources = [json.loads(pq.read_schema(path).metadata[b"plrf"]) for path in paths]
    values = {key: dict.fromkeys(source[key] for source in sources) for key in sources[0]}
    if len(values.get("seed", {})) > 1:
        values["seed"].pop("none", None)
    return {key: ", ".join(different) for key, different in values.items()}
