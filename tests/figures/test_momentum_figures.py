"""Figures and tables of momentum: made-up fronts and curves, and one real row."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import plrf
from plrf.study.momentum import ALGORITHMS
from plrf.theory.phases import phase_name
from scripts.figures import dana_exponents, momentum_losses
from scripts.maintain import update_algorithms
from scripts.momentum.momentum_curves import curve_rows
from scripts.momentum.momentum_fronts import front_row
from scripts.tables import table8_momentum
from tests.figure_checks import is_drawn, layout_problems

POINTS = [(0.75, 0.25), (1.25, 0.75), (1.0, 2.0), (0.4, 1.0)]
SETTINGS = {"v_over_d": 4, "batch": 1, "c": 0.25, "kept": 0.9, "c3": 0.2}


def fronts(points=POINTS, flops=(1e6, 1e9, 1e12), status="ok"):
    rows = [
        {
            "alpha": a,
            "beta": b,
            "phase": phase_name(a, b),
            "algorithm": name,
            "flops": f,
            "d": f**0.5,
            "loss": f**-0.5,
            "eta": 0.5 + 0.05 * k - 1 / np.log(f),
            "xi": 0.5,
            "eta_error": 1e-3,
            "xi_error": 1e-2,
            "eta_heuristic": 0.5 + 0.05 * k,
            "xi_heuristic": 0.5,
            "status": status,
        }
        for a, b in points
        for k, name in enumerate(ALGORITHMS)
        for f in flops
    ]
    return pd.DataFrame(rows)


def curves():
    steps = np.unique(np.geomspace(1, 1e4, 30).astype(int))
    return pd.concat(
        pd.DataFrame({"step": steps, "loss": (1 + 0.01 * run) * steps ** -(0.5 + 0.1 * k)}).assign(
            alpha=a, beta=b, algorithm=name, d=1000, run=run
        )
        for a, b in POINTS
        for k, name in enumerate(ALGORITHMS)
        for run in (-1, 0, 1)
    )


def test_curves_and_exponents_are_drawn(style):
    table = fronts()
    figure = momentum_losses.draw(curves(), table)
    assert len(figure.axes) == 8
    for _, rows in table.groupby(["alpha", "beta", "algorithm"]):
        assert is_drawn(figure, rows["flops"], rows["eta"])
    assert layout_problems(figure) == []
    plt.close(figure)


@pytest.mark.parametrize("budgets", [(1e8,), (1e8, 1e12)])
def test_gains_over_the_plane(style, budgets):
    grid = [(a, b) for a in (0.6, 0.9, 1.2) for b in (0.3, 0.9, 1.5)]
    figure = dana_exponents.draw(fronts(), fronts(grid, budgets))
    maps = [ax.collections[0] for ax in figure.axes[: 3 * len(budgets)]]
    for k, cells in enumerate(maps):
        np.testing.assert_allclose(cells.get_array().ravel(), 0.05 * (k % 3 + 1))
    assert layout_problems(figure) == []
    plt.close(figure)


def test_a_plane_without_fronts_is_drawn(style):
    grid = [(a, b) for a in (0.6, 0.9) for b in (0.3, 0.9)]
    nothing = fronts(grid, (1e8,), "diverges").assign(eta=np.nan, loss=np.nan)
    plt.close(dana_exponents.draw(fronts(), nothing))


def test_table_has_a_verdict_for_each_point_and_algorithm():
    table = table8_momentum.with_history(fronts())
    assert len(table) == len(POINTS) * len(ALGORITHMS)
    assert set(table["verdict"]) == {"confirmed"}
    text = table8_momentum.markdown(table, [1e6, 1e9, 1e12])
    assert text.count("## α") == len(POINTS)
    assert "Budgets: 1e+06, 1e+09, 1e+12 flops." in text


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_front_is_that_of_the_library(algorithm):
    row = front_row([1.0, 0.7], algorithm, 1e5, SETTINGS)
    momentum = {
        "sgd": None,
        "heavy_ball": {"name": "heavy_ball", "momentum": 0.9},
    }.get(algorithm, {"name": algorithm, "c3": 0.2})
    c = 0.25 * (1 - 0.9) if algorithm == "heavy_ball" else 0.25
    found = plrf.compute_optimal(1e5, alpha=1.0, beta=0.7, c=c, momentum=momentum)
    assert row["status"] == "ok" and row["phase"] == "II"
    assert row["eta"] == float(found.eta) and row["d"] == float(found.d)


@pytest.mark.parametrize(
    ("point", "status"), [((0.2, 0.1), "no power law"), ((0.7, -0.2), "edge: no exponents")]
)
def test_points_without_exponents_say_so(point, status):
    row = front_row(list(point), "dana_constant", 1e5, SETTINGS)
    assert row["status"] == status and np.isnan(row["eta"])


def test_what_diverges_is_flagged():
    row = front_row([1.0, 0.7], "dana_constant", 1e5, SETTINGS | {"c": 1.9})
    assert row["status"] == "diverges"


@pytest.mark.parametrize("algorithm", ["heavy_ball", "dana_decaying"])
def test_runs_scatter_around_the_expected_loss(algorithm):
    """Means over 64 runs within five standard errors at the last steps: a false alarm in 10^6."""
    plan = {"d": 1000, "steps": 200, "runs": 64, "run_steps": 200}
    rows = curve_rows([0.75, 0.25], algorithm, SETTINGS | {"curves": plan}, 1)
    assert set(rows["run"]) == set(range(-1, 64))
    last = rows[rows["step"] == 200]
    runs = last[last["run"] >= 0]["loss"]
    exact = float(last[last["run"] < 0]["loss"].iloc[0])
    assert abs(runs.mean() - exact) < 5 * runs.std() / 8


def test_the_document_has_a_row_for_each_gain():
    text = update_algorithms.summary(table8_momentum.with_history(fronts()))
    assert text.startswith("At 1e+12 flops, of 12 gains: 12 confirmed.")
    assert text.count("| confirmed |") == 12
