"""Errors of the power laws along a front: coverage of their intervals, and known formulas."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from plrf.fitting.curves import Curves
from plrf.fitting.front_laws import QUANTITIES, FrontLaws, left_out_budgets, left_out_sizes
from plrf.fitting.front_tables import NO_ERROR, FrontFit, optimum_rows
from plrf.fitting.slices import Slices
from plrf.measure.fronts import Front, parabolas, splines
from plrf.measure.power_law import slope_weights
from plrf.measure.refits import log_law_and_slopes
from tests.law_designs import TRUTH, isoflop
from tests.surfaces import known_table, noisy

ENVELOPE = partial(parabolas, neighbours=1)
PARABOLAS = partial(parabolas, neighbours=2)
SPLINES = partial(splines, neighbours=2)
BEYOND = np.log([3e20, 3e22])  # within the table, and ten times its largest budget
ALL = np.ones(12, dtype=bool)


def slices(seeds=1, noise=0.0, rng=None):
    """Twelve slices of eight sizes; independent runs with lognormal noise."""
    log_d, log_n = isoflop()
    log_loss = log_law_and_slopes(TRUTH, log_d, log_n)[0]
    flops = np.repeat(np.exp(log_d + log_n).reshape(12, 8).mean(axis=1) * 6, 8)
    rows = pd.DataFrame({"budget": flops, "flops": flops, "parameters": np.exp(log_d)})
    rows = pd.concat([rows] * seeds)
    noisy_losses = np.tile(log_loss, seeds)
    if noise:
        noisy_losses = noisy_losses + noise * rng.standard_normal(len(rows))
    return Slices.of(rows.assign(loss=np.exp(noisy_losses), moved=np.exp(noisy_losses)))


def one_of(front, i):
    """One front of many."""
    return Front(front.budgets, front.d_opt[i], front.loss_opt[i], front.status[i])


@pytest.mark.parametrize(
    ("find", "noise"),
    [(ENVELOPE, 0.005), (PARABOLAS, 0.003), (PARABOLAS, 0.01), (SPLINES, 0.005)],
    ids=["envelope", "parabolas, 0.3%", "parabolas, 1%", "splines"],
)
def test_coverage_over_slices(find, noise):
    """Against what the method gives without noise, in 400 trials.

    A true coverage of 95% is outside 92 to 98% with a probability of 0.5%, once for each quantity.
    """
    clean = slices()
    exact = FrontLaws.of(clean.front(find), ALL).values(BEYOND)
    rng = np.random.default_rng(3)
    losses = clean.cells["loss"].to_numpy() * np.exp(noise * rng.standard_normal((400, 96)))
    front = clean.front(find, losses)
    covered = []
    for i in range(400):
        one = one_of(front, i)
        errors = left_out_budgets(one, ALL, BEYOND)
        distance = np.abs(FrontLaws.of(one, ALL).values(BEYOND) - exact)
        covered.append(distance < stdtrit(errors.dof, 0.975) * errors.std_errors)
    names = (*QUANTITIES, "d", "d beyond", "P", "P beyond")
    coverage = dict(zip(names, np.mean(covered, axis=0), strict=True))
    del coverage["P"]  # the lowest of noisy losses is biased
    assert {name: share for name, share in coverage.items() if not 0.92 <= share <= 0.98} == {}


def test_coverage_over_seeds():
    """Three seeds of each run, 100 trials: 95% within four standard deviations, 86%."""
    exact = FrontLaws.of(slices().front(PARABOLAS), ALL).exponents
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(100):
        table = slices(3, 0.01, rng)
        errors = table.errors(PARABOLAS, ALL, np.empty(0), resamples=100, rng=rng)
        assert errors.source == "runs"
        distance = np.abs(FrontLaws.of(table.front(PARABOLAS), ALL).exponents - exact)
        covered.append(distance < stdtrit(errors.dof, 0.975) * errors.std_errors)
    assert np.mean(covered, axis=0).min() > 0.86


def test_leaving_out_sizes_is_not_too_narrow():
    """One run of each size, with noise that is correlated along it: 60 trials, over 86%."""
    table = known_table(n_budgets=17)
    window, nowhere = np.ones(17, dtype=bool), np.empty(0)
    exact = FrontLaws.of(PARABOLAS(table.sizes, table.budgets, table.mean_loss), window)
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(60):
        curves = Curves(noisy(table, 1, rng, level=0.01))
        errors = curves.errors(PARABOLAS, window, nowhere, resamples=2, rng=rng)
        distance = np.abs(FrontLaws.of(curves.front(PARABOLAS), window).exponents - exact.exponents)
        covered.append(distance < stdtrit(errors.dof, 0.975) * errors.std_errors)
    assert np.mean(covered, axis=0)[1:3].min() > 0.86


def test_leaving_out_budgets_is_robust_regression():
    """Of xi about HC3 (MacKinnon and White 1985), in closed form; of the slope HC3 itself."""
    rng = np.random.default_rng(6)
    flops = np.geomspace(1e18, 1e22, 12)
    log_f = np.log(flops)
    d_opt = np.exp(0.5 * log_f + 0.1 * rng.standard_normal(12))
    loss = np.exp(-0.1 * log_f + 0.01 * rng.standard_normal(12))
    used = np.arange(12) != 4
    status = np.where(used, "ok", "not_convex")
    errors = left_out_budgets(Front(flops, d_opt, loss, status), ALL, np.empty(0))
    weights = slope_weights(log_f, used)[used]
    centred = log_f[used] - log_f[used].mean()
    leverage = 1 / 11 + centred**2 / np.sum(centred**2)
    residuals = np.log(d_opt[used]) - np.polyval(
        np.polyfit(log_f[used], np.log(d_opt[used]), 1), log_f[used]
    )
    jackknife = weights * residuals / (1 - leverage)
    spread = np.sum((jackknife - jackknife.mean()) ** 2) * 10 / 11
    assert errors.std_errors[1] == pytest.approx(np.sqrt(spread), rel=1e-9)
    assert errors.dof[1] == pytest.approx(np.sum(weights**2) ** 2 / np.sum(weights**4))


def test_slope_of_losses_is_not_blamed_for_the_offset():
    """P* bends away from a line by E; without noise the error of its slope is none."""
    flops = np.geomspace(1e18, 1e22, 12)
    front = Front(flops, flops**0.5, 1.8 + (flops / 1e20) ** -0.18, np.full(12, "ok"))
    errors = left_out_budgets(front, ALL, np.empty(0))
    assert errors.std_errors[2] < 1e-6
    assert FrontLaws.of(front, ALL).loss_slope == pytest.approx(0.068, abs=0.01)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_budgets_have_no_laws_and_no_errors(n):
    flops = np.geomspace(1e18, 1e22, 12)
    status = np.where(np.arange(12) < n, "ok", "few_sizes")
    front = Front(flops, flops**0.5, flops**-0.1, status)
    assert np.isnan(FrontLaws.of(front, ALL).values(BEYOND)).all()
    assert np.isnan(left_out_budgets(front, ALL, BEYOND).std_errors).all()


def test_a_front_without_an_offset_still_has_sizes():
    """Losses rise: there is no eta, and no error of the slope, which is that of a law with E."""
    flops = np.geomspace(1e18, 1e21, 5)
    front = Front(flops, flops**0.5, np.array([2.7, 2.8, 2.85, 2.9, 2.9]), np.full(5, "ok"))
    window = ALL[:5]
    errors = left_out_budgets(front, window, np.log(flops))
    fit = FrontFit("approach1", front, window, FrontLaws.of(front, window), errors)
    rows = fit.rows(0).set_index("quantity")
    refused = "refused: the front has no offset"
    assert rows.loc[["eta", "offset"], "status"].eq(refused).all()
    assert rows.loc["xi", "status"] == "ok"
    assert rows.loc["eta_without_offset", "status"] == f"ok; {NO_ERROR}"
    optimum = optimum_rows(fit, flops, k=6.0)
    assert optimum["status"].eq(f"ok; losses {refused}").all()
    np.testing.assert_allclose(optimum[["d_opt", "d_opt_low"]], flops[:, None] ** [0.5, 0.5])
    assert optimum[["loss", "loss_low", "loss_high"]].isna().all(axis=None)


def test_leaving_out_sizes_by_hand():
    table = noisy(known_table(n_sizes=8, n_budgets=9), 1, np.random.default_rng(7), level=0.01)
    window = np.ones(9, dtype=bool)
    found = []
    for i in range(8):
        kept = np.arange(8) != i
        front = ENVELOPE(table.sizes[kept], table.budgets, table.mean_loss[kept])
        used = front.usable
        found.append(np.polyfit(np.log(table.budgets[used]), np.log(front.d_opt[used]), 1)[0])
    errors = left_out_sizes(table, ENVELOPE, window, np.empty(0))
    expected = np.sqrt(7 / 8 * np.sum((np.array(found) - np.mean(found)) ** 2))
    assert errors.std_errors[1] == pytest.approx(expected, rel=1e-9)
