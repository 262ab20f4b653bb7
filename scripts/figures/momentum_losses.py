"""Loss curves and local exponents of SGD, a heavy ball and DANA."""

from string import ascii_lowercase

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.algorithms import columns_of_points, of_point, title_point
from plrf.draw.axes import legend_below, log_ticks, say_if_empty
from plrf.draw.curves import BAND, draw_line
from plrf.draw.momentum import COLORS, LABELS
from plrf.draw.palette import INK
from plrf.draw.style import panel_label, save, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.momentum import MOMENTUM_CURVES, MOMENTUM_FRONTS
from plrf.study.store import read_table

HEURISTIC = (0, (4, 2))
WIDE = {"sgd": 2.6}  # line under those that coincide with it


def draw_curves(ax: Axes, curves: pd.DataFrame) -> None:
    """Draw expected losses as lines over bands of runs, from the first step on."""
    curves = curves[curves["step"] > 0]
    for name, color in COLORS.items():
        own = curves[curves["algorithm"] == name]
        runs = own[own["run"] >= 0].groupby("step")["loss"].quantile(list(BAND)).unstack()
        if len(runs):
            ax.fill_between(runs.index, runs[BAND[0]], runs[BAND[-1]], color=color, alpha=0.3, lw=0)
        exact = own[own["run"] < 0]
        draw_line(ax, exact["step"], exact["loss"], color=color, lw=WIDE.get(name, 1.1))
    ax.set(xscale="log", yscale="log", xlabel="step")


def draw_exponents(ax: Axes, fronts: pd.DataFrame) -> None:
    """Draw local exponents with their errors against compute, and the heuristic ones."""
    for name, color in COLORS.items():
        rows = fronts[fronts["algorithm"] == name].sort_values("flops")
        width = WIDE.get(name, 1.0)
        look = {"color": color, "marker": "o", "ms": 2 + width, "lw": width, "capsize": 2}
        ax.errorbar(rows["flops"], rows["eta"], yerr=rows["eta_error"], **look)
        for value in rows["eta_heuristic"].dropna().unique():
            ax.axhline(value, color=color, lw=0.8, ls=HEURISTIC, zorder=1)
    ax.set(xscale="log", xlabel="compute $f$ (flops)")


def draw(curves: pd.DataFrame, fronts: pd.DataFrame) -> Figure:
    """Draw a column for each point.

    Parameters
    ----------
    curves, fronts : DataFrame
        Rows of the schemas MOMENTUM_CURVES and MOMENTUM_FRONTS.
    """
    figure, grid, points = columns_of_points(curves, 2, 4.4)
    letters = iter(ascii_lowercase)
    for ax, point in zip(grid[0], points, strict=True):
        draw_curves(ax, of_point(curves, point))
        title_point(ax, next(letters), *point, short=len(points) > 3)
        say_if_empty(ax, "no losses")
    for ax, point in zip(grid[1], points, strict=True):
        draw_exponents(ax, of_point(fronts, point))
        panel_label(ax, next(letters), "fronts")
        say_if_empty(ax, "no minimum at any budget")
    grid[0, 0].set_ylabel(f"loss $P$, $d = {curves['d'].iloc[0]}$")
    grid[1, 0].set_ylabel(r"local exponent $\eta$")
    for ax in grid.flat:
        log_ticks(ax.xaxis)
    for ax in grid[0]:
        log_ticks(ax.yaxis)
    entries = {
        LABELS[name]: Line2D([], [], color=color, lw=WIDE.get(name, 1.1))
        for name, color in COLORS.items()
    }
    entries["heuristic"] = Line2D([], [], color=INK, ls=HEURISTIC, lw=0.8)
    legend_below(figure, entries, 5)
    return figure


def make_figure(curves_path: str, points_path: str, paths: list[str]) -> None:
    """Read the tables and write the figure."""
    curves, fronts = (
        read_table(curves_path, MOMENTUM_CURVES),
        read_table(points_path, MOMENTUM_FRONTS),
    )
    with style():
        save(draw(curves, fronts), paths, read_provenance(curves_path, points_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.curves, snakemake.input.points, list(snakemake.output))
