"""Table 8: local exponents with momentum, beside SGD's and what a heuristic suggests."""

import pandas as pd

from plrf.draw.cells import markdown_rows, number
from plrf.draw.momentum import LABELS
from plrf.measure.momentum_gains import POINT, verdicts
from plrf.study.schemas.momentum import MOMENTUM_FRONTS
from plrf.study.store import read_table, write_rendered

NOTE = """\
Local exponents of the exact front, P\\* ∝ f^-η and d\\* ∝ f^ξ, W averaged out and d continuous, at
the highest budget; ± is the solver's error, no noise enters. Gain: η less that of SGD. Heuristic:
SGD's terms at an effective time, t^2/d for DANA-constant and t^(2 - 1/(2α)) for DANA-decaying.
Verdict on the gain. Confirmed: within 0.01 or twice the error. Not yet asymptotic: from the budget
before the last one it came closer by more than the errors. Not seen: neither; best sizes may still
jump to another minimum of the loss at a larger budget.
"""


def uncertain(value: float, error: float) -> str:
    """A value with its error."""
    return f"{number(value, '{:.4f}')} ± {number(error, '{:.4f}')}"


COLUMNS = {
    "algorithm": lambda row: LABELS[row.algorithm],
    "η": lambda row: uncertain(row.eta, row.eta_error),
    "heuristic η": lambda row: number(row.eta_heuristic, "{:.4f}"),
    "expected gain": lambda row: number(row.gain_heuristic, "{:.4f}"),
    "gain": lambda row: number(row.gain, "{:+.4f}"),
    "ξ": lambda row: uncertain(row.xi, row.xi_error),
    "heuristic ξ": lambda row: number(row.xi_heuristic, "{:.4f}"),
    "P\\* / SGD's": lambda row: number(row.loss_ratio, "{:.3g}"),
    "η by budget": lambda row: row.history,
    "verdict": lambda row: "" if row.algorithm == "sgd" else row.verdict,
    "status": lambda row: row.status,
}


def with_history(fronts: pd.DataFrame) -> pd.DataFrame:
    """Verdicts, with the exponents at all budgets as text."""
    etas = fronts.sort_values("flops").groupby([*POINT, "algorithm"])["eta"]
    history = etas.agg(lambda values: ", ".join(number(x, "{:.3f}") for x in values))
    return verdicts(fronts).join(history.rename("history"), on=[*POINT, "algorithm"])


def markdown(table: pd.DataFrame, budgets: list[float]) -> str:
    """Render the table for reading: a section for each point."""
    shown = ", ".join(f"{flops:.3g}" for flops in budgets)
    lines = ["# Table 8: momentum", "", f"{NOTE}Budgets: {shown} flops.", ""]
    for (alpha, beta), rows in table.groupby(POINT, sort=False):
        title = f"## α = {alpha:g}, β = {beta:g}: phase {rows['phase'].iloc[0]}"
        lines += [title, "", *markdown_rows(COLUMNS, rows), ""]
    return "\n".join(lines)


def write_tables(points_path: str, csv: str, md: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    fronts = read_table(points_path, MOMENTUM_FRONTS)
    table = with_history(fronts)
    write_rendered(table, markdown(table, sorted(fronts["flops"].unique())), csv, md)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(snakemake.input.points, snakemake.output.csv, snakemake.output.md)
