"""What made the results: configuration, versions, commit, machine and times, as JSON."""

import json
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from plrf.tables import provenance, replacing

PACKAGES = ["snakemake", "numpy", "scipy", "pandas", "pyarrow", "seaborn", "matplotlib"]


def package_version(name: str) -> str:
    """Version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def measured_times(benchmarks: Path) -> dict[str, dict[str, float]]:
    """Jobs and seconds of each rule, from the files of Snakemake's benchmarks."""
    times: dict[str, dict[str, float]] = {}
    for file in sorted(benchmarks.rglob("*.tsv")):
        rule = file.relative_to(benchmarks).with_suffix("").parts[0]
        header, *rows = (line.split("\t") for line in file.read_text().splitlines())
        seconds = sum(float(row[header.index("s")]) for row in rows)
        entry = times.setdefault(rule, {"jobs": 0, "seconds": 0.0})
        entry["jobs"] += 1
        entry["seconds"] = round(entry["seconds"] + seconds, 1)
    return times


def record(config: dict[str, Any], benchmarks: Path) -> dict[str, Any]:
    """Everything that a reader needs to make the same results again.

    Parameters
    ----------
    config : dict
        The whole configuration.
    benchmarks : Path
        Folder of the benchmark files; those of jobs that ran elsewhere may be missing.
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
        "times": measured_times(benchmarks),
        "config": config,
    }


def write_provenance(config: dict[str, Any], path: str) -> None:
    """Write the record; benchmarks are looked for beside it."""
    content = record(config, Path(path).parent / "benchmarks")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    write_provenance(snakemake.params.config, snakemake.output[0])
