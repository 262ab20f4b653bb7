"""Predictions of SGD on samples: for Gaussian moments, for any, and against simulations."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from plrf import statuses
from plrf.data.comparison import Experiment, compare, paired_ratio
from plrf.data.fourth_moments import corrected_loss
from plrf.data.sets import SETS
from plrf.data.training import feature_samples, population, sgd_on_samples
from plrf.engines import recursion
from plrf.streams import random_stream
from plrf.training import SGD, recorded_steps


def gaussian_design():
    """All moments up to the fifth are Gaussian: nodes of Gauss and Hermite along each axis."""
    axis = np.sqrt(3) * np.array([-1, 0, 0, 0, 0, 1])
    z = np.array(list(product(axis, repeat=5)))
    x = z[:, :4] * np.arange(1, 5) ** -0.8
    return population(x, x @ np.arange(1, 5) ** -0.5 + 0.3 * z[:, 4])


def skewed(n=200, v=8):
    """Heavy tails, and residuals that depend on the features."""
    rng = random_stream(1, "skewed samples")
    x = rng.exponential(size=(n, v)) * np.arange(1, v + 1) ** -0.7
    return population(x, np.square(x).sum(axis=1))


DATA = {"gaussian": gaussian_design, "skewed": skewed}


def features_of(name, d):
    return feature_samples(random_stream(1, "W"), DATA[name](), d)


def rate(features, c):
    return c / float(np.square(features.x).sum(axis=1).mean())


def matrix_recursion(features, gamma, last):
    """Losses of steps 0 to last from the full second moment of parameters, sample by sample."""
    x, eps, lam = features.x, features.residual, features.reduction.eigenvalues
    mean = -features.optimum
    second, losses = np.outer(mean, mean), []
    for _ in range(last + 1):
        losses.append(features.reduction.floor + lam @ np.diag(second))
        squares = np.einsum("ni,ij,nj->n", x, second, x) - 2 * eps * (x @ mean) + eps**2
        source = np.einsum("n,ni,nj->ij", squares, x, x) / len(x)
        second = second - gamma * (lam[:, None] + lam) * second + gamma**2 * source
        mean = mean - gamma * lam * mean
    return np.array(losses)


@pytest.mark.parametrize(("d", "c"), [(1, 0.3), (3, 0.05), (4, 0.5)])
def test_gaussian_moments_give_the_recursion(d, c):
    """With every step recorded nothing is approximated."""
    features, steps = features_of("gaussian", d), np.arange(150)
    gamma = rate(features, c)
    expected = recursion.run([features.reduction], SGD(gamma), steps, []).loss[:, 0]
    found = corrected_loss(features, gamma, steps)
    np.testing.assert_allclose(found.loss, expected, rtol=1e-10)


@pytest.mark.parametrize("d", [1, 4, 8])
@pytest.mark.parametrize("c", [0.02, 0.1])
def test_correction_is_the_matrix_recursion(d, c):
    features, last = features_of("skewed", d), 300
    gamma = rate(features, c)
    expected = matrix_recursion(features, gamma, last)
    found = corrected_loss(features, gamma, np.arange(last + 1)).loss
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    steps = recorded_steps(last, 3)
    found = corrected_loss(features, gamma, steps).loss
    np.testing.assert_allclose(found, expected[steps], rtol=1e-3)


@pytest.mark.parametrize("d", [12, 30])
def test_covariances_of_small_modes_hardly_matter(d):
    """At the larger learning rate of the study, to less than its statistical errors."""
    data = population(*SETS["digits"].load())
    features = feature_samples(random_stream(1, "W"), data, d)
    gamma, steps = 0.25 / data.task.eigenvalues.sum(), recorded_steps(10_000, 3)
    all_pairs, variances = (corrected_loss(features, gamma, steps, k).loss for k in (d, 0))
    np.testing.assert_allclose(variances, all_pairs, rtol=3e-3)


@pytest.mark.parametrize("name", DATA)
def test_simulated_means_are_the_corrected_ones(name):
    """Normal means of 2000 chains at 5 steps; false alarms in 1e-4 of all seeds."""
    features, steps = features_of(name, 4), np.array([1, 5, 20, 80, 300])
    gamma = rate(features, 0.1)
    losses = sgd_on_samples(features, gamma, steps, random_stream(1, "samples"), 2000).loss
    error = losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    score = (losses.mean(axis=1) - corrected_loss(features, gamma, steps).loss) / error
    assert np.abs(score).max() < norm.isf(1e-4 / 5 / 2)


def test_growth_says_where_the_expected_loss_has_no_limit():
    features = features_of("skewed", 4)
    growth = [
        corrected_loss(features, rate(features, c), np.array([0, 1])).growth for c in (0.1, 3)
    ]
    assert growth[0] < 0 < growth[1]


def test_gaussian_samples_follow_the_prediction():
    """Of a measured covariance. 24 ratios of Student's law, each a false alarm in 1e-5 of seeds.

    Their fourth moments are those of 20,000 samples, which moves losses by some 1e-3.
    """
    rng = random_stream(1, "gaussian samples")
    x = rng.standard_normal((20_000, 30)) * np.arange(1, 31) ** -0.8
    y = x @ np.arange(1, 31) ** -0.5 + 0.2 * rng.standard_normal(20_000)
    plan = Experiment((0.05, 0.25), runs=30, chains=10, steps=1000, steps_per_decade=3)
    rows = compare("gaussian", population(x, y), 10, plan, 1)
    assert (rows["status"] == "ok").all()
    for name in ("ratio", "corrected_ratio", "averaged_ratio"):
        trained = rows[rows["step"] > 0]
        assert (np.abs(trained[name] - 1) < 5.3 * trained[f"{name}_error"] + 2e-3).all(), name


def test_divergence_is_a_status_and_has_no_ratio():
    plan = Experiment((0.1, 1.9), runs=2, chains=2, steps=2000, steps_per_decade=4)
    rows = compare("skewed", skewed(), 4, plan, 1)
    stable, diverging = rows[rows["c"] == 0.1], rows[rows["c"] == 1.9]
    assert (stable["status"] == statuses.OK).all()
    assert (diverging["status"] == statuses.DIVERGES).any()
    assert diverging["averaged_ratio"].isna().all() and diverging["corrected_ratio"].isna().all()


def test_paired_ratio_has_the_errors_of_the_delta_method():
    """Of 4000 repetitions the errors spread as one of them says, to 5% (4 of its errors)."""
    rng = random_stream(1, "pairs")
    predicted = rng.lognormal(sigma=0.3, size=(4000, 50))
    measured = 1.1 * predicted * (1 + 0.1 * rng.standard_normal(predicted.shape))
    ratio, error = paired_ratio(measured, predicted)
    assert abs(ratio.mean() - 1.1) < 5 * ratio.std() / np.sqrt(4000)
    np.testing.assert_allclose(ratio.std(), np.sqrt(np.square(error).mean()), rtol=0.05)
