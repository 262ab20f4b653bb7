"""Errors of fitted laws: coverage, groups of rows, the jackknife, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from plrf.fitting import quantities
from plrf.fitting.law import fit_table
from plrf.fitting.resampling import ResampledLaw, jackknife, resample
from plrf.measure.law_forms import EQUAL_EXPONENTS
from plrf.measure.refits import refit
from tests.law_designs import HIGH, TRUTH, columns, fits, grid, table

FLOPS = np.array([1e20, HIGH, 10 * HIGH])


def everything(parameters):
    """Single quantities, and optima at budgets up to 10 times the largest, shape (..., 16)."""
    single = [quantity(parameters) for quantity in quantities.QUANTITIES.values()]
    functions = quantities.best_d, quantities.samples_per_parameter, quantities.best_loss
    at_budgets = [function(parameters, FLOPS) for function in functions]
    return np.concatenate([np.stack(single, axis=-1), *at_budgets], axis=-1)


@pytest.mark.parametrize(("design", "noise"), [("isoflop", "heavy"), ("grid", "normal")])
def test_intervals_cover_the_truth(design, noise):
    """In 400 trials; were it 95% exactly, 92 and 98% would be 3 standard deviations away.

    Resamples of all trials are refitted at once.
    """
    trials, resamples = 400, 60
    log_d, log_n, log_losses = table(design, noise, 10, trials)
    n, truth = log_d.size, everything(TRUTH)
    fitted = fits(log_d, log_n, log_losses)
    shares = np.full(n, 1 / n)
    counts = np.random.default_rng(11).multinomial(n, shares, size=(trials, resamples))
    starts = np.stack([f.parameters for f in fitted])[:, None]
    found = refit(starts, log_d, log_n, log_losses[:, None], weights=counts.astype(float))
    covered = []
    for law, parameters in zip(fitted, found, strict=True):
        interval = ResampledLaw(law, parameters, resamples, n, n - 5).interval(everything)
        covered.append((interval.low <= truth) & (truth <= interval.high))
    coverage = np.mean(covered, axis=0)
    assert np.all((coverage >= 0.92) & (coverage <= 0.98)), coverage


def test_groups_are_the_units_where_they_share_noise():
    """Sizes with errors of their own: intervals from rows are far too narrow, from sizes not."""
    log_d, log_n = grid()
    sizes, places = np.unique(log_d, return_inverse=True)
    rng = np.random.default_rng(12)
    shared = 0.005 * rng.standard_normal((40, sizes.size))[:, places]
    clean = np.log(quantities.loss(TRUTH, np.exp(log_d), np.exp(log_n)))
    log_losses = clean + shared + 0.003 * rng.standard_normal((40, log_d.size))
    covered = {"rows": [], "sizes": [], "jackknife": []}
    for fitted in fits(log_d, log_n, log_losses):
        intervals = {
            "rows": resample(fitted, 60, rng).interval(quantities.xi),
            "sizes": resample(fitted, 60, rng, groups=log_d).interval(quantities.xi),
            "jackknife": jackknife(fitted, quantities.xi, groups=log_d),
        }
        truth = quantities.xi(TRUTH)
        for name, interval in intervals.items():
            covered[name].append(interval.low <= truth <= interval.high)
    assert np.mean(covered["rows"]) < 0.85
    # Less than once in 1000 times for a coverage of 95%.
    least = stats.binom(40, 0.95).ppf(1e-3) / 40
    assert np.mean(covered["sizes"]) >= least
    assert np.mean(covered["jackknife"]) >= least


@pytest.mark.parametrize("by", ["rows", "groups"])
def test_jackknife_by_hand(by):
    """One fit after the other, from the grid of initial points."""
    d, n, loss = columns("grid", "small", 13)
    labels = np.arange(d.size) if by == "rows" else np.round(np.log(n), 6)
    fitted = fit_table(d, n, loss)
    names = np.unique(labels)[:: 1 if by == "groups" else 12]
    weights = (labels != names[:, None]).astype(float)
    for parameters, name in zip(fitted.refit(weights), names, strict=True):
        kept = labels != name
        expected = fit_table(d[kept], n[kept], loss[kept]).parameters
        np.testing.assert_allclose(parameters, expected, rtol=1e-4)
    interval = jackknife(fitted, quantities.eta, None if by == "rows" else labels)
    units = np.unique(labels)
    values = quantities.eta(fitted.refit((labels != units[:, None]).astype(float)))
    variance = (units.size - 1) / units.size * np.sum((values - values.mean()) ** 2)
    assert interval.std_error == pytest.approx(np.sqrt(variance), rel=1e-9)
    reach = stats.t.ppf(0.975, units.size - 1) * interval.std_error
    assert interval.high - interval.estimate == pytest.approx(reach, rel=1e-9)
    assert interval.estimate - interval.low == pytest.approx(reach, rel=1e-9)


def test_percentiles_are_corrected_as_stated():
    """Resamples that are normal but for a shift and any monotonous function: known quantiles."""
    fitted = fit_table(*columns("grid", "small", 14))
    units, dof, shift = 20, 15, 0.3
    ranks = (np.arange(20_000) + 0.5) / 20_000
    a = fitted.parameters[2] * np.exp(0.1 * (stats.norm.ppf(ranks) - shift))
    parameters = np.tile(fitted.parameters, (ranks.size, 1))
    parameters[:, 2] = a
    sample = ResampledLaw(fitted, parameters, ranks.size, units, dof)
    interval = sample.interval(lambda p: p[..., 2])
    deviate = np.sqrt(units / (units - 1)) * stats.t.ppf(0.975, dof)
    # Twice the shift, which the resamples have had once.
    expected = fitted.parameters[2] * np.exp(0.1 * (shift + np.array([-deviate, deviate])))
    np.testing.assert_allclose([interval.low, interval.high], expected, rtol=2e-3)


def test_resamples_depend_on_the_generator_only():
    fitted = fit_table(*columns("scattered", "normal", 15))
    first, again = (resample(fitted, 20, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first.parameters, again.parameters)
    assert first.refused == 0 and first.status == "ok"


def test_forms_are_kept_by_resamples():
    d, n, loss = columns("grid", "normal", 16)
    sample = resample(fit_table(d, n, loss, form=EQUAL_EXPONENTS), 30, np.random.default_rng(2))
    np.testing.assert_array_equal(sample.parameters[:, 2], sample.parameters[:, 4])
    assert np.ptp(sample.parameters[:, 2]) > 0
    assert sample.dof == d.size - 4


def test_refused_resamples_are_told():
    """Few sizes and much noise: some resamples have no exponents."""
    fitted = fit_table(*columns("grid", "small", 17))
    rows = np.isin(fitted.log_d, np.unique(fitted.log_d)[:3])
    rng = np.random.default_rng(18)
    for _ in range(20):
        loss = np.exp(fitted.log_loss[rows] + 0.1 * rng.standard_normal(rows.sum()))
        noisy = fit_table(np.exp(fitted.log_d[rows]), np.exp(fitted.log_n[rows]), loss)
        sample = resample(noisy, 40, rng)
        if noisy.status == "ok" and sample.refused > 0.05:
            break
    assert sample.status == f"ok; {sample.refused:.0%} of resamples refused"
    assert len(sample.parameters) == round(40 * (1 - sample.refused))


def test_no_law_and_too_few_groups_have_no_interval():
    fitted = fit_table(*columns("grid", "small", 19))
    rng = np.random.default_rng(3)
    two = fitted.log_d > np.median(fitted.log_d)
    none = replace(fitted, law=replace(fitted.law, status="the minimiser failed"))
    for sample in (resample(fitted, 10, rng, groups=two), resample(none, 10, rng)):
        interval = sample.interval(everything)
        assert np.isnan(interval.low).all() and interval.low.shape == (16,)
    assert interval.status == "the minimiser failed"
    for interval in (jackknife(fitted, everything, groups=two), jackknife(none, everything)):
        assert np.isnan(interval.std_error).all()


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"resamples": 1}, ValueError, "resamples = 1"),
        ({"resamples": 2.5}, ValueError, r"resamples = 2\.5"),
        ({"groups": [1, 2]}, ValueError, "groups: must be 48 labels"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(changed, error, message):
    fitted = fit_table(*columns("grid", "small", 20))
    with pytest.raises(error, match=message):
        resample(**({"fitted": fitted, "resamples": 5, "rng": np.random.default_rng()} | changed))


def test_many_starts_and_weights_at_once():
    """Trials and resamples along different axes of one call."""
    log_d, log_n, log_losses = table("grid", "normal", 21, 3)
    starts = np.stack([fitted.parameters for fitted in fits(log_d, log_n, log_losses)])
    weights = np.random.default_rng(4).poisson(1.0, (3, 4, log_d.size)).astype(float)
    found = refit(starts[:, None], log_d, log_n, log_losses[:, None], weights=weights)
    assert found.shape == (3, 4, 5)
    alone = refit(starts[1], log_d, log_n, log_losses[1], weights=weights[1, 2])
    np.testing.assert_allclose(found[1, 2], alone, rtol=1e-6)
