"""Gather the parts of the plane of exponents into one table."""

from typing import Any

import pandas as pd

from plrf.study.provenance import provenance
from plrf.study.schemas.plane import PLANE
from plrf.study.store import read_table, write_table


def join(files: list[str], plane: dict[str, Any], path: str) -> None:
    """Concatenate the parts, sorted by point."""
    rows = pd.concat([read_table(file, PLANE) for file in files])
    write_table(rows.sort_values(["alpha", "beta"]), PLANE, path, provenance(plane, inputs=files))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    join(snakemake.input.parts, snakemake.params.plane, snakemake.output[0])
