"""The best schedules at fixed compute, and what they gain over tuned standard ones."""

from string import ascii_lowercase

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.algorithms import COLORS, LABELS, columns_of_points, of_point, title_point
from plrf.draw.axes import legend_below, legend_entries, log_ticks, power_of_ten, say_if_empty
from plrf.draw.curves import draw_line
from plrf.draw.style import panel_label, save, sequence_colors, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.algorithms import BEST_SCHEDULES, RATES
from plrf.study.store import read_table

FREE = "free"
DASHES = {"polynomial": (0, (2.5, 1.2)), "wsd": (0, (1, 1))}
PARAMETERS = {"polynomial": "exponent of polynomial decay", "wsd": "decaying part of the training"}


def draw_schedules(ax: Axes, rates: pd.DataFrame) -> None:
    """Draw the best schedule of each budget over relative time."""
    free = rates[rates["family"] == FREE]
    colors = sequence_colors(sorted(free["flops"].unique()))
    for flops, rows in free.groupby("flops"):
        label = f"best schedule, $f =${power_of_ten(flops)}"
        draw_line(ax, rows["time"], rows["c"], color=colors[flops], label=label)
    ax.set(xlabel="time, $t/r$", ylabel=r"$\gamma_t B\,\mathrm{Tr}\,D$", ylim=(0, None))


def draw_excess(ax: Axes, schedules: pd.DataFrame) -> None:
    """Draw by how much the tuned families miss the least loss."""
    least = schedules[schedules["family"] == FREE].set_index("flops")["loss"]
    for family, rows in schedules.groupby("family", sort=False):
        if family != FREE:
            excess = 100 * (rows["loss"] / rows["flops"].map(least) - 1)
            look = {"color": COLORS[family], "marker": "o", "ms": 3, "label": LABELS[family]}
            ax.plot(rows["flops"], excess, **look)
    ax.set(xscale="log", yscale="log", ylabel="loss above the least (%)")


def draw_shapes(ax: Axes, schedules: pd.DataFrame) -> None:
    """Draw the tuned parameters of the two published forms."""
    for family, label in PARAMETERS.items():
        rows = schedules[schedules["family"] == family]
        look = {"color": COLORS[family], "marker": "o", "ms": 3, "ls": DASHES[family]}
        ax.plot(rows["flops"], rows["shape"], label=label, **look)
    ax.set(xscale="log", xlabel="compute $f$ (flops)", ylabel="tuned parameter", ylim=(0, None))


def draw(schedules: pd.DataFrame, rates: pd.DataFrame) -> Figure:
    """Draw a column for each point.

    Parameters
    ----------
    schedules, rates : DataFrame
        Rows of the schemas BEST_SCHEDULES and RATES.
    """
    figure, grid, points = columns_of_points(schedules, 3, 6.2)
    good = schedules[schedules["status"] == "ok"].sort_values("flops", kind="stable")
    letters = iter(ascii_lowercase)
    for k, point in enumerate(points):
        draw_schedules(grid[0, k], of_point(rates, point))
        draw_excess(grid[1, k], of_point(good, point))
        draw_shapes(grid[2, k], of_point(good, point))
    for k, point in enumerate(points):
        title_point(grid[0, k], next(letters), *point)
    for row, title in ((1, "tuned schedules"), (2, "their shapes")):
        for ax in grid[row]:
            panel_label(ax, next(letters), title)
    for ax in grid.flat:
        say_if_empty(ax, "no best schedule")
    for ax in grid[1:].flat:
        log_ticks(ax.xaxis)
    for ax in grid[1]:
        log_ticks(ax.yaxis)
    legend_below(figure, legend_entries(*grid.flat), 3)
    return figure


def make_figure(schedules_path: str, rates_path: str, paths: list[str]) -> None:
    """Read the tables and write the figure."""
    schedules, rates = read_table(schedules_path, BEST_SCHEDULES), read_table(rates_path, RATES)
    with style():
        save(draw(schedules, rates), paths, read_provenance(schedules_path, rates_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.schedules, snakemake.input.rates, list(snakemake.output))
