"""Local exponents of exact fronts over compute, and how far they are from the theory."""

from string import ascii_lowercase
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from plrf.draw.axes import legend_below, say_if_empty
from plrf.draw.exponents import LAWS, SYMBOLS
from plrf.draw.palette import INK
from plrf.draw.phases import PHASE_COLORS
from plrf.draw.style import WIDTH, panel_label, save, style
from plrf.study.atlas import QUANTITIES
from plrf.study.provenance import read_provenance
from plrf.study.schemas.atlas import CONVERGENCE
from plrf.study.store import read_table

THEORY = (0, (4, 2))
LEAST_DEVIATION = 1e-5  # shown
FIRST = "-"  # line of the first point in a phase
OTHERS = ((0, (5, 1.2)), (0, (1, 1.2)))  # of further ones, in turn


Front = tuple[str, Any, pd.DataFrame]


def fronts(table: pd.DataFrame, points: list[tuple[float, float]]) -> list[Front]:
    """Phase, line style and rows of the front at each point; the first one of a phase is solid."""
    found: list[Front] = []
    for alpha, beta in points:
        rows = table[(table["alpha"] == alpha) & (table["beta"] == beta)].sort_values("flops")
        phase = rows["phase"].iloc[0].partition("/")[0]
        before = sum(other == phase for other, *_ in found)
        found.append((phase, OTHERS[(before - 1) % len(OTHERS)] if before else FIRST, rows))
    return found


def draw_exponents(ax: Axes, quantity: str, shown: list[Front]) -> None:
    """Draw local exponents, with what they are in theory as lines on the right."""
    for phase, _, rows in shown:
        look = {"color": PHASE_COLORS[phase], "zorder": 3}
        ax.plot(rows["flops"], rows[quantity], **look)
        last = rows["flops"].iloc[-1]
        theory = rows[f"{quantity}_theory"].iloc[0]
        ax.plot([last / 1e4, last], [theory, theory], ls=THEORY, lw=0.9, color=INK, zorder=4)
    ax.set(xscale="log", ylabel=f"${SYMBOLS[quantity]}$ in ${LAWS[quantity]}$")


def draw_deviations(ax: Axes, quantity: str, shown: list[Front], tolerance: float) -> None:
    """Draw relative deviations from the theory; parts above it thin."""
    for phase, line, rows in shown:
        deviation = rows[quantity] / rows[f"{quantity}_theory"] - 1
        look = {"color": PHASE_COLORS[phase], "ls": line}
        ax.plot(rows["flops"], deviation.abs(), lw=0.7, **look)
        ax.plot(rows["flops"], (-deviation).where(deviation < 0), lw=1.6, **look)
    ax.axhline(tolerance, color=INK, lw=0.7, ls=(0, (1, 1.5)))
    ax.set(xscale="log", yscale="log", ylim=(LEAST_DEVIATION, 2))
    ax.set_ylabel(
        f"$|{SYMBOLS[quantity]}/{SYMBOLS[quantity]}_{{theory}} - 1|$".replace(
            "theory", r"\mathrm{theory}"
        )
    )


def draw(table: pd.DataFrame, points: list[tuple[float, float]], tolerance: float) -> Figure:
    """Draw a row for each exponent: values and deviations at a point in each phase, then at others.

    Parameters
    ----------
    table : DataFrame
        Rows of the CONVERGENCE schema.
    points : list of (alpha, beta)
        In the order of the configuration: the first one of each phase stands for it.
    tolerance : float
        Of the deviation, marked.
    """
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(2, 3, figsize=(WIDTH, 4.6), squeeze=False)
    every = fronts(table, points)
    first = [front for front in every if front[1] == FIRST]
    others = [front for front in every if front[1] != FIRST]
    letters = iter(ascii_lowercase)
    for axes, quantity in zip(grid, QUANTITIES, strict=True):
        draw_exponents(axes[0], quantity, first)
        draw_deviations(axes[1], quantity, first, tolerance)
        draw_deviations(axes[2], quantity, others, tolerance)
        axes[2].set_ylabel("")
        titles = ("a point in each phase", "its deviation", "deviation at other points")
        for ax, title in zip(axes, titles, strict=True):
            panel_label(ax, next(letters), title)
            say_if_empty(ax, "no front here")
    for ax in grid.flat:
        ax.set_xlim(table["flops"].min() / 3, table["flops"].max() * 3)
        ax.xaxis.set_major_locator(LogLocator(base=1e5))
        ax.xaxis.set_minor_locator(NullLocator())
    for ax in grid[1]:
        ax.set_xlabel("compute $f$ (flops)")
    legend_below(figure, entries(every), 5)
    return figure


def entries(shown: list[Front]) -> dict[str, Line2D]:
    """What colours and lines mean."""
    found: dict[str, Line2D] = {}
    for phase, line, rows in shown:
        point = f"{phase} ({rows['alpha'].iloc[0]:g}, {rows['beta'].iloc[0]:g})"
        found[point] = Line2D([], [], color=PHASE_COLORS[phase], ls=line)
    found["theory"] = Line2D([], [], color=INK, ls=THEORY, lw=0.9)
    found["below theory"] = Line2D([], [], color=INK, lw=1.6)
    found["above theory"] = Line2D([], [], color=INK, lw=0.7)
    return found


def make_figure(
    path: str, points: list[tuple[float, float]], tolerance: float, paths: list[str]
) -> None:
    """Read the table and write the figure."""
    table = read_table(path, CONVERGENCE)
    with style():
        save(draw(table, points, tolerance), paths, read_provenance(path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.convergence,
        snakemake.params.points,
        snakemake.params.tolerance,
        list(snakemake.output),
    )
