"""Measure the exponents of all points of a sweep: fronts, IsoFLOP losses, fits."""

import logging
from typing import Any

import pandas as pd

from plrf.measure.points import POINT, Fits, fit_point
from plrf.progress import track
from plrf.study.provenance import provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS, ISOFLOP
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_table, write_table
from plrf.theory.phases import phase_name


def fit_sweep(losses: pd.DataFrame, sweep: dict[str, Any], fits: dict[str, int], seed: int) -> Fits:
    """Fit all points of a sweep.

    Parameters
    ----------
    losses : DataFrame
        Rows of the LOSSES schema of the sweep.
    sweep : dict
        Its windows, v_over_d, c and batch.
    fits : dict
        The config's fits block.
    seed : int
        The config's seed.
    """
    parts = []
    points = losses.groupby(POINT)
    for (name, alpha, beta), curves in track(points, "fits of points", len(points)):
        parts.append(fit_point(curves, phase_name(alpha, beta), sweep, fits, seed))
        for row in parts[-1].exponents.query("window == 0").itertuples():
            logging.info(
                "%s %s %s %s: %s = %.4f +- %.4f (%s)",
                *(name, (alpha, beta), row.engine, row.method),
                *(row.quantity, row.estimate, row.std_error, row.status),
            )
    return Fits(*(pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True)))


def run_job(
    losses_paths: list[str],
    sweep: dict[str, Any],
    fits: dict[str, int],
    seed: int,
    paths: dict[str, str],
) -> None:
    """Fit all points and write the tables to ``paths``: exponents, fronts and isoflop."""
    losses = pd.concat(read_table(path, LOSSES) for path in sorted(losses_paths))
    results = fit_sweep(losses, sweep, fits, seed)
    source = provenance({"sweep": sweep, "fits": fits}, seed, sorted(losses_paths))
    for name, schema in (("fronts", FRONTS), ("isoflop", ISOFLOP), ("exponents", EXPONENTS)):
        write_table(getattr(results, name), schema, paths[name], source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        list(snakemake.input.losses),
        snakemake.params.sweep,
        snakemake.params.fits,
        snakemake.params.seed,
        dict(snakemake.output.items()),
    )
