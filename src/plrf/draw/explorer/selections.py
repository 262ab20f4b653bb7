"""What is selected on the page, by a click or in a menu: a point (alpha, beta) and a size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import altair as alt

from plrf.draw.explorer.style import ALPHA, BETA

START = (0.7, 0.7)  # the paper's first point; the page opens at the one nearest to it


@dataclass(frozen=True)
class Selections:
    """The selections by which the panels are linked.

    Attributes
    ----------
    point, size : alt.Parameter
        Of the fields ``alpha`` and ``beta``, and of ``d``.
    """

    point: alt.Parameter
    size: alt.Parameter

    def at_point(self, name: str) -> alt.Chart:
        """Rows of a data set of the page at the selected point."""
        return alt.Chart(alt.NamedData(name=name)).transform_filter(self.point)

    def of_curve(self, name: str) -> alt.Chart:
        """Rows of a data set of the page at the selected point and size."""
        return self.at_point(name).transform_filter(self.size)


def selections(alphas: Sequence[float], betas: Sequence[float], sizes: Sequence[int]) -> Selections:
    """Make the selections with their menus.

    Parameters
    ----------
    alphas, betas, sizes : sequence
        What can be selected, in rising order; the page opens at the middle of the sizes.
    """
    start = min(product(alphas, betas), key=lambda point: math.dist(point, START))
    menus = {"alpha": _menu("alpha", alphas, ALPHA), "beta": _menu("beta", betas, BETA)}
    point = _selection("point", menus, dict(zip(menus, start, strict=True)))
    menu = _menu("size", sizes, "size d (parameters)")
    return Selections(point, _selection("size", {"d": menu}, {"d": sizes[len(sizes) // 2]}))


def _selection(name: str, menus: Any, start: Mapping[str, float]) -> alt.Parameter:
    """A selection of one value of each field that has a menu."""
    return alt.selection_point(
        name=name,
        fields=list(menus),
        bind=menus,
        value=[start],
        on="click",
        clear=False,
        nearest=True,
        toggle=False,
        empty=False,
    )


def _menu(key: str, options: Sequence[float], name: str) -> alt.BindRadioSelect:
    """A native menu, in the element of the page with this key as its id."""
    labels = [f"{value:,}" if isinstance(value, int) else f"{value:g}" for value in options]
    return alt.binding_select(options=options, labels=labels, name=name, element=f"#{key}")
