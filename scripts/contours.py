"""Contours around a spectrum: the paper's Gamma, and those of this project's solver."""

import numpy as np
import pandas as pd

from plrf import volterra
from plrf.model import learning_rate
from plrf.study.provenance import provenance
from plrf.study.schemas.spectra import CONTOURS, EIGENVALUES
from plrf.study.store import read_table, write_table

NODES = 201  # of each piece of Gamma
MARGIN = 2.0  # between the spectrum and the ends of Gamma_C, and between those and Gamma_0


def gamma_height(u: np.ndarray, alpha: float, d: float) -> np.ndarray:
    """Height of Gamma_C above the real axis at u: this project's choice, with the paper's scales.

    Above ``d**-alpha`` it is the distance of neighbouring ``a_j``, which keeps the contour away
    from distinct outliers; below, the imaginary part of the effective ridge, within which the
    spectrum looks continuous. The two are equal at ``d**-alpha``.
    """
    return np.maximum(u ** (1 + 1 / (2 * alpha)), u ** (1 - 1 / (2 * alpha)) / d)


def gamma(eigenvalues: np.ndarray, alpha: float, d: float) -> dict[str, np.ndarray]:
    """Pieces of the contour Gamma around nonzero eigenvalues, counterclockwise.

    Gamma_C runs above and below the spectrum, Gamma_caps closes it at both ends, and Gamma_0 is a
    circle around 0, where the mass of the d missing directions sits.
    """
    left, right = eigenvalues.min() / MARGIN, eigenvalues.max() * MARGIN
    u = np.geomspace(left, right, NODES)
    lower = u - 1j * gamma_height(u, alpha, d)
    height = np.linspace(-1, 1, NODES)
    ends = 1j * gamma_height(np.array([left, right]), alpha, d)
    circle = left / MARGIN * np.exp(1j * np.linspace(0, 2 * np.pi, NODES))
    return {
        "Gamma_C, below": lower,
        "Gamma_caps, right": right + ends[1] * height,
        "Gamma_C, above": lower[::-1].conj(),
        "Gamma_caps, left": left - ends[0] * height,
        "Gamma_0": circle,
    }


def solver_contours(rate: float, last_step: float) -> list[tuple[str, float, float, np.ndarray]]:
    """Nodes z- of the solver's contours: name, first and last step, upper half (model section 5).

    The circle serves the first steps, then each decade of steps has a hyperbola; batch 1.
    """
    first = float(volterra.FIRST_HYPERBOLA)
    contours = [("circle", 0.0, first - 1, volterra.circle(volterra.CIRCLE_NODES[0]))]
    shape, _ = volterra.hyperbola(volterra.HYPERBOLA_NODES[0], volterra.DECADE_SHAPE)
    while first < last_step:
        end = first * volterra.DECADE
        contours.append(("hyperbola", first, end - 1, shape / end))
        first = end
    return [(*head, volterra.spectral_parameters(p, rate, 1)[0]) for *head, p in contours]


def contour_table(eigenvalues: pd.DataFrame, c: float) -> pd.DataFrame:
    """All contours of one point, as rows of the CONTOURS schema."""
    alpha, beta, d, v = eigenvalues[["alpha", "beta", "d", "v"]].iloc[0]
    rate = learning_rate(c, alpha, v, 1)
    lam = eigenvalues["eigenvalue"].to_numpy()
    # By then the slowest mode has decayed.
    last_step = 1 / (rate * lam.min())
    pieces = [(name, np.nan, np.nan, np.nan, z) for name, z in gamma(lam, alpha, d).items()]
    pieces += [
        (name, rate, first, last, z) for name, first, last, z in solver_contours(rate, last_step)
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
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.input.eigenvalues,
        snakemake.params.point,
        snakemake.params.c,
        snakemake.params.seed,
        snakemake.output[0],
    )
