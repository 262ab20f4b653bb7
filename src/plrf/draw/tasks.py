"""Measured tasks among the phases."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from plrf.data.sets import label_of
from plrf.draw.palette import BLUE, PURPLE, SKY, VERMILION
from plrf.draw.phases import draw_phases

# The part of the plane that is drawn, larger if points are beyond it.
ALPHA_RANGE, BETA_RANGE = (0.0, 1.5), (-1.0, 1.5)
MARGIN = 0.3
VAGUE = 0.5  # standard error of beta from which on a point does not enlarge it
CONFIDENCE = 2.4477  # radius of the 95% ellipse of two normals, in standard errors
COLORS, MARKERS = (BLUE, VERMILION, PURPLE, SKY), ("o", "s", "^", "D")


def draw_tasks(ax: Axes, exponents: pd.DataFrame) -> None:
    """Draw the points of all windows among the phases, the main ones with 95% ellipses.

    Parameters
    ----------
    ax : Axes
    exponents : DataFrame
        Rows of the schema TASK_EXPONENTS, of up to four sets.
    """
    windows = exponents[(exponents["kind"] == "window") & np.isfinite(exponents["beta"])]
    sure = windows[windows["beta_error"] < VAGUE]
    limits = []
    for name, given in (("alpha", ALPHA_RANGE), ("beta", BETA_RANGE)):
        values = sure[name]
        limits.append((min([given[0], *(values - MARGIN)]), max([given[1], *(values + MARGIN)])))
    draw_phases(ax, (0.0, limits[0][1]), limits[1], fill=True)
    for (name, rows), color, marker in zip(
        windows.groupby("set", sort=False), COLORS, MARKERS, strict=False
    ):
        look: dict[str, Any] = {
            "color": color,
            "marker": marker,
            "ls": "",
            "zorder": 7,
            "mec": "white",
            "mew": 0.6,
        }
        first, others = rows[rows["window"] == 0], rows[rows["window"] > 0]
        ax.plot(others["alpha"], others["beta"], ms=4, alpha=0.55, **look)
        ax.plot(first["alpha"], first["beta"], ms=5.5, label=label_of(name), **look)
        for row in first.itertuples():
            ax.add_patch(_ellipse(row, edgecolor=color, facecolor="none", lw=1.2, zorder=6))
    ax.text(0.03, limits[1][0] + 0.1, "no power law", size=7, color="#555555")
    ax.set(xlabel=r"data complexity $\alpha$", ylabel=r"target complexity $\beta$")


def _ellipse(row: Any, **look: Any) -> Ellipse:
    """The 95% ellipse of both exponents."""
    cross = row.correlation * row.alpha_error * row.beta_error
    covariance = np.array([[row.alpha_error**2, cross], [cross, row.beta_error**2]])
    values, vectors = np.linalg.eigh(covariance)
    width, height = 2 * CONFIDENCE * np.sqrt(values)
    angle = float(np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0])))
    return Ellipse((row.alpha, row.beta), width, height, angle=angle, **look)
