"""Fronts of many targets at once against those one by one, and against all sizes."""

import numpy as np
import pytest

from plrf.exact.budgets import BudgetLosses
from plrf.exact.front import compute_optimal
from plrf.exact.loss import DivergenceError
from plrf.exact.many_targets import losses_of_targets
from plrf.exact.ridge import ConvergenceError
from plrf.exact.target_fronts import target_fronts
from plrf.scaling import ScalingRule
from plrf.statuses import NO_MINIMUM, NOT_CONVERGED, OK
from plrf.streams import random_stream
from plrf.task import PowerLawTask

BUDGETS = 10.0 ** np.arange(4, 25, 2)


def random_betas(alpha, count):
    """Target complexities between the edge 2(alpha + beta) = 1 and 2."""
    low = max(0.52 - alpha, -0.2)
    return np.sort(random_stream(1, "betas", alpha).uniform(low, 2, count))


@pytest.mark.parametrize("alpha", [0.15, 0.27, 0.45, 0.8, 1.4])
@pytest.mark.parametrize("log_d, flops", [(4.0, 1e4), (9.0, 1e10), (21.0, 1e22)])
def test_losses_are_those_one_by_one(alpha, log_d, flops):
    betas = tuple(random_betas(alpha, 7).tolist())
    loss, slope = losses_of_targets(log_d, flops, alpha, betas, ScalingRule())
    one_by_one = [
        BudgetLosses(PowerLawTask(alpha, beta), ScalingRule()).log_loss(log_d, flops)[:2]
        for beta in betas
    ]
    expected = np.array(one_by_one).T
    np.testing.assert_allclose([np.log(loss), slope / loss], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.12, 0.2, 0.29, 0.4, 0.5, 0.7, 1.0, 1.45])
@pytest.mark.parametrize(
    "rule", [{}, {"v_over_d": 2, "c": 0.3, "batch": 8}], ids=["plain", "other"]
)
def test_fronts_are_those_one_by_one(alpha, rule):
    """Statuses are the same, and values within ten times the errors that both state."""
    betas = random_betas(alpha, 3)
    fronts = target_fronts(BUDGETS, alpha=alpha, betas=betas, **rule)
    for k, beta in enumerate(betas):
        single = compute_optimal(BUDGETS, alpha=alpha, beta=beta, **rule)
        np.testing.assert_array_equal(fronts.status[k], single.status)
        for name in ("loss", "d", "eta", "xi"):
            value, other = getattr(fronts, name)[k], getattr(single, name)
            scale = other if name in ("loss", "d") else 1
            error = getattr(fronts, f"{name}_error")[k] + getattr(single, f"{name}_error")
            beyond = np.abs(value - other) / scale - 10 * error - 1e-9
            assert np.all((beyond <= 0) | (single.status != OK)), (beta, name)


def test_the_lower_of_two_valleys():
    """At (0.1, 0.9) and 1e19 flops two sizes a factor 1.7 apart have a minimum each."""
    budgets = 10.0 ** np.arange(12, 20)
    fronts = target_fronts(budgets, alpha=0.1, betas=np.linspace(0.85, 1.0, 4))
    losses = BudgetLosses(PowerLawTask(0.1, 0.9), ScalingRule())
    sizes = np.arange(19.0, 25.0, 0.02)
    lowest = min(losses.log_loss(log_d, 1e19)[0] for log_d in sizes)
    assert np.log(fronts.loss[1, -1]) == pytest.approx(lowest, abs=1e-4)


@pytest.mark.parametrize(
    "alpha, v_over_d, beta, flops",
    [
        (0.1, 4, 0.978, [1e18, 1e19]),
        (0.15, 2, 1.06, [1e17, 1e18]),
        (0.2, 1.5, 0.811, [1e17, 1e18]),
        (0.35, 1.5, 0.9, [1e6, 1e7]),
        (0.18, 1.2, 1.473, [1e10, 1e16]),
        (0.3, 1.1, 0.938, [1e13, 1e14, 1e20]),  # sizes of the valleys differ by factors of 1000
    ],
)
def test_the_lower_valley_is_that_of_fronts_one_by_one(alpha, v_over_d, beta, flops):
    """Also where other targets have their minima elsewhere."""
    rule = {"alpha": alpha, "v_over_d": v_over_d}
    fronts = target_fronts(flops, betas=[beta - 0.2, beta], **rule)
    single = compute_optimal(flops, beta=beta, **rule)
    np.testing.assert_allclose(fronts.loss[1], single.loss, rtol=1e-6)
    np.testing.assert_allclose(fronts.d[1], single.d, rtol=1e-4)


def test_exponents_where_losses_bend_sharply():
    """At small alpha xi is the slope of d* between budgets (Simpson's rule over two decades)."""
    fronts = target_fronts(10.0 ** np.arange(8, 23), alpha=0.13, betas=[1.1, 1.45])
    for exponent, values in ((fronts.xi, fronts.d), (-fronts.eta, fronts.loss)):
        mean = (exponent[:, :-2] + 4 * exponent[:, 1:-1] + exponent[:, 2:]) / 6
        slope = np.log(values[:, 2:] / values[:, :-2]) / np.log(100)
        np.testing.assert_allclose(mean, slope, atol=1e-3)


def test_a_budget_without_a_minimum_has_a_status():
    fronts = target_fronts([3e2, 1e8], alpha=0.2, betas=[0.35, 0.7])
    assert fronts.status.tolist() == [[NO_MINIMUM, OK], [NO_MINIMUM, OK]]
    assert np.isnan(fronts.loss[:, 0]).all() and np.isfinite(fronts.loss[:, 1]).all()


def test_a_loss_that_fails_has_a_status(monkeypatch):
    def fail(*_):
        raise ConvergenceError("no loss")

    monkeypatch.setattr("plrf.exact.many_targets.invert_at", fail)
    fronts = target_fronts([1e6], alpha=0.77, betas=[0.3, 0.7])
    assert (fronts.status == NOT_CONVERGED).all() and np.isnan(fronts.xi).all()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"flops": [1e8, 1e6]}, "must be budgets that increase"),
        ({"flops": 1e8}, "must be budgets that increase"),
        ({"betas": [0.7, -0.3]}, "no power law at alpha = 0.7, beta = -0.3"),
        ({"v_over_d": np.inf}, "v_over_d = inf"),
        ({"batch": 0.5}, "batch = 0.5"),
    ],
)
def test_arguments_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        target_fronts(**{"flops": [1e6, 1e8], "alpha": 0.7, "betas": [0.7]} | change)


def test_an_unstable_rate_is_refused():
    with pytest.raises(DivergenceError, match="c must be below"):
        target_fronts([1e8], alpha=0.7, betas=[0.7], c=3)
