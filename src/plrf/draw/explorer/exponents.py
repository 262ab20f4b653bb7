"""Local exponents of the exact front against compute, beside those of theory."""

import altair as alt

from plrf.draw.explorer.selections import Selections
from plrf.draw.explorer.style import SIZES, WARNING, compute_axis, compute_tooltip, panel
from plrf.draw.palette import BLUE, INK

SYMBOLS = {"eta": "η", "xi": "ξ"}


def local_exponent(selected: Selections, name: str, title: str) -> alt.LayerChart:
    """One exponent at the selected point with its error, and theory's.

    Parameters
    ----------
    selected : Selections
        Of these, the point.
    name : str
        ``eta`` or ``xi``.
    title : str
        Of the panel.

    Raises
    ------
    KeyError
        If the exponent is another one.
    """
    x = compute_axis(5)
    y = alt.Y(f"{name}:Q", title=f"local exponent {SYMBOLS[name]}")
    columns = [f"{name}_error", f"{name}_low", f"{name}_high"]
    base = selected.at_point("fronts").transform_flatten(["flops", name, *columns]).encode(x)
    dots = alt.OverlayMarkDef(color=BLUE, size=24)
    measured = base.mark_line(color=BLUE, point=dots).encode(
        y.scale(zero=False, padding=14),  # room for the label of theory
        tooltip=[
            compute_tooltip(),
            alt.Tooltip(f"{name}:Q", title=SYMBOLS[name], format=".6f"),
            alt.Tooltip(f"{name}_error:Q", title="error", format=".0e"),
        ],
    )
    bars = base.mark_rule(color=BLUE).encode(alt.Y(f"{name}_low:Q"), alt.Y2(f"{name}_high:Q"))
    subtitle = "dots: exact, with error bars; dashed: theory"
    marks = bars, measured, *_theory(selected, name), _no_power_law(selected)
    return panel("exponents", title, subtitle, *marks)


def _theory(selected: Selections, name: str) -> tuple[alt.Chart, alt.Chart]:
    """A line at theory's exponent, and its value."""
    theory = selected.at_point("points").transform_filter(f"isValid(datum.{name})")
    theory = theory.encode(alt.Y(f"{name}:Q"))
    label = theory.mark_text(align="left", baseline="bottom", dx=3, dy=-2, color=INK).encode(
        x=alt.value(0), text=alt.Text(f"{name}:Q", format=".4f")
    )
    return theory.mark_rule(color=INK, strokeDash=[6, 4]), label


def _no_power_law(selected: Selections) -> alt.Chart:
    """Says why the panel is empty, in its middle."""
    width, height = SIZES["exponents"]
    empty: alt.Chart = (
        selected.at_point("points")
        .transform_filter("datum.kind == 'no power law'")
        .mark_text(text="no power law, no front", fontSize=13, color=WARNING)
        .encode(x=alt.value(width / 2), y=alt.value(height / 2))
    )
    return empty
