"""Figure 17: losses at negative and small beta, down to the edge where power laws end."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.axes import log_ticks, say_if_empty, some
from plrf.draw.curves import draw_loss_curves, where_averaged
from plrf.draw.style import WIDTH, panel_label, save, sequence_colors, style
from plrf.study.provenance import read_provenance
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_table
from plrf.theory.phases import exponents, phase_name

COLUMNS = 3
MOST_PANELS = 23  # of eight rows, with the key
KEY = [
    ("volterra", "Volterra", {"lw": 0.9}),
    ("sgd", "median of SGD runs", {"lw": 0.7, "ls": (0, (1, 1))}),
    ("sgd", "80% of SGD runs", {"lw": 5, "alpha": 0.3}),
]


def heading(alpha: float, beta: float) -> str:
    """Beta, and the theory's exponent of the front, which the edge does not have."""
    name = phase_name(alpha, beta)
    if name == "edge":
        return f"$\\beta = {beta:g}$: edge, no exponent"
    eta, _ = exponents(alpha, beta)
    return f"$\\beta = {beta:g}$: {name}, $\\eta = {eta:.3f}$"


def draw(losses: pd.DataFrame) -> Figure:
    """Draw one panel per beta.

    Parameters
    ----------
    losses : DataFrame
        Rows of the LOSSES schema: one alpha, engines sgd and volterra.
    """
    import matplotlib.pyplot as plt

    losses = losses[losses["step"] > 0]
    alpha, every = losses["alpha"].iloc[0], sorted(losses["beta"].unique())
    betas = some(every, MOST_PANELS)
    colors = sequence_colors(sorted(losses["d"].unique()))
    rows = -(-(len(betas) + 1) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(WIDTH, 0.3 + 2.2 * rows), squeeze=False)
    for k, (beta, ax) in enumerate(zip(betas, axes.flat, strict=False)):
        ax.set(xscale="log", yscale="log", xlabel="compute $f$ (flops)", ylabel="loss $P$")
        draw_loss_curves(ax, losses[losses["beta"] == beta], colors)
        panel_label(ax, chr(ord("a") + k), heading(alpha, beta))
        log_ticks(ax.xaxis)
        log_ticks(ax.yaxis)
        say_if_empty(ax, "no finite loss")
    first, *others = axes.flat[len(betas) :]
    for ax in (first, *others):
        ax.set_axis_off()
    lines = [Line2D([], [], color=color, lw=2) for color in colors.values()]
    labels = [f"$d$ = {d}" for d in colors]
    for engine, label, look in KEY:
        if (losses["engine"] == engine).any():
            lines.append(Line2D([], [], color="0.4", **look))
            labels.append(label)
    title = f"$\\alpha = {alpha:g}$; $\\eta$: theory of the front"
    if any(phase_name(alpha, beta) == "edge" for beta in betas):
        title += "\nedge: the limit $2(\\alpha + \\beta) = 1$"
    if averaged := where_averaged(losses):
        title += f"\n{averaged.replace(' from', chr(10) + 'from')}"
    if len(betas) < len(every):
        title += f"\n{len(betas)} of {len(every)} $\\beta$"
    first.legend(lines, labels, title=title, loc="center")
    return figure


def make_figure(losses_path: str, sweep: str, sizes: list[int], paths: list[str]) -> None:
    """Read the losses of some sizes of a sweep and write the figure."""
    keep = [("sweep", "=", sweep), ("d", "in", sizes)]
    losses = read_table(losses_path, LOSSES, filters=keep)
    with style():
        save(draw(losses), paths, read_provenance(losses_path))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.losses, snakemake.params.sweep, snakemake.params.d, list(snakemake.output)
    )
