"""Figures 4 and 8: an exponent over the (alpha, beta) plane, in theory and measured; a traverse."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import CenteredNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plrf.draw.axes import legend_below, legend_entries, power_of_ten, say
from plrf.draw.exponents import LAWS, SYMBOLS
from plrf.draw.phases import mark_phases
from plrf.draw.planes import draw_map, fine_theory, finite, mark_failures, matrix
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.draw.traverses import draw_exact, draw_measured, draw_theory
from plrf.engines.registry import ENGINES
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.schemas.plane import PLANE
from plrf.study.store import read_table

METHOD, WINDOW = "approach2", 0  # of the windows, the main one
VALUE_MAP = mpl.colormaps["viridis"]
# In full also where matplotlib was imported with another image.lut.
DEVIATION_MAP = mpl.colormaps["RdBu_r"].resampled(256)
# The colours of deviations end where this share of them does: the few beyond are saturated.
SHARE = 0.98
GREY = "grey: no power law, or in b and c no minimum"
HEADROOM = 0.17  # of the traverse, for the names of the phases


def draw_maps(axes: dict[str, Axes], quantity: str, plane: pd.DataFrame) -> None:
    """Draw theory, the measured exponent, and how far the one is from the other."""
    measured = matrix(plane, plane[quantity])
    deviation = matrix(plane, plane[quantity] - plane[f"{quantity}_theory"])
    fine = fine_theory(quantity, measured)
    shown = [*finite(measured), *finite(fine)] or [0.0, 1.0]
    norm = Normalize(min(shown), max(shown))
    deviations = np.abs(finite(deviation))
    half_range = np.quantile(deviations, SHARE) if deviations.size else 1.0
    draw_map(axes["a"], fine, norm, VALUE_MAP, hatch_color="white")
    bare = {"hatch_color": None, "names": False}
    cells = draw_map(axes["b"], measured, norm, VALUE_MAP, **bare)
    signed = draw_map(axes["c"], deviation, CenteredNorm(0, half_range), DEVIATION_MAP, **bare)
    for name in "bc":
        axes[name].set(ylabel="", yticklabels=[])
    mark_failures(axes["b"], plane)
    if not deviations.size:
        found = ", ".join(sorted(plane["status"].unique()))
        for name in "bc":
            say(axes[name], f"nothing to show: {found}")
    draw_colorbars(axes, quantity, cells, signed)


def draw_colorbars(
    axes: dict[str, Axes], quantity: str, values: ScalarMappable, deviations: ScalarMappable
) -> None:
    """Draw the scale of the exponents, and that of the deviations."""
    symbol, figure = SYMBOLS[quantity], axes["a"].figure
    look = {"location": "bottom", "pad": 0.03}
    bar = figure.colorbar(values, ax=[axes["a"], axes["b"]], aspect=50, **look)
    bar.set_label(f"${symbol}$ in ${LAWS[quantity]}$; {GREY}", labelpad=2)
    bar = figure.colorbar(deviations, ax=axes["c"], aspect=24, extend="both", **look)
    bar.locator = MaxNLocator(4)
    bar.formatter = "{x:g}"
    bar.set_label(f"measured ${symbol}$ minus theory", labelpad=2)


def draw_traverse(ax: Axes, quantity: str, fits: pd.DataFrame, plane: pd.DataFrame) -> None:
    """Draw theory, the exact front and the measured exponents at one alpha against beta."""
    alpha, *window = fits[["alpha", "window_low", "window_high"]].iloc[0]
    draw_theory(ax, quantity, fits)
    label = f"exact front, $f =${power_of_ten(plane['flops'].iloc[0])}"
    at_alpha = plane[np.isclose(plane["alpha"], alpha) & plane["beta"].between(*ax.get_xlim())]
    draw_exact(ax, at_alpha["beta"], at_alpha[quantity], label=label, ls=(0, (4, 1.5)))
    of_fits = fits[fits["engine"] == "volterra"].sort_values("beta")
    draw_exact(ax, of_fits["beta"], of_fits["exact"], label="exact front, budgets of the fits")
    budgets = " to ".join(map(power_of_ten, window))
    labels = {key: f"{engine.label}, IsoFLOP fits, {budgets}" for key, engine in ENGINES.items()}
    refused = draw_measured(ax, fits, labels)
    if len(refused):
        ax.plot([], [], " ", label=f"refused fits (table 4): {len(refused)}")
    ax.set_xlabel(r"target complexity $\beta$")
    ax.set_ylabel(f"${SYMBOLS[quantity]}$ in ${LAWS[quantity]}$")
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top + HEADROOM * (top - bottom))
    legend_below(ax.figure, legend_entries(ax), 2)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    mark_phases(ax, alpha)


def draw(quantity: str, plane: pd.DataFrame, fits: pd.DataFrame) -> Figure:
    """Draw an exponent over the plane and along a traverse.

    Parameters
    ----------
    quantity : str
        eta or xi.
    plane : DataFrame
        Rows of the PLANE schema.
    fits : DataFrame
        Rows of the EXPONENTS schema: one sweep, one alpha.
    """
    import matplotlib.pyplot as plt

    fits = fits[
        (fits["method"] == METHOD) & (fits["window"] == WINDOW) & (fits["quantity"] == quantity)
    ]
    figure, axes = plt.subplot_mosaic("abc;ddd", figsize=(WIDTH, 5.6), height_ratios=[1.25, 1])
    draw_maps(axes, quantity, plane)
    draw_traverse(axes["d"], quantity, fits, plane)
    titles = {
        "a": f"theory of ${SYMBOLS[quantity]}$, $f \\to \\infty$",
        "b": f"exact front, $f =${power_of_ten(plane['flops'].iloc[0])}",
        "c": "deviation",
        "d": f"traverse at $\\alpha = {fits['alpha'].iloc[0]:g}$, with 95% intervals",
    }
    for name, title in titles.items():
        panel_label(axes[name], name, title)
    return figure


def make_figure(
    plane_path: str, exponents_path: str, quantity: str, sweep: str, paths: list[str]
) -> None:
    """Read the tables and write the figure."""
    plane = read_table(plane_path, PLANE)
    fits = read_table(exponents_path, EXPONENTS, [("sweep", "=", sweep)])
    with style():
        save(draw(quantity, plane, fits), paths, read_provenance(plane_path, exponents_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.plane,
        snakemake.input.exponents,
        snakemake.params.quantity,
        snakemake.params.sweep,
        list(snakemake.output),
    )
