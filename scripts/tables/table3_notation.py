"""Table 3: the parameters of this model in the notation of other works (model section 9)."""

import pandas as pd

from plrf.study.store import write_rendered
from plrf.theory.phases import greek

# Work, what its symbol means, the symbol, and its value here.
NOTATION = [
    ("this work", "data complexity, x_j ~ j^-alpha", "alpha", "alpha"),
    ("this work", "target complexity, b_j = j^-beta", "beta", "beta"),
    ("source and capacity", "capacity exponent: eigenvalues j^-a", "a", "2 alpha"),
    (
        "source and capacity",
        "source exponent",
        "r",
        "(2 alpha + 2 beta - 1)/(4 alpha)",
    ),
    ("Bordelon, Atanasov, Pehlevan 2024", "decay of eigenvalues", "b", "2 alpha"),
    ("Bordelon, Atanasov, Pehlevan 2024", "decay of the target", "a", "2 alpha + 2 beta"),
    ("Lin et al. 2024", "decay of eigenvalues", "a", "2 alpha"),
    ("Lin et al. 2024", "decay of the target", "b", "2 alpha + 2 beta"),
]


def notation() -> pd.DataFrame:
    """Tabulate the mapping: one row per work and symbol."""
    return pd.DataFrame(NOTATION, columns=["work", "meaning", "symbol", "value"])


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading."""
    lines = ["| work | meaning | symbol | in α and β |", "| --- | --- | --- | --- |"]
    for row in table.itertuples(index=False):
        lines.append(greek("| " + " | ".join(row) + " |"))
    return "\n".join(lines) + "\n"


def write_tables(csv_path: str, markdown_path: str) -> None:
    """Write the table as CSV and Markdown."""
    table = notation()
    write_rendered(table, markdown(table), csv_path, markdown_path)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(snakemake.output.csv, snakemake.output.md)
