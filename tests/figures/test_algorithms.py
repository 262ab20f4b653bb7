"""Figures and tables of training algorithms: made-up ones, and those of the quick workflow."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import plrf
from plrf.study.schemas import algorithms as schemas
from plrf.study.store import read_table
from scripts.algorithms import batches as batch_tables
from scripts.algorithms import label_noise_fronts as noise_tables
from scripts.algorithms import optimal_schedules as schedule_tables
from scripts.figures import batch, label_noise, optimal_schedule, schedules
from scripts.tables import table5_algorithms
from tests.figure_checks import is_drawn, layout_problems, shown_texts

POINTS = [(1.0, 0.7), (0.7, 1.2), (1.0, -0.2)]
FLOPS = [1e4, 1e5, 1e6]
NAMES = {"batch": batch, "label_noise": label_noise, "optimal_schedule": optimal_schedule}
TABLES = {
    "batch": ["batches", "critical"],
    "label_noise": ["noise"],
    "optimal_schedule": ["schedules", "rates"],
}


def each_point(rows):
    """Rows of a table for each point, different in their losses."""
    rows = pd.DataFrame(rows).assign(noise=0.1)
    return pd.concat(
        rows.assign(alpha=a, beta=b, loss=rows.get("loss", 1.0) * (1 + a + b)) for a, b in POINTS
    )


def best_tables(status="ok"):
    families = schedule_tables.FAMILIES
    rows = [
        {"flops": f, "family": family, "loss": f**-0.5 * (1 + 0.1 * k), "shape": 0.3 + 0.1 * k}
        for f in FLOPS
        for k, family in enumerate(families)
    ]
    time = np.linspace(0, 0.99, 50)
    rates = pd.concat(
        pd.DataFrame({"time": time, "c": (1 - time) / np.log10(f)}).assign(flops=f, family=family)
        for f in FLOPS
        for family in families
    )
    return each_point(rows).assign(status=status), each_point(rates)


def test_best_schedules_and_what_they_gain(style):
    found, rates = best_tables()
    figure = optimal_schedule.draw(found, rates)
    assert len(figure.axes) == 9
    for _, rows in rates[rates["family"] == "free"].groupby(["alpha", "beta", "flops"]):
        assert is_drawn(figure, rows["time"], rows["c"])
    for k, family in enumerate(schedule_tables.FAMILIES[1:], 1):
        assert is_drawn(figure, FLOPS, np.full(3, 10.0 * k)), family
    assert layout_problems(figure) == []


def test_missing_schedules_are_said(style):
    found, rates = best_tables(status="not converged")
    figure = optimal_schedule.draw(found, rates.iloc[:0])
    texts = [text.get_text().replace("\n", " ") for text, _ in shown_texts(figure)]
    assert texts.count("no best schedule") == 9


@pytest.mark.parametrize("status", ["ok", "below"])
def test_batches_and_critical_ones(style, status):
    batches = 4.0 ** np.arange(6)
    losses = each_point(
        [
            {"flops": f, "batch": b, "loss": f**-0.4 * (1 + b / f**0.4), "status": "ok"}
            for f in FLOPS[:2]
            for b in batches
        ]
    )
    critical = each_point(
        [{"flops": f, "batch": f**0.4 / 10, "loss": f**-0.4, "status": status} for f in FLOPS]
    )
    figure = batch.draw(losses, critical)
    for _, rows in losses.groupby(["alpha", "beta", "flops"]):
        assert is_drawn(figure, rows["batch"], rows["loss"] / rows["loss"].min())
    texts = [text.get_text() for text, _ in shown_texts(figure)]
    if status == "ok":
        assert is_drawn(figure, FLOPS, np.array(FLOPS) ** 0.4 / 10)
        assert sum("f^{0.40}" in text for text in texts) == 3
    else:
        assert [text.replace("\n", " ") for text in texts].count("no critical batch") == 3
    assert layout_problems(figure) == []


def test_fronts_with_noise(style):
    fronts = pd.concat(
        each_point(
            {
                "flops": FLOPS,
                "loss": np.array(FLOPS) ** -0.4 * (1 + noise) * (2 if rate == "given" else 1),
                "eta": np.full(3, 0.4 + noise / 10),
                "c": np.array(FLOPS) ** -0.2,
            }
        ).assign(noise=noise, rate=rate)
        for noise in (0.0, 0.1)
        for rate in ("given", "optimal")
    )
    figure = label_noise.draw(fronts)
    for _, rows in fronts.groupby(["alpha", "beta", "noise", "rate"]):
        assert is_drawn(figure, rows["flops"], rows["loss"])
        assert is_drawn(figure, rows["flops"], rows["eta"])
    for ax in figure.axes[6:]:
        assert len(ax.lines) == 2, "a given c is not drawn against compute"
    assert layout_problems(figure) == []


def curves():
    """Losses, fronts and fits of two sweeps at all points."""
    names = {"a": "constant", "b": "cosine"}
    flops = np.geomspace(1e3, 1e5, 9)
    losses, fronts, fits = [], [], []
    for alpha, beta in POINTS:
        for k, (sweep, schedule) in enumerate(names.items()):
            place = {"sweep": sweep, "alpha": alpha, "beta": beta}
            of_sweep = place | {"schedule": schedule, "d": 20}
            for engine, run in (("volterra", -1), ("sgd", 0), ("sgd", 1)):
                rows = {"flops": flops, "loss": flops**-0.3 * (1 + k + 0.1 * (run + 1)), "run": run}
                rows |= {"engine": engine, "step": np.arange(9), "status": "ok"}
                losses.append(pd.DataFrame(of_sweep | rows))
            for engine, method in (("volterra", "approach0"), ("sgd", "approach2")):
                row = place | {"engine": engine, "method": method}
                front = {"flops": flops, "loss_opt": flops**-0.4 * (1 + k), "status": "ok"}
                fronts.append(pd.DataFrame(row | front))
                source = "solver" if method == "approach0" else "runs"
                ends = {"estimate": 0.4 + k / 10, "ci_low": 0.3, "ci_high": 0.5}
                fits.append(row | ends | {"quantity": "eta", "error_source": source})
    return pd.concat(losses), pd.concat(fronts), pd.DataFrame(fits)


def test_schedules_side_by_side(style):
    losses, fronts, fits = curves()
    figure = schedules.draw(losses, fronts, fits)
    assert len(figure.axes) == 6
    exact = losses[(losses["engine"] == "volterra") & (losses["step"] > 0)]
    for _, rows in exact.groupby(["alpha", "beta", "sweep"]):
        assert is_drawn(figure, rows["flops"], rows["loss"])
    for _, rows in fronts.groupby(["alpha", "beta", "sweep", "engine"]):
        assert is_drawn(figure, rows["flops"], rows["loss_opt"])
    texts = [text.get_text() for text, _ in shown_texts(figure)]
    for estimate in ("0.400", "0.500"):
        assert sum(f"{estimate} $\\pm$ 0.100, {estimate}" in text for text in texts) == 3
    assert {"constant", "cosine"} <= set(texts)
    assert layout_problems(figure) == []


def test_table_has_the_schedules_in_the_order_of_the_configuration():
    _, _, fits = curves()
    rows = fits.assign(phase="II", window=0, window_low=1e3, window_high=1e5, status="ok")
    rows = rows.assign(std_error=0.1, expected=0.4, exact=0.4)
    rows["momentum"] = rows["sweep"].map({"a": "none", "b": "heavy_ball(momentum=0.5)"})
    names = {"b": "cosine", "a": "constant"}
    table = table5_algorithms.compared(pd.concat([rows, rows.assign(window=1)]), names)
    assert len(table) == len(fits)
    first = table.query("alpha == 0.7")["schedule"].tolist()
    assert first == ["cosine"] * 2 + ["constant"] * 2
    text = table5_algorithms.markdown(table)
    assert text.count("## α = ") == 3 and "nan" not in text
    assert text.count("| cosine | heavy_ball(momentum=0.5) |") == text.count("| constant | none |")


@pytest.mark.parametrize("name", NAMES)
def test_quick_figures(style, quick, tmp_path, name):
    paths = [quick.directory / f"results/algorithms/{table}.parquet" for table in TABLES[name]]
    outputs = [str(tmp_path / f"figure.{kind}") for kind in ("pdf", "png")]
    NAMES[name].make_figure(*paths, outputs)
    drawn = quick.directory / f"results/figures/{name}.png"
    assert (tmp_path / "figure.png").read_bytes() == drawn.read_bytes()
    assert plt.get_fignums() == []


def test_quick_tables_hold_what_the_library_finds(quick):
    folder = quick.directory / "results/algorithms"
    task = {"alpha": 1.0, "beta": 0.7, "noise": 0.1}
    noise = read_table(folder / "noise.parquet", schemas.NOISE_FRONTS)
    last = noise.query("noise == 0.1 and rate == 'optimal'").iloc[-1]
    best = plrf.compute_optimal(last["flops"], **task, c="optimal")
    assert last["loss"] == pytest.approx(float(best.loss), rel=1e-8)
    assert last["c_exponent"] == pytest.approx(float(best.c_exponent), abs=1e-5)
    found = read_table(folder / "schedules.parquet", schemas.BEST_SCHEDULES)
    free = found[found["family"] == "free"].set_index("flops")["loss"]
    assert np.all(found["loss"] >= found["flops"].map(free) * (1 - 1e-4))
    assert set(found["status"]) == {"ok"}
    batches = read_table(folder / "batches.parquet", schemas.BATCHES)
    single = batches.query("batch == 1").iloc[0]
    best = plrf.compute_optimal(single["flops"], **task, c="optimal")
    assert single["loss"] == pytest.approx(float(best.loss), rel=1e-8)


def test_modules_write_what_their_schemas_say(tmp_path):
    """A point beside the default ones, with budgets of no use but for speed."""
    common = {"points": [[0.8, 0.3]], "v_over_d": 4.0}
    noise = tmp_path / "noise.parquet"
    noise_tables.run_job(common | {"variances": [0.5], "flops": [1e4, 1e5], "c": 0.3}, noise)
    assert len(read_table(noise, schemas.NOISE_FRONTS)) == 4
    paths = {name: str(tmp_path / f"{name}.parquet") for name in ("batches", "critical")}
    flops = {"flops": [1e4], "critical_flops": [1e5], "noise": 0.5}
    batch_tables.run_job(common | flops, paths)
    assert set(read_table(paths["critical"], schemas.CRITICAL_BATCHES)["status"]) == {"ok"}
