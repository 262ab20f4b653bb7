"""Table 4: measured exponents against theory, for each point and method."""

import pandas as pd

from plrf.draw.cells import interval, markdown_rows, number, std_error
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.store import read_table, write_rendered

POINT = ["alpha", "beta", "spectrum", "sweep", "momentum"]
ORDER = [*POINT, "quantity", "window", "engine", "method"]
METHODS = {
    "approach0": "0 (exact front)",
    "approach1": "1 (envelope)",
    "approach2": "2 (parabola)",
    "approach2_spline": "2 (spline)",
    "approach3": "3 (parametric)",
}
SYMBOLS = {"eta": "η", "xi": "ξ"}
NOTE = """\
Exponents of the compute-optimal front, P\\* ∝ f^-η and d\\* ∝ f^ξ, by point, exponent, window,
engine and approach (docs/model.md, section 8). The standard error and the 95% interval are noise:
for SGD and the recursion, from a bootstrap over runs. For Volterra losses there is none, and they
tell how far the front is from a power law. The deviation from theory adds up from three parts:
noise (estimate - expected: the same approach on Volterra losses of the same sizes and budgets),
method (expected - exact: the exact front over the same budgets) and finite size (exact - theory).
Spreads are systematic: the range of the estimates over approaches, and over windows; no interval
contains them.
"""


def measured_exponents(exponents: pd.DataFrame) -> pd.DataFrame:
    """Add the deviation from theory, in percent and in standard errors; sort by point."""
    deviation = exponents["estimate"] - exponents["theory"]
    return exponents.assign(
        deviation_percent=100 * deviation / exponents["theory"],
        deviation_std_errors=deviation / exponents["std_error"],
    ).sort_values(ORDER, ignore_index=True)


COLUMNS = {
    "exponent": lambda row: SYMBOLS[row.quantity],
    "window (flops)": lambda row: f"{row.window_low:.2g} to {row.window_high:.2g}",
    "engine": lambda row: row.engine,
    "approach": lambda row: METHODS[row.method],
    "estimate": lambda row: number(row.estimate),
    "std. error": std_error,
    "95% interval": interval,
    "expected": lambda row: number(row.expected),
    "exact": lambda row: number(row.exact),
    "theory": lambda row: number(row.theory),
    "deviation (%)": lambda row: number(row.deviation_percent, "{:+.1f}"),
    "deviation (std. errors)": lambda row: (
        "–" if row.error_source == "solver" else number(row.deviation_std_errors, "{:+.1f}")
    ),
    "spread of approaches": lambda row: number(row.method_spread),
    "spread of windows": lambda row: number(row.window_spread),
    "budgets used": lambda row: str(row.n_budgets),
    "dropped": lambda row: str(row.n_dropped),
    "status": lambda row: row.status,
}


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading: a section for each point."""
    lines = ["# Table 4: measured exponents", "", NOTE]
    for (alpha, beta, spectrum, sweep, momentum), rows in table.groupby(POINT, dropna=False):
        name = sweep if momentum == "none" else f"{sweep}, {momentum}"
        point = f"α = {alpha:g}, β = {beta:g}: phase {rows['phase'].iloc[0]}"
        lines += [f"## {f'spectrum {spectrum}' if spectrum else point} ({name})", ""]
        lines += [*markdown_rows(COLUMNS, rows), ""]
    return "\n".join(lines)


def write_tables(exponents_path: str, csv_path: str, markdown_path: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    table = measured_exponents(read_table(exponents_path, EXPONENTS))
    write_rendered(table, markdown(table), csv_path, markdown_path)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(snakemake.input.exponents, snakemake.output.csv, snakemake.output.md)
