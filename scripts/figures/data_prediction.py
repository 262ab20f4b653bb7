"""SGD on random features of real samples beside its prediction from moments, and their ratio."""

from string import ascii_lowercase
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.data.sets import label_of
from plrf.draw.axes import legend_below, log_ticks, say_if_empty, some
from plrf.draw.curves import draw_line
from plrf.draw.palette import BLUE, INK, VERMILION
from plrf.draw.style import WIDTH, panel_label, save, sequence_colors, style, tint
from plrf.study.provenance import read_provenance
from plrf.study.schemas.data_training import TRAINING
from plrf.study.store import read_table

MOST_SIZES = 3  # more curves could not be told apart
DASHES = ("-", (0, (4, 2)), (0, (1, 1)))  # of learning rates
FILLS = ("full", "none", "none")
# What is compared with the measured loss, by the column of its ratio.
KINDS = {
    "ratio": (VERMILION, "s", "Gaussian prediction"),
    "corrected_ratio": (BLUE, "o", "with fourth moments"),
}


def draw_losses(ax: Axes, table: pd.DataFrame, colors: dict[float, Any]) -> None:
    """Draw measured losses as points and predicted ones as lines, against the step."""
    for k, (_, of_rate) in enumerate(table.groupby("c")):
        for d, rows in of_rate.groupby("d"):
            look = {"color": colors[d], "ls": DASHES[k], "lw": 0.8}
            draw_line(ax, rows["step"], rows["predicted"], **look)
            points = {"color": colors[d], "fillstyle": FILLS[k], "mew": 0.7, "elinewidth": 0.7}
            ax.errorbar(rows["step"], rows["loss"], rows["loss_error"], fmt="o", ms=2.5, **points)
    ax.set(xscale="log", yscale="log")


def draw_ratios(ax: Axes, table: pd.DataFrame) -> None:
    """Draw measured over predicted losses of one learning rate; stronger for larger sizes."""
    ax.axhline(1, color=INK, lw=0.7)
    sizes = sorted(table["d"].unique())
    for kind, (color, marker, _) in KINDS.items():
        for k, d in enumerate(sizes, 1):
            rows = table[table["d"] == d]
            shade = tint(color, 0.25 + 0.75 * k / len(sizes))
            look = {"color": shade, "fmt": f"-{marker}", "ms": 2.2, "lw": 0.7, "elinewidth": 0.6}
            ax.errorbar(rows["step"], rows[kind], rows[f"{kind}_error"], **look)
    ax.set(xscale="log", yscale="log")


def draw(tables: list[pd.DataFrame]) -> Figure:
    """Draw a column for each data set.

    Parameters
    ----------
    tables : list of DataFrame
        Rows of the schema TRAINING, one table for each data set.
    """
    import matplotlib.pyplot as plt

    rates = sorted(pd.concat(tables)["c"].unique())
    grid: Any
    size = (WIDTH, 2.6 + 1.7 * len(rates))
    heights = [1.5, *[1] * len(rates)]
    figure, grid = plt.subplots(
        len(heights), len(tables), figsize=size, squeeze=False, height_ratios=heights, sharex="col"
    )
    letters = iter(ascii_lowercase)
    for column, table in zip(grid.T, tables, strict=True):
        sizes = some(sorted(table["d"].unique()), MOST_SIZES)
        shown = table[table["d"].isin(sizes) & (table["step"] > 0)]
        colors = sequence_colors(sizes)
        draw_losses(column[0], shown, colors)
        handles = [Line2D([], [], color=colors[d], label=f"$d = {d}$") for d in sizes]
        column[0].legend(handles=handles, loc="lower left", handlelength=1)
        for ax, c in zip(column[1:], rates, strict=True):
            draw_ratios(ax, shown[shown["c"] == c])
    for ax, table in zip(grid[0], tables, strict=True):
        panel_label(ax, next(letters), label_of(table["set"].iloc[0]))
    for row, c in zip(grid[1:], rates, strict=True):
        for ax in row:
            panel_label(ax, next(letters), f"$c = {c:g}$")
            say_if_empty(ax, "diverges")
        row[0].set_ylabel("measured / predicted")
    grid[0, 0].set_ylabel("loss")
    for ax in grid[-1]:
        ax.set_xlabel("step")
    for ax in grid.flat:
        log_ticks(ax.xaxis)
        log_ticks(ax.yaxis)
    entries = {}
    for c, dash, fill in zip(rates, DASHES, FILLS, strict=False):
        look = {"color": INK, "ls": dash, "marker": "o", "ms": 3, "fillstyle": fill}
        entries[f"losses at $c = {c:g}$"] = Line2D([], [], **look)
    for color, marker, label in KINDS.values():
        entries[label] = Line2D([], [], color=color, marker=marker, ms=3, lw=0.8)
    legend_below(figure, entries, 4, handlelength=2.8)
    return figure


def make_figure(training_path: str, paths: list[str]) -> None:
    """Read the trainings on all data sets and write the figure."""
    tables = [rows for _, rows in read_table(training_path, TRAINING).groupby("set", sort=False)]
    with style():
        save(draw(tables), paths, read_provenance(training_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.training, list(snakemake.output))
