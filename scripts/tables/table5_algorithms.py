"""Table 5: exponents of the compute-optimal front by schedule and momentum, for each point."""

import pandas as pd

from plrf.draw.cells import interval, markdown_rows, number, std_error
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.store import read_table, write_rendered

MAIN = 0
POINT = ["alpha", "beta"]
METHODS = {"approach0": "exact front", "approach2": "parabolas"}
SYMBOLS = {"eta": "η", "xi": "ξ"}
NOTE = """\
Exponents of the front, P\\* ∝ f^-η and d\\* ∝ f^ξ, in the main window of each sweep. Where a
schedule is relative to the number of steps, a front is one over planned trainings: the loss at a
budget is that of the training planned for it. Of SGD the standard error and the 95% interval are
noise, from a bootstrap over runs; of the exact front, with d continuous, they are the solver's.
Expected: the same method on exact losses of the same sizes.
"""
COLUMNS = {
    "exponent": lambda row: SYMBOLS[row.quantity],
    "schedule": lambda row: row.schedule,
    "momentum": lambda row: row.momentum,
    "window (flops)": lambda row: f"{row.window_low:.2g} to {row.window_high:.2g}",
    "engine": lambda row: row.engine,
    "approach": lambda row: METHODS[row.method],
    "estimate": lambda row: number(row.estimate),
    "std. error": std_error,
    "95% interval": interval,
    "expected": lambda row: number(row.expected),
    "exact": lambda row: number(row.exact),
    "status": lambda row: row.status,
}


def compared(exponents: pd.DataFrame, schedules: dict[str, str]) -> pd.DataFrame:
    """Exponents of some sweeps in their main windows, by point, exponent and sweep.

    Parameters
    ----------
    exponents : DataFrame
        Rows of the EXPONENTS schema.
    schedules : dict
        From names of sweeps to texts of their schedules.
    """
    chosen = exponents["sweep"].isin(schedules) & (exponents["window"] == MAIN)
    rows = exponents[chosen & exponents["method"].isin(METHODS)]
    rows = rows.assign(schedule=rows["sweep"].map(schedules))
    order = {sweep: place for place, sweep in enumerate(schedules)}
    keys = [*POINT, "quantity", "sweep", "method", "engine"]
    return rows.sort_values(
        keys,
        key=lambda values: values.map(order) if values.name == "sweep" else values,
        ignore_index=True,
    )


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading: a section for each point."""
    lines = ["# Table 5: training algorithms", "", NOTE]
    for (alpha, beta), rows in table.groupby(POINT):
        phase = f"phase {rows['phase'].iloc[0]}"
        lines += [f"## α = {alpha:g}, β = {beta:g}: {phase}", "", *markdown_rows(COLUMNS, rows), ""]
    return "\n".join(lines)


def write_tables(exponents_path: str, schedules: dict[str, str], csv: str, md: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    table = compared(read_table(exponents_path, EXPONENTS), schedules)
    write_rendered(table, markdown(table), csv, md)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(
        snakemake.input.exponents,
        snakemake.params.schedules,
        snakemake.output.csv,
        snakemake.output.md,
    )
