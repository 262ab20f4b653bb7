"""Figure 5: what finite sizes do to losses and exponents, and how fast it fades."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, legend_entries, log_ticks, power_of_ten, say_if_empty, some
from plrf.draw.curves import draw_line
from plrf.draw.exponents import SYMBOLS, theory_exponent
from plrf.draw.palette import BLUE, INK, SKY
from plrf.draw.phases import PHASE_COLORS
from plrf.draw.style import WIDTH, panel_label, save, sequence_colors, style
from plrf.statuses import NO_MINIMUM, OK
from plrf.study.provenance import read_provenance
from plrf.study.schemas.finite_size import LOCAL_EXPONENTS, LOSS_RATIOS
from plrf.study.store import read_table

SLOPES = {"eta": r"$\eta = -d \ln P^* / d \ln f$", "xi": r"$\xi = d \ln d^* / d \ln f$"}
ESTIMATE = (
    r"$P \,/\, (\mathcal{F}_0 + \mathcal{F}_{pp} + \mathcal{F}_{ac}"
    r" + \mathcal{K}_{pp}/(\gamma B))$"
)
THEORY_POINTS = 261
MOST_NAMED = 9  # sizes in the legend
COLORS = (SKY, BLUE, INK)  # of the budgets, at most three
SOURCES = {"exact": {"fmt": "o", "ms": 3}, "estimate": {"fmt": "x", "ms": 4}}
DASHES = ("-", (0, (4, 2)), (0, (1, 1)))


def of_quantity(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Rows of eta or of xi."""
    return table[table["quantity"] == quantity]


def missing(rows: pd.DataFrame) -> str:
    """What to add to the label of rows of which some have no exponent, and why."""
    counts = rows.loc[rows["status"] != OK, "status"].value_counts()
    reasons = counts.rename({NO_MINIMUM: "without minimum"}).items()
    return "".join(f", {count} {reason}" for reason, count in reasons)


def draw_ratios(ax: Axes, ratios: pd.DataFrame) -> None:
    """Loss over estimate against steps, one line per size."""
    colors = sequence_colors(sorted(ratios["d"].unique()))
    named = some(colors, MOST_NAMED)
    for d, rows in ratios.groupby("d"):
        name = str(d) if d < 1e5 else power_of_ten(d, digits=6)
        look = {"color": colors[d], "label": name if d in named else None}
        draw_line(ax, rows["step"], rows["loss"] / rows["estimate"], **look)
    ax.set(xscale="log", ylim=(0, None), xlabel="steps $r$", ylabel=ESTIMATE)
    ax.legend(title="parameters $d$", loc="center left", bbox_to_anchor=(1.0, 0.5))
    log_ticks(ax.xaxis)
    say_if_empty(ax, "no finite loss")


def draw_traverse(ax: Axes, traverse: pd.DataFrame) -> None:
    """Exponents of the exact front and of the estimate's along a traverse, and the theory."""
    quantity, alpha = traverse[["quantity", "alpha"]].iloc[0]
    beta = np.linspace(traverse["beta"].min(), traverse["beta"].max(), THEORY_POINTS)
    theory = theory_exponent(quantity, alpha, beta)
    ax.plot(beta, theory, color=INK, ls=DASHES[1], label="asymptotic theory")
    for color, (flops, at_budget) in zip(COLORS, traverse.groupby("flops"), strict=False):
        for source, look in SOURCES.items():
            rows = at_budget[at_budget["source"] == source]
            label = f"{source} at {power_of_ten(flops)} flops{missing(rows)}"
            point = {"color": color, "capsize": 1.5, "label": label} | look
            ax.errorbar(rows["beta"], rows["value"], rows["error"], **point)
    ax.set(xlabel=r"target complexity $\beta$", ylabel=f"${SYMBOLS[quantity]}$")


def draw_fading(ax: Axes, fronts: pd.DataFrame) -> None:
    """Local exponents of the exact front less the theory, against compute, one line per point."""
    used: dict[str, int] = {}
    for (alpha, beta), rows in fronts.groupby(["alpha", "beta"], sort=False):
        phase = rows["phase"].iloc[0]
        color = PHASE_COLORS.get(phase, INK)
        dashes = DASHES[used.setdefault(color, 0) % len(DASHES)]
        used[color] += 1
        label = f"({alpha:g}, {beta:g}) {phase}{missing(rows)}"
        deviation = rows["value"] - rows["theory"]
        draw_line(ax, rows["flops"], deviation, color=color, ls=dashes, label=label)
    symbol = f"${SYMBOLS[fronts['quantity'].iloc[0]]}$"
    ax.axhline(0, color=INK, lw=0.6)
    ax.set(xscale="log", xlabel="compute $f$ (flops)", ylabel=f"local {symbol} less theory")
    log_ticks(ax.xaxis)
    reasons = "\n".join(fronts["status"].unique())
    say_if_empty(ax, f"no exponent at any budget:\n{reasons}")


def draw(ratios: pd.DataFrame, traverse: pd.DataFrame, fronts: pd.DataFrame) -> Figure:
    """Draw all panels.

    Parameters
    ----------
    ratios : DataFrame
        Rows of the LOSS_RATIOS schema, of one point.
    traverse, fronts : DataFrame
        Rows of the LOCAL_EXPONENTS schema; the traverse is along one alpha.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(WIDTH, 7.6))
    top, middle, bottom = figure.subfigures(3, height_ratios=[1, 1.2, 1.2])
    ax = top.subplots()
    draw_ratios(ax, ratios)
    alpha, beta = ratios[["alpha", "beta"]].iloc[0]
    title = f"$\\alpha = {alpha:g}$, $\\beta = {beta:g}$: loss over estimate stays bounded"
    panel_label(ax, "a", title)

    at_alpha = f"at $\\alpha = {traverse['alpha'].iloc[0]:g}$"
    for ax, letter, quantity in zip(middle.subplots(1, 2), "bc", SYMBOLS, strict=True):
        draw_traverse(ax, of_quantity(traverse, quantity))
        panel_label(ax, letter, f"{SLOPES[quantity]} {at_alpha}")
    for ax, letter, quantity in zip(bottom.subplots(1, 2), "de", SYMBOLS, strict=True):
        draw_fading(ax, of_quantity(fronts, quantity))
        panel_label(ax, letter, f"exact fronts: local ${SYMBOLS[quantity]}$ and compute")
    point = r"point $(\alpha, \beta)$ and phase"
    for part, title, columns in ((middle, None, 3), (bottom, point, 4)):
        legend_below(part, legend_entries(part.axes[0]), columns, title=title)
    return figure


def make_figure(inputs: dict[str, str], paths: list[str]) -> None:
    """Read the three tables and write the figure."""
    schemas = {"ratio": LOSS_RATIOS, "traverse": LOCAL_EXPONENTS, "fronts": LOCAL_EXPONENTS}
    tables = [read_table(inputs[name], schema) for name, schema in schemas.items()]
    with style():
        save(draw(*tables), paths, read_provenance(*(inputs[name] for name in schemas)))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(dict(snakemake.input.items()), list(snakemake.output))
