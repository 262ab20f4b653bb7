"""Figure 16: xi by the envelope in several windows, along a traverse and at one of its points."""

from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, legend_entries, log_ticks, power_of_ten
from plrf.draw.exponents import LAWS, SYMBOLS
from plrf.draw.fronts import draw_windows
from plrf.draw.phases import mark_phases
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.draw.traverses import draw_exact, draw_measured, draw_theory
from plrf.engines.registry import DRAWN, ENGINES
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS
from plrf.study.store import read_table

QUANTITY, METHOD, EXACT = "xi", "approach1", "approach0"
LABELS = {
    name: f"{engine.label}, 95% interval ({'runs' if engine.stochastic else 'residuals'})"
    for name, engine in DRAWN.items()
}
# Refused fits stand below the others, in two rows: heights in units of the panel's.
REFUSED = {name: 0.12 if engine.stochastic else 0.05 for name, engine in DRAWN.items()}
FLOOR, HEADROOM = 0.18, 0.14  # room for them, and for the names of the phases


def draw_refused(ax: Axes, refused: pd.DataFrame) -> None:
    """Mark the fits that were refused by crosses at the bottom."""
    for engine, rows in refused.groupby("engine"):
        ax.plot(
            rows["beta"],
            np.full(len(rows), REFUSED[engine]),
            "x",
            color=ENGINES[engine].color,
            ms=4,
            transform=ax.get_xaxis_transform(),
            label=f"{ENGINES[engine].label}: fit refused (table 4)",
        )


def draw_window(ax: Axes, fits: pd.DataFrame) -> pd.DataFrame:
    """Draw theory, the exact front of a window and the estimates in it; return refused ones."""
    draw_theory(ax, QUANTITY, fits)
    exact = fits[fits["method"] == EXACT]
    draw_exact(ax, exact["beta"], exact["exact"], label="exact front in the window")
    refused = draw_measured(ax, fits[fits["method"] == METHOD], LABELS)
    draw_refused(ax, refused)
    ax.set_xlabel(f"target complexity $\\beta$, at $\\alpha = {fits['alpha'].iloc[0]:g}$")
    return refused


def leave_room(ax: Axes, floor: float) -> None:
    """Leave room for refused fits below the others, and for the names of the phases above."""
    bottom, top = ax.get_ylim()
    height = (top - bottom) / (1 - floor - HEADROOM)
    ax.set_ylim(bottom - floor * height, top + HEADROOM * height)


def draw(fits: pd.DataFrame, fronts: pd.DataFrame) -> Figure:
    """Draw one panel per window, and the sizes of the point in the middle of the traverse.

    Parameters
    ----------
    fits, fronts : DataFrame
        Rows of the schemas EXPONENTS and FRONTS: one sweep, one alpha.
    """
    import matplotlib.pyplot as plt

    fits = fits[(fits["quantity"] == QUANTITY) & fits["method"].isin([METHOD, EXACT])]
    windows = fits.sort_values("beta").groupby("window")
    figure = plt.figure(figsize=(WIDTH, 5.6))
    upper, lower = figure.add_gridspec(2, 1, height_ratios=[1.1, 1])
    axes = upper.subgridspec(1, windows.ngroups).subplots(sharey=True, squeeze=False)
    n_refused = 0
    for letter, ax, (_, rows) in zip(ascii_lowercase, axes.flat, windows, strict=False):
        n_refused += len(draw_window(ax, rows))
        low, high = map(power_of_ten, rows[["window_low", "window_high"]].iloc[0])
        panel_label(ax, letter, f"{low} to {high} flops")
    leave_room(axes.flat[0], FLOOR if n_refused else 0.0)
    axes.flat[0].set_ylabel(f"${SYMBOLS[QUANTITY]}$ in ${LAWS[QUANTITY]}$, Approach 1")
    for ax in axes.flat:
        mark_phases(ax, fits["alpha"].iloc[0])
    ax = figure.add_subplot(lower)
    betas = sorted(fits["beta"].unique())
    beta = betas[len(betas) // 2]
    of_point = fronts[(fronts["beta"] == beta) & (fronts["method"] == METHOD)]
    draw_windows(ax, of_point, fits[(fits["beta"] == beta) & (fits["method"] == METHOD)])
    panel_label(ax, ascii_lowercase[windows.ngroups], f"best sizes at $\\beta = {beta:g}$")
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis, plain=True)
    legend_below(figure, legend_entries(*axes.flat), 3)
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
