"""The explorer: one page on which a point (alpha, beta) is chosen and its exact curves are seen."""

from typing import Any

from plrf.draw.explorer.chart import specification
from plrf.draw.explorer.datasets import page_data
from plrf.draw.explorer.page import page
from plrf.study.provenance import read_provenance
from plrf.study.schemas.explorer import EXPLORER_FRONTS, EXPLORER_LOSSES, EXPLORER_POINTS
from plrf.study.store import read_table, replacing

SCHEMAS = {"points": EXPLORER_POINTS, "losses": EXPLORER_LOSSES, "fronts": EXPLORER_FRONTS}


def write_page(tables: dict[str, str], settings: dict[str, Any], path: str) -> None:
    """Write the page from the tables ``points``, ``losses`` and ``fronts`` and their settings."""
    data = page_data(**{name: read_table(tables[name], SCHEMAS[name]) for name in SCHEMAS})
    text = page(specification(data), settings, read_provenance(tables["losses"]))
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    inputs = dict(snakemake.input.items())
    write_page(inputs, snakemake.params.settings, snakemake.output[0])
