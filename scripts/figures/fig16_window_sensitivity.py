"""Figure 16: xi by the envelope in several windows of budgets, side by side along a traverse."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, power_of_ten, say, why_no_fit
from plrf.draw.curves import draw_estimates, draw_line
from plrf.draw.palette import BLUE, INK
from plrf.draw.phases import mark_phases
from plrf.draw.style import (
    ENGINE_COLORS,
    ENGINE_LABELS,
    ENGINE_MARKERS,
    WIDTH,
    panel_label,
    save,
    style,
)
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.store import read_table
from plrf.theory.phases import exponents

QUANTITY, METHOD, EXACT = "xi", "approach1", "approach0"
ERRORS = {"sgd": "runs", "volterra": "residuals"}  # what their intervals tell
# Refused fits stand below the others, one row for each engine: heights in units of the panel's.
REFUSED = {"sgd": 0.12, "volterra": 0.05}
FLOOR, HEADROOM = 0.18, 0.14  # room for them, and for the names of the phases
MARGIN = 0.08  # in beta
FINE = 400  # theory is drawn at so many values of beta


def draw_engine(ax: Axes, rows: pd.DataFrame, engine: str) -> None:
    """Draw the estimates of an engine with their intervals; a cross where a fit was refused."""
    refused = rows["estimate"].isna()
    good = rows[~refused]
    if len(good):
        label = f"{ENGINE_LABELS[engine]}, 95% interval ({ERRORS[engine]})"
        draw_estimates(ax, good, engine, label)
    if refused.any():
        ax.plot(
            rows.loc[refused, "beta"],
            np.full(refused.sum(), REFUSED[engine]),
            "x",
            color=ENGINE_COLORS[engine],
            ms=4,
            transform=ax.get_xaxis_transform(),
            label=f"{ENGINE_LABELS[engine]}: fit refused (table 4)",
        )


def draw_window(ax: Axes, fits: pd.DataFrame) -> None:
    """Draw theory, the exact front of the window and the estimates in it, against beta."""
    alpha, betas = fits["alpha"].iloc[0], fits["beta"]
    low, high = max(betas.min() - MARGIN, 0.5 - alpha), betas.max() + MARGIN
    beta = np.linspace(low, high, FINE)[1:]
    theory = dict(zip(("eta", "xi"), exponents(alpha, beta), strict=True))[QUANTITY]
    ax.plot(beta, theory, color=INK, lw=1.2, label=r"theory, $f \to \infty$")
    exact = fits[fits["method"] == EXACT]
    if exact["exact"].notna().any():
        look = {"color": BLUE, "lw": 0.9, "label": "exact front in the window"}
        draw_line(ax, exact["beta"], exact["exact"], **look)
    measured = fits[(fits["method"] == METHOD) & fits["engine"].isin(ENGINE_MARKERS)]
    for engine in ENGINE_MARKERS:
        draw_engine(ax, measured[measured["engine"] == engine], engine)
    if measured["estimate"].isna().all():
        say(ax, why_no_fit(measured))
    ax.set(xlim=(low, high), xlabel=f"target complexity $\\beta$, at $\\alpha = {alpha:g}$")


def draw(fits: pd.DataFrame) -> Figure:
    """Draw one panel per window.

    Parameters
    ----------
    fits : DataFrame
        Rows of the EXPONENTS schema: one sweep, one alpha.
    """
    import matplotlib.pyplot as plt

    fits = fits[(fits["quantity"] == QUANTITY) & fits["method"].isin([METHOD, EXACT])]
    fits = fits.sort_values("beta")
    measured = fits[(fits["method"] == METHOD) & fits["engine"].isin(ENGINE_MARKERS)]
    windows = fits.groupby("window")
    figure, axes = plt.subplots(
        1, windows.ngroups, figsize=(WIDTH, 3.0), sharey=True, squeeze=False
    )
    for k, (ax, (_, rows)) in enumerate(zip(axes.flat, windows, strict=True)):
        draw_window(ax, rows)
        low, high = map(power_of_ten, rows[["window_low", "window_high"]].iloc[0])
        panel_label(ax, chr(ord("a") + k), f"{low} to {high} flops")
    first = axes.flat[0]
    bottom, top = first.get_ylim()
    floor = FLOOR if measured["estimate"].isna().any() else 0.0
    height = (top - bottom) / (1 - floor - HEADROOM)
    first.set_ylim(bottom - floor * height, top + HEADROOM * height)
    first.set_ylabel(r"$\xi$ in $d^* \propto f^{\xi}$, Approach 1")
    for ax in axes.flat:
        mark_phases(ax, fits["alpha"].iloc[0])
    labelled = [ax.get_legend_handles_labels() for ax in axes.flat]
    legend = {label: handle for pair in labelled for handle, label in zip(*pair, strict=True)}
    legend_below(figure, legend, 3)
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
