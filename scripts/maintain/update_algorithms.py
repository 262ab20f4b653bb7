"""Write the verdicts of table 8 into docs/algorithms.md, between its markers: `make readme`.

Not a job of the workflow, because it changes a tracked file.
"""

from pathlib import Path

import pandas as pd

from plrf.draw.cells import markdown_rows, number
from plrf.draw.momentum import LABELS
from scripts.maintain.update_readme import replace_block

COLUMNS = {
    "phase": lambda row: row.phase,
    "α, β": lambda row: f"{row.alpha:g}, {row.beta:g}",
    "algorithm": lambda row: LABELS[row.algorithm],
    "η": lambda row: f"{row.eta:.4f} ± {row.eta_error:.4f}",
    "η of SGD": lambda row: number(row.eta_sgd, "{:.4f}"),
    "gain": lambda row: number(row.gain, "{:+.4f}"),
    "expected gain": lambda row: number(row.gain_heuristic, "{:+.4f}"),
    "P\\* / SGD's": lambda row: number(row.loss_ratio, "{:.3g}"),
    "verdict": lambda row: row.verdict,
}


def summary(table: pd.DataFrame) -> str:
    """Gains at the highest budget, and how many of them are as expected, as Markdown."""
    rows = table[table["algorithm"] != "sgd"]
    counts = ", ".join(f"{n} {verdict}" for verdict, n in rows["verdict"].value_counts().items())
    head = f"At {rows['flops'].max():.3g} flops, of {len(rows)} gains: {counts}."
    return "\n".join([head, "", *markdown_rows(COLUMNS, rows)])


def update_algorithms(results: Path, document: Path) -> None:
    """Fill the block of the document."""
    table = pd.read_csv(results / "tables" / "table8_momentum.csv")
    text = document.read_text(encoding="utf-8")
    document.write_text(replace_block(text, "momentum", summary(table)), encoding="utf-8")


if __name__ == "__main__":
    update_algorithms(Path("results"), Path("docs/algorithms.md"))
