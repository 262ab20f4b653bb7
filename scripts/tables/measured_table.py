"""Fits to a table of measured losses: exponents, law, optima, and how far they can be trusted."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from plrf.draw import measured_cells as cells
from plrf.draw.cells import markdown_rows
from plrf.study.schemas import measured as schemas
from plrf.study.store import read_table, write_rendered

NOTE = """\
Losses of {source}: L = E + A d^-a + B n^-b for d parameters and n samples, lowest loss L\\* at a
budget of f flops, L\\* - E ∝ f^-η and d\\* ∝ f^ξ. Intervals are 95% and contain noise only; spreads
are systematic, the range of estimates over methods, and over all budgets and both halves of them.
docs/measured.md tells how each is computed, and what the methods' biases are.
"""
NAMES = (
    "runs",
    "exponents",
    "laws",
    "optimum",
    "flatness",
    "held_out",
    "sensitivity",
    "suggestions",
)
MOST_BUDGETS, MOST_SUGGESTIONS = 10, 3
Tables = Mapping[str, pd.DataFrame]


def main_exponents(exponents: pd.DataFrame) -> pd.DataFrame:
    """Exponents over all budgets, in the order of their quantities."""
    order = list(cells.QUANTITIES)
    rows = exponents[(exponents["window"] == 0) & exponents["quantity"].isin(order)]
    return rows.sort_values("quantity", key=lambda names: names.map(order.index), kind="stable")


def main_optima(optimum: pd.DataFrame) -> pd.DataFrame:
    """Optima of one method, the first preferred one that has any, with the range over all."""
    ranges = optimum.groupby("flops")["d_opt"].agg(least="min", greatest="max")
    there = optimum.dropna(subset="d_opt")
    method = next((name for name in cells.PREFERRED if (there["method"] == name).any()), "")
    rows = there[there["method"] == method].sort_values("flops")
    shown = np.linspace(0, len(rows) - 1, min(len(rows), MOST_BUDGETS)).round().astype(int)
    rows = rows.iloc[shown]
    return rows.merge(ranges, left_on="flops", right_index=True)


def wide_laws(laws: pd.DataFrame) -> pd.DataFrame:
    """A row for each form, with columns for what is known of each parameter."""
    rows = []
    for form, of_form in laws.groupby("form", sort=False):
        row = {"form": form, **of_form[["objective", "held_out_loss"]].iloc[0]}
        for known in of_form.to_dict("records"):
            name = known["parameter"]
            if name not in cells.PARAMETERS:
                row |= {"known": name, "known_value": known["estimate"]}
                row |= {"known_error": known["std_error"]}
                continue
            row |= {name: known["estimate"], f"{name}_status": known["status"]}
            row |= {f"{name}_low": known["ci_low"], f"{name}_high": known["ci_high"]}
            row |= {f"{name}_{end}": known[end] for end in ("profile_low", "profile_high")}
        rows.append(row)
    return pd.DataFrame(rows)


def held_out_summary(held_out: pd.DataFrame) -> pd.DataFrame:
    """How far predictions are from the runs above the limit, by form of the law."""
    known = held_out.dropna(subset="log_error")
    inside = known["loss"].between(known["predicted_low"], known["predicted_high"])
    squares = known["log_error"] ** 2
    groups = known.assign(inside=inside, squares=squares).groupby(["form", "limit"], sort=False)
    named = {"runs": ("row", "size"), "mean": ("log_error", "mean")}
    table = groups.agg(**named, inside=("inside", "mean"), squares=("squares", "mean"))
    return table.assign(rms=np.sqrt(table["squares"])).reset_index()


def sections(tables: Tables) -> Iterator[tuple[str, cells.Columns, pd.DataFrame]]:
    """Title, columns and rows of the sections of one group."""
    statuses = tables["runs"].groupby("status", sort=False)["row"].agg(list)
    yield "Runs", cells.RUNS, statuses.rename("rows").reset_index()
    yield "Exponents", cells.EXPONENTS, main_exponents(tables["exponents"])
    yield "Parametric law", cells.LAWS, wide_laws(tables["laws"])
    optima = main_optima(tables["optimum"])
    method = cells.method_of(optima.iloc[0]) if len(optima) else "no method"
    yield f"Optimum at budgets, by {method}", cells.OPTIMUM, optima
    costs = tables["flatness"].dropna(subset="cost")
    largest = costs[costs["flops"] == costs["flops"].max()]
    yield "Cost of other sizes at the largest budget", cells.FLATNESS, largest
    yield (
        "Hold-out: fitted below, predicted above",
        cells.HELD_OUT,
        held_out_summary(tables["held_out"]),
    )
    keys = ["variant", "value", "method"]
    varied = tables["sensitivity"].pivot_table("estimate", keys, "quantity", sort=False)
    yield "What else estimates depend on", cells.SENSITIVITY, varied.reset_index()
    yield (
        "Further runs that would tell the exponents apart best",
        cells.SUGGESTIONS,
        tables["suggestions"][tables["suggestions"]["rank"] <= MOST_SUGGESTIONS],
    )


def markdown(tables: Tables, title: str, source: str) -> str:
    """Render all tables for reading: a part for each group."""
    lines = [f"# {title}", "", NOTE.format(source=source)]
    for group in tables["exponents"]["group"].unique():
        own = {name: table[table["group"] == group] for name, table in tables.items()}
        level = "##"
        if group:
            lines += [f"## {group}", ""]
            level = "###"
        for heading, columns, rows in sections(own):
            if len(rows):
                lines += [f"{level} {heading}", "", *markdown_rows(columns, rows), ""]
    return "\n".join(lines)


def long_table(tables: Tables) -> pd.DataFrame:
    """Exponents, parameters of laws and optima in one table, a row for each value."""
    exponents = main_exponents(tables["exponents"]).assign(table="exponents", flops=np.nan)
    laws = tables["laws"].rename(columns={"form": "method", "parameter": "quantity"})
    parts = [exponents, laws.assign(table="laws", flops=np.nan)]
    for name in cells.OPTIMA:
        ends = {f"{name}_low": "ci_low", f"{name}_high": "ci_high", name: "estimate"}
        parts.append(tables["optimum"].rename(columns=ends).assign(table="optimum", quantity=name))
    columns = ["group", "table", "method", "flops", "quantity"]
    return pd.concat(parts)[[*columns, "estimate", "ci_low", "ci_high", "status"]]


def write_tables(inputs: Mapping[str, str], source: str, csv: str, md: str) -> None:
    """Write the values as CSV (all digits) and all sections as Markdown (rounded)."""
    tables = {name: read_table(inputs[name], getattr(schemas, name.upper())) for name in NAMES}
    write_rendered(long_table(tables), markdown(tables, "Measured losses", source), csv, md)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(
        dict(snakemake.input.items()),
        snakemake.params.source,
        snakemake.output.csv,
        snakemake.output.md,
    )
