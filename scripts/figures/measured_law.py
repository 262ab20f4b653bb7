"""Residuals of the parametric law, and how well its exponents are known."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.axes import legend_below, legend_entries, log_ticks, say_if_empty
from plrf.draw.measured import (
    MOST_GROUPS,
    SIZE,
    groups_of,
    label_panels,
    say_hidden_groups,
    title_of,
)
from plrf.draw.methods import FORMS, NOT_SEPARATED
from plrf.draw.palette import BLUE, INK, SKY, VERMILION
from plrf.draw.style import WIDTH, save, style
from plrf.fitting.runs import OUTLIER
from plrf.study.provenance import read_provenance
from plrf.study.schemas.measured import LAWS, RUNS
from plrf.study.store import read_table

PARAMETERS = ("a", "b")
EQUAL = ("equal_exponents", "b")  # the same as its a
ROOM = 1.25  # of the panel around the residuals that are fitted
EDGE = 0.93  # where those beyond it are drawn
BANDS = {
    "ci": (BLUE, 0.12, "95% interval of the bootstrap"),
    "profile": (SKY, -0.12, "limits by the objective"),
}


def draw_residuals(ax: Axes, runs: pd.DataFrame, column: str, most: float) -> None:
    """Draw residuals of the runs that were fitted; of others those beyond the panel at its edge."""
    fitted = runs["status"] == "ok"
    ax.axhline(0, color=INK, lw=0.7)
    used, flagged = runs[fitted], runs[runs["status"] == OUTLIER]
    look: dict[str, Any] = {"ls": "", "marker": "o", "ms": 2.5, "color": BLUE}
    ax.plot(used[column], used["log_residual"], label="fitted", **look)
    beyond = flagged["log_residual"].abs() > most
    edge = np.sign(flagged["log_residual"]) * EDGE * most
    shown = flagged["log_residual"].mask(beyond, edge)
    marks = {"x": ("flagged, not fitted", ~beyond), "^": ("flagged, beyond the panel", beyond)}
    for marker, (label, there) in marks.items():
        if there.any():
            look = {"ls": "", "ms": 5, "color": VERMILION, "marker": marker, "label": label}
            ax.plot(flagged[column][there], shown[there], **look)
    ax.set(xscale="log", ylim=(-most, most))


def draw_exponents(ax: Axes, laws: pd.DataFrame) -> None:
    """Draw a and b of each form with both kinds of limits; an arrow where there is none."""
    forms = [form for form in FORMS if (laws["form"] == form).any()]
    rows = laws[laws["parameter"].isin(PARAMETERS)]
    finite = rows[["estimate", "ci_low", "ci_high"]].to_numpy(float).ravel()
    finite = finite[np.isfinite(finite)]
    left, right = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    room = 0.35 * max(right - left, 0.02)
    left, right = left - room, right + room
    names = []
    drawn = [(form, name) for form in forms for name in PARAMETERS if (form, name) != EQUAL]
    for i, (form, name) in enumerate(drawn):
        row = rows[(rows["form"] == form) & (rows["parameter"] == name)].iloc[0]
        names.append(FORMS[form] if form == EQUAL[0] else f"${name}$, {FORMS[form]}")
        for kind, (color, shift, label) in BANDS.items():
            ends = row[[f"{kind}_low", f"{kind}_high"]].to_numpy(float)
            if not np.isnan(ends).any():
                ax.plot(
                    np.clip(ends, left, right), [-i + shift] * 2, color=color, lw=2.2, label=label
                )
        separated = NOT_SEPARATED not in row["status"]
        mark = {"marker": "o" if separated else "x", "ms": 4.5, "color": INK, "ls": ""}
        label = "estimate" if separated else "estimate that is not separated"
        ax.plot(row["estimate"], -i, label=label, zorder=5, **mark)
    ax.set(xlim=(left, right), ylim=(0.6 - max(len(names), 1), 0.6), xlabel="exponent")
    ax.set_yticks([-i for i in range(len(names))], names)


def draw(runs: pd.DataFrame, laws: pd.DataFrame) -> Figure:
    """Draw a row for each group.

    Parameters
    ----------
    runs, laws : DataFrame
        Rows of the schemas of these names, of `plrf.study.schemas.measured`.
    """
    import matplotlib.pyplot as plt

    groups = groups_of(runs)
    shown = groups[:MOST_GROUPS]
    figure = plt.figure(figsize=(WIDTH, 0.7 + 2.4 * len(shown)))
    axes: Any = figure.subplots(len(shown), 3, squeeze=False)
    titles = []
    for (left, middle, right), group in zip(axes, shown, strict=True):
        own = runs[runs["group"] == group]
        residuals = own.loc[own["status"] == "ok", "log_residual"].abs()
        most = ROOM * float(residuals.max()) if residuals.notna().any() else 1.0
        for ax, column in ((left, "parameters"), (middle, "samples")):
            draw_residuals(ax, own, column, most)
            log_ticks(ax.xaxis)
        draw_exponents(right, laws[laws["group"] == group])
        left.set(xlabel=SIZE, ylabel="log loss, measured minus law")
        middle.set(xlabel="samples $n$")
        titles += [title_of(group, "residuals of the law"), "against samples", "exponents"]
        say_if_empty(right, "no law")
    label_panels(list(axes.flat), titles)
    legend_below(figure, legend_entries(*axes.flat), 4)
    say_hidden_groups(figure, groups)
    return figure


def make_figure(runs: str, laws: str, paths: list[str]) -> None:
    """Read the runs and laws of a table and write the figure."""
    with style():
        figure = draw(read_table(runs, RUNS), read_table(laws, LAWS))
        save(figure, paths, read_provenance(runs, laws))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    make_figure(snakemake.input.runs, snakemake.input.laws, list(snakemake.output))
