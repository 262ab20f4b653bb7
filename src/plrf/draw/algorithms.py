"""What figures of training algorithms share: colours and names of schedules, titles of points."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.palette import BLUE, INK, PURPLE, SKY, VERMILION
from plrf.draw.style import WIDTH, panel_label
from plrf.theory.phases import phase_name

# By the name that a schedule's text begins with.
COLORS = {
    "free": INK,
    "constant": "#888888",
    "warmup": PURPLE,
    "power": "#E69F00",
    "polynomial": "#009E73",
    "cosine": VERMILION,
    "wsd": BLUE,
    "batch_growth": SKY,
}
LABELS = {
    "free": "best of all",
    "constant": "constant",
    "power": "power decay",
    "polynomial": "polynomial decay",
    "cosine": "cosine",
    "wsd": "stable, then decay",
}


def schedule_color(text: str) -> str:
    """Colour of a schedule by its text."""
    return COLORS[text.partition("(")[0]]


Points = list[tuple[float, float]]


def columns_of_points(table: pd.DataFrame, rows: int, height: float) -> tuple[Figure, Any, Points]:
    """Figure with a column for each point of a table.

    Parameters
    ----------
    table : DataFrame
        With the columns alpha and beta.
    rows : int
        Of the figure.
    height : float
        Of the figure, inches.

    Returns
    -------
    figure : Figure
    grid : array of Axes, shape (rows, points)
    points : list of (alpha, beta)
    """
    import matplotlib.pyplot as plt

    points = list(table[["alpha", "beta"]].drop_duplicates().itertuples(index=False, name=None))
    size = (WIDTH, height)
    return *plt.subplots(rows, len(points), figsize=size, squeeze=False), points


def of_point(table: pd.DataFrame, point: tuple[float, float]) -> pd.DataFrame:
    """Rows of a table at one point."""
    return table[(table["alpha"] == point[0]) & (table["beta"] == point[1])]


def title_point(ax: Axes, letter: str, alpha: float, beta: float, short: bool = False) -> None:
    """Title a panel by its point and phase; the point as a pair where there is little room."""
    point = f"$\\alpha = {alpha:g}$, $\\beta = {beta:g}$"
    if short:
        point = f"$({alpha:g}, {beta:g})$"
    panel_label(ax, letter, f"{phase_name(alpha, beta)}: {point}")
