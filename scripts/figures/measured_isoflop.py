"""IsoFLOP slices of measured losses, their fits and minima, and which budgets were dropped."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.axes import legend_below, log_ticks, say_if_empty
from plrf.draw.isoflop import draw_slices
from plrf.draw.measured import (
    FLOPS,
    LOSS,
    MOST_GROUPS,
    SIZE,
    groups_of,
    label_panels,
    say_hidden_groups,
    title_of,
)
from plrf.draw.methods import METHODS, reason
from plrf.draw.palette import BLUE, INK, PURPLE, VERMILION
from plrf.draw.style import WIDTH, save, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.measured import FRONTS, ISOFLOP
from plrf.study.store import read_table

PARABOLAS = "approach2"
DROPPED = [("x", VERMILION), ("P", INK), ("s", PURPLE), ("^", "#888888")]  # by reason
USED = {"marker": "o", "color": BLUE}


def draw_budgets(ax: Axes, fronts: pd.DataFrame, looks: dict[str, Any]) -> None:
    """Draw a mark for each budget and method: used, or why it was dropped."""
    methods = [name for name in METHODS if (fronts["method"] == name).any()]
    height = {name: -i for i, name in enumerate(methods)}
    for status, rows in fronts[fronts["method"].isin(methods)].groupby("status"):
        look = looks[fate(str(status))]
        ax.plot(rows["flops"], rows["method"].map(height), ls="", ms=4, **look)
    ax.set(xscale="log", xlabel=FLOPS, ylim=(0.5 - max(len(methods), 1), 0.5))
    ax.set_yticks(list(height.values()), [METHODS[name].label for name in methods])


def looks_of(fronts: pd.DataFrame) -> dict[str, Any]:
    """How what became of budgets is drawn: the same in all panels."""
    reasons = [status for status in fronts["status"].value_counts().index if status != "ok"]
    looks: dict[str, Any] = {"used": USED} if (fronts["status"] == "ok").any() else {}
    for i, status in enumerate(reasons):
        marker, color = DROPPED[min(i, len(DROPPED) - 1)]
        looks[fate(status)] = {"marker": marker, "color": color}
    return looks


def fate(status: str) -> str:
    """What became of a budget."""
    return "used" if status == "ok" else f"dropped: {reason(status)}"


def draw(isoflop: pd.DataFrame, fronts: pd.DataFrame) -> Figure:
    """Draw a row for each group.

    Parameters
    ----------
    isoflop, fronts : DataFrame
        Rows of the schemas of these names, of `plrf.study.schemas.measured`.
    """
    import matplotlib.pyplot as plt

    groups = groups_of(fronts, isoflop)
    shown = groups[:MOST_GROUPS]
    figure = plt.figure(figsize=(WIDTH, 0.5 + 2.6 * len(shown)))
    axes: Any = figure.subplots(len(shown), 2, squeeze=False, width_ratios=[1.35, 1])
    looks = looks_of(fronts)
    titles = []
    for (left, right), group in zip(axes, shown, strict=True):
        own = fronts[fronts["group"] == group]
        slices = isoflop[isoflop["group"] == group].drop(columns="flops")
        left.set(xscale="log", yscale="log", xlabel=SIZE, ylabel=LOSS)
        if len(slices):
            parabolas = own[own["method"] == PARABOLAS]
            draw_slices(left, slices.rename(columns={"budget": "flops"}), parabolas)
        draw_budgets(right, own, looks)
        titles += [title_of(group, "IsoFLOP slices, parabolas, minima"), "budgets by method"]
        log_ticks(left.xaxis)
        log_ticks(left.yaxis)
        log_ticks(right.xaxis)
        say_if_empty(left, "no two runs share a budget")
        say_if_empty(right, "no two runs share a budget")
    label_panels(list(axes.flat), titles)
    marks = {label: Line2D([], [], ls="", ms=4, **look) for label, look in looks.items()}
    legend_below(figure, marks, 4)
    say_hidden_groups(figure, groups)
    return figure


def make_figure(isoflop: str, fronts: str, paths: list[str]) -> None:
    """Read the slices and fronts of a table and write the figure."""
    with style():
        figure = draw(read_table(isoflop, ISOFLOP), read_table(fronts, FRONTS))
        save(figure, paths, read_provenance(isoflop, fronts))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.isoflop, snakemake.input.fronts, list(snakemake.output))
