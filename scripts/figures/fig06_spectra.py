"""Figure 6: the spectrum as the target sees it, sampled and from the resolvent."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, log_ticks
from plrf.draw.palette import INK, SKY
from plrf.draw.style import TERM_COLORS, TERM_LABELS, WIDTH, panel_label, save, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.spectra import SPECTRUM_DENSITY, SPECTRUM_HISTOGRAM
from plrf.study.store import read_table
from plrf.theory.phases import phase_name

SPREAD = 4  # standard deviations of the largest eigenvalue on each side of it
ORDER = SAMPLED, ERROR, AVERAGED, PURE, CONTINUOUS = (
    "mean over sampled $W$",
    "its standard error",
    "resolvent, $W$ averaged out",
    f"as in {TERM_LABELS['F_pp']}",
    f"as in {TERM_LABELS['F_ac']}",
)
LOWEST = 1.05  # the vertical axis starts at the density of this times the lowest eigenvalue


def at_point(table: pd.DataFrame, alpha: float, beta: float) -> pd.DataFrame:
    """Rows of one point."""
    return table[(table["alpha"] == alpha) & (table["beta"] == beta)]


def draw_histogram(ax: Axes, bins: pd.DataFrame) -> None:
    """Mean mass per unit of log x in each bin, with its standard error over W."""
    edges = np.append(bins["x_low"], bins["x_high"].iloc[-1])
    width = np.log(bins["x_high"] / bins["x_low"])
    mass, error = bins["mass"] / width, bins["std_error"] / width
    ax.stairs(mass, edges, fill=True, color=SKY, alpha=0.45, lw=0, label=SAMPLED)
    centre = np.sqrt(bins["x_low"] * bins["x_high"])
    bar = {"fmt": "none", "ecolor": "0.5", "elinewidth": 0.6, "label": ERROR}
    ax.errorbar(centre[mass > 0], mass[mass > 0], error[mass > 0], **bar)


def draw_density(ax: Axes, density: pd.DataFrame) -> None:
    """Density of the mass per unit of log x, band by band."""
    for k, (_, rows) in enumerate(density.groupby("band")):
        label = AVERAGED if k == 0 else None
        ax.plot(rows["x"], rows["x"] * rows["mass_density"], color=INK, lw=1.0, label=label)


def draw_terms(ax: Axes, density: pd.DataFrame) -> None:
    """What F_pp and F_ac take for the density."""
    terms = {
        "pure_points": (PURE, TERM_COLORS["F_pp"], (0, (4, 2))),
        "continuous": (CONTINUOUS, TERM_COLORS["F_ac"], (0, (2, 1))),
    }
    for column, (label, color, dashes) in terms.items():
        rows = density[density[column] > 0]
        if len(rows):
            line = rows["x"] * rows[column]
            ax.plot(rows["x"], line, color=color, lw=1.2, ls=dashes, label=label)


def height_range(bins: pd.DataFrame, converged: pd.DataFrame) -> tuple[float, float]:
    """Lowest and highest mass per unit of log x; the lowest next to the end of the spectrum."""
    curve = converged["x"] * converged["mass_density"]
    heights = np.append(bins["mass"] / np.log(bins["x_high"] / bins["x_low"]), curve)
    lowest = 0.0
    if len(converged):
        lowest = np.interp(LOWEST * converged["x"].min(), converged["x"], curve)
    return lowest or heights[heights > 0].min(), heights.max()


def draw_point(axes: list[Axes], letter: str, bins: pd.DataFrame, density: pd.DataFrame) -> None:
    """The whole spectrum of one point, and its largest eigenvalue."""
    whole, first = axes
    converged = density[density["status"] == "ok"]
    for ax in axes:
        draw_histogram(ax, bins)
        draw_density(ax, converged)
    draw_terms(whole, converged)
    lowest, highest = height_range(bins, converged)
    whole.set(
        xscale="log",
        yscale="log",
        ylabel="mass per unit of $\\ln x$",
        xlim=(bins["x_low"].min() / 1.1, bins["x_high"].max() * 1.1),
        ylim=(lowest / 2, 2 * highest),
    )
    for axis in (whole.xaxis, whole.yaxis):
        log_ticks(axis)
    alpha, beta, d, samples = bins[["alpha", "beta", "d", "samples"]].iloc[0]
    outliers = density["band"].max()
    if outliers:
        bulk = density.loc[density["band"] == 0, "x"].max()
        whole.axvspan(bulk, bins["x_high"].max() * 1.1, color=INK, alpha=0.05, lw=0, zorder=0)
    lost = len(density) - len(converged)
    panel_label(
        whole,
        letter,
        f"{phase_name(alpha, beta)}: $\\alpha = {alpha:g}$, $\\beta = {beta:g}$, "
        f"$d = {d:g}$, {samples:g} $W$; shaded: {outliers} outliers"
        + (f"; {lost} not converged" if lost else ""),
    )
    top = density[density["band"] == outliers]
    centre = top["x"].iloc[[0, -1]].mean() if outliers else top["x"].iloc[-1]
    margin = SPREAD * np.sqrt(2 / d)
    first.set(xlim=(centre * max(0, 1 - margin), centre * (1 + margin)), ylim=(0, None))
    first.set_title("largest eigenvalue")
    first.set_ylabel("mass per unit of $\\ln x$")


def draw(histogram: pd.DataFrame, density: pd.DataFrame) -> Figure:
    """Draw two panels per point, the whole spectrum and its first outlier.

    The sampled outlier is sqrt(2) wider than the band of the resolvent: the largest eigenvalue is
    close to ``a_1 chi_d**2/d``, whose variance ``2 a_1**2/d`` is twice that of the semicircle.

    Parameters
    ----------
    histogram, density : DataFrame
        Rows of the schemas SPECTRUM_HISTOGRAM and SPECTRUM_DENSITY.
    """
    import matplotlib.pyplot as plt

    points = list(dict.fromkeys(zip(histogram["alpha"], histogram["beta"], strict=True)))
    size = (WIDTH, 0.7 + 1.95 * len(points))
    figure, axes = plt.subplots(len(points), 2, figsize=size, width_ratios=[3.6, 1], squeeze=False)
    for row, (point, pair) in enumerate(zip(points, axes, strict=True)):
        letter = chr(ord("a") + row)
        draw_point(list(pair), letter, at_point(histogram, *point), at_point(density, *point))
    axes[-1, 0].set_xlabel(r"eigenvalue $x$ of $\hat{K} = D^{1/2} W W^T D^{1/2}$")
    axes[-1, 1].set_xlabel("eigenvalue $x$")
    entries = {}
    for ax in axes[:, 0]:
        handles, labels = ax.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    legend_below(figure, {label: entries[label] for label in sorted(entries, key=ORDER.index)}, 5)
    return figure


def make_figure(histogram_path: str, density_path: str, paths: list[str]) -> None:
    """Read both tables and write the figure."""
    histogram = read_table(histogram_path, SPECTRUM_HISTOGRAM)
    density = read_table(density_path, SPECTRUM_DENSITY)
    with style():
        save(draw(histogram, density), paths, read_provenance(histogram_path, density_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.histogram, snakemake.input.density, list(snakemake.output))
