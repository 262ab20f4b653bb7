"""Figure 2: the phases of the (alpha, beta) plane, and the loss curve of each.

The curves are the limits of large d. Where P ~ d^x T^y, log P/log d is a straight line in
log f/log d, so that in these units a loss curve is a broken line: the largest of its terms. A model
of d^s parameters has the same curve, s times as large, and the compute-optimal front, which touches
all of them, is the line through the origin with slope -eta.
"""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator

from plrf.draw.axes import power_of_ten
from plrf.draw.palette import INK
from plrf.draw.phases import PHASE_COLORS, draw_phases, phase_badge
from plrf.draw.style import TERM_COLORS, TERM_LABELS, WIDTH, panel_label, save, style, tint
from plrf.scaling import learning_rate
from plrf.study.provenance import provenance
from plrf.theory.limit_curves import LimitCurve, limit_curve
from plrf.theory.parts import loss_estimate
from plrf.theory.phases import PHASES, Phase

ALPHA_RANGE, BETA_RANGE = (0.0, 1.5), (-0.3, 2.2)
OTHER_SIZES = (0.25, 0.5, 0.75)  # log of the sizes of the thin curves, in units of log d
# One curve is also drawn for a finite d, with integrals in place of power laws.
FINITE_SIZE, V_OVER_D, C = 1e12, 4.0, 0.5
FRONT, FINITE = (0, (4, 2)), (0, (1, 1))  # line styles
TERM_NAMES = {
    "F_pp": "bias, pure points",
    "F_ac": "bias, continuous part",
    "K_pp": "noise of SGD",
    "F_0": "capacity",
}


def finite_curve(alpha: float, beta: float, end: float) -> np.ndarray:
    """``log f/log d`` and ``log P/log d`` by the estimate of model section 6, up to x = end."""
    x = np.linspace(1, end, 200)
    steps = FINITE_SIZE ** (x - 1)
    v = V_OVER_D * FINITE_SIZE
    gamma = learning_rate(C, alpha, v, 1)
    loss = loss_estimate(steps, alpha=alpha, beta=beta, d=FINITE_SIZE, v=v, learning_rate=gamma)
    return np.column_stack([x, np.log(loss) / np.log(FINITE_SIZE)])


def label_segments(ax: Axes, curve: LimitCurve) -> list[Annotation]:
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
    """Raise labels that overlap the next one to the right: above a falling curve there is room."""
    for label, following in reversed(list(pairwise(labels))):
        box, other = label.get_window_extent(), following.get_window_extent()
        if box.overlaps(other):
            x, y = label.get_position()
            points_per_pixel = 72 / label.get_figure().dpi
            label.set_position((x, y + (other.y1 - box.y0) * points_per_pixel))


def draw_curve(ax: Axes, phase: Phase, alpha: float, beta: float) -> list[Annotation]:
    """Draw the curve of a phase with its terms, curves of other sizes, and the front.

    Returns the names of the terms, to be separated once the layout is known.
    """
    curve = limit_curve(phase, alpha, beta, V_OVER_D)
    color = tint(PHASE_COLORS[phase.name], 0.7)
    for size in OTHER_SIZES:
        ax.plot(size * curve.x, size * curve.y, color=color, lw=0.8, zorder=2)
    x, y = curve.x[curve.corner], curve.y[curve.corner]
    end = curve.x[-1]
    ax.plot([0, end], [0, y / x * end], color=INK, lw=0.8, ls=FRONT, zorder=3)
    ax.plot(*finite_curve(alpha, beta, end).T, color=INK, lw=0.7, ls=FINITE, zorder=3)
    for k, term in enumerate(curve.terms):
        ends = slice(k, k + 2)
        line = {"color": TERM_COLORS[term], "lw": 2.2, "solid_capstyle": "round"}
        ax.plot(curve.x[ends], curve.y[ends], zorder=4, **line)
    ax.plot(x, y, "*", ms=9, color=INK, mec="white", mew=0.6, zorder=7)
    depth = -curve.y.min()
    ax.set(xlim=(0, end), ylim=(-1.3 * depth, 0.08 * depth))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axis.set_major_formatter("{x:g}")
    # Below the front there is nothing.
    eta, xi = phase.eta(alpha, beta), phase.xi(alpha, beta)
    note = f"$\\eta = {eta:.2f}$\n$\\xi = {xi:.2f}$"
    ax.text(0.04, 0.05, note, size=7, transform=ax.transAxes, linespacing=1.3)
    ax.text(0.045, 0.33, phase.name, transform=ax.transAxes, **phase_badge(phase.name))
    return label_segments(ax, curve)


def draw_plane(ax: Axes, points: dict[str, list[float]]) -> None:
    """Draw the map of the phases, and the points whose curves are shown."""
    draw_phases(ax, ALPHA_RANGE, BETA_RANGE, fill=True)
    ax.plot(
        *np.array(list(points.values())).T, "o", ms=3.5, mfc="white", mec=INK, mew=0.8, zorder=6
    )
    ax.axvline(0.5, color=INK, lw=1.4, ls=(0, (4, 1.5)), zorder=4)
    ax.text(
        0.53,
        2.1,
        r"high-dimensional line $2\alpha = 1$",
        size=7,
        rotation=90,
        va="top",
        bbox={"facecolor": tint(PHASE_COLORS["III"]), "linewidth": 0, "pad": 1},
        zorder=5,
    )
    ax.text(0.03, -0.2, "no power law\n" r"$2(\alpha + \beta) < 1$", size=7, color="#555555")
    ax.set(xlabel=r"data complexity $\alpha$", ylabel=r"target complexity $\beta$")


def draw_key(ax: Axes) -> None:
    """Explain the lines of the curves."""
    handles = [
        Line2D([], [], color=color, lw=2.2, label=f"{TERM_LABELS[term]}: {TERM_NAMES[term]}")
        for term, color in TERM_COLORS.items()
    ]
    handles += [
        Line2D([], [], color=INK, marker="*", ms=8, lw=0, label="compute-optimal corner"),
        Line2D([], [], color=INK, lw=0.8, ls=FRONT, label=r"front $P^* \propto f^{-\eta}$"),
        Line2D([], [], color="#999999", lw=0.8, label="smaller models"),
        Line2D(
            [],
            [],
            color=INK,
            lw=0.7,
            ls=FINITE,
            label=f"estimate, $d =${power_of_ten(FINITE_SIZE)}",
        ),
    ]
    ax.legend(handles=handles, loc="center", handlelength=1.5, labelspacing=0.45, borderaxespad=0)
    ax.axis("off")


def draw(points: dict[str, list[float]], width: float = WIDTH) -> Figure:
    """Draw the figure.

    Parameters
    ----------
    points : dict
        The point (alpha, beta) that stands for each phase.
    width : float
        Of the page, in inches.
    """
    import matplotlib.pyplot as plt

    names = [phase.name for phase in PHASES]
    mosaic = [
        ["plane", "plane", *names[:2]],
        ["plane", "plane", *names[2:4]],
        [*names[4:], "key"],
    ]
    figure, axes = plt.subplot_mosaic(mosaic, figsize=(width, 0.8 * width))
    labels = [draw_curve(axes[phase.name], phase, *points[phase.name]) for phase in PHASES]
    draw_plane(axes["plane"], points)
    draw_key(axes["key"])
    panel_label(axes["plane"], "a", r"phases; hatched: universal, $d^* \propto f^{1/2}$")
    panel_label(axes[names[0]], "b", r"loss curves, $d \to \infty$")
    for row in mosaic:
        for name in set(row) & set(names):
            left = row.index(name) == 0 or row[row.index(name) - 1] == "plane"
            ax = axes[name]
            ax.set_xlabel(r"$\log f \,/ \log d$")
            ax.set_ylabel(r"$\log P \,/ \log d$" if left else "")
    figure.draw_without_rendering()
    for panel in labels:
        separate(panel)
    return figure


def make_figure(points: dict[str, list[float]], paths: list[str]) -> None:
    """Write the figure."""
    with style():
        save(draw(points), paths, provenance(points))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.params.points, list(snakemake.output))
