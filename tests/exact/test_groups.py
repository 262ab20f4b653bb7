"""Grouped spectra against sums over all features, the moments that they keep, and exact losses."""

import numpy as np
import pytest

from plrf.engines.recursion import recursion
from plrf.engines.reduction import reduce
from plrf.exact.cells import _differentiation
from plrf.exact.groups import averaged_groups, sampled_groups
from plrf.exact.inversion import invert
from plrf.exact.loss import expected_loss
from plrf.exact.power_law_sums import PowerLawSums
from plrf.exact.ridge import DeterministicEquivalent
from plrf.model import power_law_model
from plrf.scaling import ScalingRule
from plrf.streams import random_stream
from plrf.task import PowerLawTask


@pytest.mark.parametrize(
    ("alpha", "beta"), [(0.7, 0.7), (1.0, 0.3), (0.2, 0.7), (1.5, 1.2), (0.5, -0.2)]
)
def test_feature_sums_near_and_on_the_poles(alpha, beta):
    """Down to 1e-6 from the negative axis, at and between ranks, against the sum of all terms."""
    v = 20_000
    j = np.arange(1.0, v + 1)
    rank = np.array([3.2, 20.5, 50.0, 300.5, 5000.3, 3e4])
    angle = np.array([1e-6, 1e-3, 0.1, 1.0, 2.5])
    kappa = -(rank[:, None] ** (-2 * alpha)) * np.exp(1j * angle)
    terms = 1 / (1 + kappa[..., None] * j ** (2 * alpha))
    found = PowerLawSums(alpha, beta, float(v))(kappa)
    for values, weights in zip(found, (np.ones(v), j ** (-2 * beta)), strict=True):
        np.testing.assert_allclose(values, terms @ weights, rtol=1e-7)
        off = (slice(None), slice(2, None))
        np.testing.assert_allclose(values[off], (terms @ weights)[off], rtol=1e-11)


def test_differentiation_of_a_polynomial():
    x, _ = np.polynomial.legendre.leggauss(9)
    np.testing.assert_allclose(_differentiation(x) @ x**8, 8 * x**7, atol=1e-11)


# The line 2 alpha = 1, small and large alpha, v close to d and far from it, included.
CASES = [
    (0.7, 0.7, 1e4, 4),
    (1.0, 0.7, 1e6, 4),
    (0.4, 1.0, 1e9, 4),
    (0.2, 0.7, 1e4, 4),
    (0.5, 0.5, 1e4, 4),
    (1.5, 0.5, 1e5, 4),
    (0.7, 0.7, 1e4, 1.01),
    (0.7, 0.7, 1e4, 100),
    (0.75, 0.25, 1e5, 4),
    (1.0, 2.0, 1e4, 4),
    (1.0, 2.0, 500, 4),
    (0.2, 0.7, 500, 4),
    (0.27, 0.8, 1e4, 4),
    (0.45, 0.33, 1e7, 4),
]


@pytest.mark.parametrize(("alpha", "beta", "d", "v_over_d"), CASES)
def test_moments_are_kept(alpha, beta, d, v_over_d):
    """All of the target's mass, with that of its floor, and the trace up to the groups' width."""
    model = power_law_model(alpha, beta, d, round(v_over_d * d))
    groups = averaged_groups(model)
    total = PowerLawTask(alpha + beta, 0.0).trace(model.v)
    assert groups.floor == DeterministicEquivalent(model).capacity
    assert groups.signal.sum() + groups.floor == pytest.approx(total, rel=max(1e-6, 5e-3 / d))
    trace = groups.multiplicities @ groups.eigenvalues
    assert trace == pytest.approx(model.task.trace(model.v), rel=3 / d + 3e-4)
    assert np.all(groups.signal > 0) and np.all(groups.multiplicities >= 1)
    assert np.all(np.diff(groups.eigenvalues) < 0)
    assert groups.multiplicities[:4] == pytest.approx(1, abs=20 / d + 1e-6)


@pytest.mark.parametrize(("alpha", "beta", "d", "v_over_d"), CASES)
@pytest.mark.parametrize("batch", [1, 16])
def test_expected_loss_on_the_groups(alpha, beta, d, v_over_d, batch):
    """By the same inversion: what differs is the spectrum. Compare `averaged_groups`."""
    rule = ScalingRule(v_over_d, 0.5, batch)
    model = rule.whole_model(PowerLawTask(alpha, beta), round(d))
    sgd = rule.training(model)
    steps = np.unique(np.rint(np.geomspace(1, 1e9, 40)))
    exact = expected_loss(steps, **model.parameters, **sgd.parameters).loss
    (loss, _, _), _ = invert(steps, averaged_groups(model), sgd)
    np.testing.assert_allclose(loss, exact, rtol=(3 + batch / 2) / d + 2.5e-4)


def test_refinement_converges():
    """Where d is so large that the scatter of the first eigenvalues is below what is left."""
    model = power_law_model(0.4, 1.0, 1e8, 4e8)
    sgd = ScalingRule().training(model)
    steps = np.unique(np.rint(np.geomspace(1, 1e7, 30)))
    exact = expected_loss(steps, **model.parameters, **sgd.parameters).loss
    errors = []
    for ratio in (1.2, 1.1, 1.05):
        (loss, _, _), _ = invert(steps, averaged_groups(model, ratio), sgd)
        errors.append(np.abs(loss / exact - 1).max())
    assert errors[0] > 2.5 * errors[1] > 6 * errors[2]


def test_number_grows_like_log_d():
    sizes = [
        averaged_groups(power_law_model(0.7, 0.7, d, 4 * d)).signal.size for d in (1e4, 1e6, 1e8)
    ]
    first, second = np.diff(sizes)
    assert sizes[0] < 500 and second == pytest.approx(first, rel=0.05)


@pytest.mark.parametrize(
    ("d", "v", "ratio", "message"),
    [
        (499, 4000, 1.05, "groups need 500 <= d < v"),
        (2000, 2000, 1.05, "groups need 500 <= d < v"),
        (2000, np.inf, 1.05, "groups need 500 <= d < v"),
        (2000, 8000, 1.0, "ratio = 1: must be at least 1.001"),
    ],
)
def test_what_has_no_groups_is_refused(d, v, ratio, message):
    with pytest.raises(ValueError, match=message):
        averaged_groups(power_law_model(0.7, 0.7, d, v), ratio)


@pytest.mark.parametrize("batch", [1, 16])
def test_groups_of_a_sampled_spectrum(batch):
    """Its expected loss by the mode recursion, on all eigenvalues and on groups of them."""
    (found,) = reduce(random_stream(1, "features"), [PowerLawTask(0.7, 0.7)], 200, 800)
    signal = found.coefficients**2
    sgd = ScalingRule(4.0, 0.5, batch).training(power_law_model(0.7, 0.7, 200, 800))
    steps = np.unique(np.rint(np.geomspace(1, 1e4, 20))).astype(int)
    exact = recursion(found.eigenvalues, signal, found.floor, sgd, steps).loss
    errors = []
    for ratio in (1.3, 1.03):
        groups = sampled_groups(found.eigenvalues, signal, found.floor, ratio)
        assert groups.multiplicities.sum() <= 200 + 1e-9
        loss = invert(steps.astype(float), groups, sgd)[0][0]
        errors.append(np.abs(loss / exact - 1).max())
    assert errors[1] < 1e-4 < errors[0]
    singles = sampled_groups(found.eigenvalues, signal, found.floor, 1.001).eigenvalues
    np.testing.assert_allclose(singles[:5], np.sort(found.eigenvalues)[::-1][:5], rtol=1e-3)


def test_ratio_of_sampled_groups_is_checked():
    with pytest.raises(ValueError, match=r"ratio = 1: must be at least 1.001"):
        sampled_groups(np.ones(3), np.ones(3), 0.1, 1.0)
