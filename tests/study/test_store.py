"""Tables on disk: what is written is what is read, whole or not at all."""

import json
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plrf
from plrf.study import store
from plrf.study.provenance import provenance, read_provenance
from plrf.study.schemas.checks import CHECKS
from plrf.study.schemas.fits import EXPONENTS, FRONTS, ISOFLOP
from plrf.study.schemas.grid import GRID
from plrf.study.schemas.losses import LOSSES
from plrf.study.store import TableError, read_batches, read_table, write_batches, write_table

SCHEMAS = {
    "grid": GRID,
    "losses": LOSSES,
    "isoflop": ISOFLOP,
    "fronts": FRONTS,
    "exponents": EXPONENTS,
    "checks": CHECKS,
}
SOURCE = provenance({"alpha": 1}, seed=3)
VALUES = {
    "string": ["a", "", "Phase III → β = 2"],
    "double": [0.1 + 0.2, np.nan, -np.inf],
    "int64": [0, -1, 2**53 + 1],
    "bool": [True, False, True],
}


def frame(schema=LOSSES):
    """Three rows with the values that are easily lost."""
    return pd.DataFrame({field.name: VALUES[str(field.type)] for field in schema})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results" / "losses.parquet"


@pytest.fixture
def written(path):
    write_table(frame(), LOSSES, path, SOURCE)
    return path


class TestRoundTrip:
    @pytest.mark.parametrize("name", SCHEMAS)
    def test_values_and_types(self, path, name):
        schema = SCHEMAS[name]
        write_table(frame(schema), schema, path, SOURCE)
        found = read_table(path, schema)
        assert list(found.columns) == schema.names
        for field in schema:
            np.testing.assert_array_equal(found[field.name].tolist(), VALUES[str(field.type)])
        dtypes = {"double": "float64", "int64": "int64", "bool": "bool"}
        for field in schema:
            if str(field.type) in dtypes:
                assert found[field.name].dtype == dtypes[str(field.type)]

    def test_nan_is_not_null(self, written):
        # A reader that knows nothing of pandas finds NaN, and no missing values.
        table = pq.read_table(written)
        assert sum(column.null_count for column in table.columns) == 0
        assert np.isnan(table["loss"].to_numpy()[1])

    def test_again_is_the_same(self, written, tmp_path):
        found = read_table(written, LOSSES)
        write_table(found, LOSSES, tmp_path / "again.parquet", SOURCE)
        pd.testing.assert_frame_equal(read_table(tmp_path / "again.parquet", LOSSES), found)

    def test_columns_in_any_order(self, path):
        write_table(frame()[LOSSES.names[::-1]], LOSSES, path, SOURCE)
        assert list(read_table(path, LOSSES).columns) == LOSSES.names

    def test_no_rows(self, path):
        write_table(frame()[:0], LOSSES, path, SOURCE)
        assert read_table(path, LOSSES).empty

    def test_categories_and_narrow_numbers_are_widened(self, path):
        narrow = frame().astype({"engine": "category", "batch": "float64"})
        narrow["batch"] = np.array([1.0, 2.0, 3.0])
        write_table(narrow.astype({"d": "int64", "error": "float32"}), LOSSES, path, SOURCE)
        found = read_table(path, LOSSES)
        assert found["batch"].tolist() == [1, 2, 3]
        assert found["engine"].tolist() == VALUES["string"]

    def test_filters(self, written):
        assert len(read_table(written, LOSSES, filters=[("d", "==", -1)])) == 1

    def test_columns_wanted(self, written):
        found = read_table(written, LOSSES, columns=["step", "loss"])
        pd.testing.assert_frame_equal(found, read_table(written, LOSSES)[["step", "loss"]])

    def test_batches(self, written, path):
        copy = path.with_name("copy.parquet")
        batches = chain(read_batches(written, LOSSES), read_batches(written, LOSSES))
        write_batches(batches, LOSSES, copy, SOURCE)
        once = read_table(written, LOSSES)
        pd.testing.assert_frame_equal(
            read_table(copy, LOSSES), pd.concat([once, once], ignore_index=True)
        )
        assert pq.ParquetFile(copy).num_row_groups == 2
        assert read_provenance(copy) == SOURCE

    def test_replaces_an_older_table(self, written):
        write_table(frame()[:1], LOSSES, written, SOURCE)
        assert len(read_table(written, LOSSES)) == 1


REFUSED = {
    "fraction": ("d", [1.5, 2.0, 3.0]),
    "NaN in integers": ("d", [1.0, np.nan, 3.0]),
    "text in integers": ("d", ["1", "2", "3"]),
    "missing integer": ("d", pd.array([1, None, 3], "Int64")),
    "None in integers": ("d", np.array([1, None, 3], object)),
    "beyond 64 bits": ("d", [1, 2, 2**63]),
    "far beyond 64 bits": ("d", np.array([1, 2, 2**70], object)),
    "text in numbers": ("loss", "high"),
    "None in numbers": ("loss", np.array([0.5, None, 1.0], object)),
    "numbers in text": ("engine", [1, 2, 3]),
    "missing text": ("engine", ["a", None, "b"]),
    "None in text": ("engine", pd.Series(["a", None, "b"], dtype=object)),
}


class TestRefusedFrames:
    def check(self, frame, path, message):
        with pytest.raises(TableError, match=message) as caught:
            write_table(frame, LOSSES, path, SOURCE)
        assert str(caught.value).startswith(f"{path}: ")
        assert not path.exists()

    def test_columns_are_missing(self, path):
        self.check(frame().drop(columns=["loss", "alpha"]), path, "schema: alpha, loss$")

    def test_columns_are_superfluous(self, path):
        self.check(frame().assign(sgd=True, extra=1), path, "schema: extra, sgd$")

    @pytest.mark.parametrize(("column", "values"), REFUSED.values(), ids=REFUSED)
    def test_values(self, path, column, values):
        self.check(frame().assign(**{column: values}), path, f"column {column}: ")


class TestDamage:
    def check(self, path, schema=LOSSES):
        with pytest.raises(TableError) as caught:
            read_table(path, schema)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "delete it and run the workflow again" in message

    @pytest.mark.parametrize("kept", [0, 3, 100, -200, -1])
    def test_truncated(self, written, kept):
        written.write_bytes(written.read_bytes()[:kept])
        self.check(written)

    def test_garbage(self, written):
        written.write_bytes(np.random.default_rng(0).bytes(5000))
        self.check(written)

    def test_damaged_data(self, written):
        # The footer is sound, and so are the columns it lists.
        content = bytearray(written.read_bytes())
        content[4:400] = bytes(396)
        written.write_bytes(content)
        self.check(written)

    def test_damaged_bytes(self, written):
        """A reader notices, or the values are as they were: nothing in between."""
        values, content = read_table(written, LOSSES), written.read_bytes()
        noticed = 0
        for position in range(0, len(content), 7):
            changed = content[position] ^ 255
            written.write_bytes(content[:position] + bytes([changed]) + content[position + 1 :])
            try:
                pd.testing.assert_frame_equal(read_table(written, LOSSES), values)
            except TableError:
                noticed += 1
        assert noticed > len(content) / 7 / 2

    def test_missing(self, path):
        self.check(path)

    @pytest.mark.parametrize("name", [name for name in SCHEMAS if name != "losses"])
    def test_another_table(self, written, name):
        self.check(written, SCHEMAS[name])

    @pytest.mark.parametrize(
        "schema",
        [
            LOSSES.remove(LOSSES.get_field_index("error")),
            LOSSES.append(pa.field("more", pa.float64(), nullable=False)),
            LOSSES.set(3, pa.field("d", pa.float64(), nullable=False)),
            LOSSES.set(3, pa.field("d", pa.int64(), nullable=True)),
        ],
        ids=["a column less", "a column more", "another type", "nullable"],
    )
    def test_another_version_of_the_schema(self, written, schema):
        self.check(written, schema)


class TestInterruptedWrite:
    @pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
    @pytest.mark.parametrize("old", [False, True])
    def test_leaves_what_was_there(self, monkeypatch, path, error, old):
        if old:
            write_table(frame(), LOSSES, path, SOURCE)
        content = path.read_bytes() if old else None

        def half(writer, batch):
            [temporary] = path.parent.glob("*.tmp.parquet")
            assert temporary.exists()
            raise error

        monkeypatch.setattr(store.pq.ParquetWriter, "write_batch", half)
        with pytest.raises(error):
            write_table(frame()[:1], LOSSES, path, SOURCE)
        assert [p.name for p in path.parent.iterdir()] == ([path.name] if old else [])
        if old:
            assert path.read_bytes() == content

    def test_before_it_is_renamed(self, monkeypatch, path):
        def fail(*_):
            assert not path.exists()
            raise KeyboardInterrupt

        monkeypatch.setattr(store.os, "replace", fail)
        with pytest.raises(KeyboardInterrupt):
            write_table(frame(), LOSSES, path, SOURCE)
        assert list(path.parent.iterdir()) == []

    def test_leaves_nothing_else_when_it_succeeds(self, written):
        assert [p.name for p in written.parent.iterdir()] == [written.name]


class TestProvenance:
    def test_is_stored_with_the_table(self, written):
        assert read_provenance(written) == SOURCE
        assert json.loads(pq.read_schema(written).metadata[b"plrf"]) == SOURCE

    def test_says_what_made_the_table(self):
        assert SOURCE["seed"] == "3"
        assert SOURCE["plrf_version"] == plrf.__version__
        assert SOURCE["git_commit"]
        assert len(SOURCE["config_hash"]) == 64

    def test_does_not_depend_on_the_order_of_keys(self):
        first = {"a": 1, "b": {"c": [1, 2], "d": None}}
        second = {"b": {"d": None, "c": [1, 2]}, "a": 1}
        assert provenance(first, 0) == provenance(second, 0)

    @pytest.mark.parametrize("other", [{"a": 2}, {"a": "1"}, {"b": 1}, {"a": [1]}, {}])
    def test_depends_on_the_parameters(self, other):
        assert provenance({"a": 1}, 0)["config_hash"] != provenance(other, 0)["config_hash"]

    def test_does_not_keep_a_table_from_being_read(self, path):
        write_table(frame(), LOSSES, path, {"anything": "else"})
        assert len(read_table(path, LOSSES)) == 3
        assert read_provenance(path) == {"anything": "else"}

    def test_of_several_tables(self, path, tmp_path):
        other = tmp_path / "other.parquet"
        for file, seed in ((path, "none"), (other, "7")):
            write_table(frame(), LOSSES, file, {"plrf_version": "1", "seed": seed, "hash": seed})
        assert read_provenance(path, other) == {"plrf_version": "1", "seed": "7", "hash": "none, 7"}
        write_table(frame(), LOSSES, path, {"plrf_version": "1", "seed": "8", "hash": "x"})
        assert read_provenance(path, other)["seed"] == "8, 7"
