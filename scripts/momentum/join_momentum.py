"""Gather fronts with momentum into one table."""

from typing import Any

import pandas as pd

from plrf.study.provenance import provenance
from plrf.study.schemas.momentum import MOMENTUM_FRONTS
from plrf.study.store import read_table, write_table


def join(files: list[str], settings: dict[str, Any], path: str) -> None:
    """Concatenate the parts, in their order."""
    rows = pd.concat([read_table(file, MOMENTUM_FRONTS) for file in files])
    write_table(rows, MOMENTUM_FRONTS, path, provenance(settings, inputs=files))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    join(snakemake.input.parts, snakemake.params.settings, snakemake.output[0])
