"""How exponents and the best learning rate move with learning rate, batch and features."""

from collections.abc import Iterator
from string import ascii_lowercase

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from plrf.draw.algorithms import of_point, title_point
from plrf.draw.axes import log_ticks, power_of_ten, say_if_empty
from plrf.draw.palette import INK
from plrf.draw.phases import PHASE_COLORS
from plrf.draw.planes import draw_map, matrix
from plrf.draw.style import WIDTH, panel_label, save, sequence_colors, style
from plrf.statuses import BELOW
from plrf.study.provenance import read_provenance
from plrf.study.schemas.atlas import CRITICAL, HYPERPARAMETERS
from plrf.study.store import read_table

VARIED = {"c": "$c$", "batch": "$B$", "v_over_d": "$v/d$"}
THEORY = (0, (4, 2))
BEST = (0, (1, 1.2))
MAP = mpl.colormaps["viridis"]
LIGHT = 15  # critical batch from which on cells are light


def draw_etas(ax: Axes, rows: pd.DataFrame, varied: str) -> dict[str, Line2D]:
    """Draw local eta against compute, a line for each value; returns what the lines mean."""
    given = rows[(rows["varied"] == varied) & ~rows["c_is_best"]]
    colors = sequence_colors(sorted(given[varied].unique()))
    for value, own in given.groupby(varied):
        ax.plot(own["flops"], own["eta"], color=colors[value], lw=1)
    best = rows[rows["c_is_best"] & (rows["varied"] == "c")].sort_values("flops")
    if varied == "c":
        ax.plot(best["flops"], best["eta"], color=INK, ls=BEST, lw=1.3)
    ax.axhline(rows["eta_theory"].iloc[0], color=INK, ls=THEORY, lw=0.8, zorder=1)
    ax.set_xscale("log")
    labels = {f"{VARIED[varied]} = {x:g}".replace("inf", r"$\infty$"): x for x in colors}
    found = {text: Line2D([], [], color=colors[x]) for text, x in labels.items()}
    return found | ({"best $c$": Line2D([], [], color=INK, ls=BEST)} if varied == "c" else {})


def draw_best(ax: Axes, table: pd.DataFrame, varied: str, flops: float | None) -> None:
    """Draw the best c of all points, against compute or against a value at one budget."""
    best = table[table["c_is_best"] & (table["varied"] == varied)]
    x = "flops" if flops is None else varied
    for phase, own in (best if flops is None else best[best["flops"] == flops]).groupby("phase"):
        own = own[np.isfinite(own[x])].sort_values(x)
        ax.plot(
            own[x], own["c"], "o-", ms=2.5, color=PHASE_COLORS[phase.partition("/")[0]], label=phase
        )
    ax.set(xscale="log", yscale="log")
    for axis in (ax.xaxis, ax.yaxis):
        log_ticks(axis)
    say_if_empty(ax, "no best learning rate")


def draw_critical(ax: Axes, plane: pd.DataFrame) -> None:
    """Draw critical batches as a map with their numbers."""
    shown = plane["batch"].where(plane["status"] != BELOW, 1.0)
    draw_map(ax, matrix(plane, shown), LogNorm(1, 100), MAP, hatch_color=None, names=False)
    for row in plane[plane["batch"].notna() | (plane["status"] == BELOW)].itertuples():
        below = row.status == BELOW
        color = "white" if below or row.batch < LIGHT else INK
        text = "<1" if below else f"{row.batch:.2g}"
        look = {"ha": "center", "va": "center", "fontsize": 7, "color": color}
        ax.text(row.alpha, row.beta, text, **look)


def draw_grid(figure: SubFigure, table: pd.DataFrame, letters: Iterator[str]) -> None:
    """Draw a row for each thing that is varied, and a column for each point."""
    points = list(table[["alpha", "beta"]].drop_duplicates().itertuples(index=False, name=None))
    grid = figure.subplots(len(VARIED), len(points), squeeze=False, sharex=True, sharey="col")
    for axes, varied in zip(grid, VARIED, strict=True):
        for ax, point in zip(axes, points, strict=True):
            rows = of_point(table, point)
            meaning = draw_etas(ax, rows, varied)
            title_point(ax, next(letters), *point, short=True)
            ax.locator_params(axis="y", nbins=5)
        axes[0].set_ylabel(r"local $\eta$")
        place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
        axes[-1].legend(meaning.values(), meaning.keys(), **place)
    for ax in grid[-1]:
        ax.set_xlabel("compute $f$")
        ax.xaxis.set_major_locator(LogLocator(base=1e8))
        ax.xaxis.set_minor_locator(NullLocator())


def draw(table: pd.DataFrame, critical: pd.DataFrame) -> Figure:
    """Draw exponents with other c, batches and features, the best c, and critical batches.

    Parameters
    ----------
    table, critical : DataFrame
        Rows of the schemas HYPERPARAMETERS and CRITICAL.
    """
    import matplotlib.pyplot as plt

    figure, letters = plt.figure(figsize=(WIDTH, 7.6)), iter(ascii_lowercase)
    above, below = figure.subfigures(2, 1, height_ratios=[3, 1.15])
    draw_grid(above, table, letters)
    panels = below.subplots(1, 4)
    batches = table[table["c_is_best"] & (table["varied"] == "batch")]
    fixed = float(batches["flops"].max())
    at = f"best $c$, $f =${power_of_ten(fixed)}"
    shown = (
        ("c", None, "best $c$", "compute $f$"),
        ("batch", fixed, at, "batch $B$"),
        ("v_over_d", fixed, at, "$v/d$"),
    )
    for ax, (varied, flops, title, label) in zip(panels, shown, strict=False):
        draw_best(ax, table, varied, flops)
        panel_label(ax, next(letters), title)
        ax.set_xlabel(label)
    panels[0].legend()
    draw_critical(panels[-1], critical)
    budget = power_of_ten(critical["flops"].iloc[0])
    panel_label(panels[-1], next(letters), f"critical $B$, {budget}")
    return figure


def make_figure(path: str, critical_path: str, paths: list[str]) -> None:
    """Read the tables and write the figure."""
    table, critical = read_table(path, HYPERPARAMETERS), read_table(critical_path, CRITICAL)
    with style():
        save(draw(table, critical), paths, read_provenance(path, critical_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.hyperparameters, snakemake.input.critical, list(snakemake.output))
