"""The parametric law: recovered from its own losses, its gradient, its front, and outliers."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, least_squares, minimize_scalar

from plrf.measure.law_forms import EQUAL_EXPONENTS, FREE, fixed_offset
from plrf.measure.parametric import Law, _objective, fit_law, refit_exponents
from plrf.measure.refits import HUBER, LEAST_SQUARES, refit

TRUTH = {"log_e": np.log(0.02), "log_a": np.log(3), "a": 0.6, "log_b": np.log(5), "b": 0.45}


def grid(n_d=10, n_f=8):
    d = np.geomspace(100, 3000, n_d)[:, None]
    f = np.geomspace(1e5, 1e8, n_f)
    log_d, log_f = np.broadcast_arrays(np.log(d), np.log(f))
    return log_d.ravel(), (log_f - log_d).ravel()


def law_loss(log_d, log_n, log_e, log_a, a, log_b, b):
    return np.exp(log_e) + np.exp(log_a - a * log_d) + np.exp(log_b - b * log_n)


@pytest.mark.parametrize(
    "changes",
    [{}, {"a": 0.2, "b": 1.1}, {"a": 1.3, "b": 0.3}, {"log_e": -40.0}, {"log_a": 20.0, "a": 3.0}],
    ids=str,
)
def test_recovers_a_law_from_its_losses(changes):
    truth = TRUTH | changes
    log_d, log_n = grid()
    law = fit_law(log_d, log_n, np.log(law_loss(log_d, log_n, **truth)))
    assert law.converged
    a, b = truth["a"], truth["b"]
    np.testing.assert_allclose(law.exponents, [a * b / (a + b), b / (a + b)], rtol=1e-3)
    assert np.abs(law.residuals).max() < 1e-4
    if truth["log_e"] > -10:
        np.testing.assert_allclose(law.parameters, list(truth.values()), rtol=5e-3)


def test_outliers_have_little_weight():
    """A tenth of the losses twice too large: the Huber loss is not led astray, squares would be."""
    log_d, log_n = grid()
    log_loss = np.log(law_loss(log_d, log_n, **TRUTH))
    outliers = np.random.default_rng(0).choice(log_loss.size, log_loss.size // 10, replace=False)
    log_loss[outliers] += np.log(2)
    law = fit_law(log_d, log_n, log_loss)
    a, b = TRUTH["a"], TRUTH["b"]
    np.testing.assert_allclose(law.exponents, [a * b / (a + b), b / (a + b)], rtol=0.01)
    np.testing.assert_allclose(law.residuals[outliers], np.log(2), rtol=0.02)


@pytest.mark.parametrize("size", [0.1, 5.0])
@pytest.mark.parametrize("form", [FREE, EQUAL_EXPONENTS, fixed_offset(0.0)], ids=lambda f: f.name)
def test_gradient_against_differences(size, form):
    """In the quadratic and in the linear part of the Huber loss."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 30))
    point = form.free_parameters(np.array([-2.0, -1.0, 0.5, -0.5, 0.8]))
    log_e, log_a, a, log_b, b = form.all_parameters(point)
    terms = [np.full(30, log_e), log_a - a * x, log_b - b * y]
    log_loss = np.logaddexp.reduce(terms) + size * HUBER * rng.uniform(0.5, 2, 30)
    data = (x, y, log_loss, rng.uniform(0.5, 2, 30), form, HUBER)
    expected = approx_fprime(point, lambda p: _objective(p, *data)[0], 1e-9)
    value, gradient = _objective(point, *data)
    assert value > 0
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_objective_is_the_huber_loss():
    """Half the square up to delta, then linear; in units of delta."""
    point = np.array([0.0, -50.0, 1.0, -50.0, 1.0])
    residuals = np.array([0.5e-3, -1e-3, 3e-3, -0.2])
    value, _ = _objective(point, np.zeros(4), np.zeros(4), -residuals, np.ones(4), FREE, HUBER)
    expected = [0.5 * 0.5e-3**2, 0.5 * 1e-3**2, 1e-3 * (3e-3 - 0.5e-3), 1e-3 * (0.2 - 0.5e-3)]
    assert value == pytest.approx(sum(expected) / 1e-3, rel=1e-9)


def test_front_is_the_minimum_over_sizes_at_fixed_compute():
    law = Law(np.array(list(TRUTH.values())), np.zeros(1), "ok")
    flops = np.geomspace(1e5, 1e9, 5)
    d_opt, loss_opt = law.front(flops)
    for f, d, loss in zip(flops, d_opt, loss_opt, strict=True):
        found = minimize_scalar(
            lambda x, f=f: law_loss(x, np.log(f) - x, **TRUTH), bounds=(0, np.log(f))
        )
        assert np.log(d) == pytest.approx(found.x, abs=1e-5)
        assert loss == pytest.approx(found.fun, rel=1e-9)
    slope = np.diff(np.log(d_opt)) / np.diff(np.log(flops))
    np.testing.assert_allclose(slope, law.exponents[1], rtol=1e-12)
    slope = -np.diff(np.log(loss_opt - np.exp(law.parameters[0]))) / np.diff(np.log(flops))
    np.testing.assert_allclose(slope, law.exponents[0], rtol=1e-9)


def test_law_without_a_trade_off_is_refused():
    """Losses that grow with d have no exponent a: it ends at its bound."""
    log_d, log_n = grid()
    law = fit_law(log_d, log_n, 0.3 * log_d - 0.4 * log_n)
    assert law.status == "an exponent is out of bounds"
    assert np.isnan(law.exponents).all()


@pytest.mark.parametrize(
    ("changes", "term"),
    [({"log_b": -40.0}, "B n^-b"), ({"log_a": -40.0}, "A d^-a"), ({"b": 2e-6}, "B n^-b")],
    ids=str,
)
def test_a_negligible_term_has_no_exponent(changes, term):
    """Losses that one term hardly changes: whatever its exponent is, it was not measured."""
    log_d, log_n = grid()
    law = fit_law(log_d, log_n, np.log(law_loss(log_d, log_n, **TRUTH | changes)))
    assert law.status in (
        f"the term {term} is negligible, it has no exponent",
        "an exponent is out of bounds",
    )
    assert np.abs(law.residuals).max() < 1e-3
    assert np.isnan(law.exponents).all()


@pytest.mark.parametrize("log_e", [TRUTH["log_e"], -40.0])
def test_refits_agree_with_fits_from_the_grid(log_e):
    rng = np.random.default_rng(2)
    log_d, log_n = grid()
    log_loss = np.log(law_loss(log_d, log_n, **TRUTH | {"log_e": log_e}))
    first = fit_law(log_d, log_n, log_loss + 0.02 * rng.standard_normal(log_loss.size))
    others = log_loss + 0.02 * rng.standard_normal((2, 4, log_loss.size))
    found = refit_exponents(first, log_d, log_n, others)
    assert found.shape == (2, 2, 4)
    for place in np.ndindex(2, 4):
        expected = fit_law(log_d, log_n, others[place]).exponents
        np.testing.assert_allclose(found[:, *place], expected, rtol=3e-3)


def test_refits_leave_missing_losses_out():
    rng = np.random.default_rng(3)
    log_d, log_n = grid()
    log_loss = np.log(law_loss(log_d, log_n, **TRUTH)) + 0.02 * rng.standard_normal(log_d.size)
    first = fit_law(log_d, log_n, log_loss)
    missing = rng.uniform(size=log_d.size) < 0.2
    found = refit_exponents(first, log_d, log_n, np.where(missing, np.nan, log_loss)[None])
    kept = ~missing
    expected = fit_law(log_d[kept], log_n[kept], log_loss[kept]).exponents
    np.testing.assert_allclose(found[:, 0], expected, rtol=3e-3)


def test_nothing_left_to_fit_again():
    """As when each of the fewest sizes is left out in turn."""
    log_d, log_n = grid()
    law = fit_law(log_d, log_n, np.log(law_loss(log_d, log_n, **TRUTH)))
    found = refit_exponents(law, log_d, log_n, np.full((3, log_d.size), np.nan))
    assert found.shape == (2, 3) and np.isnan(found).all()


@pytest.mark.parametrize(
    ("form", "truth"),
    [
        (EQUAL_EXPONENTS, TRUTH | {"a": 0.5, "b": 0.5}),
        (fixed_offset(0.02), TRUTH),
        (fixed_offset(0.0), TRUTH | {"log_e": -np.inf}),
    ],
    ids=["equal exponents", "E", "no E"],
)
def test_forms_recover_their_laws(form, truth):
    log_d, log_n = grid()
    law = fit_law(log_d, log_n, np.log(law_loss(log_d, log_n, **truth)), form=form)
    assert law.converged and law.form is form
    np.testing.assert_allclose(law.parameters, list(truth.values()), rtol=5e-3)
    start = form.all_parameters(1.02 * form.free_parameters(law.parameters))
    again = refit(start, log_d, log_n, np.log(law_loss(log_d, log_n, **truth)), form=form)
    np.testing.assert_allclose(again, list(truth.values()), rtol=1e-3)


@pytest.mark.parametrize("huber", [1e-4, HUBER, 1e-2, LEAST_SQUARES])
def test_weights_are_repeated_losses(huber):
    """A loss of weight 2 counts as two, one of weight 0 as none, at any Huber scale."""
    rng = np.random.default_rng(4)
    log_d, log_n = grid()
    log_loss = np.log(law_loss(log_d, log_n, **TRUTH)) + 0.01 * rng.standard_normal(log_d.size)
    law = fit_law(log_d, log_n, log_loss, huber=huber)
    counts = rng.multinomial(log_d.size, np.full(log_d.size, 1 / log_d.size), size=3)
    found = refit(law.parameters, log_d, log_n, log_loss, weights=counts.astype(float), huber=huber)
    for count, parameters in zip(counts, found, strict=True):
        rows = np.repeat(np.arange(log_d.size), count)
        repeated = log_d[rows], log_n[rows], log_loss[rows]
        expected = refit(law.parameters, *repeated, huber=huber)
        np.testing.assert_allclose(parameters, expected, rtol=1e-4)
        data = (*repeated, np.ones(rows.size), FREE, huber)
        weighted = fit_law(log_d, log_n, log_loss, weights=count.astype(float), huber=huber)
        least = _objective(expected, *data)[0]
        assert _objective(weighted.parameters, *data)[0] == pytest.approx(least, rel=1e-4)


def test_least_squares_against_scipy():
    rng = np.random.default_rng(5)
    log_d, log_n = grid()
    log_loss = np.log(law_loss(log_d, log_n, **TRUTH)) + 0.01 * rng.standard_normal(log_d.size)
    expected = least_squares(
        lambda p: np.log(law_loss(log_d, log_n, *p)) - log_loss,
        list(TRUTH.values()),
        x_scale=[1, 1, 0.1, 1, 0.1],
        xtol=1e-12,
        ftol=1e-12,
    )
    law = fit_law(log_d, log_n, log_loss, huber=LEAST_SQUARES)
    again = refit(law.parameters, log_d, log_n, log_loss, huber=LEAST_SQUARES)
    np.testing.assert_allclose(again, expected.x, rtol=1e-4)


def test_refits_without_any_losses_are_refused_alone():
    log_d, log_n = grid()
    law = fit_law(log_d, log_n, np.log(law_loss(log_d, log_n, **TRUTH)))
    weights = np.ones((3, log_d.size))
    weights[1] = 0
    found = refit(
        law.parameters, log_d, log_n, np.log(law_loss(log_d, log_n, **TRUTH)), weights=weights
    )
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("e", "error"), [(-1.0, ValueError), (np.inf, ValueError), ("2", TypeError)], ids=str
)
def test_fixed_offsets_are_checked(e, error):
    with pytest.raises(error, match=r"^e = "):
        fixed_offset(e)
