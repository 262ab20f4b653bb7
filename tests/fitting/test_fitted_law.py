"""Laws fitted to tables: known answers, units and order of rows, and what is refused."""

import numpy as np
import pytest
from scipy.special import huber

from plrf.fitting.law import fit_table
from plrf.fitting.profiles import profile
from plrf.fitting.variable_projection import variable_projection
from plrf.measure.law_forms import EQUAL_EXPONENTS, fixed_offset
from plrf.measure.refits import HUBER, LEAST_SQUARES
from tests.law_designs import DESIGNS, TRUTH, columns

FITS = pytest.mark.parametrize("fit", [fit_table, variable_projection])


def losses_without_noise(design):
    log_d, log_n = DESIGNS[design]
    log_e, log_a, a, log_b, b = TRUTH
    loss = np.exp(log_e) + np.exp(log_a - a * log_d) + np.exp(log_b - b * log_n)
    return np.exp(log_d), np.exp(log_n), loss


@FITS
@pytest.mark.parametrize("design", DESIGNS)
def test_recovers_a_law_from_its_losses(fit, design):
    fitted = fit(*losses_without_noise(design))
    assert fitted.status == "ok"
    np.testing.assert_allclose(fitted.parameters, TRUTH, rtol=1e-6)
    assert np.abs(fitted.law.residuals).max() < 1e-8


@FITS
def test_no_losses_nearby_are_described_better(fit):
    """The minimum of what is minimised, by the sums themselves."""
    d, n, loss = columns("scattered", "normal", 0)
    fitted = fit(d, n, loss)

    def objective(parameters):
        log_e, log_a, a, log_b, b = parameters
        law = np.exp(log_e) + np.exp(log_a) * d**-a + np.exp(log_b) * n**-b
        if fit is variable_projection:
            return np.sum((law / loss - 1) ** 2)
        return huber(HUBER, np.log(law) - np.log(loss)).sum()

    least = objective(fitted.parameters)
    rng = np.random.default_rng(1)
    for scale in (1e-2, 1e-3, 1e-4):
        steps = scale * rng.standard_normal((200, 5)) * [0.1, 1, 0.1, 1, 0.1]
        # Along the valleys too: A and B follow their exponents.
        steps[:, [1, 3]] += steps[:, [2, 4]] * [np.log(d).mean(), np.log(n).mean()]
        assert min(map(objective, fitted.parameters + steps)) > least * (1 - 1e-9)


def test_variable_projection_is_least_squares():
    """Of relative residuals: those of log L but for their squares."""
    found = variable_projection(*columns("isoflop", "small", 2))
    expected = fit_table(*columns("isoflop", "small", 2), huber=LEAST_SQUARES)
    np.testing.assert_allclose(found.parameters, expected.parameters, rtol=2e-3)


@FITS
def test_offsets_are_not_negative(fit):
    """Losses that fall below any law of positive E: it is 0, and the exponents are there."""
    d, n, _ = losses_without_noise("grid")
    loss = (d / 1e8) ** -0.3 + (n / 1e10) ** -0.3 - 0.05
    fitted = fit(d, n, loss)
    assert fitted.status == "ok"
    assert np.exp(fitted.parameters[0]) < 1e-6
    assert profile(fitted, "log_e").low == -np.inf
    assert profile(fitted, "a").low < fitted.parameters[2] < profile(fitted, "a").high


@FITS
def test_units_and_order_of_rows_do_not_matter(fit):
    d, n, loss = columns("scattered", "heavy", 3)
    expected = fit(d, n, loss).parameters
    order = np.random.default_rng(4).permutation(d.size)
    found = fit(d[order] / 1e6, n[order] / 1e9, 100 * loss[order]).parameters
    _, _, a, _, b = expected
    units = np.log([100, 100 * 1e6**-a, 1, 100 * 1e9**-b, 1])
    np.testing.assert_allclose(found, expected + units, rtol=2e-5)


def test_fixed_offsets_follow_the_unit():
    d, n, loss = columns("grid", "normal", 5)
    fitted = fit_table(d, n, loss, form=fixed_offset(1.8))
    scaled = fit_table(d, n, 2 * loss, form=fixed_offset(3.6))
    assert np.exp(fitted.parameters[0]) == pytest.approx(1.8)
    np.testing.assert_allclose(scaled.parameters[[2, 4]], fitted.parameters[[2, 4]], rtol=1e-4)


@FITS
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_too_few_rows_are_no_law(fit, rows):
    fitted = fit(*(column[:rows] for column in columns("grid", "small", 0)))
    assert fitted.status == f"{rows} losses, at least 6 needed"
    assert np.isnan(fitted.parameters).all()


def test_a_form_of_fewer_parameters_needs_fewer_rows():
    rows = np.array([0, 2, 25, 40, 47])
    fitted = fit_table(*(c[rows] for c in losses_without_noise("grid")), form=EQUAL_EXPONENTS)
    assert "needed" not in fitted.status


@FITS
@pytest.mark.parametrize(
    ("column", "term"), [(0, "A d^-a"), (1, "B n^-b")], ids=["one size", "one number of samples"]
)
def test_one_size_or_one_number_of_samples_has_no_exponent(fit, column, term):
    table = list(losses_without_noise("grid"))
    kept = table[column] == table[column][-1]
    fitted = fit(*(c[kept] for c in table))
    assert fitted.status in (
        f"the term {term} is negligible, it has no exponent",
        "an exponent is out of bounds",
    )


@FITS
@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"d": [1, 2, -3]}, ValueError, "d = -3: must be a finite number above 0"),
        ({"n": [1, 2, np.nan]}, ValueError, "n = nan"),
        ({"loss": [1, 2, 0]}, ValueError, "loss = 0"),
        ({"loss": ["a", "b", "c"]}, TypeError, "loss = "),
        ({"loss": [1, 2]}, ValueError, "of one length"),
        ({"d": [[1, 2, 3]]}, ValueError, "must be 1-d"),
    ],
    ids=str,
)
def test_bad_tables_are_refused(fit, changed, error, message):
    with pytest.raises(error, match=message):
        fit(**({"d": [1, 2, 3], "n": [1, 2, 3], "loss": [3, 2, 1]} | changed))
