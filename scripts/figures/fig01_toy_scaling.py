"""Figure 1: loss against compute for many sizes, and the sizes that one budget leaves to choose."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import log_ticks, power_of_ten, say, some
from plrf.draw.curves import draw_line
from plrf.draw.palette import INK, VERMILION
from plrf.draw.style import WIDTH, save, sequence_colors, style
from plrf.measure.curves import losses_at_budgets
from plrf.study.provenance import read_provenance
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_table

ENVELOPE_BUDGETS = 400
MOST_NAMED = 13  # sizes in the legend


def losses_by_size(losses: pd.DataFrame, budgets: np.ndarray) -> pd.DataFrame:
    """Losses at budgets: one row per budget, one column per size."""
    columns = {
        d: losses_at_budgets(curve["flops"], curve["loss"], budgets)
        for d, curve in losses.groupby("d")
    }
    return pd.DataFrame(columns, index=budgets)


def mark_sizes(ax: Axes, at_budget: pd.Series, near_end: bool) -> None:
    """Mark the best size at the budget, and the smallest and largest one."""
    budget, best = at_budget.name, at_budget.idxmin()
    marks = {at_budget.index[0]: "$d$ too small", at_budget.index[-1]: "$d$ too large"}
    marks[best] = "$d$ optimal"
    # The label of the best size goes below its curve, the others above; all stay on the panel.
    for d, text in marks.items():
        color = VERMILION if d == best else INK
        below = d == best
        left = below or near_end
        ax.plot(budget, at_budget[d], "o", color=color, zorder=5)
        ax.annotate(
            f"{text}: {d}",
            (budget, at_budget[d]),
            xytext=(-7 if left else 7, -9 if below else 5),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top" if below else "bottom",
            color=color,
            bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 0.6},
        )


def draw(losses: pd.DataFrame, budget: float) -> Figure:
    """Draw the loss curves of one point.

    Parameters
    ----------
    losses : DataFrame
        Rows of the LOSSES schema: one point, engine volterra.
    budget : float
        The budget to mark, in flops.
    """
    import matplotlib.pyplot as plt

    losses = losses[losses["step"] > 0]
    sizes = sorted(losses["d"].unique().tolist())
    colors = sequence_colors(sizes)
    alpha, beta = losses[["alpha", "beta"]].iloc[0]
    figure, ax = plt.subplots(figsize=(WIDTH, 3.4))
    ax.set(xscale="log", yscale="log")
    named = some(sizes, MOST_NAMED)
    for d, curve in losses.groupby("d"):
        label = str(d) if d in named else None
        draw_line(ax, curve["flops"], curve["loss"], color=colors[d], label=label)

    # The envelope, where all sizes have a loss.
    first = losses.groupby("d")["flops"].min().max()
    last = losses.groupby("d")["flops"].max().min()
    budgets = np.geomspace(first, last, ENVELOPE_BUDGETS) if first < last else np.empty(0)
    front = losses_by_size(losses, budgets).min(axis=1)
    if front.notna().any():
        ax.plot(front.index, front, color=INK, lw=1.6, ls=(0, (1, 1)), label="optimal")

    ax.axvline(budget, color=INK, lw=0.7, zorder=0)
    at_budget = losses_by_size(losses, np.array([budget])).iloc[0].dropna()
    if at_budget.empty:
        say(ax, "no size has losses on both sides of the budget")
    else:
        mark_sizes(ax, at_budget, near_end=budget > last / 30)
    ax.set(
        xlabel="compute $f = d\\,r\\,B$ (flops)",
        ylabel="expected loss $P$",
        title=f"Volterra losses at $\\alpha = {alpha:g}$, $\\beta = {beta:g}$; "
        f"a budget of {power_of_ten(budget)} flops marked",
    )
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    ax.legend(title="parameters $d$", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def make_figure(losses_path: str, sweep: str, budget: float, paths: list[str]) -> None:
    """Read the losses and write the figure."""
    keep = [("sweep", "=", sweep), ("engine", "=", "volterra")]
    losses = read_table(losses_path, LOSSES, filters=keep)
    with style():
        save(draw(losses, budget), paths, read_provenance(losses_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.losses,
        snakemake.params.sweep,
        snakemake.params.budget,
        list(snakemake.output),
    )
