"""Learning rates of plain SGD in the place of momentum, in comparisons of results."""

import pandas as pd
import pytest

from plrf.exact import momentum
from plrf.exact.ridge import critical_learning_rate, kernel_mass
from plrf.measure import plain_rates
from plrf.measure.agreement import check_agreement
from plrf.model import power_law_model
from plrf.momentum import momentum_of
from plrf.training import SGD
from tests.made_up import grid_table, losses_of_grid


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("mass", [1e-3, 0.3, 0.9])
@pytest.mark.parametrize(("alpha", "d", "v"), [(0.3, 100, 110), (1.0, 2000, 8000)])
def test_plain_sgd_has_the_kernel_mass(alpha, d, v, mass, batch):
    model = power_law_model(alpha, 0.0, d, v)
    rate = plain_rates.rate_of_mass(model, batch, mass)
    assert kernel_mass(model, SGD(rate, batch)) == pytest.approx(mass, rel=1e-9)


def test_where_one_eigenvalue_is_unstable_first_the_rate_is_the_threshold():
    """With large batches and alpha the spectrum's edge comes at a mass of 0.34."""
    model = power_law_model(3.0, 0.0, 500, 2000)
    critical = critical_learning_rate(model, 64)
    assert plain_rates.rate_of_mass(model, 64, 0.5) == critical
    assert plain_rates.rate_of_mass(model, 64, 0.3) < critical


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_heavy_ball_with_small_rates_is_plain_sgd_with_a_larger_one(kept):
    """By 1/(1 - mu), up to the square of the rates."""
    model = power_law_model(0.5, 0.0, 300, 1200)
    rule = momentum_of({"name": "heavy_ball", "momentum": kept}, model, 1)
    rate = 1e-4 * critical_learning_rate(model, 1)
    mass = momentum.kernel_mass(model, SGD(rate, momentum=rule), 10)
    plain = plain_rates.rate_of_mass(model, 1, mass)
    assert plain == pytest.approx(rate / (1 - kept), rel=1e-2)


def test_means_are_compared_away_from_the_threshold():
    """A sweep near it by its momentum is left out; without momentum nothing changes."""
    plain, other = {"sweep": "plain"}, {"sweep": "ball", "momentum": "heavy_ball"}
    grid = grid_table(plain | {"steps": 2000}, other | {"steps": 2000, "kernel_mass": 0.97})
    losses = losses_of_grid(grid)
    new_grid, new_losses = plain_rates.with_plain_rates(grid, losses, {})
    of_plain = grid["sweep"] == "plain"
    pd.testing.assert_frame_equal(new_grid[of_plain], grid[of_plain])
    assert (new_grid[~of_plain]["learning_rate"] > 0.05).all()
    pd.testing.assert_frame_equal(
        new_losses[losses.columns].drop(columns="learning_rate"),
        losses.drop(columns="learning_rate"),
    )
    details = {name: detail for name, _, detail in check_agreement(new_losses, {})}
    assert "mean ratio" in details["sgd agrees with recursion: plain"]
    assert "left out" in details["sgd agrees with recursion: ball"]
