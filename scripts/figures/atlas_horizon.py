"""Maps of the compute from which on exponents are those of the theory."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, legend_entries, log_ticks, power_of_ten
from plrf.draw.exponents import SYMBOLS
from plrf.draw.palette import BLUE, INK, VERMILION
from plrf.draw.planes import draw_map, matrix
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.statuses import BEYOND, NOT_CONVERGED
from plrf.study.atlas import QUANTITIES
from plrf.study.provenance import read_provenance
from plrf.study.schemas.atlas import HORIZON
from plrf.study.store import read_table

MAP = mpl.colormaps["viridis_r"]
FAR = "#7F0000"  # beyond the last budget
COLORS = {"eta": BLUE, "xi": VERMILION}
STEP, LEVELS = 2, 4  # decades of a colour, and between contours
DOTTED, DASHED = (0, (1, 1.2)), (0, (5, 1.5))
LEAST = 0.01  # decades that the last colour has


def draw_horizons(ax: Axes, plane: pd.DataFrame, flops: list[float]) -> QuadMesh:
    """Draw decades of the horizon as a map, with contours; beyond the last budget in dark red."""
    low, high = np.log10(flops)
    decades = np.log10(plane["flops"]).where(plane["status"] != BEYOND, high + STEP)
    values = matrix(plane, decades)
    bounds = np.append(np.arange(low, high - LEAST, STEP), high)
    cmap = MAP.resampled(bounds.size - 1).with_extremes(over=FAR)
    norm = BoundaryNorm([*bounds], cmap.N)
    cells = draw_map(ax, values, norm, cmap, hatch_color=None)
    levels = np.arange(low + LEVELS, high, LEVELS)
    if min(values.shape) > 1:
        ax.contour(values.columns, values.index, values, levels, colors="white", linewidths=0.5)
    failed = plane[plane["status"] == NOT_CONVERGED]
    ax.plot(failed["alpha"], failed["beta"], "x", color=INK, ms=3)
    return cells


def draw_shares(ax: Axes, table: pd.DataFrame, flops: list[float]) -> None:
    """Draw which share of the plane has reached the theory for good, against compute."""
    budgets = np.geomspace(*flops, 200)
    for quantity in QUANTITIES:
        known = table[(table["quantity"] == quantity) & table["flops"].notna()]
        shares = [(known["flops"] <= budget).mean() for budget in budgets]
        ax.plot(budgets, shares, color=COLORS[quantity], label=f"${SYMBOLS[quantity]}$, all phases")
        small = known["alpha"] < 0.5
        for part, sign, line in ((known[small], "<", DOTTED), (known[~small], r"\geq", DASHED)):
            shares = [(part["flops"] <= budget).mean() for budget in budgets] if len(part) else []
            label = f"$2\\alpha {sign} 1$"
            ax.plot(
                budgets[: len(shares)],
                shares,
                color=COLORS[quantity],
                ls=line,
                lw=0.9,
                label=f"${SYMBOLS[quantity]}$, {label}",
            )
    ax.set(xscale="log", xlim=flops, ylim=(0, 1.02), xlabel="compute $f$ (flops)")
    ax.set_ylabel("share of the points")
    log_ticks(ax.xaxis)


def draw(table: pd.DataFrame, tolerance: float, flops: list[float]) -> Figure:
    """Draw a map for each exponent, and shares of the plane below.

    Parameters
    ----------
    table : DataFrame
        Rows of the HORIZON schema.
    tolerance : float
        Of the relative deviation from the theory.
    flops : list of float
        Lowest and highest budget.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic("ab;cc", figsize=(WIDTH, 5.6), height_ratios=[1.7, 1])
    within = f"within {tolerance:.0%} of theory for good"
    for name, quantity in zip("ab", QUANTITIES, strict=True):
        cells = draw_horizons(axes[name], table[table["quantity"] == quantity], flops)
        panel_label(
            axes[name],
            name,
            f"compute from which on ${SYMBOLS[quantity]}$ is within {tolerance:.0%}",
        )
    axes["b"].set(ylabel="", yticklabels=[])
    bar = figure.colorbar(
        cells, ax=[axes["a"], axes["b"]], location="bottom", aspect=50, pad=0.03, extend="max"
    )
    bar.ax.xaxis.set_major_formatter(lambda x, _: f"$10^{{{x:.0f}}}$")
    bar.set_label(
        f"flops; dark red: beyond {power_of_ten(flops[1])}; grey: no power law, or no exponent",
        labelpad=2,
    )
    draw_shares(axes["c"], table, flops)
    panel_label(axes["c"], "c", within)
    legend_below(figure, legend_entries(axes["c"]), 6)
    return figure


def make_figure(path: str, tolerance: float, flops: list[float], paths: list[str]) -> None:
    """Read the table and write the figure."""
    table = read_table(path, HORIZON)
    with style():
        save(draw(table, tolerance, flops), paths, read_provenance(path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.horizon,
        snakemake.params.tolerance,
        snakemake.params.flops,
        list(snakemake.output),
    )
