"""One style for all figures: print sizes, fonts, colours safe for colour-blind readers, saving."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from plrf.tables import replacing

WIDTH = 6.75  # inches, both columns of a page

BLUE, SKY, VERMILION = "#0072B2", "#56B4E9", "#D55E00"  # Okabe and Ito
INK = "#222222"
ENGINE_COLORS = {"sgd": VERMILION, "recursion": SKY, "volterra": BLUE}
ENGINE_LABELS = {"sgd": "SGD", "recursion": "recursion", "volterra": "Volterra"}

STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
    "mathtext.fontset": "dejavusans",
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "#E4E4E4",
    "lines.linewidth": 1.1,
    "lines.markersize": 4,
    "xtick.direction": "out",
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # embedded TrueType: text stays text
    "svg.fonttype": "none",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the project's style, without a display."""
    mpl.use("agg")
    with sns.axes_style("ticks"), plt.rc_context(cast(Any, STYLE)):
        yield


def sequence_colors(values: Sequence[float], palette: str = "viridis") -> dict[float, Any]:
    """Colours of ordered values, from dark (small) to light, within a palette's readable part."""
    colors = mpl.colormaps[palette](np.linspace(0.0, 0.85, len(values)))
    return dict(zip(sorted(values), colors, strict=True))


def panel_label(ax: Axes, label: str, title: str = "") -> None:
    """Title a panel: a bold letter and what it shows."""
    ax.set_title(rf"$\bf{{({label})}}$ {title}")


def power_of_ten(value: float) -> str:
    """Write a number as a multiple of a power of ten, in mathematical text."""
    exponent = int(np.floor(np.log10(value) + 1e-9))
    factor = round(value / 10.0**exponent, 2)
    return f"$10^{{{exponent}}}$" if factor == 1 else f"${factor:g}\\cdot 10^{{{exponent}}}$"


def log_ticks(axis: Axis, plain: bool = False) -> None:
    """Label a logarithmic axis after drawing: also 2 and 5 times powers of ten if it is short.

    Parameters
    ----------
    axis : Axis
        ``ax.xaxis`` or ``ax.yaxis``.
    plain : bool
        Write 200 rather than a power of ten: for model sizes.
    """
    low, high = axis.get_view_interval()
    if high < 300 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter("{x:g}" if plain else lambda value, _: power_of_ten(value))
    axis.set_minor_formatter(NullFormatter())


def power_law_line(
    x: NDArray[np.float64], y: NDArray[np.float64], exponent: float
) -> NDArray[np.float64]:
    """Values at x of the power law with this exponent through the points' centre in log-log."""
    centre = np.mean(np.log(y) - exponent * np.log(x))
    line: NDArray[np.float64] = np.exp(centre + exponent * np.log(x))
    return line


def save(figure: Figure, paths: Sequence[str], source: Mapping[str, str]) -> None:
    """Write a figure in each format, whole or not at all, with its provenance in the metadata.

    Parameters
    ----------
    figure : Figure
        Closed afterwards.
    paths : sequence of str
        PDF and PNG files.
    source : mapping
        From :func:`plrf.tables.provenance` or :func:`plrf.tables.read_provenance`.
    """
    note = json.dumps(dict(source), sort_keys=True)
    for path in map(Path, paths):
        kind = path.suffix[1:]
        metadata = {"Keywords": note, "CreationDate": None} if kind == "pdf" else {"Comment": note}
        with replacing(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
    plt.close(figure)
