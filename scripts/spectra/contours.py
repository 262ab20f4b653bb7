"""Contours around a spectrum: the paper's Gamma, and those of this project's solver."""

import numpy as np
import pandas as pd

from plrf.exact.contours import gamma, solver_contours
from plrf.scaling import learning_rate
from plrf.study.provenance import provenance
from plrf.study.schemas.spectra import CONTOURS, EIGENVALUES
from plrf.study.store import read_table, write_table
from plrf.training import SGD


def contour_table(eigenvalues: pd.DataFrame, c: float) -> pd.DataFrame:
    """All contours of one point, as rows of the CONTOURS schema."""
    alpha, beta, d, v = eigenvalues[["alpha", "beta", "d", "v"]].iloc[0]
    sgd = SGD(learning_rate(c, alpha, v, 1))
    lam = eigenvalues["eigenvalue"].to_numpy()
    # By then the slowest mode has decayed.
    last_step = 1 / (sgd.learning_rate * lam.min())
    pieces = [(name, np.nan, np.nan, np.nan, z) for name, z in gamma(lam, alpha, d).items()]
    pieces += [
        (name, sgd.learning_rate, first, last, z)
        for name, first, last, z in solver_contours(sgd, last_step)
    ]
    return pd.concat(
        pd.DataFrame(
            {
                "alpha": alpha,
                "beta": beta,
                "d": int(d),
                "v": int(v),
                "contour": name,
                "learning_rate": rate,
                "first_step": first,
                "last_step": last,
                "node": np.arange(z.size),
                "real": z.real,
                "imag": z.imag,
            }
        )
        for name, rate, first, last, z in pieces
    )


def run_job(eigenvalues_path: str, point: list[float], c: float, seed: int, path: str) -> None:
    """Compute the contours around the sampled spectrum of a point [alpha, beta]."""
    keep = [("alpha", "=", point[0]), ("beta", "=", point[1])]
    eigenvalues = read_table(eigenvalues_path, EIGENVALUES, keep)
    source = provenance({"point": point, "c": c}, seed, [eigenvalues_path])
    write_table(contour_table(eigenvalues, c), CONTOURS, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.input.eigenvalues,
        snakemake.params.point,
        snakemake.params.c,
        snakemake.params.seed,
        snakemake.output[0],
    )
