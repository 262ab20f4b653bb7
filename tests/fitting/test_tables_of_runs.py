"""Tables of runs: what follows from their columns, what is refused by name, and what is kept."""

import numpy as np
import pandas as pd
import pytest

from plrf.fitting.runs import RunsError, read_runs


def table(**changes):
    """Four runs; changes are whole columns or, as a dict, cells by row."""
    columns = {
        "size": [1e6, 2e6, 4e6, 8e6],
        "tokens": [1e9, 1e9, 2e9, 2e9],
        "compute": [6e15, 12e15, 48e15, 96e15],
        "loss": [4.0, 3.5, 3.0, 2.8],
    }
    frame = pd.DataFrame(columns).astype(object)
    for name, values in changes.items():
        for row, value in values.items():
            frame.loc[row, name] = value
    return frame.infer_objects()


NAMES = {"parameters": "size", "samples": "tokens", "flops": "compute"}


@pytest.mark.parametrize("left_out", [None, "samples", "flops"])
def test_samples_and_flops_follow_from_each_other(left_out):
    names = {key: name for key, name in NAMES.items() if key != left_out}
    runs = read_runs(table(), **names)
    np.testing.assert_allclose(runs["flops"], 6 * runs["parameters"] * runs["samples"], rtol=1e-14)
    assert runs["row"].tolist() == [1, 2, 3, 4]
    assert (runs["status"] == "ok").all()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_files_give_what_tables_give(tmp_path, suffix):
    path = tmp_path / f"runs{suffix}"
    write = {".csv": pd.DataFrame.to_csv, ".parquet": pd.DataFrame.to_parquet}[suffix]
    write(table(loss={1: np.nan}), path, index=False)
    expected = read_runs(table(loss={1: np.nan}), **NAMES)
    pd.testing.assert_frame_equal(read_runs(path, **NAMES), expected)
    pd.testing.assert_frame_equal(read_runs(str(path), **NAMES), expected)


def test_failed_and_repeated_runs_are_kept_with_a_status():
    rows = pd.concat([table(loss={1: np.nan, 2: np.inf}), table().tail(1)])
    runs = read_runs(rows, **NAMES)
    assert runs["status"].tolist() == ["ok", "no_loss", "no_loss", "ok", "duplicate"]
    assert runs["loss"].isna().tolist() == [False, True, True, False, False]


def test_runs_of_another_seed_are_no_duplicates():
    runs = read_runs(pd.concat([table().assign(s=s) for s in (1, 2)]), **NAMES, seed="s")
    assert (runs["status"] == "ok").all()
    assert runs["seed"].unique().tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({}, {"samples": "token"}, "samples = 'token': .* did you mean tokens?"),
        ({}, {"loss": "z"}, "loss = 'z': .* there are size, tokens, compute, loss"),
        ({}, {"samples": None, "flops": None}, "samples or flops: .* at least one"),
        ({"loss": {2: "diverged"}}, {}, "column loss, row 3: diverged: must be a number"),
        ({"loss": {0: 0.0, 3: -1.0}}, {}, r"column loss, row 1: 0\.0, row 4: -1\.0: .* above 0"),
        ({"size": {1: -5}}, {}, "column size, row 2: -5.*: must be a finite number above 0"),
        ({"tokens": {1: np.nan}}, {}, "column tokens, row 2: nan: must be a finite number"),
        ({"compute": {1: np.inf}}, {}, "column compute, row 2: inf"),
        ({"compute": {1: 12e14}}, {}, r"flops differ .*: row 2 by 0\.1; .* \(flops_factor\)"),
        ({"loss": dict.fromkeys(range(4), np.nan)}, {}, "column loss: no row has a loss"),
        ({"loss": {1: True}}, {}, "column loss, row 2: True: must be a number"),
        ({"loss": dict.fromkeys(range(4), True)}, {}, "row 4: True: must be a number"),
        ({"loss": {2: 1e-60}}, {}, "column loss, row 3: 1e-60: must be between 1e-50 and 1e\\+50"),
        (
            {"size": {1: 1e160}, "tokens": {1: 1e160}},
            {"flops": None},
            "column flops, which follows from the others, row 2: inf: must be a finite",
        ),
        (
            {"size": {1: 1e200}, "compute": {1: 1e-200}},
            {"samples": None},
            "column samples, which follows from the others, row 2: 0.0: must be a finite",
        ),
        ({}, {"samples": "loss"}, "loss = 'loss': must be another column than samples"),
        ({}, {"seed": "size"}, "seed = 'size': must be another column than parameters"),
        ({}, {"samples": 2}, "samples = 2: the table has no such column; there are size"),
        ({}, {"flops_factor": 1.0}, "flops_factor = 1: must be a finite number above 1"),
        ({}, {"flops_per_parameter_and_sample": 0}, "flops_per_parameter_and_sample = 0"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_refusals_name_column_row_and_value(changes, options, message):
    with pytest.raises(ValueError, match=message):
        read_runs(table(**changes), **NAMES | options)


def test_names_of_columns_may_be_numbers_but_not_repeated():
    numbered = table().set_axis(range(4), axis=1)
    runs = read_runs(numbered, parameters=0, samples=1, loss=3)
    np.testing.assert_array_equal(runs["samples"], table()["tokens"])
    with pytest.raises(RunsError, match="loss = 3: the table has 2 such columns"):
        read_runs(numbered.set_axis([0, 1, 3, 3], axis=1), parameters=0, samples=1, loss=3)


def test_many_wrong_rows_are_counted():
    wrong = pd.concat([table(size={0: 0.0})] * 9)
    with pytest.raises(RunsError, match=r"row 17: 0\.0 and 4 more: must be"):
        read_runs(wrong, **NAMES)


def test_group_without_a_loss_is_named():
    rows = pd.concat([table().assign(g="a"), table().assign(g="b", loss=np.nan)])
    with pytest.raises(RunsError, match="no row of group 'b' has a loss"):
        read_runs(rows, **NAMES, group="g")


def test_other_things_than_tables_are_refused():
    with pytest.raises(TypeError, match="table = 3: must be a DataFrame or the path"):
        read_runs(3)
    with pytest.raises(RunsError, match=r"runs\.xlsx"):
        read_runs("runs.xlsx")
    with pytest.raises(RunsError, match="no rows"):
        read_runs(table().head(0), **NAMES)
