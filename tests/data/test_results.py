"""Tables of measured tasks, and what is drawn and written of them: a set of ours and a user's."""

import numpy as np
import pandas as pd
import pytest

from plrf.data.sets import SETS
from plrf.draw.style import style
from plrf.statuses import UNCERTAIN
from plrf.study.schemas.data import SPECTRA, TASK_EXPONENTS, TASKS
from plrf.study.store import read_table
from scripts.data.join_tasks import join
from scripts.data.measure_task import run_job
from scripts.figures import data_spectra
from scripts.tables import table6_data
from tests.figure_checks import is_drawn, layout_problems, shown_texts

SCHEMAS = {"spectrum": SPECTRA, "task": TASKS, "exponents": TASK_EXPONENTS}
CONFIG = {"windows": [[0.1, 0.5], [0.1, 0.8]], "resamples": 30, "simulations": 5, "seed": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The tables of breast_cancer and of files of noise alone, each and joined."""
    folder = tmp_path_factory.mktemp("tasks")
    rng = np.random.default_rng(0)
    for k in range(2):
        x = pd.DataFrame(rng.standard_normal((40, 8)), columns=list("abcdefgh"))
        x.assign(label=rng.standard_normal(40)).to_parquet(folder / f"part{k}.parquet")
    mine = {"samples": str(folder / "part*.parquet"), "target": "label"}
    sets = {"breast_cancer": None, "mine": mine}
    for name, source in sets.items():
        run_job(name, CONFIG, source, {key: folder / f"{name}_{key}.parquet" for key in SCHEMAS})
    joined = dict(zip(("spectra", "tasks", "exponents"), SCHEMAS, strict=True))
    files = {
        new: [folder / f"{name}_{key}.parquet" for name in sets] for new, key in joined.items()
    }
    join(files, CONFIG, {new: folder / f"{new}.parquet" for new in joined})
    return folder


def tables(folder):
    names = {"spectra": SPECTRA, "tasks": TASKS, "exponents": TASK_EXPONENTS}
    return {name: read_table(folder / f"{name}.parquet", schema) for name, schema in names.items()}


def test_tables_are_complete(folder):
    found = tables(folder)
    assert found["tasks"][["set", "n", "v"]].to_numpy().tolist() == [
        ["breast_cancer", 569, 30],
        ["mine", 80, 8],
    ]
    assert found["spectra"].groupby("set").size().to_dict() == {"breast_cancer": 30, "mine": 8}
    windows = found["exponents"][found["exponents"]["kind"] == "window"]
    assert windows[["first", "last"]].to_numpy().tolist() == [[3, 15], [3, 24], [1, 5], [1, 6]]
    mine = windows[windows["set"] == "mine"]
    assert (mine["status"] == UNCERTAIN).all() and mine["beta"].isna().all()
    ours = windows[windows["set"] == "breast_cancer"]
    shares = ours.filter(regex="^probability_").sum(axis=1)
    assert shares.to_numpy() == pytest.approx(1)
    assert (ours["correlation"].abs() < 1).all()


def test_spectrum_is_one_for_a_sweep(folder):
    """Columns eigenvalue and target; sums are the variance of y."""
    x, y = SETS["breast_cancer"].load()
    spectrum = read_table(folder / "breast_cancer_spectrum.parquet", SPECTRA)
    task = read_table(folder / "breast_cancer_task.parquet", TASKS).iloc[0]
    explained = float(spectrum["eigenvalue"] @ spectrum["target"] ** 2)
    assert spectrum["eigenvalue"].sum() == pytest.approx(np.var(x, axis=0, ddof=1).sum())
    assert explained - task["inflation"] == pytest.approx(spectrum["tail"].iloc[0], rel=1e-9)
    assert explained + task["noise"] * (569 - 31) / 569 == pytest.approx(np.var(y), rel=2e-3)


def test_figure_shows_what_is_measured(folder):
    found = tables(folder)
    with style():
        figure = data_spectra.draw(found["spectra"], found["exponents"])
        figure.draw_without_rendering()
        spectrum = found["spectra"][found["spectra"]["set"] == "breast_cancer"]
        share = spectrum["eigenvalue"] / spectrum["eigenvalue"].iloc[0]
        assert is_drawn(figure, spectrum["rank"], share)
        main = found["exponents"].iloc[0]
        assert is_drawn(figure, [main["first"], main["last"]], [main["alpha"]] * 2)
        assert layout_problems(figure) == []
        texts = " ".join(text.get_text() for text, _ in shown_texts(figure))
        assert "breast cancer" in texts and "mine" in texts


def test_table_for_readers(folder, tmp_path):
    paths = [str(tmp_path / f"table.{kind}") for kind in ("csv", "md")]
    inputs = [str(folder / f"{name}.parquet") for name in ("tasks", "exponents")]
    table6_data.write_tables(*inputs, *paths)
    table, text = pd.read_csv(paths[0]), (tmp_path / "table.md").read_text(encoding="utf-8")
    main = tables(folder)["exponents"].iloc[0]
    assert table["alpha"].iloc[0] == main["alpha"]
    assert f"{main['alpha']:.3f} ± {1.96 * main['alpha_error']:.3f}" in text
    assert f"| {UNCERTAIN} |" in text
    windows = tables(folder)["exponents"].query("set == 'breast_cancer' and kind == 'window'")
    assert table["beta_high"].iloc[0] == windows["beta"].max()
