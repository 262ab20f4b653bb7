"""Gather the parts of a table of the atlas."""

from typing import Any

import pandas as pd

from plrf.study.provenance import provenance
from plrf.study.schemas.atlas import TABLES
from plrf.study.store import read_table, write_table


def join(files: list[str], kind: str, settings: dict[str, Any], path: str) -> None:
    """Concatenate the parts, sorted by point; within one rows stay in their order."""
    rows = pd.concat([read_table(file, TABLES[kind]) for file in files])
    rows = rows.sort_values(["alpha", "beta"], kind="stable")
    write_table(rows, TABLES[kind], path, provenance(settings, inputs=files))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    join(
        snakemake.input.parts,
        snakemake.params.kind,
        snakemake.params.settings,
        snakemake.output[0],
    )
