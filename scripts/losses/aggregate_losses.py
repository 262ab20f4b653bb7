"""Gather the losses of all jobs into one table."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from plrf.progress import track
from plrf.study.provenance import provenance
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_batches, write_batches


def aggregate(files: Iterable[str], config: dict[str, Any], path: str) -> None:
    """Concatenate tables of losses in the order of their names, whatever order they come in.

    Rows pass through in batches, so that memory does not grow with the length of the table.
    """
    files = sorted(files)
    source = provenance(config, config["seed"], files)
    tables = (read_batches(file, LOSSES) for file in track(files, "tables", len(files)))
    batches = chain.from_iterable(tables)
    write_batches(batches, LOSSES, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    aggregate(snakemake.input.losses, snakemake.params.config, snakemake.output[0])
