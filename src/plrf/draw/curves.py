"""Loss curves of all engines, and lines with gaps."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from plrf.engines.registry import DRAWN, ENGINES, Engine
from plrf.measure.curves import one_series

BAND = (0.1, 0.5, 0.9)  # quantiles over runs of SGD


def draw_loss_curves(ax: Axes, losses: pd.DataFrame, colors: Mapping[float, Any]) -> None:
    """Loss against compute by size: expectations as lines, runs as bands with their median.

    A band ends where the first of its runs diverges, since the others alone would be biased.

    Parameters
    ----------
    ax : Axes
    losses : DataFrame
        Rows of the LOSSES schema, of one point.
    colors : mapping
        Color of each size d.
    """
    for (d, name), curves in one_series(losses).groupby(["d", "engine"]):
        if name in DRAWN:
            draw_loss_curve(ax, DRAWN[name], curves, colors[d])


def draw_loss_curve(
    ax: Axes, engine: Engine, curves: pd.DataFrame, color: Any, median: bool = True
) -> None:
    """Loss of one size and engine against compute: a line, or a band with the median.

    Parameters
    ----------
    ax : Axes
    engine : Engine
    curves : DataFrame
        Rows of the LOSSES schema.
    color : color
    median : bool
        Whether the median of runs is drawn in their band.
    """
    if not engine.runs:
        draw_line(ax, curves["flops"], curves["loss"], color=color, lw=0.9)
        return
    runs = curves.pivot(index="flops", columns="run", values="loss")
    low, middle, high = np.quantile(runs, BAND, axis=1)
    ax.fill_between(runs.index, low, high, color=color, alpha=0.3, lw=0)
    if median:
        draw_line(ax, runs.index, middle, color=color, lw=0.7, ls=(0, (1, 1)))


def where_averaged(losses: pd.DataFrame) -> str:
    """Say from which size on W is averaged out of runs that sample it below; else nothing.

    Parameters
    ----------
    losses : DataFrame
        Rows of the LOSSES schema, of one alpha.
    """
    sizes = losses.groupby("engine")["d"].unique()
    limits = [
        (ENGINES[engine.smaller].label, [d for d in sizes[name] if d > max(sizes[engine.smaller])])
        for name, engine in ENGINES.items()
        if name in sizes and engine.smaller in sizes
    ]
    return ", ".join(f"W averaged out of {a} from $d$ = {min(d)} on" for a, d in limits if d)


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
