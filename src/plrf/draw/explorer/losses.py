"""Loss against compute: the curves of all sizes, the front, and theory's power law."""

import altair as alt

from plrf.draw.explorer.datasets import LOSS
from plrf.draw.explorer.selections import Selections
from plrf.draw.explorer.style import STROKES, compute_axis, compute_tooltip, loss_axis, panel
from plrf.draw.palette import INK


def loss_curves(selected: Selections) -> alt.LayerChart:
    """Curves of all sizes at the selected point, the front, and theory's power law.

    Parameters
    ----------
    selected : Selections
        A click on a curve selects its size.
    """
    x = compute_axis(8)
    curves = _curves(selected).encode(x, loss_axis(LOSS, "expected loss P", 7))
    color = alt.Color("d:O", title="parameters d").scale(scheme="viridis")
    lines = curves.mark_line(clip=True).encode(
        color=color.legend(labelExpr="format(datum.value, ',')", **STROKES),
        strokeWidth=alt.when(selected.size).then(alt.value(3.5)).otherwise(alt.value(1.4)),
    )
    targets = curves.mark_point(opacity=0, size=30).add_params(selected.size)
    fronts = selected.at_point("fronts")
    fronts = fronts.transform_flatten(["flops", "d_opt", "loss_opt", "law"]).encode(x)
    dots = alt.OverlayMarkDef(color=INK, size=22)
    front = fronts.mark_line(color=INK, strokeWidth=1.5, clip=True, point=dots).encode(
        alt.Y("loss_opt:Q"),
        tooltip=[
            compute_tooltip(),
            alt.Tooltip("loss_opt:Q", title="optimal loss P*", format=".4g"),
            alt.Tooltip("d_opt:Q", title="optimal size d*", format=".4g"),
        ],
    )
    law = fronts.mark_line(color=INK, strokeDash=[6, 4], strokeWidth=1.2, clip=True)
    return panel(
        "losses",
        "Exact expected loss of each size",
        "black: compute-optimal front P*(f); dashed: slope of theory through the last budget",
        lines,
        law.encode(alt.Y("law:Q")),
        targets,
        front,
    )


def _curves(selected: Selections) -> alt.Chart:
    """Points of the loss curves, with what their tooltips say."""
    curves = selected.at_point("curves").transform_flatten(["flops", "step", LOSS])
    return curves.encode(
        detail="d:O",
        tooltip=[
            alt.Tooltip("d:Q", title="parameters d", format=","),
            compute_tooltip(),
            alt.Tooltip("step:Q", title="SGD steps r", format=".2e"),
            alt.Tooltip(f"{LOSS}:Q", title=LOSS, format=".4g"),
            alt.Tooltip("error:Q", title="largest relative error", format=".0e"),
            alt.Tooltip("status:N"),
        ],
    )
