"""One style for all figures: print sizes, fonts, colours safe for colour-blind readers, saving.

Also the map of the phases, which several figures draw on.
"""

import json
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Polygon
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from plrf.study.store import replacing
from plrf.theory import PHASES, HalfPlane, universal

WIDTH = 6.75  # inches, both columns of a page
BAND = (0.1, 0.5, 0.9)  # quantiles over runs of SGD

BLUE, SKY, VERMILION = "#0072B2", "#56B4E9", "#D55E00"  # Okabe and Ito
INK = "#222222"
ENGINE_COLORS = {"sgd": VERMILION, "recursion": SKY, "volterra": BLUE}
ENGINE_LABELS = {"sgd": "SGD", "recursion": "recursion", "volterra": "Volterra"}

# Phases of a family are alike; each pair stays apart for readers without red or green cones.
PHASE_COLORS = {
    "Ia": "#4477AA",
    "Ib": "#66CCEE",
    "Ic": "#332288",
    "II": "#CCBB44",
    "III": "#EE6677",
    "IVa": "#882255",
    "IVb": "#7A4A21",
}
# A logarithmic axis over a smaller factor than LINEAR has ticks like a linear one, and one over
# less than SHORT also at multiples of powers of ten; within NEAR_ONE these are plain numbers.
LINEAR, SHORT = 6.0, 300.0
NEAR_ONE = (0.009, 1e4)
NARROW_PHASE = 0.1  # range of alpha that is too small for the name of a phase
# Parts of the loss (model section 6).
TERM_COLORS = {"F_pp": BLUE, "F_ac": "#009E73", "K_pp": VERMILION, "F_0": "#444444"}
TERM_LABELS = {
    "F_pp": r"$\mathcal{F}_{pp}$",
    "F_ac": r"$\mathcal{F}_{ac}$",
    "K_pp": r"$\mathcal{K}_{pp}$",
    "F_0": r"$\mathcal{F}_0$",
}

STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
    "mathtext.fontset": "dejavusans",
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "#E4E4E4",
    "lines.linewidth": 1.1,
    "lines.markersize": 4,
    "xtick.direction": "out",
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # embedded TrueType: text stays text
    "svg.fonttype": "none",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the project's style, without a display, whatever a user has set for matplotlib."""
    mpl.use("agg")
    own = cast(Any, STYLE)
    with plt.rc_context(mpl.rcParamsDefault), sns.axes_style("ticks"), plt.rc_context(own):
        yield


def sequence_colors(values: Sequence[float], palette: str = "viridis") -> dict[float, Any]:
    """Colours of ordered values, from dark (small) to light, within a palette's readable part."""
    colors = mpl.colormaps[palette](np.linspace(0.0, 0.85, len(values)))
    return dict(zip(sorted(values), colors, strict=True))


def panel_label(ax: Axes, label: str, title: str = "") -> None:
    """Title a panel: a bold letter and what it shows."""
    ax.set_title(rf"$\bf{{({label})}}$ {title}")


def region_polygon(
    region: Iterable[HalfPlane], alpha_range: Sequence[float], beta_range: Sequence[float]
) -> NDArray[np.float64]:
    """Corners of the part of a rectangle where all inequalities hold.

    Parameters
    ----------
    region : iterable of HalfPlane
        As in ``plrf.theory.PHASES``.
    alpha_range, beta_range : two floats each
        The rectangle.

    Returns
    -------
    array, shape (n, 2)
        (alpha, beta) of each corner in order; n = 0 where nothing of the rectangle is left.
    """
    (left, right), (bottom, top) = alpha_range, beta_range
    corners = [np.array(xy) for xy in ((left, bottom), (right, bottom), (right, top), (left, top))]
    for side in region:
        kept = []
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            before, after = side.margin(*start), side.margin(*end)
            if before >= 0:
                kept.append(start)
            if before * after < 0:
                kept.append(start + (end - start) * before / (before - after))
        corners = kept
    return np.reshape(corners, (-1, 2))


def draw_phases(
    ax: Axes,
    alpha_range: Sequence[float],
    beta_range: Sequence[float],
    *,
    fill: bool = False,
    hatch_color: str | None = INK,
    names: bool = True,
) -> None:
    """Draw the phases of the (alpha, beta) plane: boundaries, names, the universal region hatched.

    Parameters
    ----------
    ax : Axes
        Gets these ranges as its limits.
    alpha_range, beta_range : two floats each
        The part of the plane to draw.
    fill : bool
        Fill each phase with a tint of its colour.
    hatch_color : str, optional
        Of the hatching where d* ~ f^(1/2) in a whole phase; None for no hatching.
    names : bool
        Write the name of each phase into it.
    """
    for phase in PHASES:
        corners = region_polygon(phase.region, alpha_range, beta_range)
        if len(corners) == 0:
            continue
        if fill:
            ax.fill(*corners.T, color=tint(PHASE_COLORS[phase.name]), lw=0, zorder=1)
        if hatch_color and universal(*corners.mean(axis=0)):
            look = {"facecolor": "none", "edgecolor": hatch_color, "lw": 0, "zorder": 2}
            ax.add_patch(Polygon(corners, hatch="////", hatch_linewidth=0.35, **cast(Any, look)))
        ax.fill(*corners.T, facecolor="none", edgecolor=INK, lw=0.7, zorder=3)
        if names:
            x, y = _centre(corners)
            # A name that is wider than its phase stands across it, beside those of its neighbours.
            if np.ptp(corners[:, 0]) < NARROW_PHASE:
                y += np.ptp(corners[:, 1]) / 4
            ax.text(x, y, phase.name, ha="center", va="center", **phase_badge(phase.name))
    ax.set(xlim=alpha_range, ylim=beta_range, xlabel=r"$\alpha$", ylabel=r"$\beta$")
    ax.grid(False)


def _centre(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre of mass of a convex polygon."""
    origin, first, second = corners[0], corners[1:-1], corners[2:]
    (x1, y1), (x2, y2) = (first - origin).T, (second - origin).T
    areas = x1 * y2 - x2 * y1
    centre: NDArray[np.float64] = areas @ (origin + first + second) / 3 / areas.sum()
    return centre


def mark_phases(ax: Axes, alpha: float) -> None:
    """Shade the phases that a line of one alpha crosses, and name them at the top.

    Parameters
    ----------
    ax : Axes
        Has beta as its horizontal axis, with its limits set.
    alpha : float
        Data complexity.
    """
    betas = np.linspace(*ax.get_xlim(), 600)
    for phase in PHASES:
        inside = betas[phase.touches(alpha, betas)]
        if len(inside) > 1:
            start, stop = inside[[0, -1]]
            ax.axvspan(start, stop, color=tint(PHASE_COLORS[phase.name], 0.18), lw=0, zorder=0)
            look = {"transform": ax.get_xaxis_transform(), **phase_badge(phase.name)}
            ax.text((start + stop) / 2, 0.92, phase.name, ha="center", va="center", **look)
    ax.grid(False)


def phase_badge(name: str) -> dict[str, Any]:
    """How the name of a phase is written: on a box in its colour."""
    color = tint(PHASE_COLORS[name])
    box = {"boxstyle": "round,pad=0.2", "facecolor": color, "linewidth": 0}
    return {"weight": "bold", "bbox": box, "zorder": 5}


def tint(color: str, strength: float = 0.5) -> tuple[float, ...]:
    """Mix a colour with white; strength 1 leaves it as it is."""
    return tuple(1 - strength * (1 - np.array(to_rgb(color))))


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


def draw_loss_curves(ax: Axes, losses: pd.DataFrame, colors: Mapping[float, Any]) -> None:
    """Loss against compute by size: Volterra as lines, SGD as bands over runs with their median.

    A band ends where the first of its runs diverges, since the others alone would be biased.

    Parameters
    ----------
    ax : Axes
    losses : DataFrame
        Rows of the LOSSES schema, of one point.
    colors : mapping
        Color of each size d.
    """
    for d, curves in losses.groupby("d"):
        volterra = curves[curves["engine"] == "volterra"]
        draw_line(ax, volterra["flops"], volterra["loss"], color=colors[d], lw=0.9)
        runs = curves[curves["engine"] == "sgd"].pivot(index="flops", columns="run", values="loss")
        if runs.empty:
            continue
        low, median, high = np.quantile(runs, BAND, axis=1)
        ax.fill_between(runs.index, low, high, color=colors[d], alpha=0.3, lw=0)
        draw_line(ax, runs.index, median, color=colors[d], lw=0.7, ls=(0, (1, 1)))


def draw_line(ax: Axes, x: ArrayLike, y: ArrayLike, **look: Any) -> None:
    """Draw a line, with a dot where a point has no neighbour that a line could lead to.

    Parameters
    ----------
    ax : Axes
    x, y : array_like, shape (n,)
        NaN where there is none.
    **look
        As for ``Axes.plot``.
    """
    there = np.pad(np.isfinite(np.asarray(y, float)), 1)
    alone = there[1:-1] & ~there[:-2] & ~there[2:]
    if alone.any():
        look |= {"marker": ".", "markevery": alone.tolist()}
    ax.plot(x, y, **look)


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


def why_no_fit(fits: pd.DataFrame) -> str:
    """What to say where all fits of SGD and Volterra losses (schema EXPONENTS) were refused."""
    return "no losses of SGD or Volterra" if fits.empty else str(fits["status"].mode()[0])


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
    """Not more than so many of the values, evenly spread from the first to the last."""
    values = list(values)
    if len(values) <= most:
        return values
    return [values[round(k)] for k in np.linspace(0, len(values) - 1, most)]


def power_law_line(
    x: NDArray[np.float64], y: NDArray[np.float64], exponent: float
) -> NDArray[np.float64]:
    """Values at x of the power law with this exponent through the points' centre in log-log."""
    centre = np.mean(np.log(y) - exponent * np.log(x))
    line: NDArray[np.float64] = np.exp(centre + exponent * np.log(x))
    return line


def save(figure: Figure, paths: Sequence[str], source: Mapping[str, str]) -> None:
    """Write a figure in each format, whole or not at all, with its provenance in the metadata.

    Parameters
    ----------
    figure : Figure
        Closed afterwards.
    paths : sequence of str
        PDF and PNG files.
    source : mapping
        From `plrf.study.provenance`.
    """
    note = json.dumps(dict(source), sort_keys=True)
    for path in map(Path, paths):
        kind = path.suffix[1:]
        metadata = {"Keywords": note, "CreationDate": None} if kind == "pdf" else {"Comment": note}
        with replacing(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
    plt.close(figure)
