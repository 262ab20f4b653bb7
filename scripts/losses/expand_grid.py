"""Write the expanded grid table: one row per point and size."""

from typing import Any

from plrf.study.grid import expand
from plrf.study.provenance import provenance
from plrf.study.schemas.grid import GRID
from plrf.study.store import write_table


def expand_grid(config: dict[str, Any], path: str) -> None:
    """Expand the sweeps of the configuration (seed and sweeps) into a table."""
    write_table(expand(config), GRID, path, provenance(config, config["seed"]))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    expand_grid(snakemake.params.config, snakemake.output[0])
