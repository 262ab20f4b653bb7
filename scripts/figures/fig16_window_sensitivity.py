"""Figure 16: xi by the envelope in several windows of budgets, side by side along a traverse."""

from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, legend_entries, power_of_ten
from plrf.draw.exponents import LAWS, SYMBOLS
from plrf.draw.phases import mark_phases
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.draw.traverses import draw_exact, draw_measured, draw_theory
from plrf.engines.registry import ENGINES
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.store import read_table

QUANTITY, METHOD, EXACT = "xi", "approach1", "approach0"
ERRORS = {"sgd": "runs", "volterra": "residuals"}  # what their intervals tell
LABELS = {key: f"{ENGINES[key].label}, 95% interval ({error})" for key, error in ERRORS.items()}
# Refused fits stand below the others, one row for each engine: heights in units of the panel's.
REFUSED = {"sgd": 0.12, "volterra": 0.05}
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


def draw(fits: pd.DataFrame) -> Figure:
    """Draw one panel per window.

    Parameters
    ----------
    fits : DataFrame
        Rows of the EXPONENTS schema: one sweep, one alpha.
    """
    import matplotlib.pyplot as plt

    fits = fits[(fits["quantity"] == QUANTITY) & fits["method"].isin([METHOD, EXACT])]
    windows = fits.sort_values("beta").groupby("window")
    figure, axes = plt.subplots(
        1, windows.ngroups, figsize=(WIDTH, 3.0), sharey=True, squeeze=False
    )
    n_refused = 0
    for letter, ax, (_, rows) in zip(ascii_lowercase, axes.flat, windows, strict=False):
        n_refused += len(draw_window(ax, rows))
        low, high = map(power_of_ten, rows[["window_low", "window_high"]].iloc[0])
        panel_label(ax, letter, f"{low} to {high} flops")
    leave_room(axes.flat[0], FLOOR if n_refused else 0.0)
    axes.flat[0].set_ylabel(f"${SYMBOLS[QUANTITY]}$ in ${LAWS[QUANTITY]}$, Approach 1")
    for ax in axes.flat:
        mark_phases(ax, fits["alpha"].iloc[0])
    legend_below(figure, legend_entries(*axes.flat), 3)
    return figure


def make_figure(exponents_path: str, sweep: str, paths: list[str]) -> None:
    """Read the exponents of a sweep and write the figure."""
    fits = read_table(exponents_path, EXPONENTS, [("sweep", "=", sweep)])
    with style():
        save(draw(fits), paths, read_provenance(exponents_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.exponents, snakemake.params.sweep, list(snakemake.output))
