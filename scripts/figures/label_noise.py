"""Fronts with noise of labels, at a given and at the best learning rate."""

from string import ascii_lowercase

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.algorithms import columns_of_points, of_point, title_point
from plrf.draw.axes import legend_below, log_ticks, say_if_empty
from plrf.draw.curves import draw_line
from plrf.draw.palette import INK
from plrf.draw.style import panel_label, save, sequence_colors, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.algorithms import NOISE_FRONTS
from plrf.study.store import read_table

DASHES = {"given": (0, (4, 2)), "optimal": "-"}
LABELS = {"given": "given $c$", "optimal": "best $c$ at each budget"}
COLUMNS = {"loss": "best loss $P^*$", "eta": r"local exponent $\eta$", "c": "best $c$"}


def draw_column(ax: Axes, column: str, fronts: pd.DataFrame) -> None:
    """Draw one quantity of all fronts of a point against compute."""
    colors = sequence_colors(sorted(fronts["noise"].unique()))
    for (noise, rate), rows in fronts.groupby(["noise", "rate"]):
        rows = rows.sort_values("flops")
        look = {"color": colors[noise], "ls": DASHES[rate], "lw": 1.1}
        if column != "c" or rate == "optimal":
            draw_line(ax, rows["flops"], rows[column], **look)
    ax.set(xscale="log", yscale="linear" if column == "eta" else "log", ylabel=COLUMNS[column])


def draw(fronts: pd.DataFrame) -> Figure:
    """Draw a column for each point.

    Parameters
    ----------
    fronts : DataFrame
        Rows of the schema NOISE_FRONTS.
    """
    figure, grid, points = columns_of_points(fronts, 3, 6.0)
    for k, point in enumerate(points):
        for ax, column in zip(grid[:, k], COLUMNS, strict=True):
            draw_column(ax, column, of_point(fronts, point))
            say_if_empty(ax, "no minimum at any budget")
    letters = iter(ascii_lowercase)
    for ax, point in zip(grid[0], points, strict=True):
        title_point(ax, next(letters), *point)
    for row, title in ((1, "local exponents"), (2, "best learning rates")):
        for ax in grid[row]:
            panel_label(ax, next(letters), title)
    for ax in grid[-1]:
        ax.set_xlabel("compute $f$ (flops)")
    for ax in grid.flat:
        log_ticks(ax.xaxis)
    for ax in (*grid[0], *grid[2]):
        log_ticks(ax.yaxis)
    colors = sequence_colors(sorted(fronts["noise"].unique()))
    entries = {f"noise {x:g}": Line2D([], [], color=colors[x]) for x in colors}
    entries |= {LABELS[x]: Line2D([], [], color=INK, ls=DASHES[x]) for x in LABELS}
    legend_below(figure, entries, 6)
    return figure


def make_figure(fronts_path: str, paths: list[str]) -> None:
    """Read the table and write the figure."""
    with style():
        save(draw(read_table(fronts_path, NOISE_FRONTS)), paths, read_provenance(fronts_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.noise, list(snakemake.output))
