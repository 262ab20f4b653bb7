"""Gather the measured tasks of all data sets into three tables."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plrf.study.provenance import provenance
from plrf.study.schemas.data import SPECTRA, TASK_EXPONENTS, TASKS
from plrf.study.store import read_table, write_table

SCHEMAS = {"spectra": SPECTRA, "tasks": TASKS, "exponents": TASK_EXPONENTS}


def join(files: Mapping[str, list[str]], config: Mapping[str, Any], paths: dict[str, str]) -> None:
    """Concatenate the tables of all sets, in the order of the configuration."""
    for name, schema in SCHEMAS.items():
        rows = pd.concat([read_table(file, schema) for file in files[name]])
        write_table(rows, schema, paths[name], provenance(config, inputs=files[name]))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    join(snakemake.input, snakemake.params.config, dict(snakemake.output.items()))
