"""Sums over features against direct sums, zeta functions and Euler-Maclaurin."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.chebyshev import chebval
from scipy.special import digamma, zeta

from plrf.exact.power_sums import ShrinkageRule, feature_rule, gauss_sum_rule, power_sum, tail_rule

# Right at, and next to, the lengths at which the rule changes its kind.
LENGTHS = (1, 2, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 67, 79, 101, 1000, 12_345)


def summand(alpha, beta, kappa):
    """The summands of the model: b_j^2 a_j/(a_j + kappa) with a_j = j^-2alpha, b_j = j^-beta."""
    return lambda j: j ** (-2 * beta) / (1 + kappa * j ** (2 * alpha))


def relative_error(rule, f, v):
    """Error of the rule, relative to the sum of the terms' magnitudes."""
    nodes, weights = rule
    terms = f(np.arange(1.0, v + 1))
    return abs(weights @ f(nodes) - terms.sum()) / np.abs(terms).sum()


@pytest.mark.parametrize("count", [16, 17, 40, 1000])
def test_gauss_rule_is_exact_up_to_degree_31(count):
    nodes, weights = gauss_sum_rule(count)
    j = np.arange(count)
    for degree in range(32):
        unit = np.eye(32)[degree]  # the Chebyshev polynomial of this degree
        exact = chebval(2 * j / (count - 1) - 1, unit).sum()
        found = weights @ chebval(2 * nodes / (count - 1) - 1, unit)
        assert found == pytest.approx(exact, abs=1e-13 * count)


@given(
    alpha=st.floats(0.01, 4),
    beta=st.floats(-0.5, 3),
    v=st.sampled_from(LENGTHS) | st.integers(33, 150) | st.integers(1, 20_000),
    position=st.floats(0, 1),
    angle=st.floats(0, 150),
    sign=st.sampled_from([-1, 1]),
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_rule_agrees_with_direct_sums(alpha, beta, v, position, angle, sign):
    magnitude = 10 * (1000 * v ** (2 * alpha)) ** -position  # from 10 a_1 to a_v/100
    f = summand(alpha, beta, magnitude * np.exp(1j * sign * np.deg2rad(angle)))
    # Off the negative axis the error is that of rounding; it grows within 30 degrees of it.
    limit = 3e-15 if angle <= 90 else 2e-12
    assert relative_error(feature_rule(alpha, float(v)), f, v) < limit


@pytest.mark.parametrize("alpha", [0.03, 0.2, 0.4, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("degrees", [None, 0, 120, -150])
def test_rule_agrees_with_direct_sums_over_a_million(alpha, degrees):
    v = 10**6
    for beta in (0, 0.5, 2):
        for decades in [0] if degrees is None else (-6, -2, 0):
            kappa = 0 if degrees is None else 10.0**decades * np.exp(1j * np.deg2rad(degrees))
            f = summand(alpha, beta, kappa)
            assert relative_error(feature_rule(alpha, float(v)), f, v) < 2e-12


@pytest.mark.parametrize("alpha", [0.02, 0.2, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("distance", [1e-6, 1e-2, 1.0, 100.0])
def test_rule_right_of_the_spectrum(alpha, distance):
    # There kappa < -a_1 is real: no feature is near the pole but the first, which is summed alone.
    f = summand(alpha, 0, -1 - distance)
    assert relative_error(feature_rule(alpha, 12_345.0), f, 12_345) < 3e-15


@given(st.floats(0.01, 4), st.integers(1, 2**53))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_rule_is_a_positive_rule_of_logarithmic_size(alpha, v):
    nodes, weights = feature_rule(alpha, float(v))
    assert np.all(weights > 0)
    assert np.all(np.diff(nodes) > 0)
    assert nodes[0] == 1
    assert nodes[-1] <= v
    assert weights.sum() == pytest.approx(v, rel=1e-14)
    panels = 1 + np.log(max(v / 32, 1)) / np.log1p(min(0.5, np.expm1(0.5 / alpha)))
    assert nodes.size <= 48 + 16 * panels


def test_rule_cannot_be_changed_by_a_caller():
    for array in feature_rule(1.0, 100.0):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("alpha", [0.02, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("degrees", [0, 90, 150])
def test_rule_between_integers(alpha, degrees):
    """The sum has one term more at v + 1, whether v is an integer or not.

    With a pole at a distance of y from the real j a smooth continuation is one to exp(-2 pi y)
    only: at 150 degrees alpha must not be much above 2.
    """
    for v in [*np.linspace(48, 130, 165), *np.geomspace(131, 1e6, 20)]:
        for kappa in np.exp(1j * np.deg2rad(degrees)) * np.array([1.0, 10 / v ** (2 * alpha)]):
            f = summand(alpha, 0.3, kappa)
            (less, scale), (more, _) = (
                (weights @ f(nodes), weights @ np.abs(f(nodes)))
                for nodes, weights in (feature_rule(alpha, v), feature_rule(alpha, v + 1))
            )
            limit = 3e-15 if degrees <= 90 else 2e-12
            assert abs(more - less - f(v + 1)) < limit * scale


@pytest.mark.parametrize(
    ("v", "message"), [(np.inf, "is tail_rule"), (20.5, "below 48"), (47.5, "below 48")]
)
def test_rule_refuses(v, message):
    with pytest.raises(ValueError, match=message):
        feature_rule(1.0, v)


@pytest.mark.parametrize("alpha", [0.6, 1.0, 2.5])
@pytest.mark.parametrize("power", [0.0, 0.8, 3.0])
@pytest.mark.parametrize("angle", [0, 1, -2])
def test_tail_rule(alpha, power, angle):
    # |kappa| first^2alpha = 100. Summing the tail's head directly must leave the rest of the tail.
    first, second, decay = 1e6, 3e6, power + 2 * alpha
    kappa = 100 * first ** (-2 * alpha) * np.exp(1j * angle)
    f = summand(alpha, power / 2, kappa)
    tail, rest = (w @ f(j) for j, w in (tail_rule(alpha, power, n) for n in (first, second)))
    head = f(np.arange(first + 1, second + 1)).sum()
    # The sum stands for an integral: the first correction is decay (decay - 1)/24 first^-2.
    assert abs(tail - rest - head) < (1e-13 + decay**2 / 20 * first**-2) * abs(tail)


def euler_maclaurin(s, v, start=1000):
    """Sum of j^-s over j = 1..v: the head directly, with integral and corrections from there."""
    head = (np.arange(1.0, start) ** -s).sum()
    low, high = float(start), float(v)
    log = np.log(high / low)
    integral = log if s == 1 else low ** (1 - s) * np.expm1((1 - s) * log) / (1 - s)
    ends = (low**-s + high**-s) / 2
    corrections = s * (low ** (-s - 1) - high ** (-s - 1)) / 12
    third = s * (s + 1) * (s + 2)
    corrections -= third * (low ** (-s - 3) - high ** (-s - 3)) / 720
    return head + integral + ends + corrections


COUNTS = (1, 10, 33, 100, 10**4, 10**6, 10**9, 10**12, 10**14, 2**53)


@pytest.mark.parametrize("v", COUNTS)
def test_power_sum_against_zeta(v):
    for s in (1.05, 1.5, 2, 3, 6, 14):
        # The difference cancels for exponents near 1: it is known to about 1e-16 zeta(s).
        assert power_sum(s, v) == pytest.approx(zeta(s) - zeta(s, v + 1.0), rel=2e-14)
    assert power_sum(1, v) == pytest.approx(digamma(v + 1.0) - digamma(1), rel=2e-14)
    assert power_sum(0, v) == pytest.approx(v, rel=1e-14)
    assert power_sum(-1, v) == pytest.approx(v * (v + 1) / 2, rel=1e-14)
    assert power_sum(-2, v) == pytest.approx(float(Fraction(v * (v + 1) * (2 * v + 1), 6)), 1e-14)


@given(st.floats(-1.5, 6), st.floats(4, 15.9))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_power_sum_against_euler_maclaurin(s, decades):
    v = float(np.floor(10**decades))
    assert power_sum(s, v) == pytest.approx(euler_maclaurin(s, v), rel=3e-14)


def test_power_sum_without_end():
    for s in (1.01, 1.4, 2, 8):
        assert power_sum(s, np.inf) == zeta(s)
    for s in (1, 0.5, -2):
        with pytest.raises(ValueError, match="infinitely many j diverges"):
            power_sum(s, np.inf)


@given(
    alpha=st.floats(0.05, 3),
    beta=st.floats(-0.3, 2),
    v=st.floats(2, 14).map(lambda x: float(np.floor(10**x))),
    middle=st.floats(-0.1, 1.1),
    width=st.floats(0, 3),
    angles=st.lists(st.floats(-2.6, 2.6), min_size=5, max_size=5),
)
@settings(max_examples=200)
def test_condensed_rule(alpha, beta, v, middle, width, angles):
    """Sums by fewer nodes, within the range of kappa and 30 degrees off the negative axis."""
    j, weights = feature_rule(alpha, v)
    powers, target = j ** (2 * alpha), weights * j ** (-2 * beta)
    rule = ShrinkageRule(powers, np.stack([weights, target, target * powers], axis=1))
    size = v ** (-2 * alpha * middle)
    low, high = size * np.exp(-width), size * np.exp(width)
    condensed = rule.condensed(low, high)
    assert condensed.powers.size <= rule.powers.size
    kappa = np.geomspace(low, high, 5) * np.exp(1j * np.array(angles))
    shrinkage = [1 / (1 + kappa[:, None] * r.powers) for r in (condensed, rule)]
    scale = np.abs(shrinkage[1]) @ rule.columns
    for power in (1, 2):
        found, sums = (
            s**power @ r.columns for s, r in zip(shrinkage, (condensed, rule), strict=True)
        )
        np.testing.assert_array_less(np.abs(found - sums), 1e-14 * scale)


def test_condensing_makes_the_number_of_nodes_independent_of_v():
    """For a range of kappa of two decades, at three places of the spectrum."""
    for v in (1e6, 1e10, 1e14):
        j, weights = feature_rule(0.7, v)
        rule = ShrinkageRule(j**1.4, np.stack([weights] * 3, axis=1))
        for kappa in v ** np.array([-1.2, -0.7, -0.2]):
            assert rule.condensed(kappa, 100 * kappa).powers.size < 250
    assert rule.powers.size > 600
