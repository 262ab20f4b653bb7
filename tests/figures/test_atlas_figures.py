"""Tables of the atlas against the library, and what its figures and its document show."""

from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

import plrf
from plrf.atlas.convergence import horizon
from plrf.exact.target_fronts import target_fronts
from plrf.study.schemas.atlas import TABLES
from scripts.atlas import convergence, critical, hyperparameters, measured
from scripts.atlas import horizon as horizons
from scripts.figures import (
    atlas_convergence,
    atlas_horizon,
    atlas_hyperparameters,
    atlas_measured,
)
from scripts.maintain import update_atlas
from tests.figure_checks import is_drawn, layout_problems

RULE = {"v_over_d": 4, "batch": 1, "c": 0.5}
FLOPS, WINDOW = [1e4, 1e20], [1e5, 1e7]
POINTS = [(0.75, 0.25), (0.4, 1.0), (0.52, 0.2)]
NOWHERE = [(0.2, 0.1), (0.7, -0.2)]  # below the edge, and on it
PLANE = [(alpha, beta) for alpha in (0.35, 0.7, 1.05) for beta in (0.1, 0.8, 1.5)]
FITS = {"isoflop_budgets": 5, "envelope_budgets": 9, "neighbours": 2, "sizes": [12, 5]}
VALUES = {"c": [0.1, 0.5], "batch": [1, 16], "v_over_d": [1.5, 4]}
VARIED = {"flops": [1e4, 1e6, 1e12], "flops_of_best_c": [1e6], "values": VALUES}


@pytest.fixture(scope="module")
def tables():
    """A small atlas."""
    fronts = RULE | {"flops": FLOPS, "budgets": 9}
    rows = {
        "convergence": convergence.convergence(POINTS + NOWHERE, fronts),
        "horizon": horizons.horizons(PLANE + NOWHERE, fronts | {"tolerance": 0.05}),
        "measured": measured.measured(PLANE[3:5] + NOWHERE, RULE | FITS | {"window": WINDOW}),
        "hyperparameters": hyperparameters.hyperparameters(POINTS[:1] + NOWHERE, RULE | VARIED),
        "critical": critical.critical([(1.2, 0.6), *NOWHERE], {"v_over_d": 4, "flops": 1e6}),
    }
    return SimpleNamespace(**rows)


@pytest.mark.parametrize("name", TABLES)
def test_points_without_exponents_say_so(tables, name):
    table = getattr(tables, name)
    assert table.columns.tolist() == TABLES[name].names
    for point, status in zip(NOWHERE, ("no power law", "edge: no exponents"), strict=True):
        rows = table[(table["alpha"] == point[0]) & (table["beta"] == point[1])]
        assert len(rows) and set(rows["status"]) == {status}


def test_fronts_are_those_of_the_library(tables):
    for (alpha, beta), rows in tables.convergence.groupby(["alpha", "beta"]):
        known = rows[rows["status"] == "ok"]
        if len(known):
            front = plrf.compute_optimal(known["flops"], alpha=alpha, beta=beta)
            np.testing.assert_allclose(known["loss"], front.loss, rtol=1e-4)
            np.testing.assert_allclose(known["eta"], front.eta, atol=1e-3)


def test_horizons_are_those_of_fronts(tables):
    rows = tables.horizon.set_index(["alpha", "beta", "quantity"])
    budgets = np.geomspace(*FLOPS, 9)
    front = plrf.compute_optimal(budgets, alpha=0.7, beta=0.1)
    for quantity in ("eta", "xi"):
        row = rows.loc[(0.7, 0.1, quantity)]
        values, errors = getattr(front, quantity), getattr(front, f"{quantity}_error")
        found = horizon(budgets, values, errors, row["theory"])
        assert row["status"] == found.status
        assert row["flops"] == pytest.approx(found.flops, rel=1e-3)


def test_parts_of_a_deviation_add_up(tables):
    rows = tables.measured[tables.measured["status"] == "ok"]
    assert len(rows) == 2 * 2 * 3 * 2  # points, experiments, approaches, exponents
    parts = atlas_measured.with_biases(rows)
    total = rows["reported"] - rows["theory"]
    np.testing.assert_allclose(parts["finite"] + parts["method"], total, atol=1e-12)
    front = plrf.compute_optimal(WINDOW, alpha=0.7, beta=0.8)
    slope = -np.log(front.loss[1] / front.loss[0]) / np.log(WINDOW[1] / WINDOW[0])
    exact = rows[(rows["beta"] == 0.8) & (rows["quantity"] == "eta")]["exact"]
    np.testing.assert_allclose(exact, slope, atol=2e-3)


def test_hyperparameters_are_those_of_fronts(tables):
    rows = tables.hyperparameters[tables.hyperparameters["status"] == "ok"]
    assert set(rows["v_over_d"]) == {1.5, 4.0, np.inf}
    for row in rows[rows["flops"] == 1e12].itertuples():
        c = "optimal" if row.c_is_best else row.c
        rule = {"v_over_d": row.v_over_d, "batch": row.batch, "c": c}
        front = plrf.compute_optimal(1e12, alpha=row.alpha, beta=row.beta, **rule)
        assert row.eta == pytest.approx(float(front.eta), abs=1e-5)
        assert row.c == pytest.approx(float(front.c), rel=1e-4)


def test_what_diverges_is_flagged():
    case = {"varied": "c", "c": 3.0, "batch": 1, "v_over_d": 4, "flops": [1e4, 1e6]}
    rows = hyperparameters.case_rows(0.75, 0.25, case)
    assert [row["status"] for row in rows] == ["diverges", "diverges"]


def test_convergence_is_drawn(style, tables):
    table = tables.convergence[tables.convergence["status"] == "ok"]
    figure = atlas_convergence.draw(table, POINTS, 0.05)
    for point in POINTS[:2]:
        rows = table[(table["alpha"] == point[0]) & (table["beta"] == point[1])]
        assert is_drawn(figure, rows["flops"], rows["eta"])
    assert layout_problems(figure) == []
    plt.close(figure)


def test_horizons_are_drawn(style, tables):
    figure = atlas_horizon.draw(tables.horizon, 0.05, FLOPS)
    assert layout_problems(figure) == []
    (cells,) = [c for c in figure.axes[0].collections if c.get_array() is not None][:1]
    rows = tables.horizon[tables.horizon["quantity"] == "eta"]
    assert np.isfinite(cells.get_array().filled(np.nan)).sum() == rows["theory"].notna().sum()
    plt.close(figure)


@pytest.mark.parametrize("flops, bounds", [([1e4, 1e6], 2), ([1e3, 2e8], 4)])
def test_colours_of_horizons_end_at_the_last_budget(style, tables, flops, bounds):
    figure = plt.figure()
    rows = tables.horizon[tables.horizon["quantity"] == "xi"]
    norm = atlas_horizon.draw_horizons(figure.subplots(), rows, flops).norm
    assert len(norm.boundaries) == bounds and norm.vmax == pytest.approx(np.log10(flops[1]))
    plt.close(figure)


def test_only_the_first_front_of_a_phase_is_in_the_first_panel(tables):
    table = tables.convergence[tables.convergence["status"] == "ok"]
    lines = [line for _, line, _ in atlas_convergence.fronts(table, [POINTS[0]] * 5)]
    assert lines[0] == atlas_convergence.FIRST and atlas_convergence.FIRST not in lines[1:]


def test_a_horizon_with_a_failed_front_has_no_budget():
    fronts = target_fronts(np.geomspace(*FLOPS, 9), alpha=0.7, betas=[0.1])
    failed = replace(fronts, status=np.where(fronts.flops < 1e6, "not converged", fronts.status))
    row = horizons.horizon_row(0.7, 0.1, "eta", failed, 0, 0.05)
    assert row["status"] == "not converged" and np.isnan(row["flops"])


def test_biases_are_drawn(style, tables):
    figure = atlas_measured.draw(tables.measured, WINDOW, 12)
    assert layout_problems(figure) == []
    plt.close(figure)


def test_hyperparameters_are_drawn(style, tables):
    table = tables.hyperparameters[tables.hyperparameters["status"] == "ok"]
    figure = atlas_hyperparameters.draw(table, tables.critical)
    assert layout_problems(figure) == []
    plt.close(figure)


def test_the_document_has_all_numbers(tables):
    known = tables.convergence[tables.convergence["status"] == "ok"]
    assert update_atlas.points(known, 0.05).count("\n") == 1 + 2 * len(POINTS)
    assert "| Ia | η | 2 |" in update_atlas.horizons(tables.horizon)
    assert "| Approach 3 | 12 |" in update_atlas.measured(tables.measured)
    varied = tables.hyperparameters
    assert "best c at 1e+06" in update_atlas.hyperparameters(varied)
    other = varied[(varied["flops"] != 1e6) | varied["c_is_best"] & (varied["varied"] != "c")]
    assert "best c at 1e+04" in update_atlas.hyperparameters(other)
    assert update_atlas.critical(tables.critical).count("\n") == 2
