"""What methods report on known surfaces at the runs of a table of measured losses."""

import pandas as pd

from plrf.draw.cells import markdown_rows
from plrf.draw.measured_cells import bias_columns
from plrf.study.schemas.measured import AUDIT
from plrf.study.store import read_table, write_rendered

NOTE = """\
What each method would report, without any noise, if the runs of {source} had been made on surfaces
whose exponents are known: exact losses of power-law random features, one point for each phase, with
an irreducible loss added, and laws of the form that Approach 3 fits. Bias is reported minus exact,
where exact is the slope of the exact front over the budgets that the method uses; theory is its
limit at large compute. Where there is a dash the method reports nothing: the CSV file says why.
"""


def by_method(audit: pd.DataFrame) -> pd.DataFrame:
    """Biases of one group with a column for each method, beside what is known of the surfaces."""
    keys = ["surface", "quantity"]
    ends = {"theory": ("theory", "first"), "least": ("exact", "min"), "greatest": ("exact", "max")}
    known = audit.groupby(keys, sort=False).agg(**ends)
    return known.join(audit.pivot(index=keys, columns="method", values="bias")).reset_index()


def markdown(audit: pd.DataFrame, source: str) -> str:
    """Render biases for reading: a part for each group, a column for each method."""
    lines = ["# Biases of methods at these runs", "", NOTE.format(source=source)]
    for group, rows in audit.groupby("group", sort=False):
        lines += [f"## {group}", ""] if group else []
        wide = by_method(rows)
        lines += [*markdown_rows(bias_columns(list(wide)), wide), ""]
    return "\n".join(lines)


def write_tables(audit_path: str, source: str, csv: str, md: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    audit = read_table(audit_path, AUDIT)
    write_rendered(audit, markdown(audit, source), csv, md)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(
        snakemake.input.audit,
        snakemake.params.source,
        snakemake.output.csv,
        snakemake.output.md,
    )
