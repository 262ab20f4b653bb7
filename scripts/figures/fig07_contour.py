"""Figure 7: the paper's contour around a sampled spectrum, and the contours of the solver."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import power_of_ten, some
from plrf.draw.palette import BLUE, INK, SKY, VERMILION
from plrf.draw.style import WIDTH, panel_label, save, sequence_colors, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.spectra import CONTOURS, EIGENVALUES
from plrf.study.store import read_table

PIECES = {
    "Gamma_0": (r"$\Gamma_0$", VERMILION),
    "Gamma_C": (r"$\Gamma_C$", BLUE),
    "Gamma_caps": (r"$\Gamma_{\mathrm{caps}}$", SKY),
}
MOST_TICKS = 5  # on each side of 0
MOST_NAMED = 13  # ranges of steps in the legend


def symlog_ticks(low: float, high: float, threshold: float) -> list[float]:
    """Ticks at 0 and at powers of ten on both sides, few enough to be read."""
    first = int(np.ceil(np.log10(3 * threshold)))
    last = int(np.floor(np.log10(max(abs(low), abs(high)))))
    step = 1 + (last - first) // MOST_TICKS
    powers = 10.0 ** np.arange(last, first + step // 2 - 1, -step)
    return [x for x in (*-powers, 0.0, *powers[::-1]) if low <= x <= high]


def label_axis(axis, threshold: float) -> None:
    """Label an axis that is linear below the threshold and logarithmic above."""
    axis.set_ticks(symlog_ticks(*axis.get_view_interval(), threshold))
    axis.set_major_formatter(
        lambda x, _: "0" if x == 0 else ("$-$" if x < 0 else "") + power_of_ten(abs(x))
    )


def draw_plane(ax: Axes, eigenvalues: pd.DataFrame, threshold: float) -> None:
    """Complex plane, logarithmic but near the axes, with eigenvalues and 0."""
    ax.set_xscale("symlog", linthresh=threshold)
    ax.set_yscale("symlog", linthresh=threshold)
    lam = eigenvalues["eigenvalue"]
    ax.plot(lam, 0 * lam, "|", ms=5, mew=0.4, color=INK, label="eigenvalues")
    ax.plot(0, 0, "o", ms=3, mfc="white", mec=INK, mew=0.7, zorder=6, label="zero")
    ax.set(xlabel="Re $z$", ylabel="Im $z$")


def draw_gamma(ax: Axes, contours: pd.DataFrame) -> None:
    """The pieces of Gamma, and the two scales of its shape."""
    for piece, (label, color) in PIECES.items():
        parts = contours[contours["contour"].str.startswith(piece)].groupby("contour")
        for k, (_, part) in enumerate(parts):
            ax.plot(part["real"], part["imag"], color=color, label=label if k == 0 else None)
    highest = contours.loc[contours["contour"].str.startswith("Gamma"), "imag"].max()
    ax.set_ylim(-30 * highest, 30 * highest)  # room for text
    alpha, d = contours[["alpha", "d"]].iloc[0]
    scales = {"$d^{-2\\alpha}$: gap": -2 * alpha, "$d^{-\\alpha}$: change of shape": -alpha}
    for height, (text, power) in zip((0.02, 0.1), scales.items(), strict=True):
        ax.axvline(d**power, color=INK, lw=0.7, ls=(0, (3, 2)), zorder=0)
        place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        ax.annotate(text, (d**power, height), xytext=(3, 0), va="bottom", **place)


def draw_solver(ax: Axes, contours: pd.DataFrame) -> None:
    """Nodes z- of the circle and of one hyperbola for each decade of steps, both halves."""
    served = contours.dropna(subset="first_step").groupby("first_step")
    colors = sequence_colors(list(served.groups), "plasma")
    named = some(colors, MOST_NAMED)
    for start, nodes in served:
        first, last = (
            f"{step:g}" if step < 1e4 else power_of_ten(step)
            for step in (start, nodes["last_step"].iloc[0])
        )
        line = {"color": colors[start], "ms": 2.5, "lw": 0.6}
        label = f"$r$ = {first} to {last}" if start in named else None
        ax.plot(nodes["real"], nodes["imag"], ".-", label=label, **line)
        ax.plot(nodes["real"], -nodes["imag"], ".-", **line)


def draw(eigenvalues: pd.DataFrame, contours: pd.DataFrame) -> Figure:
    """Draw a contour like the paper's, and those of the solver, around the same spectrum.

    The solver's contours enclose 0 together with the eigenvalues. Each passes 0 at a distance of
    about ``1/(2 gamma r)`` and turns right: eigenvalues beyond its end have decayed by step r.

    Parameters
    ----------
    eigenvalues, contours : DataFrame
        Rows of the schemas of these names, of one point.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, figsize=(WIDTH, 6.0))
    threshold = eigenvalues["eigenvalue"].min() / 4
    for ax in axes:
        draw_plane(ax, eigenvalues, threshold)
    draw_gamma(axes[0], contours)
    draw_solver(axes[1], contours)
    alpha, d, v = contours[["alpha", "d", "v"]].iloc[0]
    point = f"$\\alpha = {alpha:g}$, $d = {d:g}$, $v = {v:g}$"
    panel_label(
        axes[0], "a", f"contour $\\Gamma$ as in the paper, around the spectrum of one $W$; {point}"
    )
    rate = contours["learning_rate"].dropna().iloc[0]
    title = f"the solver's nodes $z_-$ for ranges of steps $r$; $\\gamma = {rate:.3g}$, $B = 1$"
    panel_label(axes[1], "b", title)
    for ax in axes:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        for axis in (ax.xaxis, ax.yaxis):
            label_axis(axis, threshold)
    return figure


def make_figure(eigenvalues_path: str, contours_path: str, paths: list[str]) -> None:
    """Read both tables and write the figure."""
    contours = read_table(contours_path, CONTOURS)
    alpha, beta = contours[["alpha", "beta"]].iloc[0]
    keep = [("alpha", "=", alpha), ("beta", "=", beta)]
    eigenvalues = read_table(eigenvalues_path, EIGENVALUES, keep)
    with style():
        save(draw(eigenvalues, contours), paths, read_provenance(eigenvalues_path, contours_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.eigenvalues, snakemake.input.contours, list(snakemake.output))
