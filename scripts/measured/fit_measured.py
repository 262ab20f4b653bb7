"""Scaling laws fitted to a table of measured losses."""

import logging
from collections.abc import Mapping
from typing import Any

from plrf.files import digest, read_file
from plrf.fitting.fit import fit_losses
from plrf.study.provenance import provenance
from plrf.study.schemas import measured as schemas
from plrf.study.store import write_table


def run_job(file: str, settings: Mapping[str, Any], seed: int, paths: Mapping[str, str]) -> None:
    """Fit a table and write what was found.

    Parameters
    ----------
    file : str
        CSV or Parquet file of the losses.
    settings : mapping
        Names of columns, and options of `plrf.fit_losses`.
    seed : int
        Of the resamples.
    paths : mapping
        Outputs, by the name of their table.
    """
    fits = fit_losses(read_file(file), **settings, random_seed=seed)
    logging.info("%s", fits.runs["status"].value_counts().to_dict())
    made_from = provenance({"file": file, "sha256": digest(file), **settings}, seed)
    for name, path in paths.items():
        write_table(getattr(fits, name), getattr(schemas, name.upper()), path, made_from)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.input.losses,
        snakemake.params.settings,
        snakemake.params.seed,
        dict(snakemake.output.items()),
    )
