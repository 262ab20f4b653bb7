"""The map of the phases, which several figures draw on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from plrf.draw.palette import INK
from plrf.draw.style import tint
from plrf.theory.phases import PHASES, HalfPlane, Phase, universal

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
BADGE = 0.2  # around the name of a phase, in units of its font size
NARROW_PHASE = 0.1  # range of alpha that is too small for the name of a phase


def region_polygon(
    region: Iterable[HalfPlane], alpha_range: Sequence[float], beta_range: Sequence[float]
) -> NDArray[np.float64]:
    """Corners of the part of a rectangle where all inequalities hold.

    Parameters
    ----------
    region : iterable of HalfPlane
        As in `plrf.theory.phases.PHASES`.
    alpha_range, beta_range : two floats each
        The rectangle.

    Returns
    -------
    array, shape (n, 2)
        (alpha, beta) of each corner in order; n = 0 where no area of the rectangle is left.
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
    polygon = np.reshape(corners, (-1, 2))
    return polygon if len(polygon) and np.ptp(polygon, axis=0).all() else polygon[:0]


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
        Write the name of each phase into it, where there is room.
    """
    shown = {}
    for phase in PHASES:
        corners = region_polygon(phase.region, alpha_range, beta_range)
        if len(corners) == 0:
            continue
        shown[phase] = corners
        if fill:
            ax.fill(*corners.T, color=tint(PHASE_COLORS[phase.name]), lw=0, zorder=1)
        if hatch_color and universal(*corners.mean(axis=0)):
            look = {"facecolor": "none", "edgecolor": hatch_color, "lw": 0, "zorder": 2}
            ax.add_patch(Polygon(corners, hatch="////", hatch_linewidth=0.35, **cast(Any, look)))
        ax.fill(*corners.T, facecolor="none", edgecolor=INK, lw=0.7, zorder=3)
    ax.set(xlim=alpha_range, ylim=beta_range, xlabel=r"$\alpha$", ylabel=r"$\beta$")
    ax.grid(False)
    if names:
        _name_phases(ax, shown)


def _name_phases(ax: Axes, shown: Mapping[Phase, NDArray[np.float64]]) -> None:
    """Write the name of each phase into it, where there is room."""
    taken: list[Bbox] = []
    for phase, corners in shown.items():
        x, y = _centre(corners)
        # A name that is wider than its phase stands across it, beside those of its neighbours.
        if np.ptp(corners[:, 0]) < NARROW_PHASE:
            y += np.ptp(corners[:, 1]) / 4
        others = [other for other in shown if other is not phase]
        _write_name(ax, (x, y), phase.name, taken, others)


def _write_name(
    ax: Axes,
    place: tuple[float, float],
    name: str,
    taken: list[Bbox],
    others: Iterable[Phase] = (),
    **look: Any,
) -> None:
    """Write the name of a phase, unless it would leave the panel, overlap a name or hide a phase.

    Where it is written it joins those that are taken, in pixels of the present layout.
    """
    x, y = place
    text = ax.text(x, y, name, ha="center", va="center", **phase_badge(name), **look)
    box = text.get_window_extent().padded(BADGE * float(text.get_fontsize()) * ax.figure.dpi / 72)
    inside = ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1
    in_plane = box.transformed(ax.transData.inverted())
    hides = any(_is_hidden(ax, phase, in_plane) for phase in others)
    if not inside or hides or any(box.overlaps(other) for other in taken):
        text.remove()
    else:
        taken.append(box)


def _is_hidden(ax: Axes, phase: Phase, box: Bbox) -> bool:
    """Whether a box reaches across a phase, from side to side or from bottom to top."""
    row = region_polygon(phase.region, ax.get_xlim(), box.intervaly)[:, 0]
    column = region_polygon(phase.region, box.intervalx, ax.get_ylim())[:, 1]
    return any(
        len(values) > 0 and low <= values.min() and values.max() <= high
        for values, (low, high) in ((row, box.intervalx), (column, box.intervaly))
    )


def _centre(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre of mass of a convex polygon."""
    origin, first, second = corners[0], corners[1:-1], corners[2:]
    (x1, y1), (x2, y2) = (first - origin).T, (second - origin).T
    areas = x1 * y2 - x2 * y1
    centre: NDArray[np.float64] = areas @ (origin + first + second) / 3 / areas.sum()
    return centre


def mark_phases(ax: Axes, alpha: float) -> None:
    """Shade the phases that a line of one alpha crosses, and name them at the top where they fit.

    Parameters
    ----------
    ax : Axes
        Has beta as its horizontal axis, with its limits set.
    alpha : float
        Data complexity.
    """
    betas = np.linspace(*ax.get_xlim(), 600)
    taken: list[Bbox] = []
    for phase in PHASES:
        inside = betas[phase.touches(alpha, betas)]
        if len(inside) > 1:
            start, stop = inside[[0, -1]]
            ax.axvspan(start, stop, color=tint(PHASE_COLORS[phase.name], 0.18), lw=0, zorder=0)
            place = ((start + stop) / 2, 0.92)
            _write_name(ax, place, phase.name, taken, transform=ax.get_xaxis_transform())
    ax.grid(False)


def phase_badge(name: str) -> dict[str, Any]:
    """How the name of a phase is written: on a box in its colour."""
    color = tint(PHASE_COLORS[name])
    box = {"boxstyle": f"round,pad={BADGE}", "facecolor": color, "linewidth": 0}
    return {"weight": "bold", "bbox": box, "zorder": 5}
