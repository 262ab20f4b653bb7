"""What momentum gains over SGD in the exponent of the front: over the plane, and at points."""

from string import ascii_lowercase

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, legend_entries, power_of_ten
from plrf.draw.momentum import COLORS, LABELS
from plrf.draw.planes import draw_map, finite, mark_failures, matrix
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.measure.momentum_gains import POINT, with_gains
from plrf.study.provenance import read_provenance
from plrf.study.schemas.momentum import MOMENTUM_FRONTS
from plrf.study.store import read_table

COMPARED = list(LABELS)[1:]
GAIN_MAP = mpl.colormaps["RdBu_r"].resampled(256)
OFFSET = 0.16  # between algorithms at a point


def draw_maps(axes: np.ndarray, gains: pd.DataFrame) -> None:
    """Draw the gain in eta of each algorithm: a row for each budget."""
    budgets = sorted(gains["flops"].unique())
    there = np.abs(finite(gains[["gain"]]))
    norm = CenteredNorm(0, max(there.max(initial=0.0), 1e-3))
    letters = iter(ascii_lowercase)
    for k, flops in enumerate(budgets):
        for ax, name in zip(axes[k], COMPARED, strict=True):
            plane = gains[(gains["algorithm"] == name) & (gains["flops"] == flops)]
            cells = draw_map(ax, matrix(plane, plane["gain"]), norm, GAIN_MAP, hatch_color=None)
            mark_failures(ax, plane)
            panel_label(ax, next(letters), f"{LABELS[name]}, $f =${power_of_ten(flops)}")
            if name != COMPARED[0]:
                ax.set(ylabel="", yticklabels=[])
            if flops != budgets[-1]:
                ax.set(xlabel="", xticklabels=[])
    figure = axes[0, 0].figure
    bar = figure.colorbar(cells, ax=list(axes.flat), aspect=30, pad=0.02)
    bar.set_label(r"$\eta$ less that of SGD; grey: no front")


def draw_points(ax: Axes, fronts: pd.DataFrame) -> None:
    """Draw exponents with errors at each point, beside the heuristic ones."""
    fronts = fronts[fronts["flops"] == fronts["flops"].max()]
    places = {point: k for k, point in enumerate(fronts.groupby(POINT, sort=False).groups)}
    for k, (name, color) in enumerate(COLORS.items()):
        rows = fronts[fronts["algorithm"] == name]
        x = np.array([places[tuple(point)] for point in rows[POINT].to_numpy()])
        x = x + OFFSET * (k - (len(COLORS) - 1) / 2)
        look = {"color": color, "fmt": "o", "ms": 4, "capsize": 2, "zorder": 3}
        ax.errorbar(x, rows["eta"], yerr=rows["eta_error"], label=LABELS[name], **look)
        label = "heuristic" if k == 0 else None
        dash = {"marker": "_", "ms": 9, "ls": "", "mew": 1.4}
        ax.plot(x, rows["eta_heuristic"], color=color, label=label, **dash)
    first = fronts.drop_duplicates(POINT)
    names = [f"{row.phase}\n({row.alpha:g}, {row.beta:g})" for row in first.itertuples()]
    ax.set_xticks(range(len(names)), names)
    ax.set(xlim=(-0.5, len(names) - 0.5), ylabel=r"local exponent $\eta$")
    ax.grid(visible=False, axis="x")


def draw(fronts: pd.DataFrame, plane: pd.DataFrame) -> Figure:
    """Draw the maps above, the points below.

    Parameters
    ----------
    fronts, plane : DataFrame
        Rows of the MOMENTUM_FRONTS schema.
    """
    import matplotlib.pyplot as plt

    rows = plane["flops"].nunique()
    figure = plt.figure(figsize=(WIDTH, 2.0 * rows + 2.6))
    above, below = figure.subfigures(2, 1, height_ratios=[2.0 * rows + 0.2, 2.4])
    draw_maps(above.subplots(rows, len(COMPARED), squeeze=False), with_gains(plane))
    ax = below.subplots()
    draw_points(ax, fronts)
    letter = ascii_lowercase[rows * len(COMPARED)]
    highest = power_of_ten(fronts["flops"].max())
    panel_label(ax, letter, f"phases at $(\\alpha, \\beta)$, $f =${highest}")
    legend_below(below, legend_entries(ax), 5)
    return figure


def make_figure(points_path: str, plane_path: str, paths: list[str]) -> None:
    """Read the tables and write the figure."""
    fronts, plane = (read_table(path, MOMENTUM_FRONTS) for path in (points_path, plane_path))
    with style():
        save(draw(fronts, plane), paths, read_provenance(points_path, plane_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.points, snakemake.input.plane, list(snakemake.output))
