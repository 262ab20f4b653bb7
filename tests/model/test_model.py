"""Learning rate, recorded steps and random streams."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plrf.scaling import learning_rate
from plrf.streams import random_stream
from plrf.task import feature_variances, target_coefficients
from plrf.training import recorded_steps

numbers = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)


def test_features_and_target():
    np.testing.assert_allclose(feature_variances(0.5, 4), [1, 1 / 2, 1 / 3, 1 / 4], rtol=1e-15)
    np.testing.assert_allclose(target_coefficients(-2, 4), [1, 4, 9, 16], rtol=1e-15)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.1])
@pytest.mark.parametrize("batch", [1, 16])
def test_learning_rate_is_a_fraction_of_the_inverse_trace(alpha, batch):
    v = 5000
    trace = feature_variances(alpha, v).sum()
    assert learning_rate(0.3, alpha, v, batch) == pytest.approx(0.3 / (batch * trace), rel=1e-14)


@given(st.integers(1, 10**6) | st.integers(1, 2 * 10**18), st.integers(1, 200))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_recorded_steps(steps, per_decade):
    grid = recorded_steps(steps, per_decade)
    assert grid.dtype == np.int64
    assert (grid[0], grid[1], grid[-1]) == (0, 1, steps)
    assert np.all(np.diff(grid) > 0)
    # Neighbours are rounded from numbers that differ by a factor of at most 10^(1/per_decade).
    ratio = 10 ** (1 / per_decade)
    low, high = grid[1:-1].astype(float), grid[2:].astype(float)
    assert np.all(high <= (ratio * low + (ratio + 1) / 2) * (1 + 1e-12))
    assert grid.size <= np.log10(steps) * per_decade + 3


def test_recorded_steps_of_a_short_run_are_all_of_them():
    np.testing.assert_array_equal(recorded_steps(1, 24), [0, 1])
    np.testing.assert_array_equal(recorded_steps(10, 24), np.arange(11))


def words(*arguments):
    """The first numbers of a stream."""
    return random_stream(*arguments).integers(2**64, size=4, dtype=np.uint64).tolist()


@given(st.integers(0, 2**64 - 1), st.text(), st.lists(numbers, max_size=6))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_stream_repeats(seed, purpose, values):
    assert words(seed, purpose, *values) == words(seed, purpose, *values)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_stream_depends_on_each_value(pairs):
    first, second = zip(*pairs, strict=True)
    assume(first != second)
    assert words(0, "samples", *first) != words(0, "samples", *second)


@given(st.integers(0, 2**32), st.integers(0, 2**32), st.text(), st.text())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_stream_depends_on_seed_and_purpose(seed, other_seed, purpose, other_purpose):
    assume((seed, purpose) != (other_seed, other_purpose))
    assert words(seed, purpose, 1.0, 2) != words(other_seed, other_purpose, 1.0, 2)


def test_stream_depends_on_the_order_of_values_but_not_on_their_type():
    assert words(0, "samples", 1.0, 2.0) != words(0, "samples", 2.0, 1.0)
    assert words(0, "samples", 1, np.float64(2)) == words(0, "samples", 1.0, 2.0)


def test_streams_are_independent():
    """Neighbouring runs and purposes: correlations of 10^5 normals, Bonferroni at 1e-6.

    The correlation of independent streams is normal with standard deviation 1e5^-1/2.
    """
    streams = [random_stream(0, p, 0.7, 200, r) for p in ("features", "samples") for r in range(6)]
    normals = np.stack([stream.standard_normal(100_000) for stream in streams])
    correlation = np.corrcoef(normals)[np.triu_indices(12, 1)]
    assert np.abs(correlation).max() < 5.7 * 100_000**-0.5
