"""Figure 2: the phases of the (alpha, beta) plane, and the loss curve of each.

The curves are the limits of large d. Where P ~ d^x T^y, log P/log d is a straight line in
log f/log d, so that in these units a loss curve is a broken line: the largest of its terms. A model
of d^s parameters has the same curve, s times as large, and the compute-optimal front, which touches
all of them, is the line through the origin with slope -eta.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.limit_curves import draw_limit_curve, limit_curve_key, separate
from plrf.draw.palette import INK
from plrf.draw.phases import PHASE_COLORS, draw_phases
from plrf.draw.style import WIDTH, panel_label, save, style, tint
from plrf.study.provenance import provenance
from plrf.theory.phases import PHASES

ALPHA_RANGE, BETA_RANGE = (0.0, 1.5), (-0.3, 2.2)


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
    look = {"loc": "center", "handlelength": 1.5, "labelspacing": 0.45, "borderaxespad": 0}
    ax.legend(handles=limit_curve_key(), **look)
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
    labels = [draw_limit_curve(axes[phase.name], phase, *points[phase.name]) for phase in PHASES]
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
