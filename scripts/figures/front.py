"""A compute-optimal front in three panels: loss curves, IsoFLOP slices, optimal sizes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.axes import legend_below, log_ticks, say_if_empty, some
from plrf.draw.curves import draw_loss_curves, power_law_line
from plrf.draw.palette import INK
from plrf.draw.style import (
    ENGINE_COLORS,
    ENGINE_LABELS,
    ENGINE_MARKERS,
    WIDTH,
    panel_label,
    save,
    sequence_colors,
    style,
)
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS, ISOFLOP
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_table

CURVES = {"volterra": "lines: Volterra", "sgd": "bands: 80% of SGD runs, dotted: median"}
COLUMNS = {"eta": "loss_opt", "xi": "d_opt"}
MOST_NAMED = 26  # sizes in the legend
LAWS = {"eta": r"P^* \propto f^{-\eta}, \ \eta:", "xi": r"d^* \propto f^{\xi}, \ \xi:"}


def of_engine(table: pd.DataFrame, engine: str) -> pd.DataFrame:
    """Rows of one engine."""
    return table[table["engine"] == engine]


def draw_slices(ax: Axes, isoflop: pd.DataFrame, fronts: pd.DataFrame) -> None:
    """Loss against size at each budget, the fitted parabolas, and their minima."""
    budgets = np.unique(isoflop["flops"])
    colors = sequence_colors(budgets, "plasma")
    for flops, points in isoflop.dropna().groupby("flops"):
        color = colors[flops]
        ax.plot(points["d"], points["loss"], "o", ms=2.2, color=color)
        front = fronts[fronts["flops"] == flops].iloc[0]
        if front["status"] == "ok":
            d = np.geomspace(front["d_low"], front["d_high"], 50)
            parabola = front[["curvature", "slope", "intercept"]].to_numpy(float)
            ax.plot(d, np.exp(np.polyval(parabola, np.log(d))), color=color, lw=0.9)
            ax.plot(front["d_opt"], front["loss_opt"], "*", ms=7, color=color, mec=INK, mew=0.4)
    scale = ScalarMappable(LogNorm(budgets[0], budgets[-1]), ListedColormap([*colors.values()]))
    bar = ax.figure.colorbar(scale, ax=ax, aspect=30, pad=0.02)
    bar.set_label("compute $f$ (flops)", labelpad=1)
    log_ticks(bar.ax.yaxis)


def fit_label(fit: pd.Series) -> str:
    """An engine and its exponent, with the half-width of the 95% interval where that is noise."""
    engine = ENGINE_LABELS[fit["engine"]]
    if not np.isfinite(fit["estimate"]):
        return f"{engine}: no fit"
    half_width = (fit["ci_high"] - fit["ci_low"]) / 2
    noisy = fit["error_source"] == "runs" and np.isfinite(half_width)
    return f"{engine}: {fit['estimate']:.3f}" + (f" $\\pm$ {half_width:.3f}" if noisy else "")


def draw_fit(ax: Axes, front: pd.DataFrame, fit: pd.Series) -> None:
    """Front points of one engine and their fitted power law."""
    column, color = COLUMNS[fit["quantity"]], ENGINE_COLORS[fit["engine"]]
    filled = color if fit["engine"] == "sgd" else "none"
    ax.plot(
        front["flops"],
        front[column],
        ENGINE_MARKERS[fit["engine"]],
        ms=3.5,
        mec=color,
        mfc=filled,
        label=fit_label(fit),
        zorder=6,
    )
    draw_power_law(ax, front, fit, "estimate", color=color, zorder=5)


def draw_power_law(ax: Axes, front: pd.DataFrame, fit: pd.Series, which: str, **line) -> None:
    """Power law through the centre of the front's points, with the fit's or theory's exponent."""
    if len(front) and np.isfinite(fit[which]):
        x, y = front["flops"].to_numpy(), front[COLUMNS[fit["quantity"]]].to_numpy()
        exponent = -fit[which] if fit["quantity"] == "eta" else fit[which]
        ax.plot(x, power_law_line(x, y, exponent), **line)


def draw_fits(ax: Axes, fronts: pd.DataFrame, fits: pd.DataFrame) -> None:
    """Fronts and fits of all engines, and the theory through the last engine's front."""
    for engine in ENGINE_MARKERS:
        for _, fit in of_engine(fits, engine).iterrows():
            front = of_engine(fronts[fronts["status"] == "ok"], engine).sort_values("flops")
            draw_fit(ax, front, fit)
    label = f"theory: {fit['theory']:.3f}"
    draw_power_law(
        ax, front, fit, "theory", color=INK, ls=(0, (4, 2)), lw=1.0, label=label, zorder=7
    )
    corner = {"eta": "lower left", "xi": "best"}[fit["quantity"]]
    ax.legend(title=f"${LAWS[fit['quantity']]}$", loc=corner, handlelength=1.4, alignment="left")


def draw(
    losses: pd.DataFrame,
    isoflop: pd.DataFrame,
    fronts: pd.DataFrame,
    exponents: pd.DataFrame,
) -> Figure:
    """Draw the front of one point, by Approach 2 (model section 8).

    Parameters
    ----------
    losses, isoflop, fronts, exponents : DataFrame
        Rows of the schemas of these names, of one sweep; of its windows the main one is drawn.
    """
    import matplotlib.pyplot as plt

    losses = losses[losses["step"] > 0]
    isoflop = isoflop[isoflop["window"] == 0]
    fronts, exponents = (
        table[(table["method"] == "approach2") & (table["window"] == 0)]
        for table in (fronts, exponents)
    )
    engine = next(e for e in ENGINE_MARKERS if (losses["engine"] == e).any())
    alpha, beta, phase = exponents[["alpha", "beta", "phase"]].iloc[0]
    colors = sequence_colors(np.unique(losses["d"]))

    figure, axes = plt.subplot_mosaic("aa;bc", figsize=(WIDTH, 5.4), height_ratios=[1.1, 1])
    for ax in axes.values():
        ax.set(xscale="log", yscale="log")
    draw_loss_curves(axes["a"], losses, colors)
    draw_fits(axes["a"], fronts, exponents[exponents["quantity"] == "eta"])
    axes["a"].set(xlabel="compute $f$ (flops)", ylabel="loss $P$")
    title = f"phase {phase}: $\\alpha = {alpha:g}$, $\\beta = {beta:g}$"
    shown = [text for name, text in CURVES.items() if (losses["engine"] == name).any()]
    panel_label(axes["a"], "a", "; ".join([title, ", ".join(shown)]))
    sizes = {str(d): Line2D([], [], color=colors[d], lw=2) for d in some(colors, MOST_NAMED)}
    look = {"columnspacing": 1.0, "handlelength": 0.8}
    legend_below(figure, sizes, 13, title="parameters $d$ in panel a", **look)

    draw_slices(axes["b"], of_engine(isoflop, engine), of_engine(fronts, engine))
    axes["b"].set(xlabel="parameters $d$", ylabel="loss $P$")
    panel_label(axes["b"], "b", f"IsoFLOP slices of {ENGINE_LABELS[engine]}, parabolas, minima")

    draw_fits(axes["c"], fronts, exponents[exponents["quantity"] == "xi"])
    axes["c"].set(xlabel="compute $f$ (flops)", ylabel="optimal size $d^*$")
    panel_label(axes["c"], "c", "compute-optimal size")
    for name, ax in axes.items():
        log_ticks(ax.xaxis, plain=name == "b")
        log_ticks(ax.yaxis, plain=name == "c")
    say_if_empty(axes["a"], "no finite loss")
    say_if_empty(axes["b"], "no losses at the window's budgets")
    reasons = "\n".join(fronts["status"].unique()) or "no budgets"
    say_if_empty(axes["c"], f"no minimum at any budget:\n{reasons}")
    return figure


def make_figure(inputs: dict[str, str], sweep: str, paths: list[str]) -> None:
    """Read the tables of a sweep and write its front figure."""
    schemas = {"losses": LOSSES, "isoflop": ISOFLOP, "fronts": FRONTS, "exponents": EXPONENTS}
    keep = [("sweep", "=", sweep)]
    tables = {name: read_table(inputs[name], schemas[name], keep) for name in schemas}
    with style():
        save(draw(**tables), paths, read_provenance(*(inputs[name] for name in schemas)))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        dict(snakemake.input.items()),
        snakemake.params.sweep,
        list(snakemake.output),
    )
