"""Figure 17: losses at negative and small beta, down to the edge where power laws end."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.plotting import (
    WIDTH,
    draw_loss_curves,
    log_ticks,
    panel_label,
    save,
    sequence_colors,
    style,
)
from plrf.tables import LOSSES, read_provenance, read_table
from plrf.theory import exponents, phase_name

COLUMNS = 3


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
    alpha, betas = losses["alpha"].iloc[0], sorted(losses["beta"].unique())
    colors = sequence_colors(sorted(losses["d"].unique()))
    rows = -(-(len(betas) + 1) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(WIDTH, 0.3 + 2.2 * rows), squeeze=False)
    for k, (beta, ax) in enumerate(zip(betas, axes.flat, strict=False)):
        ax.set(xscale="log", yscale="log", xlabel="compute $f$ (flops)", ylabel="loss $P$")
        draw_loss_curves(ax, losses[losses["beta"] == beta], colors)
        panel_label(ax, chr(ord("a") + k), heading(alpha, beta))
        log_ticks(ax.xaxis)
        log_ticks(ax.yaxis, plain=True)
    first, *others = axes.flat[len(betas) :]
    for ax in (first, *others):
        ax.set_axis_off()
    lines = [Line2D([], [], color=color, lw=2) for color in colors.values()]
    lines += [
        Line2D([], [], color="0.4", lw=width, ls=dashes, alpha=opacity)
        for width, dashes, opacity in ((0.9, "-", 1), (0.7, (0, (1, 1)), 1), (5, "-", 0.3))
    ]
    labels = [f"$d$ = {d}" for d in colors] + ["Volterra", "median of SGD runs", "80% of SGD runs"]
    title = f"$\\alpha = {alpha:g}$; $\\eta$: theory of the front"
    if any(phase_name(alpha, beta) == "edge" for beta in betas):
        title += "\nedge: the limit $2(\\alpha + \\beta) = 1$"
    first.legend(lines, labels, title=title, loc="center")
    return figure


def make_figure(losses_path: str, sweep: str, sizes: list[int], paths: list[str]) -> None:
    """Read the losses of some sizes of a sweep and write the figure."""
    keep = [("sweep", "=", sweep), ("d", "in", sizes)]
    losses = read_table(losses_path, LOSSES, filters=keep)
    missing = {"sgd", "volterra"} - set(losses["engine"])
    if missing:
        raise ValueError(
            f"{losses_path}: no losses of {' and '.join(sorted(missing))} in sweep {sweep} for "
            f"d = {', '.join(map(str, sizes))}; change the sweep's engines or negative_beta.d"
        )
    with style():
        save(draw(losses), paths, read_provenance(losses_path))


if __name__ == "__main__":
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.losses, snakemake.params.sweep, snakemake.params.d, list(snakemake.output)
    )
