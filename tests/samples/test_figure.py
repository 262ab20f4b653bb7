"""The figure of SGD on real samples, and the table that it is drawn from."""

import numpy as np
import pandas as pd
import pytest

from plrf import statuses
from plrf.data.comparison import deviations
from plrf.draw.style import style
from plrf.study.schemas.data_training import TRAINING
from plrf.study.store import read_table
from scripts.data import join_trainings
from scripts.data.train_on_samples import run_job
from scripts.figures import data_prediction
from scripts.tables import table7_prediction
from tests.figure_checks import is_drawn, layout_problems

PLAN = {"c": [0.05, 0.4], "runs": 3, "chains": 2, "steps": 300, "steps_per_decade": 3}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Of two data sets, at toy size; the second one has W whose expected loss has no limit."""
    paths = []
    for name in ("digits", "breast_cancer"):
        paths.append(str(tmp_path_factory.mktemp(name) / "training.parquet"))
        run_job(name, None, [3, 6, 9, 12], PLAN, 1, paths[-1])
    return paths


def test_rows_are_complete(tables):
    digits, cancer = (read_table(path, TRAINING) for path in tables)
    assert (digits["status"] == statuses.OK).all()
    steps = digits["step"].nunique()
    assert len(digits) == 4 * 2 * steps
    for table in (digits, cancer):
        start = table[table["step"] == 0]
        np.testing.assert_allclose(start["ratio"], 1, rtol=1e-12)
        has_no_limit = table["growing"] > 0
        np.testing.assert_array_equal(table["corrected"].isna(), has_no_limit)
    assert has_no_limit.any() and not has_no_limit.all()
    ratios = table["loss"] / table[["predicted", "averaged"]].T
    np.testing.assert_allclose(ratios.T, table[["ratio", "averaged_ratio"]], rtol=1e-12)


def test_deviations_are_those_of_the_ratios(tables):
    table = read_table(tables[0], TRAINING)
    found = deviations(table).set_index(["c", "kind"])
    rows = table[(table["c"] == 0.4) & (table["step"] > 0)]
    row = found.loc[(0.4, "corrected_ratio")]
    assert (row["least"], row["greatest"], row["sizes"]) == (
        rows["corrected_ratio"].min(),
        rows["corrected_ratio"].max(),
        4,
    )
    expected = np.sqrt(((rows["corrected_ratio"] - 1) ** 2).mean())
    np.testing.assert_allclose(row["rms_deviation"], expected, rtol=1e-12)
    cancer = deviations(read_table(tables[1], TRAINING)).set_index(["c", "kind"])
    assert cancer.loc[(0.4, "corrected_ratio"), "sizes"] < 4


def test_table_says_what_is_predicted_and_how_well(tables, tmp_path):
    csv, md = tmp_path / "table.csv", tmp_path / "table.md"
    joined = tmp_path / "training.parquet"
    join_trainings.join(tables, joined)
    table7_prediction.write_tables(joined, str(csv), str(md))
    text = md.read_text(encoding="utf-8")
    assert len(pd.read_csv(csv)) == text.count("\n| ") - 2 == 2 * 2 * 3
    assert "| digits | 0.05 | with fourth moments, the same W | 4 |" in text


def test_figure_shows_losses_and_ratios(tables):
    frames = [read_table(path, TRAINING) for path in tables]
    with style():
        figure = data_prediction.draw(frames)
        assert len(figure.axes) == 6
        for table in frames:
            for (d, _), rows in table[table["step"] > 0].groupby(["d", "c"]):
                shown = d != 6  # three sizes, the smallest and largest among them
                for column in ("loss", "predicted", "ratio"):
                    assert is_drawn(figure, rows["step"], rows[column]) == shown
        assert layout_problems(figure) == []
