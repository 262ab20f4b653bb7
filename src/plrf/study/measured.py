"""Figures and tables of measured losses: entries of the catalogue, made from the configuration."""

from functools import partial
from typing import Any

from plrf.study.entries import Config, Figure, Table

CATEGORY = "Measured"
BLOCK = ("measured",)
# What a fit writes: results by themselves, and what figures and tables are made from.
RESULTS = ("exponents", "optimum")
FITTED = (
    *RESULTS,
    *("runs", "isoflop", "fronts", "laws"),
    *("flatness", "held_out", "sensitivity", "suggestions"),
)
SUPPORT = (*FITTED[len(RESULTS) :], "audit")


def table_file(name: str, table: str) -> str:
    """File of a table of fits, or of the audit, of a table of measured losses."""
    return f"results/measured/{name}/{table}.parquet"


def _files(name: str, *tables: str) -> dict[str, str]:
    return {table: table_file(name, table) for table in tables}


def _source(name: str, config: Config) -> dict[str, Any]:
    """Where the losses are from, for titles."""
    return {"source": config["measured"][name]["file"]}


def measured_figures(config: Config) -> list[Figure]:
    """Four figures for each table of measured losses."""
    inputs = {
        "isoflop": ("isoflop", "fronts"),
        "front": ("fronts", "optimum", "exponents"),
        "law": ("runs", "laws"),
        "bias": ("audit",),
    }
    return [
        Figure(
            f"measured_{name}_{kind}",
            f"measured_{kind}.py",
            CATEGORY,
            BLOCK,
            _files(name, *tables),
            partial(_source, name),
            lambda _: [],
        )
        for name in config.get("measured", {})
        for kind, tables in inputs.items()
    ]


def measured_tables(config: Config) -> list[Table]:
    """Two tables for readers for each table of measured losses."""
    inputs = {
        "": tuple(table for table in FITTED if table not in ("isoflop", "fronts")),
        "_bias": ("audit",),
    }
    return [
        Table(
            f"measured_{name}{end}",
            BLOCK,
            _files(name, *tables),
            partial(_source, name),
            CATEGORY,
            script=f"measured_table{end}.py",
        )
        for name in config.get("measured", {})
        for end, tables in inputs.items()
    ]
