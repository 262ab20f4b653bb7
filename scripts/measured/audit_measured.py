"""What each method would report on known surfaces, at the runs of a table of measured losses."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plrf.files import digest, read_file
from plrf.fitting.audit_losses import audit_losses
from plrf.fitting.groups import Group
from plrf.fitting.runs import read_runs
from plrf.study.provenance import provenance
from plrf.study.schemas.measured import AUDIT
from plrf.study.store import write_table


def run_job(
    file: str, columns: Mapping[str, Any], tolerance: float, neighbours: int, path: str
) -> None:
    """Audit all methods and write what they report.

    Parameters
    ----------
    file : str
        CSV or Parquet file of the losses.
    columns : mapping
        Arguments of `plrf.fitting.runs.read_runs`.
    tolerance : float
        Largest ratio of the flops of runs that share a budget.
    neighbours : int
        Sizes on each side of the lowest loss that a parabola is fitted to.
    path : str
        The output.
    """
    runs = read_runs(read_file(file), **columns)
    groups = [Group.of(rows, tolerance) for _, rows in runs.groupby("group")]
    rows = audit_losses(pd.concat([group.runs for group in groups]), neighbours=neighbours)
    settings = {**columns, "tolerance": tolerance, "neighbours": neighbours}
    source = {"file": file, "sha256": digest(file)}
    write_table(rows, AUDIT, path, provenance(source | settings))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.input.losses,
        snakemake.params.columns,
        snakemake.params.tolerance,
        snakemake.params.neighbours,
        snakemake.output[0],
    )
