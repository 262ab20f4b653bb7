"""What the block of measured losses must be, and which figures and tables it asks for."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from plrf.study import catalogue
from plrf.study.config import validate
from plrf.study.problems import ConfigError

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
ENTRY = {"parameters": "size", "samples": "tokens", "flops": "flops", "loss": "loss"}


@pytest.fixture
def table():
    """Four runs."""
    sizes, tokens = [1e6, 2e6, 1e7, 2e7], [1e9, 1e9, 2e9, 2e9]
    flops = [6 * d * n for d, n in zip(sizes, tokens, strict=True)]
    columns = {"size": sizes, "tokens": tokens, "flops": flops, "loss": [4.0, 3.9, 3.5, None]}
    return pd.DataFrame(columns)


@pytest.fixture
def refused(table, tmp_path):
    """Lines that refuse an entry with changes, of a table with changed cells."""

    def lines(changes=(), cells=(), name="mine"):
        for column, row, value in cells:
            table[column] = table[column].astype(object)
            table.loc[row, column] = value
        table.to_csv(tmp_path / "runs.csv", index=False)
        entry = ENTRY | {"file": str(tmp_path / "runs.csv")} | dict(changes)
        entry = {key: value for key, value in entry.items() if value is not ...}
        with pytest.raises(ConfigError) as error:
            validate({"measured": {name: entry}}, SCHEMA)
        return str(error.value).splitlines()

    return lines


MISTAKES = {
    "no file": ({"file": "none.csv"}, "measured.mine.file: there is no file ", "none.csv"),
    "no table": ({"file": "a.txt"}, "measured.mine.file: a.txt must end in .csv or .parquet"),
    "no column": (
        {"samples": "token"},
        'measured.mine.samples = "token": must be a column of ',
        "runs.csv; did you mean tokens?",
    ),
    "the same column": (
        {"flops": "tokens"},
        'measured.mine.flops = "tokens": must be another column than samples',
    ),
    "neither samples nor flops": (
        {"samples": ..., "flops": ...},
        "measured.mine: must have samples or flops, or both",
    ),
    "no loss": ({"loss": ...}, "measured.mine.loss: missing"),
    "unknown key": ({"tokens": "x"}, "measured.mine.tokens: unknown key; known: file, parameters"),
    "few resamples": ({"resamples": 3}, "measured.mine.resamples = 3: must be at least 400"),
    "a wildcard": (
        {"file": "{runs}.csv"},
        'measured.mine.file = "{runs}.csv": must have no braces',
    ),
    "E above a loss": ({"fixed_e": 99}, "measured.mine.fixed_e = 99: must be below all losses"),
    "no number": (
        {"flops_factor": "two"},
        'measured.mine.flops_factor = "two": must be a finite number',
    ),
    "another constant": (
        {"flops_per_parameter_and_sample": 2},
        "measured.mine.file = ",
        "at most a factor 1.5 is allowed (flops_factor)",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_refused(refused, mistake):
    changes, start, *parts = mistake
    (line,) = refused(changes)
    assert line.startswith(start)
    assert all(part in line for part in parts)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (("loss", 1, -1.0), "column loss, row 2: -1.0: must be above 0"),
        (("size", 0, "big"), "column size, row 1: big: must be a number"),
        (("flops", 2, 0), "column flops, row 3: 0.0: must be a finite number above 0"),
    ],
)
def test_wrong_cells_are_named_before_any_job(refused, cell, words):
    (line,) = refused(cells=[cell])
    assert line.startswith("measured.mine.file = ") and words in line


def test_names_must_be_file_names(refused):
    (line,) = refused(name="a/b")
    assert line.startswith("measured.a/b: the key must be a valid name")


def test_entries_are_completed_and_ask_for_figures_and_tables(table, tmp_path):
    table.to_parquet(tmp_path / "runs.parquet")
    entry = ENTRY | {"file": str(tmp_path / "runs.parquet")}
    full = validate({"measured": {"a": entry, "b-2": entry | {"resamples": 500}}}, SCHEMA)
    assert full["measured"]["a"]["flops_per_parameter_and_sample"] == 6
    assert [full["measured"][name]["resamples"] for name in ("a", "b-2")] == [2000, 500]
    kinds = ("bias", "front", "isoflop", "law")
    figures = catalogue.figures(full)
    assert [figure.name for figure in figures] == [
        f"measured_{name}_{kind}" for name in ("a", "b-2") for kind in kinds
    ]
    tables = catalogue.tables(full)
    names = ["measured_a", "measured_a_bias", "measured_b-2", "measured_b-2_bias"]
    assert [entry.name for entry in tables] == names
    for entry, folder in [*((f, "figures") for f in figures), *((t, "tables") for t in tables)]:
        assert (ROOT / "scripts" / folder / f"{entry.stem}.py").is_file()
        assert (ROOT / "workflow" / "report" / f"{entry.stem}.rst").is_file()


def test_names_that_would_overwrite_others(table, tmp_path):
    table.to_csv(tmp_path / "runs.csv", index=False)
    entry = ENTRY | {"file": str(tmp_path / "runs.csv")}
    sweep = {"points": [[0.9, 0.6]], "d": [20, 40], "batch": 1, "c": 0.5, "flops": 1.0e5}
    sweep |= {"engines": ["volterra"], "windows": [[1.0e3, 1.0e4]], "front": "measured_a_law"}
    config = {"measured": {"a": entry, "a_bias": entry}, "sweeps": {"s": sweep}}
    with pytest.raises(ConfigError) as error:
        validate(config, SCHEMA)
    first, second = str(error.value).splitlines()
    assert first == "measured.a_bias: must be another name, since a is one as well"
    assert second.startswith('sweeps.s.front = "measured_a_law": must be unique')
