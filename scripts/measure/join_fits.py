"""Join the fits of all sweeps to the tables of exponents, fronts and IsoFLOP losses."""

from itertools import chain

from plrf.study.provenance import provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS, ISOFLOP
from plrf.study.store import read_batches, write_batches

SCHEMAS = {"exponents": EXPONENTS, "fronts": FRONTS, "isoflop": ISOFLOP}


def join_fits(files: dict[str, list[str]], seed: int, paths: dict[str, str]) -> None:
    """Write each table, its parts in the order of their names.

    Parameters
    ----------
    files : dict
        Files of all sweeps, by the name of the table; none if no sweep has windows.
    seed : int
        The config's seed.
    paths : dict
        Where the tables go, by their names.
    """
    for name, schema in SCHEMAS.items():
        parts = sorted(files.get(name, []))
        batches = chain.from_iterable(read_batches(file, schema) for file in parts)
        write_batches(batches, schema, paths[name], provenance({}, seed, parts))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    files = {name: list(paths) for name, paths in snakemake.input.items()}
    join_fits(files, snakemake.params.seed, dict(snakemake.output.items()))
