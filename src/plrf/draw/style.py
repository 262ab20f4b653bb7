"""One style for all figures: print sizes, fonts, colours safe for colour-blind readers, saving."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from plrf.draw.palette import BLUE, INK, VERMILION
from plrf.study.store import replacing

WIDTH = 6.75  # inches, both columns of a page


# Parts of the loss (model section 6).
TERM_COLORS = {"F_pp": BLUE, "F_ac": "#009E73", "K_pp": VERMILION, "F_0": "#444444"}
TERM_LABELS = {
    "F_pp": r"$\mathcal{F}_{pp}$",
    "F_ac": r"$\mathcal{F}_{ac}$",
    "K_pp": r"$\mathcal{K}_{pp}$",
    "F_0": r"$\mathcal{F}_0$",
}

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
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ".15"),
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "w",
    "patch.force_edgecolor": True,
    "axes.axisbelow": True,
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
    """Draw in the project's style, without a display, whatever a user has set for matplotlib."""
    mpl.use("agg")
    own = cast(Any, STYLE)
    with plt.rc_context(mpl.rcParamsDefault), plt.rc_context(own):
        yield


def sequence_colors(values: Sequence[float], palette: str = "viridis") -> dict[float, Any]:
    """Colours of ordered values, from dark (small) to light, within a palette's readable part."""
    colors = mpl.colormaps[palette](np.linspace(0.0, 0.85, len(values)))
    return dict(zip(sorted(values), colors, strict=True))


def tint(color: str, strength: float = 0.5) -> tuple[float, ...]:
    """Mix a colour with white; strength 1 leaves it as it is."""
    return tuple(1 - strength * (1 - np.array(to_rgb(color))))


def panel_label(ax: Axes, label: str, title: str = "") -> None:
    """Title a panel: a bold letter and what it shows."""
    ax.set_title(rf"$\bf{{({label})}}$ {title}")


def save(figure: Figure, paths: Sequence[str], source: Mapping[str, str]) -> None:
    """Write a figure in each format, whole or not at all, with its provenance in the metadata.

    Parameters
    ----------
    figure : Figure
        Closed afterwards.
    paths : sequence of str
        PDF and PNG files.
    source : mapping
        From `plrf.study.provenance`.
    """
    note = json.dumps(dict(source), sort_keys=True)
    for path in map(Path, paths):
        kind = path.suffix[1:]
        metadata = {"Keywords": note, "CreationDate": None} if kind == "pdf" else {"Comment": note}
        with replacing(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
        figure.set_layout_engine("none")  # what follows has the layout of the first
    plt.close(figure)
