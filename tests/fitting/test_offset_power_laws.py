"""Power laws with an offset: recovered, against a general minimiser, and where there is none."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from plrf.fitting.offset import fit_offset

X = np.geomspace(1e18, 1e22, 12)
LOG_X = np.log(X)


def law(x, offset, scale, eta):
    return offset + scale * (x / 1e20) ** -eta


@pytest.mark.parametrize("offset", [0.0, 0.5, 1.8])
@pytest.mark.parametrize("eta", [0.02, 0.18, 1.5])
def test_recovers_a_law(offset, eta):
    found = fit_offset(LOG_X, law(X, offset, 1.3, eta), np.ones(12, bool))
    assert found.eta == pytest.approx(eta, rel=1e-5)
    assert found.offset == pytest.approx(offset, abs=1e-4)
    beyond = np.array([1e17, 1e24])
    expected = np.log(law(beyond, offset, 1.3, eta))
    np.testing.assert_allclose(found.log_values(np.log(beyond)), expected, rtol=1e-4, atol=1e-6)


def test_against_a_general_minimiser():
    """Many at once, some points left out; least squares of relative residuals."""
    rng = np.random.default_rng(0)
    values = law(X, 1.8, 1.0, 0.18) * np.exp(0.003 * rng.standard_normal((5, 12)))
    used = rng.random((5, 12)) < 0.8
    found = fit_offset(LOG_X, values, used)
    for i, mask in enumerate(used):
        y = values[i, mask]
        expected, _ = curve_fit(law, X[mask], y, [1.8, 1.0, 0.18], sigma=y, xtol=1e-12, ftol=1e-12)
        np.testing.assert_allclose([found.offset[i], found.eta[i]], expected[[0, 2]], rtol=1e-4)


def test_offset_is_never_negative():
    """Bent downwards in logarithms: the best offset is 0, and eta that of the power law."""
    values = law(X, 0, 1.0, 0.2) * np.exp(-0.002 * (LOG_X - LOG_X.mean()) ** 2)
    found = fit_offset(LOG_X, values, np.ones(12, bool))
    assert found.offset == 0
    slope = -np.polyfit(LOG_X, np.log(values), 1)[0]
    assert found.eta == pytest.approx(slope, rel=0.05)


@pytest.mark.parametrize(
    ("values", "points"),
    [(law(X, 1.8, 1.0, 0.18), 2), (law(X, 1.0, 1.0, -0.3), 12)],
    ids=["two points", "rising"],
)
def test_no_law(values, points):
    found = fit_offset(LOG_X, values, np.arange(12) < points)
    assert np.isnan([found.eta, found.offset, found.log_scale]).all()


def test_units_do_not_matter():
    values = law(X, 1.8, 1.0, 0.18) * np.exp(0.01 * np.random.default_rng(1).standard_normal(12))
    one = fit_offset(LOG_X, values, np.ones(12, bool))
    other = fit_offset(LOG_X - 30.0, 7.0 * values, np.ones(12, bool))
    assert other.eta == pytest.approx(float(one.eta), rel=1e-7)
    assert other.offset == pytest.approx(7.0 * float(one.offset), rel=1e-6)
