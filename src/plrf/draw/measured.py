"""Panels of groups of measured losses, and their labels."""

import textwrap
from string import ascii_lowercase

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plrf.draw.style import panel_label

MOST_GROUPS = 3  # more panels could not be read
FLOPS, SIZE, LOSS = "compute $f$ (flops)", "parameters $d$", "loss $L$"


def groups_of(*tables: pd.DataFrame) -> list[str]:
    """Names of groups that any of some tables has; an empty one if there is none."""
    names = (str(group) for table in tables for group in table["group"].unique())
    return sorted(set(names)) or [""]


def say_hidden_groups(figure: Figure, groups: list[str]) -> None:
    """Name the groups that have no panel, if there are any."""
    hidden = groups[MOST_GROUPS:]
    if hidden:
        names = textwrap.shorten(_plain(", ".join(hidden)), 80, placeholder=" ...")
        text = f"the first {MOST_GROUPS} groups; {len(hidden)} more are in the tables: {names}"
        figure.suptitle(text, fontsize=7)


def label_panels(axes: list[Axes], titles: list[str]) -> None:
    """Letter panels and title them."""
    for letter, ax, title in zip(ascii_lowercase, axes, titles, strict=False):
        panel_label(ax, letter, title)


def title_of(group: str, text: str) -> str:
    """A title, with the name of the group where there is one."""
    return f"{_plain(group)}: {text}" if group else text


def _plain(name: str) -> str:
    """A name of a user's, in which nothing is mathematics."""
    return name.replace("$", r"\$")
