"""Exponents of measured tasks: exact power laws, known laws by their samples, and refusals."""

import numpy as np
import pytest

from benchmarks.data_calibration import trial
from plrf.data.exponents import local_windows, measure_exponents, phase_probabilities
from plrf.data.measured import measure_task
from plrf.data.moments import moments_of, principal
from plrf.data.simulated import Estimates, estimates, simulate
from plrf.data.windows import Window, leakage, tail_sums
from plrf.task import feature_variances, target_coefficients
from plrf.theory.phases import PHASES


def task(alpha, beta, v=60, n=10**12, noise=0.0):
    return Estimates(n, feature_variances(alpha, v), target_coefficients(beta, v), noise)


def samples(alpha, beta, noise, v=40, n=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, v)) * np.sqrt(feature_variances(alpha, v))
    return x, x @ target_coefficients(beta, v) + np.sqrt(noise) * rng.standard_normal(n)


@pytest.mark.parametrize(("alpha", "beta"), [(1.2, 0.8), (0.8, 1.2), (0.4, 0.33), (0.3, 0.1)])
def test_power_laws_without_errors_are_found(alpha, beta):
    """With next to infinitely many samples; tail sums end at v, also those of little decay."""
    fit = Window(3, 30, 60).fit(task(alpha, beta))
    assert fit.alpha == pytest.approx(alpha, rel=1e-12)
    assert fit.beta == pytest.approx(beta, abs=2e-4)
    assert np.all(fit.weights > 0.99)


def test_units_do_not_matter():
    known = task(0.8, 0.7)
    scaled = Estimates(known.n, 1e6 * known.eigenvalues, 30 * known.targets, 0.0)
    one, other = (Window(3, 30, 60).fit(each) for each in (known, scaled))
    assert (other.alpha, other.beta) == pytest.approx((one.alpha, one.beta), rel=1e-9)


def test_simulated_estimates_have_the_law_of_those_of_samples():
    """400 of both: means of 10 quantities within 4 standard errors, spreads within 20%."""
    a, b = np.array([2.0, 0.7, 0.2]), np.array([1.0, 0.5, 2.0])
    rng = np.random.default_rng(1)
    drawn, made = [], []
    for _ in range(400):
        x = rng.standard_normal((30, 3)) * np.sqrt(a)
        moments = moments_of([(x, x @ b + 0.5 * rng.standard_normal(30))])
        pair = estimates(moments, principal(moments)), simulate(a, b, 0.25, 30, rng)
        for found, values in zip(pair, (drawn, made), strict=True):
            values.append(np.r_[found.eigenvalues, found.signal, found.targets, found.noise])
    spreads = np.std(drawn, axis=0), np.std(made, axis=0)
    error = np.hypot(*spreads) / 20
    assert np.all(np.abs(np.mean(drawn, axis=0) - np.mean(made, axis=0)) < 4 * error)
    assert spreads[1] == pytest.approx(spreads[0], rel=0.2)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 2.5), (1.0, 0.0)])
def test_leakage_is_what_simulated_tail_sums_gain(alpha, beta):
    """Where it exceeds 4 of its standard errors, from 2000 simulations: within 25% of it."""
    n, known = 300, task(alpha, beta, v=12)
    rng = np.random.default_rng(2)
    found = [
        tail_sums(simulate(known.eigenvalues, known.targets, 0.0, n, rng).signal)
        for _ in range(2000)
    ]
    gain = np.mean(found, axis=0) - tail_sums(known.signal)
    error = np.std(found, axis=0) / np.sqrt(2000)
    expected = leakage(Estimates(n, known.eigenvalues, known.targets, 0.0))
    clear = np.abs(expected[1:]) > 4 * error[1:]
    assert clear.sum() > 5
    assert gain[1:][clear] == pytest.approx(expected[1:][clear], rel=0.25)


@pytest.mark.parametrize("point", [(1.2, 0.8, 1e-3), (0.8, 0.3, 0.1)])
def test_intervals_cover_known_laws(point):
    """Of 40 trials at most 7 miss; for 95% intervals a false alarm has a probability of 1e-3.

    benchmarks/data_calibration.py has 400 trials at more points.
    """
    found = [trial(*point, seed) for seed in range(1000, 1040)]
    for name in ("z_alpha", "z_beta"):
        assert sum(not abs(one[name]) < 1.96 for one in found) <= 7


def test_targets_in_the_noise_have_no_beta():
    found = measure_exponents(measure_task(*samples(0.8, 1.0, 10.0)), 3, 20, simulations=5)
    assert found.status == "tail sums are not certain enough"
    assert np.isnan(found.beta) and found.alpha == pytest.approx(0.8, abs=5 * found.errors[0])
    assert found.phase == "" and np.isnan(found.probabilities["II"])


def test_targets_too_steep_for_estimated_eigenvectors_have_no_beta():
    """What leaks from the first features looks like beta = alpha, however steep targets are."""
    found = measure_exponents(measure_task(*samples(0.8, 4.0, 0.0)), 3, 20, simulations=5)
    assert found.status == "tail sums are not certain enough"


def test_below_the_edge_there_is_no_power_law():
    x, y = samples(0.3, -0.2, 0.0, n=4000)
    found = measure_exponents(measure_task(x, y), 3, 20, simulations=5)
    assert found.status == "no power law" and found.phase == ""
    assert found.probabilities["no power law"] > 0.9


def test_probabilities_are_areas_of_the_normal_law():
    """At (0.5, 0.5), where four phases meet, with equal errors: a quarter, but for III and II."""
    shares = phase_probabilities(np.array([0.5, 0.5]), 1e-6 * np.eye(2), 0)
    expected = {"Ia": 0.25, "Ib": 0.25, "IVa": 0.25, "II": 0.125, "III": 0.125}
    for name, share in shares.items():
        assert share == pytest.approx(expected.get(name, 0), abs=0.02)  # 4 standard errors
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares) == [*(row.name for row in PHASES), "no power law"]


def test_the_same_seed_gives_the_same():
    measured = measure_task(*samples(1.0, 0.7, 0.001))
    one, again = (measure_exponents(measured, 3, 20, simulations=5, seed=4) for _ in range(2))
    assert np.array_equal(one.covariance, again.covariance) and one.beta == again.beta
    assert one.intervals[0] == pytest.approx(one.alpha + 1.96 * one.errors[0] * np.array([-1, 1]))


@pytest.mark.parametrize("v", [7, 30, 400])
def test_local_windows_cover_the_spectrum(v):
    windows = local_windows(v)
    assert windows[0][0] == 1 and windows[-1][1] == v
    assert all(4 <= last - first < v for first, last in windows)


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        ((0, 20), "first = 0: must be a whole number, at least 1"),
        ((3, 6), "last = 6: must be a whole number, at least 7"),
        ((3, 50), "last = 50: must be at most the number of features, 40"),
    ],
)
def test_bad_windows(ranks, message):
    with pytest.raises(ValueError, match=message):
        measure_exponents(measure_task(*samples(1.0, 0.7, 0.001)), *ranks)
