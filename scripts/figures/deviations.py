"""Deviations of fitted exponents from the exact front, against beta."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from plrf.draw.exponents import draw_estimates
from plrf.draw.style import WIDTH, save, style
from plrf.engines.registry import DRAWN
from plrf.study.provenance import read_provenance
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.store import read_table


def draw(fits: pd.DataFrame) -> Figure:
    """Draw the deviations of all fits of one method."""
    figure, ax = subplots(figsize=(WIDTH, 2.4))
    columns = ["estimate", "ci_low", "ci_high"]
    fits = fits[fits["estimate"].notna() & (fits["method"] == "approach2")]
    fits = fits.assign(**{name: fits[name] - fits["exact"] for name in columns})
    for name, engine in DRAWN.items():
        draw_estimates(ax, fits[fits["engine"] == name], name, engine.label)
    ax.set(xlabel=r"$\beta$", ylabel="deviation of exponents")
    ax.legend()
    return figure


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    path = snakemake.input.exponents
    with style():
        save(draw(read_table(path, EXPONENTS)), list(snakemake.output), read_provenance(path))
