"""The spectral density against moments, the resolvent off the axis, and sampled eigenvalues."""

import numpy as np
import pytest

from plrf.exact.density import spectral_density
from plrf.exact.ridge import DeterministicEquivalent
from plrf.model import power_law_model
from plrf.task import feature_variances, target_coefficients

# alpha, beta, d, v: every phase, v = d (hard edge), v close to d, v/d large, few parameters.
CASES = [
    (0.8, 0.2, 100, 400),
    (0.45, 0.33, 100, 400),
    (0.2, 0.7, 100, 400),
    (1.25, 0.75, 100, 400),
    (1.0, 2.0, 100, 400),
    (0.4, 1.0, 1000, 4000),
    (0.27, 0.8, 300, 1200),
    (0.7, 0.7, 1000, 4000),
    (3.0, 0.7, 60, 100),
    (0.05, 0.9, 77, 78),
    (0.7, -0.1, 100, 100),
    (1.5, 0.5, 200, 201),
    (1.0, 0.8, 5, 6),
    (0.7, 0.8, 30, 50_000),
]


def features(alpha, beta, v):
    return feature_variances(alpha, v), target_coefficients(beta, v)


@pytest.mark.parametrize(("alpha", "beta", "d", "v"), CASES)
def test_moments(alpha, beta, d, v):
    """Measured: 5e-8 at d = 5, 1e-9 elsewhere."""
    a, b = features(alpha, beta, v)
    spectrum = spectral_density(alpha, beta, d, v)
    assert spectrum.converged.all()
    assert np.all(np.diff(spectrum.x) > 0)
    assert np.all(spectrum.density > 0) and np.all(spectrum.weighted > 0)
    powers = spectrum.x ** np.arange(3)[:, None] * spectrum.weights
    trace, target = a.sum(), a * b**2
    np.testing.assert_allclose(
        powers @ spectrum.density, [d, trace, (a**2).sum() + trace**2 / d], rtol=1e-7
    )
    null_ridge = solve_null_ridge(a, d)
    floor = null_ridge * (target / (a + null_ridge)).sum()
    first = target @ a
    np.testing.assert_allclose(
        powers @ spectrum.weighted,
        [target.sum() - floor, first, target @ a**2 + trace / d * first],
        rtol=1e-7,
    )


def solve_null_ridge(a, d):
    """The ridge at 0, df = d, by bisection with direct sums."""
    low, high = 0.0, a.sum() / d
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if (a / (a + middle)).sum() > d else (low, middle)
    return high


@pytest.mark.parametrize(("alpha", "beta"), [(0.7, 0.7), (0.4, 1.0), (1.25, 0.3)])
def test_integrates_to_the_transforms_off_the_axis(alpha, beta):
    d, v = 100, 400
    spectrum = spectral_density(alpha, beta, d, v)
    equivalent = DeterministicEquivalent(power_law_model(alpha, beta, d, v))
    z = np.array([-3.0, -1e-3, 1e-3 + 0.05j, 0.3 + 0.3j, 1 + 0.5j, 0.02 - 0.1j, 2.5, 40j])
    poles = spectrum.weights / (spectrum.x - z[:, None])
    np.testing.assert_allclose(poles @ spectrum.density, d / equivalent.ridge(z), rtol=1e-9)
    forcing, _ = equivalent.transforms(z)
    np.testing.assert_allclose(
        poles @ spectrum.weighted - equivalent.capacity / z, forcing, rtol=1e-9
    )


def descend(x, a, d):
    """The ridge at x + i0: Newton's method, following Im z down to the axis."""
    kappa = -(x + 1j)
    for height in [*0.8 ** np.arange(140), 0.0]:
        for _ in range(50):
            shrinkage = a / (a + kappa)
            residual = kappa * (1 - shrinkage.sum() / d) + x + 1j * height
            step = residual / (1 - np.square(shrinkage).sum() / d)
            kappa -= step
            if abs(step) < 1e-12 * abs(kappa):
                break
    return kappa


@pytest.mark.parametrize(("alpha", "d", "v"), [(1.0, 30, 120), (0.4, 40, 100), (0.7, 12, 12)])
def test_agrees_with_newton_continued_from_the_complex_plane(alpha, d, v):
    a, b = features(alpha, 0.6, v)
    spectrum = spectral_density(alpha, 0.6, d, v)
    for k in range(5, spectrum.x.size, 37):
        x = spectrum.x[k]
        kappa = descend(x, a, d)
        resolvent = -kappa / x * (a * b**2 / (a + kappa)).sum()
        np.testing.assert_allclose(spectrum.density[k], d / np.pi * (1 / kappa).imag, rtol=1e-8)
        np.testing.assert_allclose(spectrum.weighted[k], resolvent.imag / np.pi, rtol=1e-8)


@pytest.mark.parametrize(("alpha", "d", "count"), [(0.3, 100, 2), (0.7, 100, 5), (1.25, 1000, 25)])
def test_every_outlier_is_a_band_that_holds_one_eigenvalue(alpha, d, count):
    spectrum = spectral_density(alpha, 0.8, d, 4 * d)
    bands = spectrum.bands
    assert bands.shape == (count, 2)
    assert np.all(np.diff(bands.ravel()) > 0)
    band = np.searchsorted(bands[:, 0], spectrum.x) - 1
    assert np.all(spectrum.x < bands[band, 1])
    mass = np.bincount(band, spectrum.weights * spectrum.density)
    np.testing.assert_allclose(mass[1:], 1, rtol=1e-8)
    np.testing.assert_allclose(mass[0], d - count + 1, rtol=1e-8)
    # The top one is a semicircle of radius 2/sqrt(d) up to corrections of the order 1/d.
    np.testing.assert_allclose(np.diff(bands[-1]), 4 / np.sqrt(d), rtol=0.05)


def test_a_matrix_with_v_equal_to_d_has_a_hard_edge():
    spectrum = spectral_density(0.7, 0.7, 50, 50)
    assert spectrum.bands[0, 0] == pytest.approx(0, abs=1e-20)
    near = spectrum.x < 1e-3 * spectrum.bands[0, 1] / 50
    slopes = np.diff(np.log(spectrum.density[near])) / np.diff(np.log(spectrum.x[near]))
    np.testing.assert_allclose(slopes[:3], -0.5, atol=1e-3)


@pytest.fixture(scope="module", params=[(0.7, 0.7), (1.0, 0.8), (0.4, 1.0)])
def sampled(request):
    """Eigenvalues and squared target coordinates of 100 random W, shapes (100, d)."""
    alpha, beta = request.param
    d, v = 100, 400
    a, b = features(alpha, beta, v)
    rng = np.random.default_rng(20240524)
    eigenvalues, signal = np.empty((2, 100, d))
    for k in range(100):
        root = np.sqrt(a)[:, None] * rng.standard_normal((v, d)) / np.sqrt(d)
        eigenvalues[k], vectors = np.linalg.eigh(root.T @ root)
        signal[k] = np.square((np.sqrt(a) * b) @ root @ vectors) / eigenvalues[k]
    return spectral_density(alpha, beta, d, v), eigenvalues, signal


def distributions(spectrum, density, eigenvalues, weights):
    """Points between the nodes, and the two distribution functions there, normalised to end at 1.

    The theory's is normalised by its own total: a wrong total would show.
    """
    between = (spectrum.x[1:] + spectrum.x[:-1]) / 2
    mass = spectrum.weights * density
    order = np.argsort(eigenvalues, axis=None)
    sampled = np.append(0, weights.ravel()[order].cumsum() / len(eigenvalues))
    position = np.searchsorted(eigenvalues.ravel()[order], between)
    return between, mass.cumsum()[:-1] / mass.sum(), sampled[position] / mass.sum()


def test_eigenvalues_of_sampled_features_follow_the_density(sampled):
    spectrum, eigenvalues, _ = sampled
    _, theory, observed = distributions(
        spectrum, spectrum.density, eigenvalues, np.ones_like(eigenvalues)
    )
    # Measured: 0.0035 to 0.0051; half an eigenvalue is 0.005.
    assert np.abs(theory - observed).max() < 0.007


def test_target_coordinates_of_sampled_features_follow_the_weighted_density(sampled):
    spectrum, eigenvalues, signal = sampled
    x, theory, observed = distributions(spectrum, spectrum.weighted, eigenvalues, signal)
    distance = np.abs(theory - observed)
    # Measured: 0.0003 to 0.0050 in the bulk. The largest eigenvalue carries most of the mass, and
    # the distance is that of a semicircle to a Gaussian with twice its variance: 0.09 to 0.11.
    assert distance[x < spectrum.bands[0, 1]].max() < 0.008
    assert distance.max() < 0.14
    gaps = np.searchsorted(x, (spectrum.bands[1:, 0] + spectrum.bands[:-1, 1]) / 2)
    assert distance[gaps[:-1]].max(initial=0) < 0.01
    spread = eigenvalues[:, -1].std() / eigenvalues[:, -1].mean()
    assert spread == pytest.approx(np.sqrt(2 / 100), rel=0.2)


def test_refuses_more_parameters_than_features():
    with pytest.raises(ValueError, match="d <= v"):
        spectral_density(0.7, 0.7, 20, 10)
