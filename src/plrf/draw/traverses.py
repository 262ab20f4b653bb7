"""Exponents along a traverse, at one alpha against beta: theory, exact fronts, measurements."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plrf.draw.axes import say
from plrf.draw.curves import draw_line
from plrf.draw.exponents import draw_estimates, theory_exponent, why_no_fit
from plrf.draw.palette import BLUE, INK
from plrf.engines.registry import DRAWN

MARGIN, LEAST_RANGE = 0.08, 1.0  # in beta
FINE = 600  # theory is drawn at so many values of beta


def traverse_range(betas: pd.Series, alpha: float) -> tuple[float, float]:
    """Range of beta around the measured ones, above the edge of the power law.

    Parameters
    ----------
    betas : Series of float
    alpha : float
        Data complexity.
    """
    low, high = betas.min() - MARGIN, betas.max() + MARGIN
    missing = max(0.0, LEAST_RANGE - (high - low)) / 2
    return max(low - missing, 0.5 - alpha), high + missing


def draw_theory(ax: Axes, quantity: str, fits: pd.DataFrame) -> None:
    """Draw the theory's exponent along a traverse, whose range the axis gets.

    Parameters
    ----------
    ax : Axes
    quantity : str
        "eta" or "xi".
    fits : DataFrame
        Rows of the EXPONENTS schema, of one alpha.
    """
    alpha = fits["alpha"].iloc[0]
    low, high = traverse_range(fits["beta"], alpha)
    beta = np.linspace(low, high, FINE)[1:]
    theory = theory_exponent(quantity, alpha, beta)
    ax.plot(beta, theory, color=INK, lw=1.2, label=r"theory, $f \to \infty$")
    ax.set_xlim(low, high)


def draw_exact(ax: Axes, beta: pd.Series, values: pd.Series, **look: Any) -> None:
    """Draw exponents of the exact front, if there are any.

    Parameters
    ----------
    ax : Axes
    beta, values : Series
        In the order of beta; NaN where there is none.
    **look
        As for ``Axes.plot``.
    """
    if values.notna().any():
        draw_line(ax, beta, values, color=BLUE, lw=0.9, **look)


def draw_measured(ax: Axes, fits: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Draw the exponents of SGD and Volterra losses with intervals; if all lack, say why.

    Parameters
    ----------
    ax : Axes
    fits : DataFrame
        Rows of the EXPONENTS schema: one alpha, quantity, method and window.
    labels : mapping
        Of the engines, for the legend.

    Returns
    -------
    DataFrame
        Rows whose fit was refused, which are not drawn.
    """
    measured = fits[fits["engine"].isin(DRAWN)].sort_values("beta")
    refused = measured["estimate"].isna()
    for engine in DRAWN:
        good = measured[(measured["engine"] == engine) & ~refused]
        if len(good):
            draw_estimates(ax, good, engine, labels[engine])
    if refused.all():
        say(ax, why_no_fit(measured))
    return measured[refused]
