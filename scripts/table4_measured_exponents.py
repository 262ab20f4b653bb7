"""Table 4: measured exponents against theory, for each point and method."""

import numpy as np
import pandas as pd

from plrf.tables import EXPONENTS, read_table, replacing

ORDER = ["alpha", "beta", "sweep", "quantity", "engine", "method"]
METHODS = {"approach1": "1 (envelope)", "approach2": "2 (IsoFLOP)"}


def measured_exponents(exponents: pd.DataFrame) -> pd.DataFrame:
    """Add the deviation from theory, in percent and in standard errors; sort by point."""
    deviation = exponents["estimate"] - exponents["theory"]
    return exponents.assign(
        deviation_percent=100 * deviation / exponents["theory"],
        deviation_std_errors=deviation / exponents["std_error"],
    ).sort_values(ORDER, ignore_index=True)


def number(value: float, pattern: str) -> str:
    """Format a number; a dash where there is none."""
    return pattern.format(value) if np.isfinite(value) else "–"


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading."""
    header = (
        "α | β | phase | sweep | exponent | engine | approach | estimate | std. error "
        "| 95% interval | theory | deviation (%) | deviation (std. errors) | window (flops) "
        "| budgets used | dropped | status"
    )
    lines = [f"| {header} |", "|" + " --- |" * (header.count("|") + 1)]
    for row in table.itertuples():
        cells = [
            f"{row.alpha:g}",
            f"{row.beta:g}",
            row.phase,
            row.sweep,
            {"eta": "η", "xi": "ξ"}[row.quantity],
            row.engine,
            METHODS[row.method],
            number(row.estimate, "{:.4f}"),
            number(row.std_error, "{:.4f}"),
            f"{number(row.ci_low, '{:.4f}')} to {number(row.ci_high, '{:.4f}')}",
            number(row.theory, "{:.4f}"),
            number(row.deviation_percent, "{:+.1f}"),
            number(row.deviation_std_errors, "{:+.1f}"),
            f"{row.window_low:.2g} to {row.window_high:.2g}",
            str(row.n_budgets),
            str(row.n_dropped),
            row.status,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write_tables(exponents_path: str, csv_path: str, markdown_path: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    table = measured_exponents(read_table(exponents_path, EXPONENTS))
    with replacing(csv_path) as temporary:
        table.to_csv(temporary, index=False)
    with replacing(markdown_path) as temporary:
        temporary.write_text(markdown(table), encoding="utf-8")


if __name__ == "__main__":
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    write_tables(snakemake.input.exponents, snakemake.output.csv, snakemake.output.md)
