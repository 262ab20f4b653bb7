"""What figures of training algorithms share: colours and names of schedules, titles of points."""

from matplotlib.axes import Axes

from plrf.draw.palette import BLUE, INK, PURPLE, SKY, VERMILION
from plrf.draw.style import panel_label
from plrf.theory.phases import phase_name

# By the name that a schedule's text begins with.
COLORS = {
    "free": INK,
    "constant": "#888888",
    "warmup": PURPLE,
    "power": "#E69F00",
    "polynomial": "#009E73",
    "cosine": VERMILION,
    "wsd": BLUE,
    "batch_growth": SKY,
}
LABELS = {
    "free": "best of all",
    "constant": "constant",
    "power": "power decay",
    "polynomial": "polynomial decay",
    "cosine": "cosine",
    "wsd": "stable, then decay",
}


def schedule_color(text: str) -> str:
    """Colour of a schedule by its text."""
    return COLORS[text.partition("(")[0]]


def title_point(ax: Axes, letter: str, alpha: float, beta: float) -> None:
    """Title a panel by its point and phase."""
    point = f"$\\alpha = {alpha:g}$, $\\beta = {beta:g}$"
    panel_label(ax, letter, f"{phase_name(alpha, beta)}: {point}")
