"""Losses against the batch at fixed compute, and critical batches over compute."""

from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.algorithms import columns_of_points, of_point, title_point
from plrf.draw.axes import legend_below, legend_entries, log_ticks, power_of_ten, say_if_empty
from plrf.draw.palette import INK, VERMILION
from plrf.draw.style import panel_label, save, sequence_colors, style
from plrf.measure.power_law import power_law
from plrf.study.provenance import read_provenance
from plrf.study.schemas.algorithms import BATCHES, CRITICAL_BATCHES
from plrf.study.store import read_table


def draw_batches(ax: Axes, batches: pd.DataFrame, critical: pd.DataFrame) -> None:
    """Draw the loss over the least one against the batch, and where a batch is critical."""
    good = batches[batches["status"] == "ok"]
    colors = sequence_colors(sorted(good["flops"].unique()))
    for flops, rows in good.groupby("flops"):
        least = rows["loss"].min()
        look = {"color": colors[flops], "marker": "o", "ms": 2.5}
        label = f"$f =${power_of_ten(flops)}"
        ax.plot(rows["batch"], rows["loss"] / least, label=label, **look)
        found = critical[(critical["flops"] == flops) & (critical["status"] == "ok")]
        place = {"marker": "|", "ms": 14, "mew": 1.5, "ls": "", "zorder": 6, "color": VERMILION}
        ax.plot(found["batch"], found["loss"] / least, label="critical batch", **place)
    ax.set(xscale="log", yscale="log", xlabel="batch $B$", ylabel="loss over the least")


def draw_critical(ax: Axes, critical: pd.DataFrame) -> None:
    """Draw critical batches against compute, with the power law through them."""
    good = critical[critical["status"] == "ok"].sort_values("flops")
    ax.plot(good["flops"], good["batch"], "o", color=VERMILION, ms=4)
    if len(good) > 2:
        fit = power_law(good["flops"], good["batch"])
        law = np.exp(fit.intercept) * good["flops"] ** fit.slope
        label = f"$B \\propto f^{{{fit.slope:.2f}}}$"
        ax.plot(good["flops"], law, color=INK, lw=0.9, ls=(0, (4, 2)), label=label)
        ax.legend(loc="upper left")
    ax.set(xscale="log", yscale="log", xlabel="compute $f$ (flops)", ylabel="critical batch $B$")


def draw(batches: pd.DataFrame, critical: pd.DataFrame) -> Figure:
    """Draw a column for each point.

    Parameters
    ----------
    batches, critical : DataFrame
        Rows of the schemas BATCHES and CRITICAL_BATCHES.
    """
    figure, grid, points = columns_of_points(batches, 2, 4.2)
    letters = iter(ascii_lowercase)
    for k, point in enumerate(points):
        found = of_point(critical, point)
        draw_batches(grid[0, k], of_point(batches, point), found)
        draw_critical(grid[1, k], found)
        title_point(grid[0, k], next(letters), *point)
    for ax in grid[1]:
        panel_label(ax, next(letters), "critical batch")
    for ax in grid.flat:
        say_if_empty(ax, "no critical batch")
        log_ticks(ax.xaxis)
        log_ticks(ax.yaxis)
    legend_below(figure, legend_entries(*grid[0]), 4)
    return figure


def make_figure(batches_path: str, critical_path: str, paths: list[str]) -> None:
    """Read the tables and write the figure."""
    batches = read_table(batches_path, BATCHES)
    critical = read_table(critical_path, CRITICAL_BATCHES)
    with style():
        save(draw(batches, critical), paths, read_provenance(batches_path, critical_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.batches, snakemake.input.critical, list(snakemake.output))
