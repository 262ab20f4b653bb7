"""Gather the losses of all jobs into one table."""

from typing import Any

import pandas as pd

from plrf.tables import LOSSES, provenance, read_table, write_table

ORDER = ["sweep", "alpha", "beta", "d", "engine", "run", "step"]


def aggregate(files: list[str], config: dict[str, Any], path: str) -> None:
    """Concatenate tables of losses, sorted, so that the order of files does not matter."""
    losses = pd.concat([read_table(file, LOSSES) for file in files])
    write_table(losses.sort_values(ORDER), LOSSES, path, provenance(config, config["seed"]))


if __name__ == "__main__":
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    aggregate(snakemake.input.losses, snakemake.params.config, snakemake.output[0])
