"""Forms and predictions held against rows that were left out."""

import numpy as np
import pytest
from scipy.special import huber

from plrf.fitting.held_out import SPLITS, compare_forms, predict_held_out
from plrf.fitting.law import fit_table
from plrf.measure.law_forms import EQUAL_EXPONENTS, FORMS, FREE
from plrf.measure.refits import HUBER
from tests.law_designs import DESIGNS, columns, scattered


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("design", DESIGNS)
def test_folds_leave_each_row_out_once_at_most(split, design):
    log_d, log_n = DESIGNS[design]
    folds = SPLITS[split](log_d, log_n)
    assert folds.any(axis=1).all() and not folds.all(axis=1).any()
    assert np.all(folds.sum(axis=0) <= 1)


def test_splits():
    log_d, log_n = DESIGNS["grid"]
    by_size = SPLITS["sizes"](log_d, log_n)
    assert len(by_size) == 8 and all(np.ptp(log_d[fold]) == 0 for fold in by_size)
    assert len(SPLITS["sizes"](*scattered())) == 10
    (largest,) = SPLITS["largest_budgets"](*scattered())
    compute = np.add(*scattered())
    assert compute[largest].min() > compute[~largest].max()
    assert largest.mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("split", SPLITS)
def test_scores_by_hand(split):
    d, n, loss = columns("grid", "normal", 40)
    scores = compare_forms(d, n, loss, split=split, forms=[FREE, EQUAL_EXPONENTS])
    assert [(s.form, s.free, s.status) for s in scores] == [("free", 5, "ok"), ("a = b", 4, "ok")]
    for score in scores:
        residuals = []
        for fold in SPLITS[split](np.log(d), np.log(n)):
            law = fit_table(d[~fold], n[~fold], loss[~fold], form=FORMS[score.form])
            log_e, log_a, a, log_b, b = law.parameters
            predicted = np.exp(log_e) + np.exp(log_a) * d**-a + np.exp(log_b) * n**-b
            residuals.extend(np.log(loss / predicted)[fold])
        residuals = np.array(residuals)
        assert score.held_out == pytest.approx(huber(HUBER, residuals).mean(), rel=1e-3)
        assert score.held_out_rms == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-3)


def test_a_wrong_form_is_found_out():
    """Without E, losses beyond the largest budget are foretold too low."""
    scores = compare_forms(*columns("isoflop", "small", 41), split="largest_budgets")
    by_form = {score.form: score for score in scores}
    assert by_form["E = 0"].held_out > 3 * by_form["free"].held_out
    assert by_form["free"].fitted <= by_form["a = b"].fitted


@pytest.mark.parametrize("noise", ["normal", "heavy"])
def test_predictions_cover_new_losses(noise):
    """Over 20 tables 95% intervals cover 95% of the losses above a budget, to 4%."""
    rng = np.random.default_rng(42)
    covered = []
    for seed in range(20):
        d, n, loss = columns("isoflop", noise, seed)
        found = predict_held_out(d, n, loss, 6 * d * n < 1e21, resamples=60, rng=rng)
        assert found.status == "ok" and np.all(6 * d[found.rows] * n[found.rows] >= 1e21)
        np.testing.assert_allclose(found.measured / found.predicted - 1, found.error)
        np.testing.assert_array_equal(found.measured, loss[found.rows])
        covered.append(found.covered)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.04)


def test_rows_that_no_law_fits_are_not_predicted():
    d, n, loss = columns("grid", "small", 43)
    found = predict_held_out(
        d, n, loss, np.arange(48) < 3, resamples=5, rng=np.random.default_rng(0)
    )
    assert found.status == "3 losses, at least 6 needed"
    assert found.rows.size == 45 and np.isnan(found.predicted).all() and np.isnan(found.covered)
    (score, *_) = compare_forms(d[:4], n[:4], loss[:4], split="sizes")
    assert score.status == "4 losses, at least 6 needed" and np.isnan(score.held_out)


def test_folds_without_a_law_are_counted():
    """Three sizes and much noise: without some of them there are no exponents."""
    d, n, loss = columns("grid", "small", 44)
    kept = d <= np.unique(d)[2]
    rng = np.random.default_rng(0)
    told = []
    for _ in range(6):
        noisy = loss[kept] * np.exp(0.1 * rng.standard_normal(kept.sum()))
        told.extend(compare_forms(d[kept], n[kept], noisy, split="sizes"))
    without = [score for score in told if score.status.startswith("no law without")]
    assert without
    for score in without:
        assert score.status.endswith(" of 3 folds") and score.fitted > 0
        assert np.isnan([score.held_out, score.held_out_rms]).all()


def test_bad_arguments_are_refused():
    table = columns("grid", "small", 45)
    with pytest.raises(ValueError, match="split = 'halves': must be one of largest_budgets, sizes"):
        compare_forms(*table, split="halves")
    with pytest.raises(ValueError, match="fitted_rows: must be one truth value per row"):
        predict_held_out(*table, [True], resamples=5, rng=np.random.default_rng(0))
