"""The phase diagram, on which a point is chosen."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from plrf.draw.explorer.style import ALPHA, BETA, WARNING, panel
from plrf.draw.palette import INK
from plrf.draw.phases import NARROW_PHASE, PHASE_COLORS, region_polygon
from plrf.statuses import NO_POWER_LAW
from plrf.theory.phases import PHASES

MARGIN = 0.08  # of the phase diagram around its points
KINDS = {
    "in a phase": "circle",
    "on a boundary": "diamond",
    "on the edge": "triangle-up",
    NO_POWER_LAW: "cross",
}


def phase_diagram(
    alphas: Sequence[float], betas: Sequence[float], point: alt.Parameter
) -> alt.LayerChart:
    """Phases of the (alpha, beta) plane and the points that can be selected.

    Parameters
    ----------
    alphas, betas : sequence of float
        Of the points, in rising order.
    point : alt.Parameter
        The selection.
    """
    ranges = [0.0, alphas[-1] + MARGIN], [betas[0] - MARGIN, betas[-1] + MARGIN]
    x = alt.X("alpha:Q", title=ALPHA).scale(domain=ranges[0], nice=False)
    y = alt.Y("beta:Q", title=BETA).scale(domain=ranges[1], nice=False)
    color = alt.Color("phase:N", legend=None).scale(
        domain=list(PHASE_COLORS), range=list(PHASE_COLORS.values())
    )
    corners, names = _phase_regions(*ranges)
    regions = (
        _chart(corners)
        .mark_line(filled=True, fillOpacity=0.35, stroke="white", strokeWidth=1.5)
        .encode(x, y, order="order:Q", fill=color.legend(None))
    )
    named = _chart(names).encode(x, y, text="phase:N")
    font: dict[str, Any] = {"fontSize": 15, "fontWeight": "bold"}
    halo = named.mark_text(stroke="white", strokeWidth=4, opacity=0.8, **font)
    return panel(
        "plane",
        "Phase diagram: choose a point",
        "orange rim: budgets without an optimal size, or inaccurate losses",
        regions,
        _points(point, color).encode(x, y),
        halo + named.mark_text(color=INK, **font),
    )


def _chart(rows: list[dict[str, Any]]) -> alt.Chart:
    """A chart of rows that stay with it: Altair moves those of InlineData into data sets."""
    # altair's Data has no types.
    return alt.Chart(alt.Data(values=rows))  # type: ignore[no-untyped-call]


def _phase_regions(
    alpha_range: Sequence[float], beta_range: Sequence[float]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Corners of each phase in the part of the plane that is shown, and where its name stands."""
    corners, names = [], []
    for row in PHASES:
        polygon = region_polygon(row.region, alpha_range, beta_range)
        if len(polygon) == 0:
            continue
        closed = enumerate([*polygon, polygon[0]])
        corners += [{"phase": row.name, "order": i, "alpha": a, "beta": b} for i, (a, b) in closed]
        alpha, beta = polygon.mean(axis=0)
        # The name of a narrow phase stands above those of its neighbours.
        beta += np.ptp(polygon[:, 1]) / 4 * (np.ptp(polygon[:, 0]) < NARROW_PHASE)
        names.append({"phase": row.name, "alpha": alpha, "beta": beta})
    return corners, names


def _points(point: alt.Parameter, color: alt.Color) -> alt.Chart:
    """Marks of all points: their kind as the shape, their phase as the colour."""
    shape = alt.Shape("kind:N", title=None).scale(domain=list(KINDS), range=list(KINDS.values()))
    in_phase, failed = alt.datum.kind == "in a phase", alt.datum.failed
    ink, white = alt.value(INK), alt.value("white")
    rim = alt.when(point).then(ink).when(failed).then(alt.value(WARNING)).otherwise(white)
    marks: alt.Chart = (
        alt.Chart(alt.NamedData(name="points"))
        .mark_point(filled=True, opacity=1)
        .encode(
            shape=shape.legend(orient="bottom", offset=2, symbolFillColor=INK, symbolSize=60),
            fill=alt.when(in_phase).then(color).otherwise(ink),
            size=alt.when(point).then(alt.value(190)).otherwise(alt.value(48)),
            stroke=rim,
            strokeWidth=alt.when(point | failed).then(alt.value(2)).otherwise(alt.value(0.6)),
            tooltip=[
                alt.Tooltip("alpha:Q", title="α"),
                alt.Tooltip("beta:Q", title="β"),
                alt.Tooltip("phase:N"),
                alt.Tooltip("eta:Q", title="η (theory)", format=".4f"),
                alt.Tooltip("xi:Q", title="ξ (theory)", format=".4f"),
            ],
        )
        .add_params(point)
    )
    return marks
