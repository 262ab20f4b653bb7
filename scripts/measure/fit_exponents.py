"""Measure the exponents of all points whose sweep has windows: fronts, IsoFLOP losses, fits."""

import logging
from typing import Any

import pandas as pd

from plrf.measure.points import POINT, Fits, fit_point
from plrf.progress import track
from plrf.study.provenance import provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS, ISOFLOP
from plrf.study.schemas.grid import GRID
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_table, write_table


def fit_all(
    grid: pd.DataFrame,
    losses: pd.DataFrame,
    sweeps: dict[str, dict[str, Any]],
    fits: dict[str, int],
    seed: int,
) -> Fits:
    """Fit all points of the sweeps that have windows."""
    phases = grid.set_index(POINT)["phase"].to_dict()
    parts = []
    points = losses[losses["sweep"].isin(sweeps)].groupby(POINT)
    for key, curves in track(points, "fits of points", len(points)):
        parts.append(fit_point(curves, phases[key], sweeps[key[0]], fits, seed))
        for row in parts[-1].exponents.query("window == 0").itertuples():
            logging.info(
                "%s %s %s %s: %s = %.4f +- %.4f (%s)",
                *(key[0], key[1:], row.engine, row.method),
                *(row.quantity, row.estimate, row.std_error, row.status),
            )
    if not parts:
        return Fits(*(schema.empty_table().to_pandas() for schema in (EXPONENTS, FRONTS, ISOFLOP)))
    return Fits(*(pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True)))


def run_job(
    grid_path: str,
    losses_path: str,
    sweeps: dict[str, dict[str, Any]],
    fits: dict[str, int],
    seed: int,
    paths: dict[str, str],
) -> None:
    """Fit all points and write the tables to ``paths``: exponents, fronts and isoflop."""
    results = fit_all(
        read_table(grid_path, GRID), read_table(losses_path, LOSSES), sweeps, fits, seed
    )
    source = provenance({"sweeps": sweeps, "fits": fits}, seed, [grid_path, losses_path])
    for name, schema in (("fronts", FRONTS), ("isoflop", ISOFLOP), ("exponents", EXPONENTS)):
        write_table(getattr(results, name), schema, paths[name], source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.input.grid,
        snakemake.input.losses,
        snakemake.params.sweeps,
        snakemake.params.fits,
        snakemake.params.seed,
        dict(snakemake.output.items()),
    )
