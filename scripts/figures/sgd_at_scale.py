"""Fronts of SGD over many decades of compute, and their local exponents, window by window."""

from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, legend_entries, log_ticks, say_if_empty
from plrf.draw.curves import draw_line
from plrf.draw.exponents import LAWS, SYMBOLS
from plrf.draw.fronts import COLUMNS
from plrf.draw.palette import BLUE, INK
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.engines.registry import ENGINES
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS
from plrf.study.store import read_table

METHOD, EXACT, MAIN = "approach2", "approach0", 0  # the main window is the widest
AXES = {"eta": "best loss $P^*$", "xi": "best size $d^*$"}
SHADES = {"eta": "#000000", "xi": "#777777"}  # of the theory's lines
FILLED = {"eta": True, "xi": False}


def draw_front(ax: Axes, quantity: str, fronts: pd.DataFrame, theory: float) -> None:
    """Draw the exact front, the minima of SGD's losses, and the theory's power law."""
    column = COLUMNS[quantity]
    usable = fronts[(fronts["status"] == "ok") & (fronts["window"] == MAIN)].sort_values("flops")
    exact = usable[usable["method"] == EXACT]
    draw_line(ax, exact["flops"], exact[column], color=BLUE, lw=1.0, label="exact front")
    for name, engine in ENGINES.items():
        found = usable[(usable["engine"] == name) & (usable["method"] == METHOD)]
        if engine.stochastic and len(found):
            label = f"{engine.label}, minima of IsoFLOP parabolas"
            ax.plot(found["flops"], found[column], engine.marker, color=engine.color, label=label)
    if len(exact):
        slope = -theory if quantity == "eta" else theory
        f, last = exact["flops"], exact.iloc[-1]
        law = last[column] * (f / last["flops"]) ** slope
        ax.plot(f, law, color=INK, lw=0.9, ls=(0, (4, 2)), label="theory, through the last point")
    ax.set(xscale="log", yscale="log", ylabel=AXES[quantity])


def draw_local(ax: Axes, fits: pd.DataFrame) -> None:
    """Draw local exponents at the middle of their windows: exact ones, those of SGD, theory."""
    local = fits[fits["window"] != MAIN].sort_values("window_low")
    local = local.assign(middle=np.sqrt(local["window_low"] * local["window_high"]))
    for quantity, of_quantity in local.groupby("quantity"):
        ax.axhline(of_quantity["theory"].iloc[0], color=SHADES[quantity], lw=0.9, ls=(0, (4, 2)))
        exact = of_quantity[of_quantity["method"] == EXACT]
        draw_line(ax, exact["middle"], exact["estimate"], color=BLUE, lw=1.0)
        for name, engine in ENGINES.items():
            chosen = (of_quantity["engine"] == name) & (of_quantity["method"] == METHOD)
            found = of_quantity[chosen].dropna(subset="estimate")
            if engine.stochastic and len(found):
                bars = found[["ci_low", "ci_high"]].sub(found["estimate"], axis=0).abs().T
                ax.errorbar(
                    found["middle"],
                    found["estimate"],
                    yerr=bars,
                    fmt=engine.marker,
                    color=engine.color,
                    mfc=engine.color if FILLED[quantity] else "white",
                    capsize=2,
                    lw=0.9,
                    label=f"${SYMBOLS[quantity]}$ of SGD, 95% intervals",
                    zorder=5,
                )
    ax.set(xscale="log", ylabel=rf"$\eta$ in ${LAWS['eta']}$,  $\xi$ in ${LAWS['xi']}$")


def draw_point(axes: list[Axes], fits: pd.DataFrame, fronts: pd.DataFrame) -> None:
    """Draw the row of one point."""
    alpha, beta, phase = fits[["alpha", "beta", "phase"]].iloc[0]
    theory = fits.groupby("quantity")["theory"].first()
    for ax, quantity in zip(axes, COLUMNS, strict=False):
        draw_front(ax, quantity, fronts, theory[quantity])
        say_if_empty(ax, "no minimum at any budget")
    draw_local(axes[2], fits)
    say_if_empty(axes[2], "no exponent in any window")
    titles = [f"phase {phase}: $\\alpha = {alpha:g}$, $\\beta = {beta:g}$", "", "local exponents"]
    for ax, title in zip(axes, titles, strict=True):
        ax.set_xlabel("compute $f$ (flops)")
        letter = ascii_lowercase[list(ax.figure.axes).index(ax)]
        panel_label(ax, letter, title)


def draw(exponents: pd.DataFrame, fronts: pd.DataFrame) -> Figure:
    """Draw one row for each point.

    Parameters
    ----------
    exponents, fronts : DataFrame
        Rows of the schemas of these names, of one sweep: the front in its main window, exponents
        in the others.
    """
    import matplotlib.pyplot as plt

    points = ["alpha", "beta"]
    rows = dict(list(fronts.groupby(points, sort=False)))
    figure, grid = plt.subplots(len(rows), 3, figsize=(WIDTH, 0.6 + 2.1 * len(rows)), squeeze=False)
    for axes, (point, of_point) in zip(grid, rows.items(), strict=True):
        fits = exponents[(exponents[points] == list(point)).all(axis=1)]
        draw_point(list(axes), fits, of_point)
        for ax in axes:
            log_ticks(ax.xaxis)
        for ax in axes[:2]:
            log_ticks(ax.yaxis)
    legend_below(figure, legend_entries(*grid.flat), 3)
    return figure


def make_figure(exponents_path: str, fronts_path: str, sweep: str, paths: list[str]) -> None:
    """Read the fits of a sweep and write the figure."""
    keep = [("sweep", "=", sweep)]
    fits = read_table(exponents_path, EXPONENTS, keep)
    fronts = read_table(fronts_path, FRONTS, keep)
    with style():
        save(draw(fits, fronts), paths, read_provenance(exponents_path, fronts_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.exponents,
        snakemake.input.fronts,
        snakemake.params.sweep,
        list(snakemake.output),
    )
