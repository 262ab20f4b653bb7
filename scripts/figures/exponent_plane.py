"""Figures 4 and 8: an exponent over the (alpha, beta) plane, in theory and measured; a traverse."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import CenteredNorm, Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plrf.draw.axes import legend_below, power_of_ten, say, why_no_fit
from plrf.draw.curves import draw_estimates, draw_line
from plrf.draw.palette import BLUE, INK
from plrf.draw.phases import draw_phases, mark_phases
from plrf.draw.style import ENGINE_LABELS, ENGINE_MARKERS, WIDTH, panel_label, save, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.schemas.plane import PLANE
from plrf.study.store import read_table
from plrf.theory.phases import exponents

SYMBOLS = {"eta": r"\eta", "xi": r"\xi"}
LAWS = {"eta": r"P^* \propto f^{-\eta}", "xi": r"d^* \propto f^{\xi}"}
METHOD, WINDOW = "approach2", 0  # of the windows, the main one
FINE = 600  # theory is drawn at so many values of alpha and of beta
VALUE_MAP = mpl.colormaps["viridis"]
# In full also where matplotlib was imported with another image.lut.
DEVIATION_MAP = mpl.colormaps["RdBu_r"].resampled(256)
# The colours of deviations end where this share of them does: the few beyond are saturated.
SHARE = 0.98
MARGIN, LEAST_RANGE = 0.08, 1.0  # of the traverse, in beta
HEADROOM = 0.17  # of the traverse, for the names of the phases


def theory(quantity: str, alpha: np.ndarray | float, beta: np.ndarray) -> np.ndarray:
    """Exponent of the asymptotic theory, by name."""
    eta, xi = exponents(alpha, beta)
    return {"eta": eta, "xi": xi}[quantity]


def finite(values: pd.DataFrame) -> np.ndarray:
    """The values that there are."""
    return values.to_numpy()[np.isfinite(values)]


def matrix(plane: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Values over the plane as a matrix: one row per beta, one column per alpha."""
    return plane.assign(values=values).pivot(index="beta", columns="alpha", values="values")


def edges(centres: pd.Index) -> np.ndarray:
    """Edges of the cells around evenly spaced centres."""
    half = (centres[1] - centres[0]) / 2
    return np.append(centres - half, centres[-1] + half)


def draw_cells(ax: Axes, values: pd.DataFrame, norm: Normalize, cmap: Colormap) -> QuadMesh:
    """Draw one cell per point, grey where there is no value."""
    ax.set_facecolor("#DDDDDD")
    mesh = edges(values.columns), edges(values.index)
    return ax.pcolormesh(*mesh, values.to_numpy(), norm=norm, cmap=cmap, rasterized=True)


def fine_theory(quantity: str, values: pd.DataFrame) -> pd.DataFrame:
    """Theory over the same part of the plane, so fine that the phase boundaries are sharp."""
    alpha, beta = (
        (line[1:] + line[:-1]) / 2
        for line in (
            np.linspace(edges(index)[0], edges(index)[-1], FINE + 1)
            for index in (values.columns, values.index)
        )
    )
    return pd.DataFrame(theory(quantity, alpha, beta[:, None]), index=beta, columns=alpha)


def draw_maps(axes: dict[str, Axes], quantity: str, plane: pd.DataFrame) -> None:
    """Draw theory, the measured exponent, and how far the one is from the other."""
    measured = matrix(plane, plane[quantity])
    deviation = matrix(plane, plane[quantity] - plane[f"{quantity}_theory"])
    fine = fine_theory(quantity, measured)
    shown = [*finite(measured), *finite(fine)] or [0.0, 1.0]
    norm = Normalize(min(shown), max(shown))
    deviations = np.abs(finite(deviation))
    half_range = np.quantile(deviations, SHARE) if deviations.size else 1.0

    draw_cells(axes["a"], fine, norm, VALUE_MAP)
    cells = draw_cells(axes["b"], measured, norm, VALUE_MAP)
    signed = draw_cells(axes["c"], deviation, CenteredNorm(0, half_range), DEVIATION_MAP)
    for name in "abc":
        draw_phases(
            axes[name],
            edges(measured.columns)[[0, -1]],
            edges(measured.index)[[0, -1]],
            hatch_color="white" if name == "a" else None,
            names=name == "a",
        )
        for axis in (axes[name].xaxis, axes[name].yaxis):
            axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    for name in "bc":
        axes[name].set(ylabel="", yticklabels=[])
    draw_notes(axes)
    if not deviations.size:
        found = ", ".join(sorted(plane["status"].unique()))
        for name in "bc":
            say(axes[name], f"nothing to show: {found}")
    symbol = SYMBOLS[quantity]
    bar = {"location": "bottom", "pad": 0.03}
    figure = axes["a"].figure
    values = figure.colorbar(cells, ax=[axes["a"], axes["b"]], aspect=50, **bar)
    values.set_label(f"${symbol}$ in ${LAWS[quantity]}$", labelpad=2)
    signs = figure.colorbar(signed, ax=axes["c"], aspect=24, extend="both", **bar)
    signs.locator = MaxNLocator(4)
    signs.formatter = "{x:g}"
    signs.set_label(f"measured ${symbol}$ minus theory", labelpad=2)
    flops = power_of_ten(plane["flops"].iloc[0])
    panel_label(axes["a"], "a", f"theory of ${symbol}$, $f \\to \\infty$")
    panel_label(axes["b"], "b", f"exact front, $f =${flops}")
    panel_label(axes["c"], "c", "deviation")


def draw_notes(axes: dict[str, Axes]) -> None:
    """Say what is grey."""
    for name, note in {"a": "no power\nlaw", "b": "no\nminimum"}.items():
        note = {"s": note, "size": 7, "color": "#555555", "va": "bottom", "linespacing": 1.1}
        axes[name].text(0.03, 0.02, transform=axes[name].transAxes, **note)


def traverse_range(betas: pd.Series, alpha: float) -> tuple[float, float]:
    """Range of beta around the measured ones, above the edge of the power law."""
    low, high = betas.min() - MARGIN, betas.max() + MARGIN
    missing = max(0.0, LEAST_RANGE - (high - low)) / 2
    return max(low - missing, 0.5 - alpha), high + missing


def draw_traverse(ax: Axes, quantity: str, fits: pd.DataFrame, plane: pd.DataFrame) -> None:
    """Draw theory, the exact front and the measured exponents at one alpha against beta."""
    alpha = fits["alpha"].iloc[0]
    low, high = traverse_range(fits["beta"], alpha)
    beta = np.linspace(low, high, FINE)[1:]
    predicted = theory(quantity, alpha, beta)
    ax.plot(beta, predicted, color=INK, lw=1.2, label=r"theory, $f \to \infty$")
    exact = plane[np.isclose(plane["alpha"], alpha) & plane["beta"].between(low, high)]
    if exact[quantity].notna().any():
        label = f"exact front, $f =${power_of_ten(exact['flops'].iloc[0])}"
        line = {"color": BLUE, "lw": 0.9, "ls": (0, (4, 1.5))}
        draw_line(ax, exact["beta"], exact[quantity], label=label, **line)
    in_window = fits[fits["engine"] == "volterra"].sort_values("beta")
    if in_window["exact"].notna().any():
        label = "exact front, budgets of the fits"
        draw_line(ax, in_window["beta"], in_window["exact"], color=BLUE, lw=0.9, label=label)
    n_refused = 0
    for engine in ENGINE_MARKERS:
        rows = fits[fits["engine"] == engine]
        good = rows[np.isfinite(rows["estimate"])].sort_values("beta")
        n_refused += len(rows) - len(good)
        if good.empty:
            continue
        low_f, high_f = map(power_of_ten, good[["window_low", "window_high"]].iloc[0])
        draw_estimates(
            ax, good, engine, f"{ENGINE_LABELS[engine]}, IsoFLOP fits, {low_f} to {high_f}"
        )
    if n_refused:
        ax.plot([], [], " ", label=f"refused fits (table 4): {n_refused}")
    measured = fits[fits["engine"].isin(ENGINE_MARKERS)]
    if measured["estimate"].isna().all():
        say(ax, why_no_fit(measured))
    ax.set(
        xlim=(low, high),
        xlabel=r"target complexity $\beta$",
        ylabel=f"${SYMBOLS[quantity]}$ in ${LAWS[quantity]}$",
    )
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top + HEADROOM * (top - bottom))
    handles, labels = ax.get_legend_handles_labels()
    legend_below(ax.figure, dict(zip(labels, handles, strict=True)), 2)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    mark_phases(ax, alpha)
    panel_label(ax, "d", f"traverse at $\\alpha = {alpha:g}$, with 95% intervals")


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
