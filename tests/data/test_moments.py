"""Moments in one pass against NumPy's in two, and the task that they are."""

import numpy as np
import pytest

from plrf.data.moments import constant_features, moments_of, principal


def samples(n=300, p=7, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * 2.0 ** -np.arange(p) + offset
    y = x @ rng.standard_normal(p) + 0.3 * rng.standard_normal(n)
    return x, y


@pytest.mark.parametrize("size", [1, 7, 100, 300])
def test_batches_make_no_difference(size):
    x, y = samples()
    moments = moments_of([(x[i : i + size], y[i : i + size]) for i in range(0, len(y), size)])
    joint = np.cov(np.column_stack([x, y]), rowvar=False, bias=True)
    assert moments.n == 300
    assert moments.mean_x == pytest.approx(x.mean(axis=0), rel=1e-12)
    assert moments.mean_y == pytest.approx(y.mean(), rel=1e-12)
    assert moments.covariance == pytest.approx(joint[:-1, :-1], rel=1e-12, abs=1e-15)
    assert moments.cross == pytest.approx(joint[:-1, -1], rel=1e-12, abs=1e-15)
    assert moments.variance_y == pytest.approx(joint[-1, -1], rel=1e-12)


def test_a_large_mean_costs_no_digits():
    """The shifted samples are exact; squares of the shift would leave no digit."""
    x, y = (np.round(z * 2**20) / 2**20 for z in samples())
    near = moments_of([(x, y)])
    far = moments_of([(x[i : i + 50] + 2.0**26, y[i : i + 50]) for i in range(0, 300, 50)])
    assert far.covariance == pytest.approx(near.covariance, rel=1e-12, abs=1e-15)


def test_principal_is_least_squares():
    x, y = samples()
    task = principal(moments_of([(x, y)]))
    centred = x - x.mean(axis=0)
    weights, rest, *_ = np.linalg.lstsq(centred, y - y.mean())
    assert task.basis @ task.targets == pytest.approx(weights, rel=1e-9)
    assert task.noise == pytest.approx(rest[0] / len(y), rel=1e-10)
    assert np.all(np.diff(task.eigenvalues) < 0) and np.all(task.targets >= 0)
    assert task.basis.T @ task.basis == pytest.approx(np.eye(7), abs=1e-13)
    assert task.left_out == 0


def test_directions_without_variance_are_left_out():
    x, y = samples()
    x = np.column_stack([x, x[:, 0] - 2 * x[:, 1], np.full(len(y), 0.1)])
    moments = moments_of([(x[:77], y[:77]), (x[77:], y[77:])])
    task = principal(moments)
    assert constant_features(moments).tolist() == [8]
    assert (task.left_out, task.eigenvalues.size) == (2, 7)
    fit = (x - x.mean(axis=0)) @ (task.basis @ task.targets)
    assert np.var(y - y.mean() - fit) == pytest.approx(task.noise, rel=1e-10)


def test_a_target_that_is_linear_has_no_noise():
    x, _ = samples()
    assert principal(moments_of([(x, x @ np.ones(7))])).noise == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize(
    ("batches", "message"),
    [([], "no samples"), ([(np.ones((5, 2)), np.arange(5.0))], "no feature varies")],
)
def test_nothing_to_measure(batches, message):
    with pytest.raises(ValueError, match=message):
        principal(moments_of(batches))
