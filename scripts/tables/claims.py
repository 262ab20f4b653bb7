"""The paper's claims: our numbers with errors, verdicts, and the tables that back them."""

from typing import Any

import pandas as pd

from plrf.engines.registry import ENGINES, EXACT
from plrf.measure.claimed_exponents import TOLERANCE
from plrf.measure.claims import evaluate
from plrf.measure.findings import Study
from plrf.study.schemas.finite_size import LOCAL_EXPONENTS, LOSS_RATIOS
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.schemas.losses import LOSSES
from plrf.study.schemas.spectra import SPECTRUM_DENSITY, SPECTRUM_HISTOGRAM
from plrf.study.store import read_table, write_rendered

# Tables of any study, and those of the parts that it has.
SCHEMAS = {
    "exponents": EXPONENTS,
    "losses": LOSSES,
    "ratio": LOSS_RATIOS,
    "fronts": LOCAL_EXPONENTS,
    "histogram": SPECTRUM_HISTOGRAM,
    "density": SPECTRUM_DENSITY,
}
COMPARED = [name for name, engine in ENGINES.items() if engine.stochastic or name == EXACT]
HEADER = ["claim", "in the paper", "paper", "ours", "verdict", "why", "backed by"]
NOTE = f"""\
Each claim of the paper that these results can test. **Reproduced**: our number agrees with the
paper's; an exponent of the exact front, which has no noise, within {TOLERANCE} of the theory.
**Reproduced with a correction**: it agrees when what is named as the reason is accounted for.
**Not at this scale**: it does not agree at our sizes and budgets, or they cannot tell; an exponent
of the exact front agrees, or gets nearer, at budgets far beyond them. **Not reproduced**: it does
not agree, and nothing tells that it would. **Not tested**: the configuration lacks what it needs.

Errors are what is named beside them: 95% intervals or standard errors over runs, a solver's own
error, or a range.
"""


def markdown(claims: pd.DataFrame) -> str:
    """Render the table for reading."""
    lines = ["# The paper's claims", "", NOTE]
    lines += ["| " + " | ".join(HEADER) + " |", "|" + " --- |" * len(HEADER)]
    for row in claims.itertuples():
        ours = f"{row.ours} ± {row.error}" if row.ours else "–"
        cells = [row.claim, row.where, row.paper, ours, f"**{row.verdict}**", row.reason]
        lines.append(f"| {' | '.join([*cells, f'`{row.backed_by}`'])} |")
    return "\n".join(lines) + "\n"


def write_claims(
    paths: dict[str, str], blocks: dict[str, Any], csv_path: str, markdown_path: str
) -> None:
    """Test the claims by tables, by their names in SCHEMAS, and write them as CSV and Markdown."""
    filters = {"losses": [("engine", "in", COMPARED)]}
    tables = {
        name: read_table(path, SCHEMAS[name], filters.get(name)) for name, path in paths.items()
    }
    claims = evaluate(Study(tables, blocks))
    write_rendered(claims, markdown(claims), csv_path, markdown_path)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_claims(
        dict(snakemake.input.items()),
        snakemake.params.blocks,
        snakemake.output.csv,
        snakemake.output.md,
    )
