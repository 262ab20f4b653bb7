"""Fluctuations of losses against moments followed step by step, closed forms and random W."""

import numpy as np
import pytest

from plrf.engines.reduction import Reduction
from plrf.engines.sgd import simulate
from plrf.measure.fluctuations import (
    TypicalModes,
    kernel_mass_spread,
    relative_second_moment,
    typical_modes,
)
from plrf.model import power_law_model
from plrf.scaling import learning_rate
from plrf.streams import random_stream
from plrf.task import feature_variances
from plrf.training import SGD


def modes_of(eigenvalues):
    eigenvalues = np.asarray(eigenvalues, dtype=float)
    return TypicalModes(eigenvalues, np.ones(eigenvalues.size), eigenvalues.size)


def sampled_second_moment(eigenvalues, rate, batch, chains, seed=1):
    """E P^2/(E P)^2 of simulated SGD in its limit, with a standard error."""
    model = Reduction(np.sort(eigenvalues), np.ones(len(eigenvalues)), 1.0)
    streams = [random_stream(seed, "samples", k) for k in range(chains)]
    steps = np.arange(300, 1001, 50)
    loss = simulate([model] * chains, SGD(rate, batch), steps, streams).loss
    moments = np.mean([loss, loss**2], axis=1)  # of each chain over its last steps
    mean, square = moments.mean(axis=1)
    ratio = square / mean**2
    spread = (moments[1] - square) / mean**2 - 2 * ratio * (moments[0] - mean) / mean
    return ratio, spread.std() / np.sqrt(chains)


@pytest.mark.parametrize("batch", [1, 4])
def test_second_moment_of_simulated_runs(batch):
    """Within 5 standard errors: a correct formula fails with probability below 1e-5."""
    eigenvalues, rate = np.array([1.0, 0.6, 0.5, 0.2]), {1: 0.2, 4: 0.14}[batch]
    expected = relative_second_moment(modes_of(eigenvalues), SGD(rate, batch))
    sampled, error = sampled_second_moment(eigenvalues, rate, batch, 4000)
    assert 1.02 < expected < 2
    assert abs(sampled - expected) < 5 * error < 0.1 * expected


def test_equal_modes_may_be_grouped():
    one_by_one = modes_of([0.9, *[0.3] * 5])
    grouped = TypicalModes(np.array([0.9, 0.3]), np.array([1.0, 5.0]), 6)
    for rate in (0.05, 0.2):
        moments = [relative_second_moment(modes, SGD(rate, 2)) for modes in (one_by_one, grouped)]
        assert moments[0] == pytest.approx(moments[1], rel=1e-12)


def test_second_moment_of_one_mode_exists_where_a_fourth_power_shrinks():
    """One mode, batch 1: ``E (1 - x g^2)^4 = 1 - 4x + 18x^2 - 60x^3 + 105x^4`` must be below 1."""
    (threshold,) = (x.real for x in np.roots([105, -60, 18, -4]) if abs(x.imag) < 1e-9)
    below, above = (
        relative_second_moment(modes_of([1.0]), SGD(f * threshold)) for f in (0.99, 1.01)
    )
    assert 5 < below < np.inf
    assert above == np.inf
    assert relative_second_moment(modes_of([1.0]), SGD(0.9)) == np.inf  # nor has it a mean


def test_many_small_modes_average_themselves_out():
    assert relative_second_moment(modes_of([1e-3] * 1000), SGD(1.0)) == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("alpha", [0.4, 0.7, 1.25])
def test_spread_of_the_kernel_mass_over_w(alpha):
    """Standard deviation and upper quantile over 1000 W; with d = 100 they are 15% rough."""
    d, v, batch = 100, 400, 2
    rng, a = np.random.default_rng(3), feature_variances(alpha, v)
    gamma = learning_rate(0.5, alpha, v, 1) / batch
    masses = []
    for _ in range(1000):
        w = rng.standard_normal((v, d)) / np.sqrt(d)
        lam = np.linalg.eigvalsh((w * a[:, None]).T @ w)
        masses.append(np.sum(gamma * lam / (2 - gamma * (batch + 1) * lam)))
    modes = typical_modes(power_law_model(alpha, 0.0, d, v))
    assert np.std(masses) == pytest.approx(kernel_mass_spread(modes, SGD(gamma, batch)), rel=0.2)
    reach = np.quantile(masses, 0.977) - np.median(masses)
    assert reach == pytest.approx(kernel_mass_spread(modes, SGD(gamma, batch), 2.0), rel=0.25)


def test_spread_is_infinite_where_a_mode_may_be_unstable():
    modes = typical_modes(power_law_model(1.0, 0.0, 20, 80))
    assert np.isfinite(kernel_mass_spread(modes, SGD(0.5)))
    assert kernel_mass_spread(modes, SGD(0.5), 4.0) == np.inf


def test_typical_modes():
    """All modes are counted, and have the trace of the features, for sizes of any order."""
    for d, v in ((1, 1), (5, 5), (40, 160), (3000, 4000), (10**8, 4 * 10**8)):
        modes = typical_modes(power_law_model(0.4, 0.0, d, v))
        assert modes.multiplicities.sum() == d
        trace = modes.multiplicities @ modes.eigenvalues
        expected = learning_rate(1.0, 0.4, v, 1) ** -1
        assert trace == pytest.approx(expected, rel=1e-3)
