"""Where a table comes from: configuration, inputs, version and commit, in its metadata."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import plrf
from plrf.study.store import ADVICE, TableError

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


def provenance(
    parameters: Any, seed: int | None = None, inputs: Iterable[str | Path] = ()
) -> dict[str, str]:
    """Where a table comes from, for its metadata.

    Parameters
    ----------
    parameters : JSON-like
        The part of the configuration that the table depends on by itself.
    seed : int, optional
        The config's seed, where the table depends on it.
    inputs : iterable of paths
        Tables that it is made from; through them it depends on more of the configuration, and
        perhaps on the seed.

    Returns
    -------
    dict
        ``config_hash`` (SHA-256 of parameters, seed and the inputs' hashes), ``plrf_version``,
        ``git_commit`` (with ``-dirty`` if files were changed; or "unknown: " and why), ``seed``.
    """
    sources = [read_provenance(path) for path in inputs]
    seeds = {source["seed"] for source in sources} - {"none"} if seed is None else {str(seed)}
    content = {
        "parameters": parameters,
        "seed": seed,
        "inputs": [source["config_hash"] for source in sources],
    }
    canonical = json.dumps(content, sort_keys=True, default=str)
    return {
        "config_hash": hashlib.sha256(canonical.encode()).hexdigest(),
        "plrf_version": plrf.__version__,
        "git_commit": _git_commit(),
        "seed": ", ".join(sorted(seeds)) or "none",
    }


def read_provenance(*paths: str | Path) -> dict[str, str]:
    """Provenance of tables, from their metadata: their different values, joined by commas.

    Raises
    ------
    TableError
        If a file is damaged or no table of this project; the message says what to do.
    """
    sources = [_read(path) for path in paths]
    values = {key: dict.fromkeys(source[key] for source in sources) for key in sources[0]}
    if len(values.get("seed", {})) > 1:
        values["seed"].pop("none", None)
    return {key: ", ".join(different) for key, different in values.items()}


def _read(path: str | Path) -> dict[str, str]:
    """Provenance of one table."""
    try:
        source: dict[str, str] = json.loads((pq.read_schema(path).metadata or {})[b"plrf"])
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise TableError(f"{path}: cannot be read ({error}); {ADVICE}") from error
    return source
