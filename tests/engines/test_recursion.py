"""The mode recursion against the Volterra equation as it is written, and its limit."""

import numpy as np
import pytest

from plrf.engines.recursion import recursion
from plrf.engines.reduction import Reduction, reduce
from plrf.scaling import learning_rate
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD

FAR = (400, 1000, 3000)


def given_w(alpha=0.8, beta=0.6, d=20, v=60, run=0) -> Reduction:
    """A reduction of the model."""
    (reduction,) = reduce(random_stream(5, "features", run), [PowerLawTask(alpha, beta)], d, v)
    return reduction


def volterra_sum(reduction, gamma, batch, last):
    """P(0), ..., P(last) by P(r) = F(r) + sum_{s<r} K(r-1-s) P(s) (model section 3)."""
    eigenvalues, r = reduction.eigenvalues, np.arange(last + 1)[:, None]
    multiplier = 1 - 2 * gamma * batch * eigenvalues
    multiplier += gamma**2 * batch * (batch + 1) * eigenvalues**2
    powers = multiplier**r
    forcing = reduction.floor + powers @ reduction.coefficients**2
    kernel = gamma**2 * batch * powers @ eigenvalues**2
    loss = np.empty(last + 1)
    for now in range(last + 1):
        loss[now] = forcing[now] + kernel[:now][::-1] @ loss[:now]
    return loss


def losses(reduction, gamma, batch, steps):
    signal = reduction.coefficients**2
    return recursion(reduction.eigenvalues, signal, reduction.floor, SGD(gamma, batch), steps).loss


@pytest.mark.parametrize(("alpha", "beta", "d", "v"), [(0.8, 0.6, 20, 60), (0.3, 0.9, 15, 15)])
@pytest.mark.parametrize("batch", [1, 2, 16, 1000])
@pytest.mark.parametrize("c", [0.05, 0.6])
def test_against_the_volterra_equation(alpha, beta, d, v, batch, c):
    reduction = given_w(alpha, beta, d, v)
    gamma = learning_rate(c, alpha, v, batch)
    steps = np.array([*range(301), *FAR])
    expected = volterra_sum(reduction, gamma, batch, FAR[-1])[steps]
    np.testing.assert_allclose(losses(reduction, gamma, batch, steps), expected, rtol=1e-12)


def test_initial_loss_is_that_of_zero_parameters():
    alpha, beta, v = 0.8, 0.6, 60
    expected = (np.arange(1.0, v + 1) ** (-2 * (alpha + beta))).sum()
    (loss,) = losses(given_w(alpha, beta, 20, v), 0.1, 1, np.array([0]))
    assert loss == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("batch", [1, 7])
def test_limit(batch):
    reduction = given_w(0.3, 0.9, 10, 60)
    gamma = learning_rate(0.5, 0.3, 60, batch)
    lam = reduction.eigenvalues
    mass = (gamma * lam / (2 - gamma * (batch + 1) * lam)).sum()
    (loss,) = losses(reduction, gamma, batch, np.array([3000]))
    assert loss == pytest.approx(reduction.floor / (1 - mass), rel=1e-12)


def test_several_w_at_once():
    reductions = [given_w(run=run) for run in range(3)]
    steps = np.array([0, 1, 2, 7, 50])
    together = recursion(
        np.array([r.eigenvalues for r in reductions]),
        np.array([r.coefficients**2 for r in reductions]),
        np.array([r.floor for r in reductions]),
        SGD(0.2),
        steps,
    ).loss
    assert together.shape == (5, 3)
    for k, reduction in enumerate(reductions):
        np.testing.assert_array_equal(together[:, k], losses(reduction, 0.2, 1, steps))


def test_recorded_values_do_not_depend_on_which_steps_are_recorded():
    reduction = given_w()
    every = losses(reduction, 0.2, 1, np.arange(101))
    np.testing.assert_array_equal(
        losses(reduction, 0.2, 1, np.array([3, 64, 100])), every[[3, 64, 100]]
    )


@pytest.mark.parametrize("c", [2.5, 5.0])
def test_diverged_w_is_nan_from_a_million_times_the_start_on(c):
    """The step is that of the Volterra equation as it is written; another W stays as it is."""
    reductions = [given_w(run=run) for run in range(2)]
    lam = np.array([r.eigenvalues for r in reductions])
    signal = np.array([r.coefficients**2 for r in reductions])
    floor = np.array([r.floor for r in reductions])
    lam[1] /= 1000  # stable
    gamma, last = learning_rate(c, 0.8, 60, 1), 120
    found = recursion(lam, signal, floor, SGD(gamma), np.arange(last + 1))
    expected = volterra_sum(reductions[0], gamma, 1, last)
    first = int(np.argmax(expected > 1e6 * expected[0]))
    assert 0 < first < last
    assert found.diverged_at.tolist() == [first, -1]
    np.testing.assert_allclose(found.loss[:first, 0], expected[:first], rtol=1e-12)
    assert np.isnan(found.loss[first:, 0]).all()
    assert np.isfinite(found.loss[:, 1]).all()
