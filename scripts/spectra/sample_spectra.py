"""Spectra of random W as seen by the target: a histogram over many, and the first in full."""

import logging
from typing import Any

import numpy as np
import pandas as pd

from plrf.engines.reduction import Reduction, reduce
from plrf.progress import track
from plrf.streams import random_stream
from plrf.study.provenance import provenance
from plrf.study.schemas.spectra import EIGENVALUES, SPECTRUM_HISTOGRAM
from plrf.study.store import write_table
from plrf.task import PowerLawTask


def sample(
    alpha: float, betas: list[float], d: int, v: int, samples: int, seed: int
) -> list[list[Reduction]]:
    """Reductions by sample and beta; the targets share W."""
    numbers = track(range(samples), f"reductions of W, alpha={alpha}", samples)
    streams = (random_stream(seed, "spectra", alpha, d, v, k) for k in numbers)
    tasks = [PowerLawTask(alpha, beta) for beta in betas]
    reductions = [reduce(stream, tasks, d, v) for stream in streams]
    logging.info("reduced %d W at alpha=%s", samples, alpha)
    return reductions


def histogram(reductions: list[Reduction]) -> pd.DataFrame:
    """Mean number and mass of the nonzero eigenvalues in logarithmic bins.

    A bin has the relative width ``d**-1/2``, the standard deviation of an outlier in the averaged
    resolvent. The standard error is over samples: the eigenvalues of one W are not independent.
    """
    per_decade = np.ceil(1 / np.log10(1 + reductions[0].eigenvalues.size ** -0.5))
    positive = np.concatenate([r.eigenvalues[r.eigenvalues > 0] for r in reductions])
    low, high = np.log10([positive.min(), positive.max()]) * per_decade
    edges = 10 ** (np.arange(np.floor(low), np.ceil(high) + 1) / per_decade)
    counts, masses = (
        np.array([np.histogram(r.eigenvalues, edges, weights=w)[0] for r, w in pairs])
        for pairs in (
            [(r, None) for r in reductions],
            [(r, np.square(r.coefficients)) for r in reductions],
        )
    )
    return pd.DataFrame(
        {
            "samples": len(reductions),
            "x_low": edges[:-1],
            "x_high": edges[1:],
            "count": counts.mean(axis=0),
            "mass": masses.mean(axis=0),
            "std_error": masses.std(axis=0, ddof=1) / np.sqrt(len(reductions)),
        }
    )


def spectrum(reduction: Reduction) -> pd.DataFrame:
    """Nonzero eigenvalues of one W, and the target's mass on each."""
    rows = {"eigenvalue": reduction.eigenvalues, "mass": np.square(reduction.coefficients)}
    return pd.DataFrame({"sample": 0, **rows}).query("eigenvalue > 0")


def run_job(
    points: list[list[float]],
    d: int,
    v: int,
    samples: int,
    seed: int,
    histogram_path: str,
    eigenvalues_path: str,
) -> None:
    """Sample W for each alpha, and write both tables.

    Parameters
    ----------
    points : list of [alpha, beta]
    d, v : int
        Numbers of parameters and features.
    samples : int
        Number of W for each alpha, at least 2.
    seed : int
        The config's seed.
    histogram_path, eigenvalues_path : str
        Outputs.
    """
    histograms, spectra = [], []
    for alpha in dict.fromkeys(alpha for alpha, _ in points):
        betas = [beta for a, beta in points if a == alpha]
        reductions = sample(alpha, betas, d, v, samples, seed)
        for k, beta in enumerate(betas):
            point: dict[str, Any] = {"alpha": alpha, "beta": beta, "d": d, "v": v}
            histograms.append(histogram([row[k] for row in reductions]).assign(**point))
            spectra.append(spectrum(reductions[0][k]).assign(**point))
    source = provenance({"points": points, "d": d, "v": v, "samples": samples}, seed)
    write_table(pd.concat(histograms), SPECTRUM_HISTOGRAM, histogram_path, source)
    write_table(pd.concat(spectra), EIGENVALUES, eigenvalues_path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.params.points,
        snakemake.params.d,
        snakemake.params.v,
        snakemake.params.samples,
        snakemake.params.seed,
        snakemake.output.histogram,
        snakemake.output.eigenvalues,
    )
