"""What made the results: configuration, versions, commit, machine and times, as JSON."""

import json
import os
import platform
import time
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from plrf.study.provenance import provenance, read_provenance
from plrf.study.store import replacing

PACKAGES = ["snakemake", "numpy", "scipy", "pandas", "pyarrow", "matplotlib"]


def package_version(name: str) -> str:
    """Version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def measured_times(performance: Path) -> dict[str, dict[str, float]]:
    """Jobs and seconds of processor time of each rule, from the table of performance."""
    table = pd.read_csv(performance, index_col="rule")[["jobs", "seconds"]]
    return {
        rule: {"jobs": int(jobs), "seconds": round(seconds, 1)}
        for rule, jobs, seconds in table.drop(index="all").itertuples()
    }


def commits(tables: list[str]) -> dict[str, int]:
    """How many tables each commit has made: several, if a part was kept from an earlier version."""
    return dict(Counter(read_provenance(path)["git_commit"] for path in sorted(tables)))


def record(config: dict[str, Any], tables: list[str], performance: Path) -> dict[str, Any]:
    """Everything that a reader needs to make the same results again.

    Parameters
    ----------
    config : dict
        The whole configuration.
    tables : list of str
        Parquet tables of the results.
    performance : Path
        Table of what the rules took.
    """
    return {
        **provenance(config, config["seed"]),
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in PACKAGES},
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
        },
        "tables_by_commit": commits(tables),
        "times": measured_times(performance),
        "config": config,
    }


def write_provenance(
    config: dict[str, Any], tables: list[str], performance: str, path: str
) -> None:
    """Write the record."""
    content = record(config, tables, Path(performance))
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    tables = [path for path in snakemake.input.results if path.endswith(".parquet")]
    write_provenance(
        snakemake.params.config,
        [*tables, *snakemake.input.losses],
        snakemake.input.performance,
        snakemake.output[0],
    )
