"""Table 6: tasks of real data, their exponents with errors, and the phases that these imply."""

import pandas as pd

from plrf.data.sets import label_of
from plrf.draw.cells import markdown_rows, number
from plrf.study.schemas.data import TASK_EXPONENTS, TASKS
from plrf.study.store import read_table, write_rendered

NOTE = """\
What samples of each data set say of its task: n samples, v features that vary, and the share of the
variance of y that no linear function explains. α and β in the main window of ranks, with 95%
intervals from sampling; the range over all windows is how far the task is from power laws, which no
interval shows. Probabilities are those of the phases given the errors in the main window.
"""
LEAST = 0.005  # probability that is shown
PREFIX = "probability_"


def interval(value: float, error: float) -> str:
    """A value with half its 95% interval."""
    return f"{number(value, '{:.3f}')} ± {number(1.96 * error, '{:.3f}')}"


def probabilities(row: object) -> str:
    """Probabilities of phases, the largest first."""
    names = [name for name in TASK_EXPONENTS.names if name.startswith(PREFIX)]
    shares = {name.removeprefix(PREFIX): getattr(row, name) for name in names}
    shown = sorted((item for item in shares.items() if item[1] >= LEAST), key=lambda item: -item[1])
    return ", ".join(f"{name} {share:.0%}" for name, share in shown) or "–"


COLUMNS = {
    "data": lambda row: label_of(row.set),
    "n": lambda row: str(row.n),
    "v": lambda row: str(row.v),
    "unexplained": lambda row: f"{row.noise_share:.1%}",
    "ranks": lambda row: f"{row.first} to {row.last}",
    "α": lambda row: interval(row.alpha, row.alpha_error),
    "over windows ": lambda row: f"{row.alpha_low:.2f} to {row.alpha_high:.2f}",
    "β": lambda row: interval(row.beta, row.beta_error),
    "over windows": lambda row: (
        f"{number(row.beta_low, '{:.2f}')} to {number(row.beta_high, '{:.2f}')}"
    ),
    "phase": lambda row: row.phase or "–",
    "probabilities": probabilities,
    "samples": lambda row: row.samples,
    "exponents": lambda row: row.status,
}


def joined(tasks: pd.DataFrame, exponents: pd.DataFrame) -> pd.DataFrame:
    """One row for each set: its task, exponents of the main window, and their range over all.

    Parameters
    ----------
    tasks, exponents : DataFrame
        Rows of the schemas TASKS and TASK_EXPONENTS.
    """
    windows = exponents[exponents["kind"] == "window"]
    ranges = windows.groupby("set").agg(
        alpha_low=("alpha", "min"),
        alpha_high=("alpha", "max"),
        beta_low=("beta", "min"),
        beta_high=("beta", "max"),
    )
    main = windows[windows["window"] == 0].drop(columns=["kind", "window"])
    table = tasks.rename(columns={"status": "samples"}).merge(main, on="set", validate="1:1")
    return table.merge(ranges, left_on="set", right_index=True, validate="1:1")


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading."""
    return "\n".join(
        ["# Table 6: tasks of real data", "", NOTE, *markdown_rows(COLUMNS, table), ""]
    )


def write_tables(tasks_path: str, exponents_path: str, csv: str, md: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    tasks, exponents = read_table(tasks_path, TASKS), read_table(exponents_path, TASK_EXPONENTS)
    table = joined(tasks, exponents)
    write_rendered(table, markdown(table), csv, md)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(
        snakemake.input.tasks,
        snakemake.input.exponents,
        snakemake.output.csv,
        snakemake.output.md,
    )
