"""Measure the exponents of some points of a sweep: fronts, IsoFLOP losses, fits."""

import logging
from typing import Any

import pandas as pd

from plrf.measure.points import POINT, Fits, fit_point
from plrf.progress import track
from plrf.study.phases import phase_of
from plrf.study.provenance import provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS, ISOFLOP
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_table, write_table
from plrf.study.tasks import task_of


def read_points(paths: list[str], points: list[list[float]]) -> pd.DataFrame:
    """Losses of some points (alpha, beta), or of a spectrum from a file, the only point."""
    if points == [[None, None]]:
        return pd.concat(read_table(path, LOSSES) for path in sorted(paths))
    alphas, betas = map(set, zip(*points, strict=True))
    keep = [("alpha", "in", alphas), ("beta", "in", betas)]
    losses = pd.concat(read_table(path, LOSSES, keep) for path in sorted(paths))
    return losses.merge(pd.DataFrame(points, columns=["alpha", "beta"]))


def fit_points(
    losses: pd.DataFrame, sweep: dict[str, Any], fits: dict[str, int], seed: int
) -> Fits:
    """Fit some points of a sweep.

    Parameters
    ----------
    losses : DataFrame
        Rows of the LOSSES schema of these points.
    sweep : dict
        Its windows, v_over_d, c, batch, noise, schedule and momentum.
    fits : dict
        The config's fits block.
    seed : int
        The config's seed.
    """
    parts = []
    points = losses.groupby(POINT, dropna=False)
    for key, curves in track(points, "fits of points", len(points)):
        point = dict(zip(POINT, key, strict=True)) | {"noise": sweep["noise"]}
        parts.append(fit_point(curves, task_of(point), phase_of(point), sweep, fits, seed))
        for row in parts[-1].exponents.query("window == 0").itertuples():
            logging.info(
                "%s %s %s %s: %s = %.4f +- %.4f (%s)",
                *(key[0], key[1] or key[2:], row.engine, row.method),
                *(row.quantity, row.estimate, row.std_error, row.status),
            )
    return Fits(*(pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True)))


def run_job(
    losses_paths: list[str],
    points: list[list[float]],
    sweep: dict[str, Any],
    fits: dict[str, int],
    seed: int,
    paths: dict[str, str],
) -> None:
    """Fit points (alpha, beta) and write the tables to ``paths``: exponents, fronts and isoflop."""
    results = fit_points(read_points(losses_paths, points), sweep, fits, seed)
    what = {"points": points, "sweep": sweep, "fits": fits}
    source = provenance(what, seed, sorted(losses_paths))
    for name, schema in (("fronts", FRONTS), ("isoflop", ISOFLOP), ("exponents", EXPONENTS)):
        write_table(getattr(results, name), schema, paths[name], source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        list(snakemake.input.losses),
        snakemake.params.points,
        snakemake.params.sweep,
        snakemake.params.fits,
        snakemake.params.seed,
        dict(snakemake.output.items()),
    )
