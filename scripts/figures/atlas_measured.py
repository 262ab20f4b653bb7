"""What experiments without noise report over the plane: bias of finite size and of the method."""

from string import ascii_lowercase

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from plrf.draw.axes import legend_below, legend_entries, power_of_ten
from plrf.draw.exponents import SYMBOLS
from plrf.draw.palette import BLUE, INK, PURPLE, VERMILION
from plrf.draw.planes import draw_map, matrix
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.statuses import OK
from plrf.study.atlas import QUANTITIES
from plrf.study.provenance import read_provenance
from plrf.study.schemas.atlas import MEASURED
from plrf.study.store import read_table

MAP = mpl.colormaps["RdBu_r"].resampled(256)
LINEAR, LARGEST = 0.003, 0.3  # of biases: the colours are linear up to one and end at the other
TITLES = {"approach1": "Approach 1", "approach2": "Approach 2", "approach3": "Approach 3"}
COLORS = {"approach1": BLUE, "approach2": PURPLE, "approach3": VERMILION}
SHIFT = 0.12  # of the bars of an approach


def with_biases(table: pd.DataFrame) -> pd.DataFrame:
    """Parts of the deviation from the theory: of finite size, and of the method."""
    finite, method = table["exact"] - table["theory"], table["reported"] - table["exact"]
    return table.assign(finite=finite, method=method)


def one_experiment(table: pd.DataFrame, quantity: str, approach: str, sizes: int) -> pd.DataFrame:
    """Rows of one map; points without exponents belong to all."""
    other = table["status"].isin([OK, "refused"])
    own = (table["quantity"] == quantity) & (table["approach"] == approach)
    own &= table["sizes"] == sizes
    rows = pd.concat([table[own], table[~other]])
    return rows.drop_duplicates(["alpha", "beta"])


def draw_biases(ax: Axes, plane: pd.DataFrame, column: str) -> QuadMesh:
    """Draw a part of the deviation as a map."""
    norm = SymLogNorm(LINEAR, vmin=-LARGEST, vmax=LARGEST)
    return draw_map(ax, matrix(plane, plane[column]), norm, MAP, hatch_color=None, names=False)


def draw_spread(ax: Axes, table: pd.DataFrame, quantity: str) -> None:
    """Draw median and 5 to 95% range over the plane of the method's bias, by number of sizes."""
    counts = sorted(table.loc[table["sizes"] > 0, "sizes"].unique())
    for k, (approach, color) in enumerate(COLORS.items()):
        own = table[(table["quantity"] == quantity) & (table["approach"] == approach)]
        sizes = own[own["status"] == OK].groupby("sizes")["method"]
        ranges = sizes.quantile([0.05, 0.5, 0.95]).unstack().reindex(counts)
        place = np.arange(len(counts)) + SHIFT * (k - 1)
        middle = ranges[0.5]
        reach = [middle - ranges[0.05], ranges[0.95] - middle]
        ax.errorbar(
            place, middle, yerr=reach, fmt="o", ms=3, capsize=2, color=color, label=TITLES[approach]
        )
    ax.axhline(0, color=INK, lw=0.6)
    ax.set_yscale("symlog", linthresh=LINEAR)
    ax.set_yticks([-0.1, -0.01, 0, 0.01, 0.1], ["-0.1", "-0.01", "0", "0.01", "0.1"])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xticks(range(len(counts)), [f"{n}" for n in counts])
    ax.set(
        ylim=(-0.5, 0.5),
        xlabel="number of sizes",
        ylabel=f"bias of ${SYMBOLS[quantity]}$ by the method",
    )
    ax.grid(axis="x", visible=False)


def draw(table: pd.DataFrame, window: list[float], sizes: int) -> Figure:
    """Draw maps of the parts of the bias, and below how it depends on the number of sizes.

    Parameters
    ----------
    table : DataFrame
        Rows of the MEASURED schema.
    window : list of float
        Lowest and highest budget.
    sizes : int
        Number of sizes of the experiment in the maps.
    """
    import matplotlib.pyplot as plt

    table = with_biases(table)
    figure = plt.figure(figsize=(WIDTH, 6.2))
    above, below = figure.subfigures(2, 1, height_ratios=[2.3, 1])
    grid = above.subplots(2, 1 + len(TITLES), sharex=True, sharey=True)
    letters = iter(ascii_lowercase)
    for axes, quantity in zip(grid, QUANTITIES, strict=True):
        for ax, approach in zip(axes, (None, *TITLES), strict=True):
            plane = one_experiment(table, quantity, approach or "approach2", sizes)
            cells = draw_biases(ax, plane, "method" if approach else "finite")
            title = TITLES[approach] if approach else "finite size"
            panel_label(ax, next(letters), f"${SYMBOLS[quantity]}$: {title}")
            ax.label_outer()
    bar = above.colorbar(cells, ax=grid, location="right", aspect=40, extend="both", pad=0.02)
    bar.set_label(f"bias, {sizes} sizes")
    bar.set_ticks([-0.3, -0.1, -0.03, -0.01, 0, 0.01, 0.03, 0.1, 0.3])
    bar.formatter = "{x:g}"
    low, high = map(power_of_ten, window)
    panels = below.subplots(1, 2)
    for ax, quantity in zip(panels, QUANTITIES, strict=True):
        draw_spread(ax, table, quantity)
        panel_label(ax, next(letters), f"median, 5 to 95% of the plane, {low} to {high}")
    legend_below(below, legend_entries(panels[0]), 3)
    return figure


def make_figure(path: str, window: list[float], sizes: int, paths: list[str]) -> None:
    """Read the table and write the figure."""
    table = read_table(path, MEASURED)
    with style():
        save(draw(table, window, sizes), paths, read_provenance(path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.measured,
        snakemake.params.window,
        snakemake.params.sizes,
        list(snakemake.output),
    )
