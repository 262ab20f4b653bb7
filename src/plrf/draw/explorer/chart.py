"""All panels of the page in their places, as one Vega-Lite specification with its data."""

from typing import Any

import altair as alt

from plrf.draw.explorer.exponents import local_exponent
from plrf.draw.explorer.losses import loss_curves
from plrf.draw.explorer.plane import phase_diagram
from plrf.draw.explorer.selections import Selections, selections
from plrf.draw.explorer.style import WARNING, configured
from plrf.draw.explorer.terms import loss_terms
from plrf.draw.palette import INK


def specification(data: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Specify the chart of the page.

    Parameters
    ----------
    data : dict
        From `plrf.draw.explorer.datasets.page_data`, of at least one point and size.

    Returns
    -------
    dict
        Of Vega-Lite; its ``datasets`` are the data.
    """
    alphas, betas = (sorted({row[key] for row in data["points"]}) for key in ("alpha", "beta"))
    selected = selections(alphas, betas, sorted({row["d"] for row in data["curves"]}))
    plane, losses = phase_diagram(alphas, betas, selected.point), loss_curves(selected)
    upper = alt.hconcat(plane, losses, spacing=30).resolve_scale(color="independent")
    lower = alt.hconcat(
        loss_terms(selected),
        local_exponent(selected, "eta", "Loss exponent: P* ∝ f^(-η)"),
        local_exponent(selected, "xi", "Size exponent: d* ∝ f^ξ"),
        spacing=24,
    ).resolve_scale(color="independent")
    chart = alt.vconcat(_texts(selected), upper, lower, padding={"left": 4}, spacing=8)
    chart = configured(chart.resolve_scale(color="independent", shape="independent"))
    # The data join the specification here: Altair would check each number of them.
    return chart.to_dict() | {"datasets": data}


def _texts(selected: Selections) -> alt.LayerChart:
    """What is known about the selected point, and what must not be overlooked."""
    base = selected.at_point("points").encode(x=alt.value(-50))  # left of the axes, as titles are
    known = base.mark_text(align="left", fontSize=13, fontWeight="bold", color=INK)
    noted = base.mark_text(align="left", fontSize=12, color=WARNING)
    texts = [
        known.encode(y=alt.value(6), text="summary:N"),
        noted.encode(y=alt.value(24), text="note:N"),
    ]
    frameless = alt.ViewBackground(stroke=None)
    return alt.LayerChart(layer=texts, width=1180, height=26, view=frameless)
