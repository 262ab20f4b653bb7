"""A compute-optimal front in three panels: loss curves, IsoFLOP slices, optimal sizes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.plotting import (
    ENGINE_COLORS,
    ENGINE_LABELS,
    INK,
    WIDTH,
    panel_label,
    power_law_line,
    save,
    sequence_colors,
    style,
)
from plrf.tables import EXPONENTS, FRONTS, ISOFLOP, LOSSES, read_provenance, read_table

BAND = (0.1, 0.9)  # quantiles over runs
ENGINES = {"sgd": "o", "volterra": "D"}  # the engines drawn, with their markers
COLUMNS = {"eta": "loss_opt", "xi": "d_opt"}
SYMBOLS = {"eta": r"\eta", "xi": r"\xi"}


def of_engine(table: pd.DataFrame, engine: str) -> pd.DataFrame:
    """Rows of one engine."""
    return table[table["engine"] == engine]


def draw_losses(ax: Axes, losses: pd.DataFrame, colors: dict[float, tuple]) -> None:
    """Loss against compute: Volterra as lines, SGD as bands over runs with their median."""
    for (d, engine), curves in losses.groupby(["d", "engine"]):
        by_flops = curves.groupby("flops")["loss"]
        if engine == "volterra":
            ax.plot(by_flops.first(), color=colors[d], lw=0.9)
        elif engine == "sgd":
            low, median, high = (by_flops.quantile(q) for q in (BAND[0], 0.5, BAND[1]))
            ax.fill_between(low.index, low, high, color=colors[d], alpha=0.3, lw=0)
            ax.plot(median, color=colors[d], lw=0.6, ls=(0, (1, 1)))


def draw_slices(ax: Axes, isoflop: pd.DataFrame, fronts: pd.DataFrame, n_sizes: int) -> None:
    """Loss against size at each budget, the fitted parabolas, and their minima."""
    colors = sequence_colors(np.unique(isoflop["flops"]), "plasma")
    for flops, points in isoflop.dropna().groupby("flops"):
        color = colors[flops]
        ax.plot(points["d"], points["loss"], "o", ms=2.2, color=color)
        front = fronts[fronts["flops"] == flops].iloc[0]
        if front["status"] == "ok":
            sizes = points.nsmallest(n_sizes, "loss")["d"]
            d = np.geomspace(sizes.min(), sizes.max(), 50)
            parabola = front[["curvature", "slope", "intercept"]].to_numpy(float)
            ax.plot(d, np.exp(np.polyval(parabola, np.log(d))), color=color, lw=0.9)
            ax.plot(front["d_opt"], front["loss_opt"], "*", ms=7, color=color, mec=INK, mew=0.4)
    handles = [Line2D([], [], color=colors[f], lw=2) for f in colors]
    chosen = slice(None, None, -max(1, (len(colors) - 1) // 4))
    labels = [f"$10^{{{np.log10(f):.3g}}}$" for f in colors]
    ax.legend(handles[chosen], labels[chosen], title="$f$ (flops)", handlelength=1.0)


def fit_label(fit: pd.Series) -> str:
    """An engine and its exponent with the half-width of the 95% interval."""
    engine, symbol = ENGINE_LABELS[fit["engine"]], SYMBOLS[fit["quantity"]]
    if not np.isfinite(fit["estimate"]):
        return f"{engine}: no exponent"
    half_width = (fit["ci_high"] - fit["ci_low"]) / 2
    return f"{engine}: ${symbol} = {fit['estimate']:.3f} \\pm {half_width:.3f}$"


def draw_fit(ax: Axes, front: pd.DataFrame, fit: pd.Series) -> None:
    """Front points of one engine and their fitted power law."""
    column, color = COLUMNS[fit["quantity"]], ENGINE_COLORS[fit["engine"]]
    filled = color if fit["engine"] == "sgd" else "none"
    ax.plot(
        front["flops"],
        front[column],
        ENGINES[fit["engine"]],
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
    for engine in ENGINES:
        for _, fit in of_engine(fits, engine).iterrows():
            front = of_engine(fronts[fronts["status"] == "ok"], engine).sort_values("flops")
            draw_fit(ax, front, fit)
    label = f"theory: ${SYMBOLS[fit['quantity']]} = {fit['theory']:.3f}$"
    draw_power_law(
        ax, front, fit, "theory", color=INK, ls=(0, (4, 2)), lw=1.0, label=label, zorder=7
    )


def draw(
    losses: pd.DataFrame,
    isoflop: pd.DataFrame,
    fronts: pd.DataFrame,
    exponents: pd.DataFrame,
    n_sizes: int,
) -> Figure:
    """Draw the front of one point, by Approach 2 (model section 8).

    Parameters
    ----------
    losses, isoflop, fronts, exponents : DataFrame
        Rows of the schemas of these names, of one sweep.
    n_sizes : int
        Sizes through which each parabola was fitted.
    """
    import matplotlib.pyplot as plt

    losses = losses[losses["step"] > 0]
    fronts = fronts[fronts["method"] == "approach2"]
    exponents = exponents[exponents["method"] == "approach2"]
    engine = next(e for e in ENGINES if (losses["engine"] == e).any())
    alpha, beta, phase = exponents[["alpha", "beta", "phase"]].iloc[0]
    colors = sequence_colors(np.unique(losses["d"]))

    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(WIDTH, 3.0), width_ratios=[1.2, 1, 1]
    )
    for ax in (left, middle, right):
        ax.set(xscale="log", yscale="log")
    draw_losses(left, losses, colors)
    draw_fits(left, fronts, exponents[exponents["quantity"] == "eta"])
    left.set(xlabel="compute $f$ (flops)", ylabel="loss $P$")
    panel_label(left, "a", f"phase {phase}: $\\alpha = {alpha:g}$, $\\beta = {beta:g}$")
    left.legend(loc="lower left")

    draw_slices(middle, of_engine(isoflop, engine), of_engine(fronts, engine), n_sizes)
    middle.set(xlabel="parameters $d$", ylabel="loss $P$")
    panel_label(middle, "b", f"IsoFLOP slices, {ENGINE_LABELS[engine]}")

    draw_fits(right, fronts, exponents[exponents["quantity"] == "xi"])
    right.set(xlabel="compute $f$ (flops)", ylabel="optimal $d^*$")
    panel_label(right, "c", "optimal size")
    right.legend(loc="upper left")

    handles = [Line2D([], [], color=color, lw=2) for color in colors.values()]
    figure.legend(
        handles,
        [str(d) for d in colors],
        title="parameters $d$ in panel a; lines: Volterra; bands: 80% of SGD runs, dotted: median",
        loc="outside lower center",
        ncols=min(len(colors), 13),
        columnspacing=1.0,
        handlelength=1.0,
    )
    return figure


def make_figure(inputs: dict[str, str], sweep: str, n_sizes: int, paths: list[str]) -> None:
    """Read the tables of a sweep and write its front figure."""
    schemas = {"losses": LOSSES, "isoflop": ISOFLOP, "fronts": FRONTS, "exponents": EXPONENTS}
    keep = [("sweep", "=", sweep)]
    tables = {name: read_table(inputs[name], schemas[name], keep) for name in schemas}
    with style():
        save(draw(**tables, n_sizes=n_sizes), paths, read_provenance(inputs["exponents"]))


if __name__ == "__main__":
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        dict(snakemake.input.items()),
        snakemake.params.sweep,
        snakemake.params.n_sizes,
        list(snakemake.output),
    )
