"""Gather the trainings on all data sets into one table."""

import pandas as pd

from plrf.study.provenance import provenance
from plrf.study.schemas.data_training import TRAINING
from plrf.study.store import read_table, write_table


def join(files: list[str], path: str) -> None:
    """Concatenate the tables of all sets, in the order of the configuration."""
    rows = pd.concat([read_table(file, TRAINING) for file in files])
    write_table(rows, TRAINING, path, provenance({}, inputs=files))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    join(list(snakemake.input), snakemake.output[0])
