"""IsoFLOP slices: loss against size at each budget."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm

from plrf.draw.axes import log_ticks
from plrf.draw.palette import INK
from plrf.draw.style import sequence_colors


def draw_slices(ax: Axes, isoflop: pd.DataFrame, fronts: pd.DataFrame) -> None:
    """Draw the losses of all sizes at each budget, the fitted parabolas, and their minima.

    Parameters
    ----------
    ax : Axes
        With logarithmic axes; gets a bar with the colours of the budgets beside it.
    isoflop, fronts : DataFrame
        Rows of the schemas of these names, of one point, engine and window, by parabolas.
    """
    colors = sequence_colors(np.unique(isoflop["flops"]).tolist(), "plasma")
    for flops, points in isoflop.dropna(subset="loss").groupby("flops"):
        ax.plot(points["d"], points["loss"], "o", ms=2.2, color=colors[flops])
        front = fronts[fronts["flops"] == flops].iloc[0]
        if front["status"] == "ok":
            d = np.geomspace(front["d_low"], front["d_high"], 50)
            parabola = front[["curvature", "slope", "intercept"]].to_numpy(float)
            ax.plot(d, np.exp(np.polyval(parabola, np.log(d))), color=colors[flops], lw=0.9)
            star = {"ms": 7, "color": colors[flops], "mec": INK, "mew": 0.4}
            ax.plot(front["d_opt"], front["loss_opt"], "*", **star)
    _draw_budgets(ax, colors)


def _draw_budgets(ax: Axes, colors: dict[float, Any]) -> None:
    """Explain the colours of the budgets by a bar."""
    budgets = list(colors)
    scale = ScalarMappable(LogNorm(budgets[0], budgets[-1]), ListedColormap([*colors.values()]))
    bar = ax.figure.colorbar(scale, ax=ax, aspect=30, pad=0.02)
    bar.set_label("compute $f$ (flops)", labelpad=4)
    log_ticks(bar.ax.yaxis)
