"""What follows from a law's parameters, against minimisation and the law itself."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from plrf.fitting import quantities
from tests.law_designs import TRUTH

FLOPS = np.array([1e19, 1e21, 1e24])


def law(d, n, parameters=TRUTH):
    log_e, log_a, a, log_b, b = parameters
    return np.exp(log_e) + np.exp(log_a) * d**-a + np.exp(log_b) * n**-b


def test_best_sizes_are_minima_at_fixed_compute():
    d, n = quantities.best_d(TRUTH, FLOPS), quantities.best_n(TRUTH, FLOPS)
    np.testing.assert_allclose(6 * d * n, FLOPS, rtol=1e-12)
    np.testing.assert_allclose(quantities.samples_per_parameter(TRUTH, FLOPS), n / d, rtol=1e-12)
    np.testing.assert_allclose(quantities.best_loss(TRUTH, FLOPS), law(d, n), rtol=1e-12)
    for f, size in zip(FLOPS, d, strict=True):
        found = minimize_scalar(
            lambda x, f=f: law(np.exp(x), f / 6 / np.exp(x)),
            bounds=(10, 40),
            options={"xatol": 1e-9},
        )
        assert np.log(size) == pytest.approx(found.x, abs=1e-5)


def test_exponents_are_slopes_of_the_front():
    log_f = np.log(FLOPS)
    slope = np.diff(np.log(quantities.best_d(TRUTH, FLOPS))) / np.diff(log_f)
    np.testing.assert_allclose(slope, quantities.xi(TRUTH), rtol=1e-12)
    reducible = quantities.best_loss(TRUTH, FLOPS) - np.exp(TRUTH[0])
    slope = -np.diff(np.log(reducible)) / np.diff(log_f)
    np.testing.assert_allclose(slope, quantities.eta(TRUTH), rtol=1e-9)


def test_cost_of_sizes_off_the_best():
    factors = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    best = quantities.best_loss(TRUTH, FLOPS[1:2])
    off = quantities.off_optimum(TRUTH, FLOPS[1], factors)
    above = quantities.loss_above_best(TRUTH, FLOPS[1], factors)
    np.testing.assert_allclose(above, off - best, atol=1e-13)
    assert above[2] == 0 and np.all(above[[0, 1, 3, 4]] > 0)


def test_share_of_compute_that_would_do():
    """The budget at which the best size has the loss of another one."""
    factors = np.array([0.3, 5.0])
    for factor, share in zip(factors, quantities.compute_share(TRUTH, factors), strict=True):
        loss = quantities.off_optimum(TRUTH, FLOPS[1:2], np.array([factor]))[0]
        f = brentq(
            lambda f, loss=loss: quantities.best_loss(TRUTH, np.array([f]))[0] - loss, 1e19, 1e21
        )
        assert share == pytest.approx(f / FLOPS[1], rel=1e-8)


def test_many_laws_at_once():
    """In any shape, and with other flops per parameter and sample."""
    many = TRUTH + 0.01 * np.arange(6).reshape(2, 3, 1)
    for function in (quantities.best_d, quantities.best_loss):
        found = function(many, FLOPS, 2.0)
        assert found.shape == (2, 3, 3)
        np.testing.assert_allclose(found[1, 2], function(many[1, 2], FLOPS, 2.0), rtol=1e-12)
    for function in quantities.QUANTITIES.values():
        assert function(many).shape == (2, 3)
        np.testing.assert_allclose(function(many)[1, 0], function(many[1, 0]), rtol=1e-12)
