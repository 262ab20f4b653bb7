"""Figure 6: the spectrum as the target sees it, sampled and from the resolvent."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, legend_entries, log_ticks
from plrf.draw.palette import INK
from plrf.draw.spectra import ORDER, draw_density, draw_histogram, draw_terms, height_range
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.spectra import SPECTRUM_DENSITY, SPECTRUM_HISTOGRAM
from plrf.study.store import read_table
from plrf.theory.phases import phase_name

SPREAD = 4  # standard deviations of the largest eigenvalue on each side of it
MASS = "mass per unit of $\\ln x$"


def at_point(table: pd.DataFrame, alpha: float, beta: float) -> pd.DataFrame:
    """Rows of one point."""
    return table[(table["alpha"] == alpha) & (table["beta"] == beta)]


def draw_whole(ax: Axes, bins: pd.DataFrame, density: pd.DataFrame) -> None:
    """The whole spectrum of one point, its outliers shaded."""
    converged = density[density["status"] == "ok"]
    draw_histogram(ax, bins)
    draw_density(ax, converged)
    draw_terms(ax, converged)
    lowest, highest = height_range(bins, converged)
    left, right = bins["x_low"].min() / 1.1, bins["x_high"].max() * 1.1
    ax.set(xscale="log", yscale="log", ylabel=MASS, xlim=(left, right))
    ax.set_ylim(lowest / 2, 2 * highest)
    for axis in (ax.xaxis, ax.yaxis):
        log_ticks(axis)
    if density["band"].max():
        bulk = density.loc[density["band"] == 0, "x"].max()
        ax.axvspan(bulk, right, color=INK, alpha=0.05, lw=0, zorder=0)


def describe(bins: pd.DataFrame, density: pd.DataFrame) -> str:
    """What a panel shows: the point and its phase, the sample, the outliers."""
    alpha, beta, d, samples = bins[["alpha", "beta", "d", "samples"]].iloc[0]
    lost = (density["status"] != "ok").sum()
    return (
        f"{phase_name(alpha, beta)}: $\\alpha = {alpha:g}$, $\\beta = {beta:g}$, "
        f"$d = {d:g}$, {samples:g} $W$; shaded: {density['band'].max()} outliers"
        + (f"; {lost} not converged" if lost else "")
    )


def draw_largest(ax: Axes, bins: pd.DataFrame, density: pd.DataFrame) -> None:
    """The largest eigenvalue of one point."""
    draw_histogram(ax, bins)
    draw_density(ax, density[density["status"] == "ok"])
    outliers = density["band"].max()
    top = density.loc[density["band"] == outliers, "x"]
    centre = top.iloc[[0, -1]].mean() if outliers else top.iloc[-1]
    margin = SPREAD * np.sqrt(2 / bins["d"].iloc[0])
    ax.set(xlim=(centre * max(0, 1 - margin), centre * (1 + margin)), ylim=(0, None))
    ax.set(title="largest eigenvalue", ylabel=MASS)


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
    for row, (point, (whole, largest)) in enumerate(zip(points, axes, strict=True)):
        tables = [at_point(table, *point) for table in (histogram, density)]
        draw_whole(whole, *tables)
        panel_label(whole, chr(ord("a") + row), describe(*tables))
        draw_largest(largest, *tables)
    axes[-1, 0].set_xlabel(r"eigenvalue $x$ of $\hat{K} = D^{1/2} W W^T D^{1/2}$")
    axes[-1, 1].set_xlabel("eigenvalue $x$")
    entries = legend_entries(*axes[:, 0])
    legend_below(figure, {label: entries[label] for label in ORDER if label in entries}, 5)
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
