"""Spectral densities from the resolvent, W averaged out, and their leading forms."""

import numpy as np
import pandas as pd

from plrf.exact.density import spectral_density
from plrf.study.provenance import provenance
from plrf.study.schemas.spectra import SPECTRUM_DENSITY
from plrf.study.store import write_table
from plrf.theory.parts import continuous_density, pure_point_density


def densities(alpha: float, beta: float, d: int, v: int) -> pd.DataFrame:
    """Density of the nonzero spectrum of one point, as rows of the SPECTRUM_DENSITY schema."""
    spectrum = spectral_density(alpha, beta, d, v)
    return pd.DataFrame(
        {
            "alpha": alpha,
            "beta": beta,
            "d": d,
            "v": v,
            "band": np.searchsorted(spectrum.bands[:, 0], spectrum.x) - 1,
            "x": spectrum.x,
            "weight": spectrum.weights,
            "density": spectrum.density,
            "mass_density": spectrum.weighted,
            "pure_points": pure_point_density(spectrum.x, alpha=alpha, beta=beta),
            "continuous": continuous_density(spectrum.x, alpha=alpha, beta=beta, d=d, v=v),
            "status": np.where(spectrum.converged, "ok", "not converged"),
        }
    )


def run_job(points: list[list[float]], d: int, v: int, path: str) -> None:
    """Compute the densities of all points [alpha, beta] and write them."""
    tables = [densities(alpha, beta, d, v) for alpha, beta in points]
    write_table(
        pd.concat(tables),
        SPECTRUM_DENSITY,
        path,
        provenance({"points": points, "d": d, "v": v}),
    )


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.params.points,
        snakemake.params.d,
        snakemake.params.v,
        snakemake.output[0],
    )
