"""Your design, its bias: what methods report at a table's own runs on surfaces that are known."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.axes import legend_below, legend_entries, say_if_empty
from plrf.draw.measured import MOST_GROUPS, groups_of, label_panels, say_hidden_groups, title_of
from plrf.draw.methods import METHODS
from plrf.draw.palette import INK
from plrf.draw.style import WIDTH, save, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.measured import AUDIT
from plrf.study.store import read_table

LINEAR = 0.01  # biases up to it are on a linear scale, beyond it on a logarithmic one
ROOM = 1.8  # of the panel around the biases
QUANTITIES = {"eta": r"$\eta$", "xi": r"$\xi$"}
REFUSED = "at the edge: nothing reported"


def draw_biases(ax: Axes, audit: pd.DataFrame, surfaces: list[str]) -> None:
    """Draw the bias of each method on each surface; refused ones stand at the left edge."""
    ax.axvline(0, color=INK, lw=0.7)
    methods = [name for name in METHODS if (audit["method"] == name).any()]
    shifts = dict(zip(methods, np.linspace(0.3, -0.3, len(methods)), strict=True))
    for name in methods:
        look, rows = METHODS[name], audit[audit["method"] == name]
        height = np.array([shifts[name] - surfaces.index(s) for s in rows["surface"]])
        mark: dict[str, Any] = {"ls": "", "marker": look.marker, "ms": 3.5, "color": look.color}
        ax.plot(rows["bias"], height, label=look.label, **mark)
        refused = rows["bias"].isna().to_numpy()
        edge = {**mark, "marker": 4, "ms": 5, "transform": ax.get_yaxis_transform()}
        ax.plot(np.full(refused.sum(), 0.01), height[refused], **edge)
    for i in range(1, len(surfaces)):
        ax.axhline(0.5 - i, color="#E4E4E4", lw=0.6)
    ax.set_xscale("symlog", linthresh=LINEAR)
    ax.xaxis.set_major_formatter("{x:g}")
    most = ROOM * max(LINEAR, np.abs(audit["bias"]).max())
    ax.set_xlim(-most, most)
    ax.set_ylim(0.5 - len(surfaces), 0.5)
    ax.set_yticks([-i for i in range(len(surfaces))], surfaces)
    ax.grid(visible=False, axis="y")


def draw(audit: pd.DataFrame) -> Figure:
    """Draw a row for each group.

    Parameters
    ----------
    audit : DataFrame
        Rows of the schema AUDIT.
    """
    import matplotlib.pyplot as plt

    groups = groups_of(audit)
    shown = groups[:MOST_GROUPS]
    surfaces = [str(name) for name in audit["surface"].unique()]
    height = 0.5 + (0.55 + 0.2 * len(surfaces)) * len(shown)
    figure = plt.figure(figsize=(WIDTH, max(2.5, height)))
    axes: Any = figure.subplots(len(shown), 2, squeeze=False, sharey=True)
    titles = []
    for row, group in zip(axes, shown, strict=True):
        for ax, (quantity, symbol) in zip(row, QUANTITIES.items(), strict=True):
            own = audit[(audit["group"] == group) & (audit["quantity"] == quantity)]
            draw_biases(ax, own, surfaces)
            titles.append(title_of(group, f"bias of {symbol}"))
            ax.set_xlabel(f"{symbol} reported minus exact")
            say_if_empty(ax, "no method reports any")
        row[0].set_ylabel("surface")
    label_panels(list(axes.flat), titles)
    entries = legend_entries(*axes.flat)
    if audit["bias"].isna().any():
        entries[REFUSED] = Line2D([], [], ls="", marker=4, color="#888888", label=REFUSED)
    legend_below(figure, entries, 3)
    say_hidden_groups(figure, groups)
    return figure


def make_figure(audit: str, paths: list[str]) -> None:
    """Read the audit of a table and write the figure."""
    with style():
        save(draw(read_table(audit, AUDIT)), paths, read_provenance(audit))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.audit, list(snakemake.output))
