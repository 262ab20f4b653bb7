"""Samples in batches from arrays and files: the same numbers, and errors that say where."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from plrf.data import batches
from plrf.data.batches import samples_of


@pytest.fixture
def xy():
    rng = np.random.default_rng(0)
    return rng.standard_normal((50, 3)), rng.standard_normal(50)


def parquet(path, x, y, **options):
    columns = {f"f{j}": x[:, j] for j in range(x.shape[1])}
    pd.DataFrame(columns | {"y": y}).to_parquet(path, **options)


def joined(samples):
    parts = list(samples)
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


@pytest.mark.parametrize("kind", ["arrays", "npz", "npz compressed", "parquet", "mapped"])
@pytest.mark.parametrize("rows", [7, 1000])
def test_all_ways_give_the_same_samples(kind, rows, xy, tmp_path, monkeypatch):
    """Two files each, in order of their names."""
    monkeypatch.setattr(batches, "MOST_ROWS", rows)
    x, y = xy
    halves = {"b": slice(30, 50), "a": slice(0, 30)}
    if kind == "arrays":
        samples = samples_of(x, y)
    elif kind == "mapped":
        np.save(tmp_path / "x.npy", x)
        samples = samples_of(np.load(tmp_path / "x.npy", mmap_mode="r"), y)
    elif kind == "parquet":
        for name, part in halves.items():
            parquet(tmp_path / f"{name}.parquet", x[part], y[part], row_group_size=11)
        samples = samples_of(tmp_path / "*.parquet")
    else:
        write = np.savez_compressed if "compressed" in kind else np.savez
        for name, part in halves.items():
            write(tmp_path / f"{name}.npz", x=x[part], y=y[part])
        samples = samples_of(str(tmp_path / "*.npz"))
    found_x, found_y = joined(samples)
    assert np.array_equal(found_x, x) and np.array_equal(found_y, y)
    assert samples.n == 50
    assert all(len(part) <= rows for _, part in samples)


def test_integers_are_numbers():
    found, _ = joined(samples_of([[1, 2], [3, 4]], [0, 1]))
    assert found.dtype == float


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (np.ones((4, 2)), np.ones(5), ValueError, r"y: must be of shape \(4,\) as x has 4 rows"),
        (np.ones(4), np.ones(4), ValueError, r"x: must be of shape \(n, p\)"),
        (np.ones((4, 2)), np.ones(4, bool), TypeError, "y: bool, must be real numbers"),
        ([["a", "b"]], [1.0], TypeError, "x: <U1, must be real"),
        (np.ones((4, 2)), None, TypeError, "y: must be given"),
        ("some.parquet", np.ones(4), TypeError, "y: is in the files"),
        ("missing/*.parquet", None, FileNotFoundError, r"missing/\*.parquet: there is no such"),
    ],
)
def test_bad_arrays(x, y, error, message):
    with pytest.raises(error, match=message):
        samples_of(x, y)


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [(41, 1, "x, y: row 41, column 1: nan"), (17, 3, "x, y: row 17, target: nan")],
)
def test_not_a_number_is_named(row, column, message, xy, monkeypatch):
    monkeypatch.setattr(batches, "MOST_ROWS", 10)
    table = np.column_stack(xy)
    table[row, column] = np.nan
    with pytest.raises(ValueError, match=message):
        list(samples_of(table[:, :3], table[:, 3]))


def test_bad_files(xy, tmp_path):
    x, y = xy
    parquet(tmp_path / "good.parquet", x, y)
    parquet(tmp_path / "other.parquet", x[:, :2], y)
    pd.DataFrame({"a": ["text"], "y": [1.0]}).to_parquet(tmp_path / "text.parquet")
    pd.DataFrame({"y": [1.0]}).to_parquet(tmp_path / "alone.parquet")
    pd.DataFrame({"a": pd.array([1, None], "Int64"), "y": [1.0, 2.0]}).to_parquet(
        tmp_path / "null.parquet"
    )
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 nothing PAR1")
    (tmp_path / "damaged.npz").write_bytes(b"nothing")
    (tmp_path / "table.csv").write_text("a,y\n1,2\n", encoding="utf-8")
    np.savez(tmp_path / "names.npz", a=x, y=y)
    np.savez(tmp_path / "short.npz", x=x, y=y[:-1])
    np.savez(tmp_path / "columns.npz", x=np.asfortranarray(x), y=y)
    messages = {
        "[go]*.parquet": "other.parquet: not the features of .*good.parquet: they differ in f2",
        "text.parquet": "text.parquet: column a: .*string, must be real numbers",
        "alone.parquet": "no column but the target y",
        "null.parquet": "null.parquet: row 1, column a: nan",
        "damaged.parquet": "damaged.parquet: cannot be read",
        "damaged.npz": "damaged.npz: cannot be read",
        "table.csv": r"table.csv: must be a file of one of the kinds .npz, .parquet",
        "names.npz": "no array x, there are: a, y",
        "short.npz": r"short.npz: y: must be of shape \(50,\)",
        "columns.npz": r"x is stored by columns: save np.ascontiguousarray\(x\)",
    }
    for name, message in messages.items():
        with pytest.raises((ValueError, TypeError), match=message):
            list(samples_of(tmp_path / name))
    with pytest.raises(ValueError, match="no column z, there are: f0, f1, f2, y"):
        samples_of(tmp_path / "good.parquet", target="z")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_memory_is_that_of_a_few_batches(kind, tmp_path):
    """A file of 160 MB adds less than half of that to what a small one takes."""
    rng = np.random.default_rng(0)
    peaks = []
    for n in (20_000, 100_000):
        x, path = rng.standard_normal((n, 200)), tmp_path / f"{n}.{kind}"
        if kind == "npz":
            np.savez(path, x=x, y=x[:, 0])
        else:
            parquet(path, x, x[:, 0], row_group_size=10_000)
        code = f"""
import re
from pathlib import Path
from plrf.data.measured import measure_task
measure_task({str(path)!r}, resamples=10)
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1))
"""
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        peaks.append(int(run.stdout) / 1024)
    assert peaks[1] - peaks[0] < 80


def test_the_index_of_pandas_is_no_feature(tmp_path):
    table = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=["a", "b", "y"])
    table.sample(frac=1, random_state=1).to_parquet(tmp_path / "shuffled.parquet")
    samples = samples_of(tmp_path / "shuffled.parquet")
    assert samples.features == ("a", "b")
    ((x, y),) = samples
    assert sorted(map(tuple, np.column_stack([x, y]))) == sorted(map(tuple, table.to_numpy()))
