"""Values over the (alpha, beta) plane as maps: one cell per point."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap, Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from plrf.draw.exponents import theory_exponent
from plrf.draw.palette import INK
from plrf.draw.phases import draw_phases
from plrf.statuses import DIVERGES, NOT_CONVERGED

FINE = 600  # theory is drawn at so many values of alpha and of beta
NOTHING = "#DDDDDD"  # where there is no value

MARKS = {DIVERGES: "+", NOT_CONVERGED: "x"}  # of points that are grey for these reasons


def matrix(plane: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Values over the plane as a matrix.

    Parameters
    ----------
    plane : DataFrame
        Columns alpha and beta: every pair of theirs once.
    values : Series
        Of the same rows.

    Returns
    -------
    DataFrame
        One row per beta, one column per alpha.
    """
    return plane.assign(values=values).pivot(index="beta", columns="alpha", values="values")


def finite(values: pd.DataFrame) -> NDArray[np.float64]:
    """The values that there are."""
    there: NDArray[np.float64] = values.to_numpy()[np.isfinite(values)]
    return there


def edges(centres: pd.Index) -> NDArray[np.float64]:
    """Edges of the cells around evenly spaced centres."""
    half = (centres[1] - centres[0]) / 2
    return np.append(centres - half, centres[-1] + half)


def fine_theory(quantity: str, values: pd.DataFrame) -> pd.DataFrame:
    """Theory over the same part of the plane, so fine that the phase boundaries are sharp.

    Parameters
    ----------
    quantity : str
        "eta" or "xi".
    values : DataFrame
        From `matrix`.
    """
    alpha, beta = (
        (line[1:] + line[:-1]) / 2
        for line in (
            np.linspace(edges(index)[0], edges(index)[-1], FINE + 1)
            for index in (values.columns, values.index)
        )
    )
    return pd.DataFrame(theory_exponent(quantity, alpha, beta[:, None]), index=beta, columns=alpha)


def draw_map(
    ax: Axes, values: pd.DataFrame, norm: Normalize, cmap: Colormap, **phases: Any
) -> QuadMesh:
    """Draw one cell per point, grey where there is no value, and the phases over them.

    Parameters
    ----------
    ax : Axes
    values : DataFrame
        From `matrix`.
    norm : Normalize
    cmap : Colormap
    **phases
        As for `plrf.draw.phases.draw_phases`.
    """
    ax.set_facecolor(NOTHING)
    alpha, beta = edges(values.columns), edges(values.index)
    cells = ax.pcolormesh(alpha, beta, values.to_numpy(), norm=norm, cmap=cmap, rasterized=True)
    draw_phases(ax, (alpha[0], alpha[-1]), (beta[0], beta[-1]), **phases)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    return cells


def mark_failures(ax: Axes, plane: pd.DataFrame) -> None:
    """Mark the points that are grey for another reason than the want of a minimum.

    Parameters
    ----------
    ax : Axes
    plane : DataFrame
        Rows of the PLANE schema.
    """
    for status, mark in MARKS.items():
        points = plane[plane["status"] == status]
        if len(points):
            ax.plot(points["alpha"], points["beta"], mark, color=INK, ms=3, label=status)
            ax.legend(loc="best", frameon=True)
