"""SGD on real samples: against the literal one, against predictions, and what it refuses."""

import numpy as np
import pytest

from plrf.data.sets import SETS
from plrf.data.training import feature_samples, population, sgd_on_samples
from plrf.streams import random_stream
from plrf.training import recorded_steps


def skewed(n=300, v=8):
    """Samples with heavy tails whose labels are no linear function of them."""
    rng = random_stream(1, "skewed samples")
    x = rng.exponential(size=(n, v)) * np.arange(1, v + 1) ** -0.7 + 3
    return x, np.sin(x).sum(axis=1) + 5


@pytest.mark.parametrize("d", [1, 3, 8])
def test_sgd_is_the_literal_one(d):
    """The same samples and W, in the coordinates of W and with the loss over all samples."""
    data = population(*skewed())
    features = feature_samples(random_stream(1, "W"), data, d)
    steps, gamma = recorded_steps(200, 3), 0.1 / data.task.eigenvalues.sum()
    curves = sgd_on_samples(features, gamma, steps, random_stream(1, "samples"))

    w = random_stream(1, "W").standard_normal((8, d)) / np.sqrt(d)
    drawn = random_stream(1, "samples").integers(len(data.y), size=200)
    theta, losses = np.zeros(d), []
    for step in range(201):
        losses.append(np.square(data.x @ w @ theta - data.y).mean() - data.task.noise)
        if step < 200:
            x = data.x[drawn[step]] @ w
            theta -= gamma * (x @ theta - data.y[drawn[step]]) * x
    np.testing.assert_allclose(curves.loss[:, 0], np.array(losses)[steps], rtol=1e-10)


def test_all_that_theory_knows_is_exact():
    data = population(*skewed())
    features = feature_samples(random_stream(1, "W"), data, 5)
    second = features.x.T @ features.x / len(features.x)
    scale = features.reduction.eigenvalues[-1]
    np.testing.assert_allclose(second, np.diag(features.reduction.eigenvalues), atol=1e-13 * scale)
    np.testing.assert_allclose(features.residual @ features.x, 0, atol=1e-10)
    least = np.square(features.residual).mean() - data.task.noise
    np.testing.assert_allclose(least, features.reduction.floor, rtol=1e-10)


def test_chains_are_reproducible_and_do_not_depend_on_their_number():
    features = feature_samples(random_stream(1, "W"), population(*skewed()), 4)
    steps = recorded_steps(50, 3)
    one, three = (
        sgd_on_samples(features, 0.02, steps, random_stream(1, "samples"), chains).loss
        for chains in (1, 3)
    )
    np.testing.assert_array_equal(one[:, 0], three[:, 0])
    assert (three[-1, 1:] != three[-1, 0]).all()


@pytest.mark.parametrize("rate", [1.0, 50.0])
def test_divergence_is_flagged(rate):
    features = feature_samples(random_stream(1, "W"), population(*skewed()), 4)
    steps = recorded_steps(300, 10)
    curves = sgd_on_samples(features, rate, steps, random_stream(1, "samples"), 2)
    assert (curves.diverged_at > 0).all()
    for loss, step in zip(curves.loss.T, curves.diverged_at, strict=True):
        np.testing.assert_array_equal(np.isnan(loss), steps >= step)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((3, 2)), np.arange(3.0), "x: no feature varies"),
        (np.eye(3), np.arange(2.0), r"x, y: must have shapes \(n, p\) and \(n,\), not \(3, 3\)"),
        (np.arange(3.0), np.arange(3.0), "x, y: must have shapes"),
        ([[1.0, np.inf], [0.0, 1.0]], [0.0, 1.0], "x = inf: must be a finite number"),
        (np.eye(2), [0.0, np.nan], "y = nan: must be a finite number"),
    ],
)
def test_bad_samples_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        population(x, y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, data: feature_samples(random_stream(1, "W"), data, 9), "d = 9: .* at most .* 8"),
        (lambda f, _: sgd_on_samples(f, 0.0, np.arange(2), random_stream(1, "s")), "learning_rate"),
        (lambda f, _: sgd_on_samples(f, 0.1, np.arange(2), random_stream(1, "s"), 0), "chains = 0"),
    ],
)
def test_bad_trainings_are_refused(call, message):
    data = population(*skewed())
    with pytest.raises(ValueError, match=message):
        call(feature_samples(random_stream(1, "W"), data, 2), data)


@pytest.mark.parametrize("name", SETS)
def test_sets_are_complete_and_the_same_at_each_call(name):
    (x, y), again = SETS[name].load(), SETS[name].load()
    assert len(x) == len(y)
    assert SETS[name].features == x.shape[1] == population(x, y).task.eigenvalues.size
    assert np.isfinite(x).all() and (np.ptp(x, axis=0) > 0).all() and np.ptp(y) > 0
    np.testing.assert_array_equal(x, again[0])
    np.testing.assert_array_equal(y, again[1])
