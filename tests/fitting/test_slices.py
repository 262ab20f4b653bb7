"""IsoFLOP slices: how rows are grouped, moved to a budget, and what front they have."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from plrf.fitting.slices import Slices, budgets_of, moved_losses
from plrf.measure.fronts import parabolas, splines
from plrf.measure.refits import log_law_and_slopes
from tests.law_designs import TRUTH, isoflop

FINDERS = {
    "envelope": partial(parabolas, neighbours=1),
    "parabolas": partial(parabolas, neighbours=2),
    "splines": partial(splines, neighbours=2),
}


def runs_at(flops, sizes):
    """Rows at all pairs that belong together."""
    d = np.asarray(sizes, float)
    return pd.DataFrame({"parameters": d, "samples": flops / (6 * d), "flops": flops})


def known_runs(jitter=0.0):
    """Runs of the law without noise; their flops scatter around 12 budgets."""
    log_d, log_n = isoflop()
    log_n = log_n + np.random.default_rng(0).uniform(-jitter, jitter, log_n.shape)
    d, n = np.exp(log_d), np.exp(log_n)
    loss = np.exp(log_law_and_slopes(TRUTH, log_d, log_n)[0])
    return pd.DataFrame({"parameters": d, "samples": n, "flops": 6 * d * n, "loss": loss})


def test_rows_share_a_budget_within_the_factor():
    runs = pd.concat([runs_at(f, [1, 2, 4, 8]) for f in (1.0e18, 1.1e18, 3e18)])
    runs = pd.concat([runs, runs_at(2e18, [1, 2])])  # two sizes are no slice
    budgets = budgets_of(runs, 1.2)
    np.testing.assert_allclose(budgets[:8], 1.05e18, rtol=1e-12)
    np.testing.assert_allclose(budgets[8:12], 3e18)
    assert np.isnan(budgets[12:]).all()
    exact = budgets_of(runs, 1.0)
    np.testing.assert_allclose(exact[:12], runs["flops"][:12])


@pytest.mark.parametrize("unit", [1.0, 1e-18])
def test_neither_order_nor_unit_matters(unit):
    runs = known_runs(jitter=0.08)
    budgets = budgets_of(runs, 1.2)
    order = np.random.default_rng(1).permutation(len(runs))
    scaled = runs.assign(flops=runs["flops"] * unit).iloc[order]
    np.testing.assert_allclose(budgets_of(scaled, 1.2), budgets[order] * unit, rtol=1e-12)
    assert np.unique(budgets).size == 12


def test_moved_losses_are_those_of_the_law_at_the_budget():
    runs = known_runs(jitter=0.08)
    budgets = budgets_of(runs, 1.2)
    moved = moved_losses(runs, budgets, TRUTH)
    log_d = np.log(runs["parameters"].to_numpy())
    expected = log_law_and_slopes(TRUTH, log_d, np.log(budgets / 6) - log_d)[0]
    np.testing.assert_allclose(np.log(moved), expected, rtol=1e-12)
    unknown = moved_losses(runs, budgets, np.full(5, np.nan))
    np.testing.assert_array_equal(unknown, runs["loss"])


@pytest.mark.parametrize("find", FINDERS.values(), ids=FINDERS)
def test_front_is_that_of_each_slice_by_itself(find):
    """Sizes of a slice are its own; one slice has too few, one its minimum at the edge."""
    rows = known_runs().assign(moved=lambda one: one["loss"])
    rows["budget"] = budgets_of(rows, 1.2)
    budgets = np.unique(rows["budget"])
    few = rows[(rows["budget"] != budgets[0]) | (rows.groupby("budget").cumcount() < 3)]
    edge = few[(few["budget"] != budgets[1]) | (few.groupby("budget").cumcount() > 3)]
    edge = pd.concat([edge, runs_at(budgets[1], np.array([30, 40]) * edge["parameters"].max())])
    edge = edge.assign(budget=edge["budget"].fillna(budgets[1]), loss=edge["loss"].fillna(9.0))
    edge["moved"] = edge["loss"]
    front = Slices.of(edge.sample(frac=1, random_state=0)).front(find)
    assert front.status[:2].tolist() == ["few_sizes", "edge_minimum"]
    for j in range(2, budgets.size):
        one = edge[edge["budget"] == budgets[j]].sort_values("parameters")
        own = find(one["parameters"].to_numpy(), budgets[[j]], one["loss"].to_numpy()[:, None])
        assert (front.d_opt[j], front.loss_opt[j]) == (own.d_opt[0], own.loss_opt[0])
    best = (TRUTH[2] * np.exp(TRUTH[1]) / (TRUTH[4] * np.exp(TRUTH[3]))) ** (
        1 / TRUTH[[2, 4]].sum()
    )
    exact = best * (budgets[2:] / 6) ** (TRUTH[4] / TRUTH[[2, 4]].sum())
    np.testing.assert_allclose(front.d_opt[2:], exact, rtol=0.03)


def test_runs_of_one_size_are_repetitions():
    """Also sizes that differ by less than 3%; their mean is one loss."""
    rows = runs_at(1e18, [1e6, 1.01e6, 2e6, 4e6]).assign(loss=[4.0, 4.2, 3.0, 3.5], budget=1e18)
    slices = Slices.of(rows.assign(moved=rows["loss"]))
    assert slices.cells["runs"].tolist() == [2, 1, 1]
    np.testing.assert_allclose(slices.cells["loss"], [4.1, 3.0, 3.5])
    np.testing.assert_allclose(slices.cells["d"], [1.005e6, 2e6, 4e6])
    assert slices.runs is None
    twice = pd.concat([rows.iloc[[0, 2, 3]]] * 2)
    twice = Slices.of(twice.assign(moved=twice["loss"] * np.repeat([1.0, 1.1], 3)))
    np.testing.assert_allclose(twice.runs[0], [4.0, 4.4])


def test_many_close_sizes_are_not_all_one():
    sizes = np.geomspace(1e6, 1e7, 500)
    rows = runs_at(1e18, sizes).assign(loss=3.0, moved=3.0, budget=1e18)
    cells = Slices.of(rows).cells
    assert np.log(10) / np.log(1.03) / 1.3 < len(cells) < np.log(10) / np.log(1.03) * 1.1
