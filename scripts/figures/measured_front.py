"""The front of measured losses and beyond: lowest loss, best size, samples per parameter."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.axes import legend_below, log_ticks, say_if_empty
from plrf.draw.measured import (
    FLOPS,
    MOST_GROUPS,
    groups_of,
    label_panels,
    say_hidden_groups,
    title_of,
)
from plrf.draw.methods import METHODS, NOT_SEPARATED
from plrf.draw.style import WIDTH, save, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.measured import EXPONENTS, FRONTS, OPTIMUM
from plrf.study.store import read_table

# What panels show: columns of optima and of fronts, the exponent in the legend, and the label.
QUANTITIES = {
    "loss": ("loss_opt", "eta", "lowest loss $L^*$"),
    "d_opt": ("d_opt", "xi", "best size $d^*$"),
    "samples_per_parameter": (None, None, "samples per parameter"),
}
MOST_BAND = 3  # factor around points and lines that a panel shows at most
SYMBOLS = {"eta": r"$\eta$", "xi": r"$\xi$"}


def draw_minima(ax: Axes, fronts: pd.DataFrame, column: str | None) -> None:
    """Draw the minima of slices, by method."""
    used = fronts[fronts["status"] == "ok"]
    for name, look in METHODS.items():
        rows = used[used["method"] == name]
        if rows.empty:
            continue
        values = rows["n_opt"] / rows["d_opt"] if column is None else rows[column]
        ax.plot(rows["flops"], values, look.marker, ms=3.2, mfc="none", mew=0.8, color=look.color)


def draw_optima(ax: Axes, optimum: pd.DataFrame, quantity: str) -> None:
    """Draw fits with their 95% bands, dashed beyond the largest budget, which is marked."""
    for name, look in METHODS.items():
        rows = optimum[optimum["method"] == name].dropna(subset=quantity).sort_values("flops")
        if rows.empty:
            continue
        low, high = (rows[f"{quantity}_{end}"] for end in ("low", "high"))
        ax.fill_between(rows["flops"], low, high, color=look.color, alpha=0.12, lw=0)
        inside = rows["factor"] <= 1
        beyond = ~inside | (inside & ~inside.shift(-1, fill_value=False))
        line = {"color": look.color, "lw": 1.0}
        ax.plot(rows["flops"][inside], rows[quantity][inside], **line)
        ax.plot(rows["flops"][beyond], rows[quantity][beyond], ls=(0, (3, 2)), **line)
    inside = optimum["flops"][optimum["factor"] <= 1]
    ax.set(xscale="log", yscale="log", xlabel=FLOPS)
    if len(inside) and ax.lines:
        ax.axvspan(inside.max(), optimum["flops"].max(), color="#F1F1F1", zorder=0, lw=0)


def limit(ax: Axes) -> None:
    """Let wide bands leave the panel, which would make all else a line."""
    if ax.lines:
        values = np.concatenate([np.asarray(line.get_ydata(), float) for line in ax.lines])
        low, high = ax.get_ylim()
        ax.set_ylim(max(low, values.min() / MOST_BAND), min(high, values.max() * MOST_BAND))


def draw_legend(ax: Axes, exponents: pd.DataFrame, quantity: str) -> None:
    """Tell the exponents of all methods over all budgets, with half of their 95% intervals."""
    rows = exponents[(exponents["quantity"] == quantity) & (exponents["window"] == 0)]
    for name, look in METHODS.items():
        for row in rows[rows["method"] == name].itertuples():
            half = (row.ci_high - row.ci_low) / 2
            text = f"{row.estimate:.3f}" + (f" $\\pm$ {half:.3f}" if np.isfinite(half) else "")
            text = text if np.isfinite(row.estimate) else "not fitted"
            if NOT_SEPARATED in row.status:
                text = NOT_SEPARATED
            ax.plot([], [], look.marker, ms=3.2, mfc="none", color=look.color, label=text)
    if len(rows):
        place = {"eta": "upper right", "xi": "lower right"}[quantity]
        title = f"{SYMBOLS[quantity]}, 95%"
        ax.legend(loc=place, title=title, handlelength=0.8)


def draw(fronts: pd.DataFrame, optimum: pd.DataFrame, exponents: pd.DataFrame) -> Figure:
    """Draw a row for each group.

    Parameters
    ----------
    fronts, optimum, exponents : DataFrame
        Rows of the schemas of these names, of `plrf.study.schemas.measured`.
    """
    import matplotlib.pyplot as plt

    groups = groups_of(optimum, exponents)
    shown = groups[:MOST_GROUPS]
    figure = plt.figure(figsize=(WIDTH, 0.7 + 2.7 * len(shown)))
    axes: Any = figure.subplots(len(shown), len(QUANTITIES), squeeze=False)
    titles = []
    for row, group in zip(axes, shown, strict=True):
        own = [table[table["group"] == group] for table in (fronts, optimum, exponents)]
        for ax, (quantity, (column, exponent, label)) in zip(row, QUANTITIES.items(), strict=True):
            draw_minima(ax, own[0], column)
            draw_optima(ax, own[1], quantity)
            limit(ax)
            titles.append(title_of(group, label) if ax is row[0] else label)
            if exponent:
                draw_legend(ax, own[2], exponent)
            log_ticks(ax.xaxis)
            log_ticks(ax.yaxis)
            say_if_empty(ax, "no front")
    label_panels(list(axes.flat), titles)
    there = pd.concat([fronts["method"], optimum["method"], exponents["method"]]).unique()
    looks = [look for name, look in METHODS.items() if name in there]
    mark = {"lw": 1.0, "ms": 3.2, "mfc": "none"}
    lines = [Line2D([], [], color=look.color, marker=look.marker, **mark) for look in looks]
    names = [look.label for look in looks]
    legend_below(figure, dict(zip(names, lines, strict=True)), 3)
    say_hidden_groups(figure, groups)
    return figure


def make_figure(inputs: dict[str, str], paths: list[str]) -> None:
    """Read the fits of a table and write the figure."""
    schemas = {"fronts": FRONTS, "optimum": OPTIMUM, "exponents": EXPONENTS}
    tables = {name: read_table(inputs[name], schema) for name, schema in schemas.items()}
    with style():
        save(draw(**tables), paths, read_provenance(*(inputs[name] for name in schemas)))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(dict(snakemake.input.items()), list(snakemake.output))
