"""Whole curves: told from runs at budgets, interpolated to budgets, and their repetitions."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from plrf.fitting.curves import Curves, are_dependent, are_whole_curves
from plrf.fitting.front_laws import FrontLaws
from plrf.fitting.quantities import eta, xi
from plrf.fitting.slices import budgets_of
from plrf.measure.fronts import parabolas
from plrf.measure.refits import log_law_and_slopes
from tests.law_designs import TRUTH, isoflop, scattered

LOG_2 = np.log(2)
FIND = partial(parabolas, neighbours=2)


def runs_of(log_d, log_n, seed=""):
    log_d, log_n = (logs.ravel() for logs in np.broadcast_arrays(log_d, log_n))
    d, n = np.exp(log_d), np.exp(log_n)
    loss = np.exp(log_law_and_slopes(TRUTH, log_d, log_n)[0])
    columns = {"parameters": d, "samples": n, "flops": 6 * d * n, "loss": loss, "seed": seed}
    return pd.DataFrame(columns)


def curves(records=40, sizes=14, seed=""):
    """Records of runs at the same numbers of samples."""
    log_n = np.log(np.geomspace(3e8, 3e11, records))
    return runs_of(np.log(np.geomspace(3e7, 1e10, sizes))[:, None], log_n, seed)


@pytest.mark.parametrize(
    ("runs", "whole", "dependent"),
    [
        (curves(), True, True),
        (curves(records=6), True, False),
        (curves(records=4), False, False),
        (curves(sizes=4), False, True),
        # Sizes and samples with a ratio in common: flops of all sizes are the same.
        (runs_of(18 + LOG_2 * np.arange(9.0)[:, None], 20 + LOG_2 * np.arange(30)), True, True),
        (runs_of(np.log(3e7) + 1e-3 * np.arange(14.0)[:, None], np.arange(15.0, 25)), False, False),
        (runs_of(*isoflop()), False, False),
        (runs_of(*isoflop(budgets=30)), False, False),
        (runs_of(*scattered()), False, False),
        # Sizes of a common grid at exact budgets: each has many records, but budgets are apart.
        (
            runs_of(*np.broadcast_arrays(x := np.arange(8.0)[:, None], 30 - x + np.arange(12.0))),
            False,
            False,
        ),
    ],
    ids=[
        "curves",
        "a grid",
        "few",
        "few sizes",
        "aligned",
        "one size",
        "slices",
        "30 slices",
        "scattered",
        "grid slices",
    ],
)
def test_curves_are_told_from_runs_at_budgets(runs, whole, dependent):
    assert are_whole_curves(runs, budgets_of(runs, 1.2), 1.2) == whole
    assert are_dependent(runs) == dependent


@pytest.mark.parametrize(("records", "tolerance"), [(6, 0.01), (10, 2e-3), (40, 1e-3)])
def test_exponents_of_interpolated_curves(records, tolerance):
    table = Curves.of(curves(records), 17)
    front = table.front(FIND)
    laws = FrontLaws.of(front, np.ones(17, dtype=bool))
    assert front.usable.sum() >= 8
    np.testing.assert_allclose(laws.xi, xi(TRUTH), rtol=tolerance)
    np.testing.assert_allclose(laws.loss.eta, eta(TRUTH), rtol=5 * tolerance)


def test_runs_of_each_size_are_kept_apart_if_they_are_equally_many():
    both = pd.concat(
        [curves(seed="1"), curves(seed="2").assign(loss=lambda one: 1.1 * one["loss"])]
    )
    table = Curves.of(both.sample(frac=1, random_state=0), 9).table
    assert table.n_runs == 2
    known = np.isfinite(table.losses[:, 0])
    np.testing.assert_allclose(table.losses[:, 1][known] / table.losses[:, 0][known], 1.1)
    uneven = both[(both["seed"] == "1") | (both["parameters"] < 1e9)]
    mean = Curves.of(uneven, 9).table
    assert mean.n_runs == 1
    small = mean.sizes < 1e9
    np.testing.assert_allclose(mean.losses[small, 0], table.mean_loss[small])
    np.testing.assert_allclose(mean.losses[~small, 0], table.losses[~small, 0])


def test_close_sizes_are_runs_of_one():
    """Within 3%: between their losses parabolas would bend with noise."""
    runs = curves(sizes=9)
    close = runs[runs["parameters"] == runs["parameters"].unique()[7]]
    close = close.assign(parameters=1.01 * close["parameters"], loss=1.02 * close["loss"])
    expected = Curves.of(runs, 17).table
    table = Curves.of(pd.concat([runs, close]), 17).table
    assert table.n_runs == 1
    np.testing.assert_allclose(table.sizes[7], 1.005 * expected.sizes[7])
    others = (np.delete(one.mean_loss, 7, axis=0) for one in (table, expected))
    np.testing.assert_array_equal(*others)
    known = np.isfinite(table.mean_loss[7])
    np.testing.assert_allclose((table.mean_loss / expected.mean_loss)[7, known], 1.01, atol=2e-3)


def test_rows_are_the_losses_at_budgets():
    rows = Curves.of(curves(), 9).rows()
    expected = np.log(6) - np.log(rows["budget"]) + np.log(rows["d"])
    log_loss = log_law_and_slopes(TRUTH, np.log(rows["d"].to_numpy()), -expected.to_numpy())[0]
    np.testing.assert_allclose(np.log(rows["loss"]), log_loss, atol=1e-5)
    assert rows["budget"].nunique() == 9
