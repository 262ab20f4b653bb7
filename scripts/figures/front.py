"""A compute-optimal front in three panels: loss curves, IsoFLOP slices, optimal sizes."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.axes import legend_below, log_ticks, say_if_empty, some
from plrf.draw.curves import draw_loss_curves, where_averaged
from plrf.draw.fronts import draw_fits
from plrf.draw.isoflop import draw_slices
from plrf.draw.style import WIDTH, panel_label, save, sequence_colors, style
from plrf.engines.registry import DRAWN, ENGINES
from plrf.measure.curves import one_series
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS, ISOFLOP
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_table

METHOD, WINDOW = "approach2", 0  # of the windows, the main one
MOST_DRAWN = 8  # sizes in panel a, whose curves and bands can be told apart


def of_quantity(fits: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Rows of eta or of xi."""
    return fits[fits["quantity"] == quantity]


def curves_in_words(losses: pd.DataFrame) -> list[str]:
    """What lines and bands are, for those that there are."""
    names = set(one_series(losses)["engine"])
    engines = [engine for name, engine in DRAWN.items() if name in names]
    lines, runs = (
        " and ".join(engine.label for engine in engines if engine.runs == kind)
        for kind in (False, True)
    )
    words = [f"lines: {lines}"] if lines else []
    return [*words, f"bands: 80% of {runs} runs, dotted: median"] if runs else words


def draw_losses(
    ax: Axes, losses: pd.DataFrame, fronts: pd.DataFrame, exponents: pd.DataFrame
) -> None:
    """Panel a: loss curves of some sizes, and the least losses of all with their power laws."""
    sizes = np.unique(losses["d"])
    colors = sequence_colors(some(sizes.tolist(), MOST_DRAWN))
    draw_loss_curves(ax, losses[losses["d"].isin(colors)], colors)
    draw_fits(ax, fronts, of_quantity(exponents, "eta"))
    ax.set(xlabel="compute $f$ (flops)", ylabel="loss $P$")
    spectrum, alpha, beta, phase = exponents[["spectrum", "alpha", "beta", "phase"]].iloc[0]
    title = f"phase {phase}: $\\alpha = {alpha:g}$, $\\beta = {beta:g}$"
    title = f"spectrum {Path(spectrum).name}" if spectrum else title
    if noise := losses["noise"].iloc[0]:
        title += f", noise {noise:g}"
    title = "; ".join([title, *curves_in_words(losses)])
    if (schedule := losses["schedule"].iloc[0]) != "constant":
        title += f"\nschedule: {schedule}"
    if (momentum := losses["momentum"].iloc[0]) != "none":
        title += f"\nmomentum: {momentum}"
    panel_label(ax, "a", title)
    drawn = {str(d): Line2D([], [], color=color, lw=2) for d, color in colors.items()}
    title = f"parameters $d$ in panel a, {len(drawn)} of {len(sizes)} sizes"
    title = "; ".join(filter(None, [title, where_averaged(losses)]))
    legend_below(ax.figure, drawn, MOST_DRAWN, title=title, columnspacing=1.5, handlelength=1.2)


def draw_isoflop(ax: Axes, isoflop: pd.DataFrame, fronts: pd.DataFrame) -> None:
    """Panel b: slices of the first engine that has any."""
    engine = next(name for name in DRAWN if (isoflop["engine"] == name).any())
    draw_slices(ax, *(table[table["engine"] == engine] for table in (isoflop, fronts)))
    ax.set(xlabel="parameters $d$", ylabel="loss $P$")
    panel_label(ax, "b", f"IsoFLOP slices of {ENGINES[engine].label}, parabolas, minima")


def draw_sizes(ax: Axes, fronts: pd.DataFrame, exponents: pd.DataFrame) -> None:
    """Panel c: the best sizes, and their power laws."""
    draw_fits(ax, fronts, of_quantity(exponents, "xi"))
    ax.set(xlabel="compute $f$ (flops)", ylabel="optimal size $d^*$")
    panel_label(ax, "c", "compute-optimal size")


def draw(
    losses: pd.DataFrame,
    isoflop: pd.DataFrame,
    fronts: pd.DataFrame,
    exponents: pd.DataFrame,
) -> Figure:
    """Draw the front of one point, by Approach 2 (model section 8).

    Parameters
    ----------
    losses, isoflop, fronts, exponents : DataFrame
        Rows of the schemas of these names, of one sweep; of its windows the main one is drawn.
    """
    import matplotlib.pyplot as plt

    isoflop = isoflop[isoflop["window"] == WINDOW]
    fronts, exponents = (
        table[(table["method"] == METHOD) & (table["window"] == WINDOW)]
        for table in (fronts, exponents)
    )
    figure, axes = plt.subplot_mosaic("aa;bc", figsize=(WIDTH, 5.4), height_ratios=[1.1, 1])
    for ax in axes.values():
        ax.set(xscale="log", yscale="log")
    draw_losses(axes["a"], losses[losses["step"] > 0], fronts, exponents)
    draw_isoflop(axes["b"], isoflop, fronts)
    draw_sizes(axes["c"], fronts, exponents)
    for name, ax in axes.items():
        log_ticks(ax.xaxis, plain=name == "b")
        log_ticks(ax.yaxis, plain=name == "c")
    say_if_empty(axes["a"], "no finite loss")
    say_if_empty(axes["b"], "no losses at the window's budgets")
    reasons = "\n".join(fronts["status"].unique()) or "no budgets"
    say_if_empty(axes["c"], f"no minimum at any budget:\n{reasons}")
    return figure


def make_figure(inputs: dict[str, str], sweep: str, paths: list[str]) -> None:
    """Read the tables of a sweep and write its front figure."""
    schemas = {"losses": LOSSES, "isoflop": ISOFLOP, "fronts": FRONTS, "exponents": EXPONENTS}
    keep = [("sweep", "=", sweep)]
    tables = {name: read_table(inputs[name], schemas[name], keep) for name in schemas}
    with style():
        save(draw(**tables), paths, read_provenance(*(inputs[name] for name in schemas)))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        dict(snakemake.input.items()),
        snakemake.params.sweep,
        list(snakemake.output),
    )
