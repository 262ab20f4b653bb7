"""Spectra of real data, their exponents along the ranks, and where these lie among the phases."""

from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.data.sets import label_of
from plrf.data.windows import tail_sums
from plrf.draw.axes import legend_below, legend_entries, log_ticks
from plrf.draw.palette import BLUE, INK, SKY, VERMILION
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.draw.tasks import draw_tasks
from plrf.study.provenance import read_provenance
from plrf.study.schemas.data import SPECTRA, TASK_EXPONENTS
from plrf.study.store import read_table

CERTAIN = 2.0  # errors above which tail sums are drawn
BAND = {"color": SKY, "alpha": 0.4, "lw": 0}
LAW = {"color": INK, "lw": 1.0, "ls": (0, (4, 2)), "zorder": 4}
EXPONENTS = {"alpha": (BLUE, "o", r"$\alpha$"), "beta": (VERMILION, "s", r"$\beta$")}


def draw_law(ax: Axes, values: pd.Series, law: np.ndarray, ranks: slice) -> None:
    """Draw a law through the values within a window of ranks (counted from 0)."""
    law, values = law[ranks], values.to_numpy()[ranks]
    law = law * np.exp(np.mean(np.log(values / law)))
    ax.plot(np.arange(ranks.start, ranks.stop) + 1, law, label="fitted law", **LAW)


def draw_eigenvalues(ax: Axes, spectrum: pd.DataFrame, main: Any) -> None:
    """Draw eigenvalues over the largest, and the law of the main window."""
    share = spectrum["eigenvalue"] / spectrum["eigenvalue"].iloc[0]
    error = spectrum["eigenvalue_error"] / spectrum["eigenvalue"].iloc[0]
    ax.fill_between(spectrum["rank"], share - 2 * error, share + 2 * error, **BAND)
    ax.plot(spectrum["rank"], share, ".", color=BLUE, ms=3, label="measured")
    law = spectrum["rank"].to_numpy() ** (-2.0 * main.alpha)
    draw_law(ax, share, law, slice(main.first - 1, main.last))


def draw_tails(ax: Axes, spectrum: pd.DataFrame, main: Any) -> None:
    """Draw tail sums of the signal over the whole, where they are certain, and the fitted law."""
    tail, error = (spectrum[name] / spectrum["tail"].iloc[0] for name in ("tail", "tail_error"))
    sure = (tail > CERTAIN * error) & (spectrum["tail"].iloc[0] > 0)
    ranks, low, high = spectrum["rank"][sure], (tail - 2 * error)[sure], (tail + 2 * error)[sure]
    ax.fill_between(ranks, low.clip(lower=1e-12), high, **BAND)
    ax.plot(ranks, tail[sure], ".", color=BLUE, ms=3)
    if np.isfinite(main.beta):
        law = tail_sums(spectrum["rank"].to_numpy() ** (-2.0 * (main.alpha + main.beta)))
        draw_law(ax, tail, law, slice(main.first - 1, main.last_tail))
    ax.set_ylim(0.5 * tail[sure].min() if sure.any() else 0.01, 2)


def draw_exponents(ax: Axes, exponents: pd.DataFrame) -> None:
    """Draw exponents along the spectrum (hollow), and those of the main window over its ranks."""
    local = exponents[exponents["kind"] == "local"]
    main = exponents[exponents["kind"] == "window"].iloc[0]
    middle = np.sqrt(local["first"] * local["last"])
    for name, (color, marker, label) in EXPONENTS.items():
        look = {"color": color, "ms": 3.5, "elinewidth": 0.8, "mew": 0.8, "zorder": 3}
        bars = {"yerr": 1.96 * local[f"{name}_error"], "label": f"{label}, local"}
        ax.errorbar(middle, local[name], fmt=f"{marker}-", mfc="white", lw=0.6, **look, **bars)
        value, half = main[name], 1.96 * main[f"{name}_error"]
        ranks, look = [main["first"], main["last"]], {"color": color, "zorder": 4}
        ax.fill_between(ranks, value - half, value + half, alpha=0.25, lw=0, **look)
        ax.plot(ranks, [value, value], lw=1.6, label=f"{label}, main window", **look)


def draw(spectra: pd.DataFrame, exponents: pd.DataFrame) -> Figure:
    """Draw a column for each data set, and the phases below.

    Parameters
    ----------
    spectra, exponents : DataFrame
        Rows of the schemas SPECTRA and TASK_EXPONENTS.
    """
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(spectra["set"]))
    rows = ["eigenvalues, $a_j/a_1$", "tail sums, $S_j/S_1$", "exponents"]
    figure = plt.figure(figsize=(WIDTH, 8.2))
    upper, lower = figure.subfigures(2, 1, height_ratios=[5.2, 3])
    grid = upper.subplots(3, len(names), squeeze=False, sharex="col")
    letters = iter(ascii_lowercase)
    for name, column in zip(names, grid.T, strict=True):
        found = exponents[exponents["set"] == name]
        main = next(found[found["kind"] == "window"].itertuples())
        spectrum = spectra[spectra["set"] == name]
        draw_eigenvalues(column[0], spectrum, main)
        draw_tails(column[1], spectrum, main)
        draw_exponents(column[2], found)
        column[2].set_xlabel("rank $j$")
        for ax in column:
            ax.set(xscale="log", yscale="linear" if ax is column[2] else "log")
            ax.axvspan(main.first, main.last, color="#EEEEEE", lw=0, zorder=0)
    for k, row in enumerate(grid):
        row[0].set_ylabel(rows[k])
        for ax, name in zip(row, names, strict=True):
            panel_label(ax, next(letters), label_of(name) if k == 0 else "")
            log_ticks(ax.xaxis, plain=True)
            if k < 2:
                log_ticks(ax.yaxis)
    legend_below(upper, legend_entries(grid[0, 0], grid[2, 0]), 6)
    plane = lower.subplots()
    draw_tasks(plane, exponents)
    panel_label(plane, next(letters), "phases; large: main windows, with 95% ellipses")
    plane.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def make_figure(spectra_path: str, exponents_path: str, paths: list[str]) -> None:
    """Read the tables and write the figure."""
    spectra, exponents = (
        read_table(spectra_path, SPECTRA),
        read_table(exponents_path, TASK_EXPONENTS),
    )
    with style():
        save(draw(spectra, exponents), paths, read_provenance(spectra_path, exponents_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.spectra, snakemake.input.exponents, list(snakemake.output))
