"""Profile intervals: coverage, the likelihood's of least squares, and open ends."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import least_squares
from scipy.special import huber as huber_loss

from plrf.fitting.law import fit_table
from plrf.fitting.profiles import covariance, profile
from plrf.fitting.variable_projection import variable_projection
from plrf.measure.law_forms import EQUAL_EXPONENTS, FREE, PARAMETERS, fixed_offset
from plrf.measure.refits import HUBER, LEAST_SQUARES, log_law_and_slopes, refit
from tests.law_designs import TRUTH, columns, fits, table


@pytest.mark.parametrize("huber", [HUBER, LEAST_SQUARES])
@pytest.mark.parametrize(
    ("design", "noise"),
    [("isoflop", "normal"), ("isoflop", "heavy"), ("grid", "uneven"), ("scattered", "small")],
)
def test_intervals_cover_the_truth(design, noise, huber):
    """In 400 trials: the truth is inside if its objective is below the threshold.

    Were the coverage 95% exactly, 92 and 98% would be 3 standard deviations away.
    """
    log_d, log_n, log_losses = table(design, noise, 30, 400)
    fitted = fits(log_d, log_n, log_losses, huber)
    least = np.array([float(f.objective(f.parameters)) for f in fitted])
    ratios = np.array([np.divide(*map(np.diag, covariance(f))) for f in fitted])
    for parameter in ("a", "b", "log_e"):
        k = PARAMETERS.index(parameter)
        starts = np.array([f.parameters for f in fitted])
        starts[:, k] = TRUTH[k]
        form = FREE.fixing(parameter, TRUTH[k])
        found = refit(starts, log_d, log_n, log_losses, form=form, huber=huber)
        residuals = log_law_and_slopes(found, log_d, log_n)[0] - log_losses
        excess = huber_loss(huber, residuals).sum(axis=1) - least
        threshold = ratios[:, k] / 2 * stats.f.ppf(0.95, 1, log_d.size - 5)
        assert 0.92 <= np.mean(excess <= threshold) <= 0.98


@pytest.mark.parametrize("parameter", ["a", "b", "log_e"])
def test_ends_are_where_the_threshold_is(parameter):
    """Found anew by a minimiser of the sum of squares with the parameter fixed."""
    d, n, loss = columns("isoflop", "normal", 31)
    fitted = fit_table(d, n, loss, huber=LEAST_SQUARES)
    found = profile(fitted, parameter)
    assert found.status == "ok" and found.low < found.estimate < found.high
    k = PARAMETERS.index(parameter)
    variance, curvature = (np.diag(c)[k] for c in covariance(fitted))
    threshold = variance / curvature * stats.f.ppf(0.95, 1, d.size - 5)
    free = np.delete(np.arange(5), k)
    for end in (found.low, found.high):

        def residuals(q, end=end):
            five = np.insert(q, k, end)
            law = (
                np.exp(five[0]) + np.exp(five[1]) * d ** -five[2] + np.exp(five[3]) * n ** -five[4]
            )
            return np.log(law) - np.log(loss)

        start = fitted.parameters[free]
        best = least_squares(residuals, start, x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14)
        excess = 2 * best.cost - np.sum(fitted.law.residuals**2)
        assert excess == pytest.approx(threshold, rel=0.01)


def test_covariance_of_least_squares():
    """By the textbook: HC3 and the inverse of J^T J."""
    fitted = fit_table(*columns("grid", "uneven", 32), huber=LEAST_SQUARES)
    slopes = fitted.slopes
    inverse = np.linalg.inv(slopes.T @ slopes)
    leverages = np.diag(slopes @ inverse @ slopes.T)
    square = (fitted.law.residuals / (1 - leverages)) ** 2
    expected = inverse @ (slopes.T * square) @ slopes @ inverse
    from_residuals, from_curvature = covariance(fitted)
    np.testing.assert_allclose(from_curvature, inverse, rtol=1e-5, atol=1e-8 * inverse.max())
    np.testing.assert_allclose(from_residuals, expected, rtol=1e-5, atol=1e-8 * expected.max())


def test_an_offset_that_may_be_nothing_is_open():
    """Sizes and samples over too little to tell E from what they do."""
    d, n, loss = columns("grid", "normal", 33)
    few = (d < 3e8) & (n < 2e10)
    found = profile(fit_table(d[few], n[few], loss[few]), "log_e")
    assert found.status == "open" and found.low == -np.inf and np.isfinite(found.high)


@pytest.mark.parametrize("digits", [1e-7, 1e-17])
def test_losses_without_noise_have_intervals_of_no_width(digits):
    """Rounded to single precision too; an E that is nothing is still open."""
    d, n, _ = columns("grid", "small", 36)
    loss = (d / 1e8) ** -0.3 + (n / 1e10) ** -0.4
    fitted = variable_projection(d, n, loss * (1 + digits / 4 * np.cos(np.arange(d.size))))
    exponent, offset = profile(fitted, "a"), profile(fitted, "log_e")
    assert exponent.status == "ok" and exponent.low == exponent.estimate == exponent.high
    assert exponent.estimate == pytest.approx(0.3, abs=1e-5)
    assert offset.status == "open" or np.exp(offset.high) < 1e-6


def test_equal_exponents_have_one_profile():
    fitted = fit_table(*columns("isoflop", "normal", 34), form=EQUAL_EXPONENTS)
    a, b = profile(fitted, "a"), profile(fitted, "b")
    assert (a.low, a.high) == pytest.approx((b.low, b.high), rel=1e-9)


def test_without_a_law_there_is_no_profile():
    found = profile(fit_table([1.0], [1.0], [1.0]), "a")
    assert found.status == "1 losses, at least 6 needed" and np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize(
    ("form", "parameter", "message"),
    [
        (FREE, "c", "parameter = 'c': must be 'log_e', 'a' or 'b'"),
        (FREE, "log_a", "parameter = 'log_a'"),
        (fixed_offset(1.8), "log_e", r"must be free in form 'E = 1\.8'"),
    ],
)
def test_other_parameters_are_refused(form, parameter, message):
    with pytest.raises(ValueError, match=message):
        profile(fit_table(*columns("grid", "small", 35), form=form), parameter)
