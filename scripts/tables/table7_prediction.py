"""Table 7: how far SGD on real samples is from what is predicted, in all sizes and steps."""

import pandas as pd

from plrf.data.comparison import deviations
from plrf.data.sets import label_of
from plrf.draw.cells import markdown_rows, number
from plrf.study.schemas.data_training import TRAINING
from plrf.study.store import read_table, write_rendered

NOTE = """\
Population losses of SGD on random features of real samples over those that are predicted without a
free parameter, after at least one step: the range of these ratios over all sizes and recorded
steps, and root mean squares of their deviation from 1 and of its standard error, over runs. Each
run has a W of its own, and the first two predictions are for the same W. Sizes are left out where
a prediction has no limit; close to there rare trainings make the means, and no standard error
shows them.
"""
KINDS = {
    "ratio": "Gaussian, the same W",
    "corrected_ratio": "with fourth moments, the same W",
    "averaged_ratio": "Gaussian, W averaged out",
}
COLUMNS = {
    "data": lambda row: label_of(row.set),
    "c": lambda row: f"{row.c:g}",
    "prediction": lambda row: KINDS[row.kind],
    "sizes": lambda row: str(row.sizes),
    "measured / predicted": lambda row: (
        f"{number(row.least, '{:.3f}')} to {number(row.greatest, '{:.3f}')}"
    ),
    "rms deviation": lambda row: number(row.rms_deviation),
    "rms std. error": lambda row: number(row.rms_error),
}


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading."""
    title = "# Table 7: SGD on real samples, and its prediction"
    return "\n".join([title, "", NOTE, *markdown_rows(COLUMNS, table), ""])


def write_tables(training_path: str, csv: str, md: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    table = deviations(read_table(training_path, TRAINING))
    write_rendered(table, markdown(table), csv, md)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(snakemake.input.training, snakemake.output.csv, snakemake.output.md)
