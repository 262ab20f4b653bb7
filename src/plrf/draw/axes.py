"""Axes and legends that stay readable whatever they show, and reasons where nothing is shown."""

import math
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

# A logarithmic axis over a smaller factor than LINEAR has ticks like a linear one, and one over
# less than SHORT also at multiples of powers of ten; within NEAR_ONE these are plain numbers.
LINEAR, SHORT = 6.0, 300.0
NEAR_ONE = (0.009, 1e4)


def power_of_ten(value: float, digits: int = 3) -> str:
    """Write a number as a multiple of a power of ten, in mathematical text.

    Parameters
    ----------
    value : float
        A positive number.
    digits : int
        Significant digits to which it is rounded.
    """
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    factor, power = f"{float(mantissa):.{digits}g}", f"10^{{{int(exponent)}}}"
    if factor == "1":
        return f"${power}$"
    return f"${factor}$" if int(exponent) == 0 else f"${factor}\\cdot {power}$"


def log_ticks(axis: Axis, plain: bool = False) -> None:
    """Label a logarithmic axis after drawing: also multiples of powers of ten if it is short.

    Parameters
    ----------
    axis : Axis
        ``ax.xaxis`` or ``ax.yaxis``.
    plain : bool
        Write 200 rather than a power of ten whatever the range: for model sizes.
    """
    low, high = axis.get_view_interval()
    digits = 3
    if high < LINEAR * low:
        most = 2 if isinstance(axis, XAxis) else 4  # labels that are long stand side by side
        axis.set_major_locator(MaxNLocator(most, steps=(1, 2, 2.5, 5, 10), min_n_ticks=2))
        digits += max(0, math.ceil(math.log10(low / (high - low))))  # as many as tell them apart
    elif high < SHORT * low:
        dense = high < 12 * low or 3 * math.log10(high / low) < axis.get_tick_space()
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if dense else (1.0, 3.0)))
    if plain or (high < SHORT * low and NEAR_ONE[0] < low and high < NEAR_ONE[1]):
        axis.set_major_formatter(lambda value, _: f"{value:.{max(digits, 6)}g}")
    else:
        axis.set_major_formatter(lambda value, _: power_of_ten(value, digits))
    axis.set_minor_formatter(NullFormatter())


def say(ax: Axes, reason: str) -> None:
    """Write into the middle of a panel why something lacks there, in lines that fit into it."""
    width = ax.get_window_extent().width / cast(Figure, ax.get_figure(root=True)).dpi * 72
    room = max(10, int(width / (0.6 * plt.rcParams["font.size"])))
    lines = [textwrap.fill(line, room, max_lines=5) for line in reason.splitlines()]
    box = {"facecolor": "white", "linewidth": 0, "pad": 2}
    look: dict[str, Any] = {"ha": "center", "va": "center", "bbox": box, "zorder": 9}
    ax.text(0.5, 0.4, "\n".join(lines), transform=ax.transAxes, **look)


def say_if_empty(ax: Axes, reason: str) -> None:
    """Where nothing was drawn, say why instead of showing an empty axis."""
    if not np.isfinite(ax.dataLim.get_points()).all():
        ax.set(xscale="linear", yscale="linear", xticks=[], yticks=[])
        say(ax, reason)


def legend_entries(*axes: Axes) -> dict[str, Artist]:
    """What the panels have for a legend, each label once: from labels to what they explain."""
    labelled = (ax.get_legend_handles_labels() for ax in axes)
    return {label: handle for pair in labelled for handle, label in zip(*pair, strict=True)}


def legend_below(
    figure: Figure | SubFigure, entries: Mapping[str, Artist], most_columns: int, **look: Any
) -> None:
    """Legend below all panels, in as many columns as the width of the figure has room for.

    Parameters
    ----------
    figure : Figure or SubFigure
    entries : mapping
        From labels to what they explain.
    most_columns : int
        The number of columns where labels are short.
    **look
        As for ``Figure.legend``.
    """
    for columns in range(min(most_columns, len(entries)), 0, -1):
        look |= {"loc": "outside lower center", "ncols": columns}
        legend = figure.legend(list(entries.values()), list(entries), **look)
        if legend.get_window_extent().width <= figure.bbox.width:
            break
        if columns > 1:
            legend.remove()


def some(values: Iterable[Any], most: int) -> list[Any]:
    """Not more than so many of the values: every n-th from the first on, and the last.

    Parameters
    ----------
    values : iterable
    most : int
        At least 2.
    """
    values = list(values)
    step = max(1, math.ceil((len(values) - 1) / (most - 1)))
    chosen = values[::step]
    return chosen if (len(values) - 1) % step == 0 else [*chosen, values[-1]]
