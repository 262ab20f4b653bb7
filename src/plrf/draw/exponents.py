"""Exponents of the front: how they are written, and drawn with their 95% intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from plrf.engines.registry import ENGINES
from plrf.theory.phases import exponents

SYMBOLS = {"eta": r"\eta", "xi": r"\xi"}
LAWS = {"eta": r"P^* \propto f^{-\eta}", "xi": r"d^* \propto f^{\xi}"}


def theory_exponent(quantity: str, alpha: ArrayLike, beta: ArrayLike) -> NDArray[np.float64]:
    """Exponent of the asymptotic theory, by name.

    Parameters
    ----------
    quantity : str
        "eta" or "xi".
    alpha, beta : array_like of float
        As for `plrf.theory.phases.exponents`.
    """
    return dict(zip(SYMBOLS, exponents(alpha, beta), strict=True))[quantity]


def draw_estimates(ax: Axes, fits: pd.DataFrame, engine: str, label: str) -> None:
    """Draw measured exponents of one engine against beta, with their 95% intervals.

    Parameters
    ----------
    ax : Axes
    fits : DataFrame
        Rows of the EXPONENTS schema that are not refused.
    engine : str
        Its symbols are filled if it is stochastic.
    label : str
        For the legend.
    """
    look = ENGINES[engine]
    ax.errorbar(
        fits["beta"],
        fits["estimate"],
        yerr=np.abs(fits[["ci_low", "ci_high"]].sub(fits["estimate"], axis=0)).T,
        fmt=look.marker,
        color=look.color,
        mfc=look.color if look.stochastic else "none",
        ms=4,
        lw=0.9,
        capsize=2,
        label=label,
        zorder=4,
    )


def why_no_fit(fits: pd.DataFrame) -> str:
    """What to say where all fits of SGD and Volterra losses (schema EXPONENTS) were refused."""
    return "no losses of SGD or Volterra" if fits.empty else str(fits["status"].mode()[0])
