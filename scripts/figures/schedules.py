"""Schedules compared: loss curves of one size, and fronts with their exponents, at each point."""

from string import ascii_lowercase

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plrf.draw.algorithms import columns_of_points, of_point, schedule_color, title_point
from plrf.draw.axes import legend_below, log_ticks, say_if_empty
from plrf.draw.curves import draw_line, draw_loss_curve
from plrf.draw.exponents import LAWS, SYMBOLS
from plrf.draw.style import panel_label, save, style
from plrf.engines.registry import DRAWN
from plrf.measure.curves import one_series
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS, FRONTS
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import read_table

METHOD, EXACT, MAIN = "approach2", "approach0", 0


def draw_curves(ax: Axes, losses: pd.DataFrame) -> None:
    """Draw the loss curves of all schedules: exact ones as lines, runs as bands."""
    for schedule, rows in losses.groupby("schedule", sort=False):
        for name, curves in one_series(rows).groupby("engine"):
            if name in DRAWN:
                later = curves[curves["step"] > 0]
                draw_loss_curve(ax, DRAWN[name], later, schedule_color(schedule), median=False)
    ax.set(xscale="log", yscale="log", ylabel="loss $P$")


def exponent(fits: pd.DataFrame) -> str:
    """Exponent of runs, with half its 95% interval, and that of the exact front."""
    exact = fits.loc[fits["method"] == EXACT, "estimate"]
    runs = fits[(fits["method"] == METHOD) & (fits["error_source"] == "runs")]
    texts = [
        f"{fit.estimate:.3f} $\\pm$ {(fit.ci_high - fit.ci_low) / 2:.3f}"
        for fit in runs.dropna(subset="estimate").itertuples()
    ]
    texts += [f"{value:.3f}" for value in exact.dropna()]
    return ", ".join(texts) or "no fit"


def draw_fronts(ax: Axes, schedules: dict[str, str], fronts: pd.DataFrame, fits: pd.DataFrame):
    """Draw fronts of all schedules: exact ones as lines, minima of the runs' losses as dots."""
    handles = []
    for sweep, schedule in schedules.items():
        rows = fronts[(fronts["sweep"] == sweep) & (fronts["status"] == "ok")].sort_values("flops")
        color = schedule_color(schedule)
        exact = rows[rows["method"] == EXACT]
        draw_line(ax, exact["flops"], exact["loss_opt"], color=color, lw=1.0)
        for name, engine in DRAWN.items():
            found = rows[(rows["engine"] == name) & (rows["method"] == METHOD)]
            if engine.stochastic:
                look = {"color": color, "ms": 3, "mew": 0, "zorder": 5}
                ax.plot(found["flops"], found["loss_opt"], engine.marker, **look)
        label = exponent(fits[(fits["sweep"] == sweep) & (fits["quantity"] == "eta")])
        handles.append(Line2D([], [], color=color, label=label))
    ax.set(xscale="log", yscale="log", ylabel="best loss $P^*$", xlabel="compute $f$ (flops)")
    title = f"${LAWS['eta']}$, ${SYMBOLS['eta']}$ of SGD, exact:"
    look = {"loc": "lower left", "alignment": "left", "handlelength": 1.0, "labelspacing": 0.2}
    ax.legend(handles=handles, title=title, **look)


def leave_room(ax: Axes, share: float) -> None:
    """Extend a logarithmic axis downwards, so that a legend has this share of it."""
    low, high = ax.get_ylim()
    ax.set_ylim(low * (low / high) ** (share / (1 - share)), high)


def draw(losses: pd.DataFrame, fronts: pd.DataFrame, fits: pd.DataFrame) -> Figure:
    """Draw a column for each point.

    Parameters
    ----------
    losses, fronts, fits : DataFrame
        Rows of the schemas LOSSES, of one size, FRONTS and EXPONENTS, of the main window.
    """
    names = losses.drop_duplicates("sweep").set_index("sweep")["schedule"].to_dict()
    figure, grid, points = columns_of_points(losses, 2, 5.0)
    letters = iter(ascii_lowercase)
    for ax, point in zip(grid[0], points, strict=True):
        draw_curves(ax, of_point(losses, point))
        title_point(ax, next(letters), *point)
        say_if_empty(ax, "no losses")
    for ax, point in zip(grid[1], points, strict=True):
        draw_fronts(ax, names, of_point(fronts, point), of_point(fits, point))
        panel_label(ax, next(letters), "fronts")
        leave_room(ax, 0.45)
    for ax in grid.flat:
        log_ticks(ax.xaxis)
        log_ticks(ax.yaxis)
    entries = {text: Line2D([], [], color=schedule_color(text)) for text in names.values()}
    legend_below(figure, entries, 5)
    return figure


def make_figure(
    losses_path: str,
    fronts_path: str,
    exponents_path: str,
    sweeps: list[str],
    d: int,
    paths: list[str],
) -> None:
    """Read losses and fits of the sweeps and write the figure."""
    chosen = ("sweep", "in", sweeps)
    losses = read_table(losses_path, LOSSES, [chosen, ("d", "=", d)])
    main = [chosen, ("window", "=", MAIN)]
    fronts, fits = (
        read_table(fronts_path, FRONTS, main),
        read_table(exponents_path, EXPONENTS, main),
    )
    order = {name: place for place, name in enumerate(sweeps)}
    losses = losses.sort_values("sweep", key=lambda names: names.map(order), kind="stable")
    with style():
        source = read_provenance(losses_path, fronts_path, exponents_path)
        save(draw(losses, fronts, fits), paths, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(
        snakemake.input.losses,
        snakemake.input.fronts,
        snakemake.input.exponents,
        snakemake.params.sweeps,
        snakemake.params.d,
        list(snakemake.output),
    )
