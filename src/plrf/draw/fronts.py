"""Compute-optimal fronts: points of the engines against compute, and power laws through them."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plrf.draw.axes import power_of_ten, say
from plrf.draw.exponents import LAWS, SYMBOLS
from plrf.draw.palette import INK
from plrf.draw.style import sequence_colors
from plrf.engines.registry import DRAWN, ENGINES, EXACT

COLUMNS = {"eta": "loss_opt", "xi": "d_opt"}
DASHES: list[Any] = ["-", (0, (5, 1.5)), (0, (1, 1))]  # of power laws, by the window
WIDER = 1.5  # they are drawn beyond their windows by this factor


def draw_fits(ax: Axes, fronts: pd.DataFrame, fits: pd.DataFrame) -> None:
    """Draw fronts and fits of all engines, and the theory through the last front that has points.

    The legend also tells the slope of the exact front over the budgets of the fits.

    Parameters
    ----------
    ax : Axes
        With logarithmic axes.
    fronts, fits : DataFrame
        Rows of the schemas FRONTS and EXPONENTS: one point, method and window; fits of one
        quantity, eta for best losses or xi for best sizes.
    """
    quantity, theory = fits[["quantity", "theory"]].iloc[0]
    usable = fronts[fronts["status"] == "ok"].sort_values("flops")
    points = {engine: usable[usable["engine"] == engine] for engine in DRAWN}
    for engine, front in points.items():
        for _, fit in fits[fits["engine"] == engine].iterrows():
            _draw_fit(ax, front, fit)
    there = [front for front in points.values() if len(front)]
    exact = fits.loc[fits["engine"] == EXACT, "exact"].dropna()
    if len(exact):
        ax.plot([], [], " ", label=f"exact front: {exact.iloc[0]:.3f}")
    if there and np.isfinite(theory):
        line = {"color": INK, "ls": (0, (4, 2)), "lw": 1.0, "label": f"theory: {theory:.3f}"}
        _draw_power_law(ax, there[-1], quantity, theory, zorder=7, **line)
    title = f"${LAWS[quantity]}, \\ {SYMBOLS[quantity]}:$"
    corner: dict[str, Any] = {"loc": "lower left" if quantity == "eta" else "best"}
    ax.legend(title=title, handlelength=1.4, alignment="left", **corner)


def _draw_fit(ax: Axes, front: pd.DataFrame, fit: pd.Series) -> None:
    """Front points of one engine and their fitted power law."""
    column, engine = COLUMNS[fit["quantity"]], ENGINES[fit["engine"]]
    ax.plot(
        front["flops"],
        front[column],
        engine.marker,
        ms=3.5,
        mec=engine.color,
        mfc=engine.color if engine.stochastic else "none",
        label=fit_label(fit),
        zorder=6,
    )
    _draw_power_law(ax, front, fit["quantity"], fit["estimate"], color=engine.color, zorder=5)


def fit_label(fit: pd.Series) -> str:
    """An engine and its exponent, with the half-width of the 95% interval where that is noise.

    Parameters
    ----------
    fit : Series
        A row of the EXPONENTS schema.
    """
    engine = ENGINES[fit["engine"]].label
    if not np.isfinite(fit["estimate"]):
        return f"{engine}: no fit"
    half_width = (fit["ci_high"] - fit["ci_low"]) / 2
    noisy = fit["error_source"] == "runs" and np.isfinite(half_width)
    return f"{engine}: {fit['estimate']:.3f}" + (f" $\\pm$ {half_width:.3f}" if noisy else "")


def _draw_power_law(
    ax: Axes, front: pd.DataFrame, quantity: str, exponent: float, **line: Any
) -> None:
    """Power law through the centre of the front's points in log-log, where there is any."""
    if len(front) and np.isfinite(exponent):
        x, y = front["flops"].to_numpy(), front[COLUMNS[quantity]].to_numpy()
        slope = -exponent if quantity == "eta" else exponent
        centre = np.mean(np.log(y) - slope * np.log(x))
        ax.plot(x, np.exp(centre + slope * np.log(x)), **line)


def draw_windows(ax: Axes, fronts: pd.DataFrame, fits: pd.DataFrame) -> None:
    """Draw the best sizes of the first engine that has some, and the power law of each window.

    Parameters
    ----------
    ax : Axes
    fronts, fits : DataFrame
        Rows of the schemas FRONTS and EXPONENTS: one point and method, several windows; fits of xi.
    """
    usable = fronts[fronts["status"] == "ok"].sort_values("flops")
    names = [name for name in DRAWN if (usable["engine"] == name).any()]
    if not names:
        say(ax, "no best size at any budget")
        return
    engine, usable = ENGINES[names[0]], usable[usable["engine"] == names[0]]
    look: dict[str, Any] = {"ms": 3, "color": engine.color, "mew": 0, "alpha": 0.5}
    ax.plot(usable["flops"], usable["d_opt"], engine.marker, label=engine.label, **look)
    colors = sequence_colors(sorted(usable["window"].unique()), "cividis")
    for window, points in usable.groupby("window"):
        fit = fits[(fits["engine"] == names[0]) & (fits["window"] == window)].iloc[0]
        if np.isfinite(fit["estimate"]):
            window_ends = fit[["window_low", "window_high"]]
            budgets = " to ".join(map(power_of_ten, window_ends))
            half_width = (fit["ci_high"] - fit["ci_low"]) / 2
            centre = np.mean(np.log(points["d_opt"]) - fit["estimate"] * np.log(points["flops"]))
            f = window_ends.to_numpy(float) * [1 / WIDER, WIDER]
            look = {"color": colors[window], "lw": 1.2, "ls": DASHES[window % 3], "zorder": 4}
            error = f" $\\pm$ {half_width:.3f}" if np.isfinite(half_width) else ""
            label = f"{budgets}: {fit['estimate']:.3f}{error}"
            ax.plot(f, np.exp(centre) * f ** fit["estimate"], label=label, **look)
    ax.set(xscale="log", yscale="log", xlabel="compute $f$ (flops)", ylabel="best size $d^*$")
    title = f"${LAWS['xi']}, \\ {SYMBOLS['xi']}$ with 95% intervals:"
    ax.legend(loc="upper left", handlelength=3, title=title, alignment="left")
