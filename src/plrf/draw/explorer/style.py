"""How the panels of the page look: sizes, fonts, titles and logarithmic axes."""

from typing import Any

import altair as alt

FONT = 'system-ui, "DejaVu Sans", sans-serif'
WARNING = "#B03A00"
ALPHA, BETA, COMPUTE = "α (data complexity)", "β (target complexity)", "compute f (flops)"
SIZES = {"plane": (380, 276), "losses": (600, 276), "terms": (380, 172), "exponents": (302, 172)}
STROKES: dict[str, Any] = {"symbolType": "stroke", "symbolStrokeWidth": 3}  # of a legend

# Labels of logarithmic axes: powers such as 10⁻³, other numbers as they are, none where Vega has
# none since the axis is long.
DIGITS = "['⁰','¹','²','³','⁴','⁵','⁶','⁷','⁸','⁹']"
EXPONENT = "round(log(datum.value)/LN10)"
POWER_OF_TEN = (
    "datum.label == '' ? '' : "
    f"abs(log(datum.value)/LN10 - {EXPONENT}) > 1e-9 ? format(datum.value, '~g') : "
    f"'10' + ({EXPONENT} < 0 ? '⁻' : '') + "
    f"(abs({EXPONENT}) > 99 ? {DIGITS}[floor(abs({EXPONENT})/100)] : '') + "
    f"(abs({EXPONENT}) > 9 ? {DIGITS}[floor(abs({EXPONENT})/10) % 10] : '') + "
    f"{DIGITS}[abs({EXPONENT}) % 10]"
)


def log_axis(labels: int) -> dict[str, Any]:
    """A logarithmic axis with about so many labels; lines without a label are faint."""
    faint = {"condition": {"test": "datum.label == ''", "value": 0.3}, "value": 1}
    return {"labelExpr": POWER_OF_TEN, "tickCount": labels, "gridOpacity": faint}


def compute_axis(labels: int) -> alt.X:
    """Compute, as the horizontal axis with about so many labels."""
    x = alt.X("flops:Q", title=COMPUTE).scale(type="log", nice=False)
    return x.axis(**log_axis(labels))


def loss_axis(field: str, title: str, labels: int) -> alt.Y:
    """Losses, as the vertical axis with about so many labels."""
    return alt.Y(f"{field}:Q", title=title).scale(type="log").axis(**log_axis(labels))


def compute_tooltip() -> alt.Tooltip:
    """Compute, as a tooltip says it."""
    return alt.Tooltip("flops:Q", title=COMPUTE, format=".2e")


def panel(name: str, title: str, subtitle: str, *layers: alt.Chart) -> alt.LayerChart:
    """Lay marks over each other, as a panel with a title and its size in ``SIZES``."""
    width, height = SIZES[name]
    titles = alt.TitleParams(title, subtitle=subtitle)
    return alt.LayerChart(layer=layers, width=width, height=height, title=titles)


def configured(chart: alt.VConcatChart) -> alt.VConcatChart:
    """Give a chart the fonts, lines and titles of the page."""
    chart = (
        chart.configure(font=FONT)
        .configure_view(stroke="#BBBBBB")
        .configure_axisY(minExtent=38)  # panels stay where they are
        .configure_axis(gridColor="#EEEEEE", titleFontWeight="normal")
        .configure_title(
            anchor="start", fontSize=13, subtitleColor="#555555", subtitleFontSize=11, offset=4
        )
    )
    return chart
