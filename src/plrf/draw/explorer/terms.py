"""One loss curve, taken apart into the terms that it is made of."""

import altair as alt

from plrf.draw.explorer.datasets import LOSS, TERMS, VISIBLE
from plrf.draw.explorer.selections import Selections
from plrf.draw.explorer.style import (
    SIZES,
    STROKES,
    compute_axis,
    compute_tooltip,
    loss_axis,
    panel,
)
from plrf.draw.palette import INK
from plrf.draw.style import TERM_COLORS


def loss_terms(selected: Selections) -> alt.LayerChart:
    """The curve of the selected point and size with its terms, and which of them is the largest.

    Parameters
    ----------
    selected : Selections
        The point and the size of the curve.
    """
    optimal = selected.of_curve("curves").transform_filter("isValid(datum.optimal)")
    return panel(
        "terms",
        "What the chosen curve is made of",
        "band: largest term; dotted: where this size is optimal; "
        f"below {VISIBLE:.0%} of P not drawn",
        _band(selected),
        optimal.mark_rule(strokeDash=[2, 3], color=INK).encode(alt.X("optimal:Q")),
        _lines(selected),
    )


def _band(selected: Selections) -> alt.Chart:
    """A band at the bottom in the colour of the largest term."""
    _, bottom = SIZES["terms"]
    band: alt.Chart = (
        selected.of_curve("dominating")
        .mark_rect()
        .encode(
            alt.X("start:Q"),
            alt.X2("stop:Q"),
            y=alt.value(bottom - 9),
            y2=alt.value(bottom),
            color=alt.Color("term:N"),
            tooltip=[alt.Tooltip("term:N", title="largest term")],
        )
    )
    return band


def _lines(selected: Selections) -> alt.Chart:
    """The loss and its terms against compute."""
    thick = alt.when(alt.datum.term == LOSS).then(alt.value(3))
    lines: alt.Chart = (
        selected.of_curve("curves")
        .transform_flatten(["flops", "step", LOSS, *TERMS])
        .transform_fold([LOSS, *TERMS], as_=["term", "value"])
        .transform_filter("isValid(datum.value)")
        .mark_line(clip=True)
        .encode(
            compute_axis(6),
            loss_axis("value", "loss P and its terms", 6),
            _color(),
            strokeWidth=thick.otherwise(alt.value(1.6)),
            tooltip=[
                alt.Tooltip("term:N"),
                alt.Tooltip("value:Q", format=".4g"),
                alt.Tooltip("step:Q", title="SGD steps r", format=".2e"),
                compute_tooltip(),
            ],
        )
    )
    return lines


def _color() -> alt.Color:
    """Colours of the loss and its terms, with their legend."""
    colors = {LOSS: INK, **TERM_COLORS}
    return (
        alt.Color("term:N", title=None)
        .scale(domain=list(colors), range=list(colors.values()))
        .legend(
            orient="top-right",
            rowPadding=0,
            fillColor="white",
            padding=3,
            labelExpr="datum.label == 'K_pp' ? 'K_pp/(γB)' : datum.label",
            **STROKES,
        )
    )
