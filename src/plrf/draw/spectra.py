"""A spectrum as the target sees it: mass per unit of the logarithm of the eigenvalue."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plrf.draw.palette import INK, SKY
from plrf.draw.style import TERM_COLORS, TERM_LABELS

ORDER = SAMPLED, ERROR, AVERAGED, PURE, CONTINUOUS = (
    "mean over sampled $W$",
    "its standard error",
    "resolvent, $W$ averaged out",
    f"as in {TERM_LABELS['F_pp']}",
    f"as in {TERM_LABELS['F_ac']}",
)
"""Labels of what is drawn, in the order of a legend."""

LOWEST = 1.05  # heights count from this times the lowest eigenvalue on


def draw_histogram(ax: Axes, bins: pd.DataFrame) -> None:
    """Draw the mean mass in each bin, with its standard error over W.

    Parameters
    ----------
    ax : Axes
    bins : DataFrame
        Rows of the SPECTRUM_HISTOGRAM schema, of one point.
    """
    edges = np.append(bins["x_low"], bins["x_high"].iloc[-1])
    width = np.log(bins["x_high"] / bins["x_low"])
    mass, error = bins["mass"] / width, bins["std_error"] / width
    ax.stairs(mass, edges, fill=True, color=SKY, alpha=0.45, lw=0, label=SAMPLED)
    centre, there = np.sqrt(bins["x_low"] * bins["x_high"]), mass > 0
    look: dict[str, Any] = {"fmt": "none", "ecolor": "0.5", "elinewidth": 0.6, "label": ERROR}
    ax.errorbar(centre[there], mass[there], error[there], **look)


def draw_density(ax: Axes, density: pd.DataFrame) -> None:
    """Draw the density of the resolvent, band by band.

    Parameters
    ----------
    ax : Axes
    density : DataFrame
        Rows of the SPECTRUM_DENSITY schema that converged, of one point.
    """
    for k, (_, rows) in enumerate(density.groupby("band")):
        label = AVERAGED if k == 0 else None
        ax.plot(rows["x"], rows["x"] * rows["mass_density"], color=INK, lw=1.0, label=label)


def draw_terms(ax: Axes, density: pd.DataFrame) -> None:
    """Draw what F_pp and F_ac take for the density; parameters as for `draw_density`."""
    terms = {
        "pure_points": (PURE, TERM_COLORS["F_pp"], (0, (4, 2))),
        "continuous": (CONTINUOUS, TERM_COLORS["F_ac"], (0, (2, 1))),
    }
    for column, (label, color, dashes) in terms.items():
        rows = density[density[column] > 0]
        if len(rows):
            line = rows["x"] * rows[column]
            ax.plot(rows["x"], line, color=color, lw=1.2, ls=dashes, label=label)


def height_range(bins: pd.DataFrame, density: pd.DataFrame) -> tuple[float, float]:
    """Lowest and highest mass per unit of log x; the lowest next to the end of the spectrum.

    Parameters
    ----------
    bins, density : DataFrame
        As for `draw_histogram` and `draw_density`.
    """
    curve = density["x"] * density["mass_density"]
    heights = np.append(bins["mass"] / np.log(bins["x_high"] / bins["x_low"]), curve)
    lowest = 0.0
    if len(density):
        lowest = np.interp(LOWEST * density["x"].min(), density["x"], curve)
    return lowest or heights[heights > 0].min(), heights.max()
