"""The deterministic equivalent against its definition, closed forms and random matrices."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from plrf.exact.loss import expected_loss
from plrf.exact.ridge import (
    ConvergenceError,
    DeterministicEquivalent,
    critical_learning_rate,
    kernel_mass,
)
from plrf.model import power_law_model
from plrf.scaling import learning_rate
from plrf.task import feature_variances, target_coefficients
from plrf.training import SGD

sizes = st.tuples(st.integers(1, 400), st.sampled_from([1, 1.2, 4, 50])).map(
    lambda pair: (pair[0], int(pair[0] * pair[1]))
)


def direct_sums(kappa, alpha, v):
    """df and df2 of model section 4, term by term."""
    shrinkage = 1 / (1 + kappa[:, None] / feature_variances(alpha, v))
    return shrinkage.sum(axis=1), np.square(shrinkage).sum(axis=1)


@given(
    alpha=st.floats(0.02, 3),
    size=sizes,
    position=st.floats(0, 1),
    angle=st.floats(0.3, np.pi),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_ridge_solves_the_fixed_point_on_the_right_side(alpha, size, position, angle):
    d, v = size
    magnitude = 10 * (1000 * v ** (2 * alpha)) ** -position  # from 10 a_1 to a_v/100
    z = magnitude * np.exp(1j * np.array([angle, -angle]))
    kappa = DeterministicEquivalent(power_law_model(alpha, 1.0, d, v)).ridge(z)
    df, df2 = direct_sums(kappa, alpha, v)
    # The residual that a rounding error of kappa and of the sums makes.
    rounding = np.abs(kappa) * (np.abs(1 - df2 / d) + np.abs(df) / d + 1)
    assert np.all(np.abs(kappa * (1 - df / d) + z) < 4e-15 * rounding)
    # 1/kappa is a Stieltjes transform: its imaginary part has the sign of that of z.
    assert np.all(kappa.imag * z.imag <= 0)
    assert kappa[0] == pytest.approx(kappa[1].conj(), rel=1e-14)


@given(
    alpha=st.floats(0.02, 3),
    size=sizes,
    position=st.floats(0, 1),
    decades=st.floats(-4, -0.5),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_ridge_near_the_spectrum_is_right_or_an_error(alpha, size, position, decades):
    d, v = size
    z = 10 * (1000 * v ** (2 * alpha)) ** -position * np.exp(1j * np.array([10**decades]))
    try:
        kappa = DeterministicEquivalent(power_law_model(alpha, 1.0, d, v)).ridge(z)
    except ConvergenceError:
        return
    assert np.all(kappa.imag <= 1e-12 * np.abs(kappa))


def test_ridge_is_not_the_other_solution():
    # Newton's method from -z + d^-2alpha ends on the wrong side of the axis here.
    alpha, d, v = 0.131, 26, 208
    z = np.array([0.2334 - 0.1775j, 0.3003 - 0.2167j])
    kappa = 1 - z
    for _ in range(3000):  # slow, but cannot leave the side on which it starts
        kappa = -z + kappa * direct_sums(kappa, alpha, v)[0] / d
    found = DeterministicEquivalent(power_law_model(alpha, 1.0, d, v)).ridge(z)
    np.testing.assert_allclose(found, kappa, rtol=1e-12)


@pytest.mark.parametrize(("alpha", "d"), [(0.3, 100), (1.0, 20)])
def test_ridge_does_not_exist_on_the_spectrum(alpha, d):
    # There are real solutions of the equation, but none of them is a limit from off the axis.
    spectrum = DeterministicEquivalent(power_law_model(alpha, 1.0, d, 4 * d))
    for z in d ** (-2 * alpha) * np.linspace(1, 4, 20):
        with pytest.raises(ConvergenceError, match=r"1 of 2 points did not converge.*, d="):
            spectrum.ridge(np.array([-1.0, z]))


def marchenko_pastur_ridge(z, ratio):
    """The ridge if all a_j are 1 (alpha = 0), from its quadratic equation; ratio = v/d."""
    half = (1 - ratio + z) / 2
    roots = -half + np.sqrt(half**2 - z) * np.array([[1], [-1]])
    # On the axis left of the spectrum it is the positive root.
    right = np.where(z.imag == 0, roots.real > 0, roots.imag * z.imag < 0)
    return np.where(right[0], *roots)


@pytest.mark.parametrize(("d", "v"), [(7, 14), (100, 400), (30, 30)])
def test_equal_features_have_the_spectrum_of_marchenko_and_pastur(d, v):
    beta, ratio = 0.4, v / d
    spectrum = DeterministicEquivalent(power_law_model(0.0, beta, d, v))
    z = np.array([-5, -1, -0.01, 0.3 + 1j, -0.2 - 1e-3j, 2 - 0.5j, 20 + 3j])
    kappa = marchenko_pastur_ridge(z, ratio)
    np.testing.assert_allclose(spectrum.ridge(z), kappa, rtol=1e-13)
    norm = (np.arange(1.0, v + 1) ** (-2 * beta)).sum()
    forcing, kernel = spectrum.transforms(z)
    np.testing.assert_allclose(forcing, -kappa / z * norm / (1 + kappa), rtol=1e-13)
    np.testing.assert_allclose(kernel, z * v / (1 + kappa), rtol=1e-13)
    assert spectrum.capacity == pytest.approx((1 - d / v) * norm, rel=1e-13, abs=1e-15)

    # The edge is (1 + ratio^1/2)^2; there kappa = -1 - ratio^1/2 and the trace is -(v d)^1/2.
    edge = (1 + ratio**0.5) ** 2
    batch = int(np.ceil((v * d) ** 0.5))  # so many samples that the edge is what limits gamma
    assert critical_learning_rate(power_law_model(0.0, 0.0, d, v), batch) == pytest.approx(
        2 / (batch + 1) / edge, 1e-12
    )
    # With fewer the kernel mass reaches 1 before: kappa = -1 - v/(batch + 1).
    z_plus = (1 + v / 2) * (1 + 2 / d)
    assert critical_learning_rate(power_law_model(0.0, 0.0, d, v), 1) == pytest.approx(
        1 / z_plus, rel=1e-12
    )


def gaussian_models(alpha, beta, d, v, n, rng):
    """Eigenvalues, squared coefficients and F0 of n independent W (model section 2)."""
    root, target = feature_variances(alpha, v) ** 0.5, target_coefficients(beta, v)
    features = root[:, None] * rng.standard_normal((n, v, d)) / d**0.5
    eigenvalues, vectors = np.linalg.eigh(features.transpose(0, 2, 1) @ features)
    moments = np.einsum("nvd,v,nde->ne", features, root * target, vectors, optimize=True)
    signal = moments**2 / eigenvalues
    return eigenvalues, signal, (root * target) @ (root * target) - signal.sum(axis=1)


@pytest.mark.parametrize(("alpha", "beta", "scale"), [(0.7, 0.6, 1), (0.3, 0.8, 4)])
def test_transforms_are_means_over_random_features(alpha, beta, scale):
    """Within 5.5 standard errors, and a bias of 1.5/d that the equivalent may have.

    A correct equivalent fails with probability 1e-6 (real and imaginary parts, 7 quantities).
    """
    d, v, n = 32, 128, 1000
    spectrum = DeterministicEquivalent(power_law_model(alpha, beta, d, v))
    rng = np.random.default_rng(1)
    eigenvalues, signal, floor = gaussian_models(alpha, beta, d, v, n, rng)
    z = scale * np.array([-1, -0.03, 0.3 + 0.3j, 0.05 - 0.05j, 6])
    poles = 1 / (eigenvalues - z[:, None, None])
    forcing = (poles * signal).sum(axis=-1) - floor / z[:, None]
    kernel = z[:, None] * (poles * eigenvalues).sum(axis=-1)
    samples = [forcing, kernel, floor[None]]
    expected = [*spectrum.transforms(z), np.array([spectrum.capacity])]
    for sample, value in zip(samples, expected, strict=True):
        for part in (np.real, np.imag):
            error = 5.5 * part(sample).std(axis=1) / n**0.5
            bias = 1.5 / d * np.abs(value)
            assert np.all(np.abs(part(sample).mean(axis=1) - part(value)) <= error + bias)


@given(st.floats(0.05, 3), st.floats(-0.3, 3), sizes)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_capacity_against_its_definition(alpha, beta, size):
    d, v = size
    a, b = feature_variances(alpha, v), target_coefficients(beta, v)
    spectrum = DeterministicEquivalent(power_law_model(alpha, beta, d, v))
    if v == d:
        assert spectrum.null_ridge == spectrum.capacity == 0
        return

    def excess(log_kappa):
        return (a / (a + np.exp(log_kappa))).sum() - d

    low, high = np.log(a[-1] * 1e-3), np.log(a.sum())
    kappa = np.exp(brentq(excess, low, high, xtol=1e-15, rtol=1e-15))
    # Where df is almost flat, near v = d, kappa is only as good as df.
    slope = (a * kappa / (a + kappa) ** 2).sum() / d
    tolerance = 1e-13 / min(slope, 1)
    assert spectrum.null_ridge == pytest.approx(kappa, rel=tolerance)
    assert spectrum.capacity == pytest.approx(kappa * (a * b**2 / (a + kappa)).sum(), rel=tolerance)


@pytest.mark.parametrize(("alpha", "steps"), [(0.2, 1000), (0.5, 10_000), (1.1, 100_000)])
@pytest.mark.parametrize("batch", [1, 5])
def test_kernel_mass_is_the_sum_of_the_kernel(alpha, steps, batch):
    d, v = 12, 48
    gamma = 0.7 * critical_learning_rate(power_law_model(alpha, 0.0, d, v), batch)
    result = expected_loss(
        np.arange(steps), alpha=alpha, beta=1.0, d=d, v=v, learning_rate=gamma, batch=batch
    )
    mass = kernel_mass(power_law_model(alpha, 0.0, d, v), SGD(gamma, batch))
    assert 0 < mass < 1
    assert abs(result.kernel[-1]) < 1e-15  # nothing is left out
    assert result.kernel.sum() == pytest.approx(mass, rel=1e-12)


@pytest.mark.parametrize(("alpha", "batch"), [(0.2, 1), (0.7, 3), (1.0, 16)])
def test_kernel_mass_is_a_mean_over_random_features(alpha, batch):
    """Mean of sum_i gamma lam_i/(2 - gamma (B+1) lam_i), within 5.2 standard errors and 0.5/d.

    A correct mass fails with probability below 1e-6 (3 cases).
    """
    d, v, n = 24, 96, 1000
    gamma = learning_rate(0.5, alpha, v, batch)
    eigenvalues, _, _ = gaussian_models(alpha, 1.0, d, v, n, np.random.default_rng(2))
    masses = (gamma * eigenvalues / (2 - gamma * (batch + 1) * eigenvalues)).sum(axis=1)
    mass = kernel_mass(power_law_model(alpha, 0.0, d, v), SGD(gamma, batch))
    assert masses.mean() == pytest.approx(mass, abs=5.2 * masses.std() / n**0.5 + 0.5 * mass / d)


@given(st.floats(0.02, 3), sizes, st.integers(1, 1000))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_kernel_mass_of_small_learning_rates(alpha, size, batch):
    d, v = size
    gamma = learning_rate(1e-7, alpha, v, batch)
    # |K| = gamma Tr D/2 (1 + O(c)), and Tr D = c/(gamma B)
    assert kernel_mass(power_law_model(alpha, 0.0, d, v), SGD(gamma, batch)) == pytest.approx(
        0.5e-7 / batch, rel=1e-6
    )


@given(st.floats(0.02, 3), sizes, st.integers(1, 1000))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_critical_learning_rate_is_where_the_mass_reaches_one(alpha, size, batch):
    d, v = size
    critical = critical_learning_rate(power_law_model(alpha, 0.0, d, v), batch)
    factors = np.array([0.5, 0.9, 1 - 1e-3, 1 - 1e-9])
    masses = [
        kernel_mass(power_law_model(alpha, 0.0, d, v), SGD(f * critical, batch)) for f in factors
    ]
    assert np.all(np.diff(masses) > 0)
    assert masses[-1] < 1
    assert kernel_mass(power_law_model(alpha, 0.0, d, v), SGD((1 + 1e-9) * critical, batch)) >= 1


def test_mass_is_infinite_where_z_plus_reaches_the_spectrum():
    # With one parameter and one sample that happens at a mass below 1.
    critical = critical_learning_rate(power_law_model(0.7, 0.0, 1, 4), 1)
    assert kernel_mass(power_law_model(0.7, 0.0, 1, 4), SGD(0.999999 * critical)) < 0.95
    assert kernel_mass(power_law_model(0.7, 0.0, 1, 4), SGD(1.000001 * critical)) == np.inf
    assert kernel_mass(power_law_model(0.7, 0.0, 1, 4), SGD(100 * critical)) == np.inf


@pytest.mark.parametrize("alpha", [0.4, 0.7, 1.5])
@pytest.mark.parametrize(("d", "v"), [(1000, 1001), (20_000, 20_002), (100, 150)])
def test_null_ridge_of_few_spare_features(alpha, d, v):
    """``df = d`` as ``sum kappa/(a_j + kappa) = v - d``, whose terms are all positive."""
    ridge = DeterministicEquivalent(power_law_model(alpha, 1.0, d, v)).null_ridge
    terms = ridge / (feature_variances(alpha, v) + ridge)
    assert math.fsum(terms) == pytest.approx(v - d, rel=1e-13)


def test_infinitely_many_features_are_the_limit():
    z = np.array([-1e-3, -0.2 + 0.1j, 1e-4 + 1e-4j, 5])
    for alpha, beta in ((1.0, 0.7), (2.0, -1.0), (0.8, 1.5)):
        far, near = (
            DeterministicEquivalent(power_law_model(alpha, beta, 20, v)) for v in (np.inf, 4e15)
        )
        for limit, value in zip(far.transforms(z), near.transforms(z), strict=True):
            np.testing.assert_allclose(limit, value, rtol=1e-8)
        assert far.capacity == pytest.approx(near.capacity, rel=1e-7)
