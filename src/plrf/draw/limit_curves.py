"""The loss curve of a phase for large d: its terms, the front, and how near a finite d is."""

from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator

from plrf.draw.axes import power_of_ten
from plrf.draw.palette import INK
from plrf.draw.phases import PHASE_COLORS, phase_badge
from plrf.draw.style import TERM_COLORS, TERM_LABELS, tint
from plrf.theory.limit_curves import LimitCurve, finite_curve, limit_curve
from plrf.theory.phases import Phase

OTHER_SIZES = (0.25, 0.5, 0.75)  # log of the sizes of the thin curves, in units of log d
# One curve is also drawn for a finite d, with integrals in place of power laws.
FINITE_SIZE, V_OVER_D, C = 1e12, 4.0, 0.5
TERM_LOOK: dict[str, Any] = {"lw": 2.2, "solid_capstyle": "round"}
CORNER: dict[str, Any] = {"color": INK, "marker": "*"}
FRONT: dict[str, Any] = {"color": INK, "lw": 0.8, "ls": (0, (4, 2))}
FINITE: dict[str, Any] = {"color": INK, "lw": 0.7, "ls": (0, (1, 1))}
TERM_NAMES = {
    "F_pp": "bias, pure points",
    "F_ac": "bias, continuous part",
    "K_pp": "noise of SGD",
    "F_0": "capacity",
}


def draw_limit_curve(ax: Axes, phase: Phase, alpha: float, beta: float) -> list[Annotation]:
    """Draw the curve of a phase with its terms, curves of other sizes, and the front.

    Parameters
    ----------
    ax : Axes
    phase : Phase
    alpha, beta : float
        A point inside it.

    Returns
    -------
    list of Annotation
        The names of the terms, to be told apart by `separate` once the layout is known.
    """
    curve = limit_curve(phase, alpha, beta, V_OVER_D)
    x, y, end = curve.x[curve.corner], curve.y[curve.corner], curve.x[-1]
    finite = finite_curve(alpha, beta, end, d=FINITE_SIZE, v_over_d=V_OVER_D, c=C)
    for size in OTHER_SIZES:
        color = tint(PHASE_COLORS[phase.name], 0.7)
        ax.plot(size * curve.x, size * curve.y, color=color, lw=0.8, zorder=2)
    ax.plot([0, end], [0, y / x * end], zorder=3, **FRONT)
    ax.plot(*finite, zorder=3, **FINITE)
    for k, term in enumerate(curve.terms):
        ends = slice(k, k + 2)
        ax.plot(curve.x[ends], curve.y[ends], color=TERM_COLORS[term], zorder=4, **TERM_LOOK)
    ax.plot(x, y, ms=9, mec="white", mew=0.6, zorder=7, **CORNER)
    _set_axes(ax, end, -curve.y.min())
    _name_phase(ax, phase, alpha, beta)
    return _name_terms(ax, curve)


def _set_axes(ax: Axes, end: float, depth: float) -> None:
    """Limits with room for text below the front, and few plain ticks."""
    ax.set(xlim=(0, end), ylim=(-1.3 * depth, 0.08 * depth))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axis.set_major_formatter("{x:g}")


def _name_phase(ax: Axes, phase: Phase, alpha: float, beta: float) -> None:
    """Write the phase and its exponents below the front, where there is nothing."""
    note = f"$\\eta = {phase.eta(alpha, beta):.2f}$\n$\\xi = {phase.xi(alpha, beta):.2f}$"
    ax.text(0.04, 0.05, note, size=7, transform=ax.transAxes, linespacing=1.3)
    ax.text(0.045, 0.33, phase.name, transform=ax.transAxes, **phase_badge(phase.name))


def _name_terms(ax: Axes, curve: LimitCurve) -> list[Annotation]:
    """Name the dominating terms, above their segments."""
    labels = []
    for term in dict.fromkeys(curve.terms):
        last = len(curve.terms) - 1 - curve.terms[::-1].index(term)
        ends = slice(last, last + 2)
        at_end = term == "F_0"
        labels.append(
            ax.annotate(
                TERM_LABELS[term],
                (curve.x[ends].max() if at_end else curve.x[ends].mean(), curve.y[ends].mean()),
                xytext=(-1.5, 1.5) if at_end else (2.5, 1.5),
                textcoords="offset points",
                ha="right" if at_end else "left",
                va="bottom",
                color=TERM_COLORS[term],
                bbox={"facecolor": "white", "linewidth": 0, "pad": 0.3},
                zorder=8,
            )
        )
    return labels


def separate(labels: list[Annotation]) -> None:
    """Raise labels that overlap the next one to the right: above a falling curve there is room.

    Parameters
    ----------
    labels : list of Annotation
        From left to right, offset in points, in a figure with its layout.
    """
    for label, following in reversed(list(pairwise(labels))):
        box, other = label.get_window_extent(), following.get_window_extent()
        if box.overlaps(other):
            x, y = label.get_position()
            figure = label.get_figure(root=True)
            assert figure is not None
            label.set_position((x, y + (other.y1 - box.y0) * 72 / figure.dpi))


def limit_curve_key() -> list[Line2D]:
    """What explains the lines of `draw_limit_curve` in a legend."""
    terms = [
        Line2D([], [], color=color, lw=2.2, label=f"{TERM_LABELS[term]}: {TERM_NAMES[term]}")
        for term, color in TERM_COLORS.items()
    ]
    return [
        *terms,
        Line2D([], [], ms=8, lw=0, label="compute-optimal corner", **CORNER),
        Line2D([], [], label=r"front $P^* \propto f^{-\eta}$", **FRONT),
        Line2D([], [], color="#999999", lw=0.8, label="smaller models"),
        Line2D([], [], label=f"estimate, $d =${power_of_ten(FINITE_SIZE)}", **FINITE),
    ]
