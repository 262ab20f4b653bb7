"""Measured exponents against surfaces whose front is known, and the coverage of their intervals."""

import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, linregress
from scipy.stats import t as student_t

from plrf import statuses
from plrf.exact.ridge import ConvergenceError
from plrf.measure.bootstrap import bootstrap
from plrf.measure.curves import LossTable
from plrf.measure.estimates import METHODS, front_exponents
from plrf.measure.exponents import fit_exact_front, fit_exponents
from plrf.measure.fronts import Front
from plrf.measure.power_law import power_law
from plrf.measure.references import ExactFront
from plrf.task import PowerLawTask
from tests.surfaces import ETA, XI, known_table, noisy

TRUTHS = np.array([ETA, XI])
FRONT_METHODS = [method for method in METHODS if method != "approach3"]


def fit(table, method, neighbours=2, resamples=200, seed=1):
    rng = np.random.default_rng(seed)
    return fit_exponents(table, method, neighbours=neighbours, resamples=resamples, rng=rng)


def both(fits):
    return fits.eta, fits.xi


class TestPowerLaw:
    def test_exact(self):
        x = np.geomspace(1e6, 1e8, 9)
        found = power_law(x, 3 * x**-0.7)
        assert found.slope == pytest.approx(-0.7, rel=1e-12)
        assert np.exp(found.intercept) == pytest.approx(3, rel=1e-11)
        assert found.std_error < 1e-12
        np.testing.assert_allclose(found.residuals, 0, atol=1e-12)

    def test_independent_residuals_against_linregress(self):
        rng = np.random.default_rng(0)
        x = np.geomspace(1, 100, 12)
        y = x**0.5 * np.exp(0.1 * rng.standard_normal(12))
        found, expected = power_law(x, y), linregress(np.log(x), np.log(y))
        assert found.slope == pytest.approx(expected.slope)
        assert found.intercept == pytest.approx(expected.intercept)
        assert found.std_error == pytest.approx(expected.stderr)
        assert found.dof == 10

    def test_repeated_points_count_once_in_clusters(self):
        rng = np.random.default_rng(0)
        x = np.geomspace(1, 100, 10)
        y = x**0.5 * np.exp(0.1 * rng.standard_normal(10))
        once = power_law(x, y, clusters=np.arange(10))
        often = power_law(np.tile(x, 50), np.tile(y, 50), clusters=np.tile(np.arange(10), 50))
        small_sample = (499 / 498) / (9 / 8)
        assert often.std_error == pytest.approx(once.std_error * np.sqrt(small_sample))
        assert (once.dof, often.dof) == (8, 9)

    def test_cluster_error_covers_correlated_noise(self):
        # 8 groups of 20 points with one deviation each; 500 trials, binomial 3 sigma 0.03.
        rng = np.random.default_rng(0)
        x = np.geomspace(1, 1e4, 160)
        groups = np.repeat(np.arange(8), 20)
        slopes, robust, naive = [], [], []
        for _ in range(500):
            y = x**0.5 * np.exp(0.1 * rng.standard_normal(8)[groups])
            found = power_law(x, y, groups)
            slopes.append(found.slope)
            robust.append(found.std_error)
            naive.append(power_law(x, y).std_error)
        spread = np.std(slopes)
        assert 0.75 < np.mean(robust) / spread < 1.1
        assert np.mean(naive) / spread < 0.35

    def test_two_clusters_have_no_standard_error(self):
        x = np.geomspace(1, 100, 6)
        assert np.isnan(power_law(x, x**2 + 1, [0, 0, 0, 1, 1, 1]).std_error)

    @pytest.mark.parametrize(
        ("x", "y", "message"),
        [
            ([1, 2], [1, 2], "at least 3 points"),
            ([2, 2, 2], [1, 2, 3], "two different values"),
            ([1, 2, 3], [1, 2, -3], "positive, finite"),
            ([1, 2, 3], [1, 2, np.nan], "positive, finite"),
            ([1, 2, 3], [1, 2], "one length"),
        ],
    )
    def test_bad_input(self, x, y, message):
        with pytest.raises(ValueError, match=message):
            power_law(x, y)


class TestKnownExponents:
    # Bounds of the errors on these grids, for eta and xi.
    @pytest.mark.parametrize(
        ("method", "eta_error", "xi_error"),
        [
            ("approach1", 2e-4, 2e-3),
            ("approach2", 2e-4, 2e-3),
            ("approach2_spline", 1e-5, 1e-4),
            ("approach3", 1e-4, 1e-4),
        ],
    )
    @pytest.mark.parametrize(("a", "b"), [(0.6, 0.5), (0.3, 0.6), (0.8, 0.4)])
    def test_recovered(self, method, eta_error, xi_error, a, b):
        for offset in np.linspace(-0.5, 0.5, 3 if method == "approach3" else 7):
            table = known_table(n_budgets=21, offset=offset, a=a, b=b)
            eta, xi = both(fit(table, method))
            assert (eta.status, eta.n_budgets, eta.n_dropped) == ("ok", 21, 0)
            assert eta.estimate == pytest.approx(a * b / (a + b), abs=eta_error)
            assert xi.estimate == pytest.approx(b / (a + b), abs=xi_error)

    # The errors of splines are below all digits that matter.
    @pytest.mark.parametrize("method", ["approach1", "approach2"])
    @pytest.mark.parametrize("ratio", [np.sqrt(2), 2])
    def test_regression_intervals_cover_the_truth_without_noise(self, method, ratio):
        # All that is random is where the grid of sizes lies and how wide the window is.
        rng = np.random.default_rng(0)
        covered = np.zeros(2)
        for _ in range(200):
            table = known_table(ratio, n_sizes=10, offset=rng.uniform(-0.5, 0.5))
            first, last = rng.integers(0, 20), rng.integers(81, 101)
            window = LossTable(
                table.sizes, table.budgets[first:last], table.losses[:, :, first:last]
            )
            fits = both(fit(window, method))
            covered += [f.ci_low <= t <= f.ci_high for f, t in zip(fits, TRUTHS, strict=True)]
        assert np.all(covered / 200 > 0.85)


class TestCoverage:
    """95% intervals cover the truth in 92 to 98% of trials.

    The truth is free of finite-size bias, and a random place of the grid of sizes turns what bias
    a method has into a part of the scatter. With a coverage of 95%, 400 trials leave the range
    with a probability of 0.5%; the seeds are fixed.
    """

    TRIALS = 400

    @pytest.mark.parametrize(
        ("method", "n_budgets", "ratio", "n_sizes", "level", "n_runs"),
        [
            ("approach1", 31, 2**0.5, 13, 0.1, 10),
            ("approach2", 9, 2**0.5, 13, 0.1, 10),
            ("approach2_spline", 9, 2**0.5, 13, 0.1, 10),
            ("approach1", 31, 2, 9, 0.02, 10),  # a coarse grid and little noise
            ("approach2", 9, 2, 9, 0.02, 10),
            ("approach2", 9, 2**0.5, 13, 0.3, 20),  # strong noise
        ],
    )
    def test_intervals_cover_the_truth(self, method, n_budgets, ratio, n_sizes, level, n_runs):
        rng = np.random.default_rng(4)
        estimates, covered = [], []
        for _ in range(self.TRIALS):
            offset = rng.uniform(-0.5, 0.5)
            clean = known_table(ratio, n_sizes, n_budgets, offset, margin=3)
            table = noisy(clean, n_runs, rng, level)
            fits = both(fit_exponents(table, method, neighbours=2, resamples=1000, rng=rng))
            estimates.append([f.estimate for f in fits])
            covered.append([f.ci_low <= t <= f.ci_high for f, t in zip(fits, TRUTHS, strict=True)])
        # A refused fit has no interval, and counts as one that does not cover the truth.
        assert np.isfinite(estimates).all(axis=1).mean() > 0.99
        spread = np.nanstd(estimates, axis=0)
        assert np.all(np.abs(np.nanmean(estimates, axis=0) - TRUTHS) < 0.25 * spread)
        coverage = np.mean(covered, axis=0)
        assert np.all((coverage >= 0.92) & (coverage <= 0.98))

    def test_range_is_wide_enough(self):
        low, high = np.array([0.92, 0.98]) * self.TRIALS
        outside = binom.cdf(low - 1, self.TRIALS, 0.95) + binom.sf(high, self.TRIALS, 0.95)
        assert outside < 0.01

    def test_parametric_law(self):
        """Its bootstrap is slower: 100 trials, in which 95% may come out as 88%."""
        rng = np.random.default_rng(6)
        covered = []
        for _ in range(100):
            clean = known_table(2, 8, 4, rng.uniform(-0.5, 0.5))
            fits = both(fit(noisy(clean, 10, rng, 0.1), "approach3", resamples=100))
            covered.append([f.ci_low <= t <= f.ci_high for f, t in zip(fits, TRUTHS, strict=True)])
        assert np.all(np.mean(covered, axis=0) >= 0.88)


class TestBootstrap:
    """Against closed forms, for an estimator that is linear in the mean losses."""

    class Linear:
        WEIGHTS = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 0.0]])

        def exponents(self, mean_loss):
            return np.moveaxis(mean_loss[..., 0] @ self.WEIGHTS.T, -1, 0)

    def test_variance_and_degrees_of_freedom(self):
        rng = np.random.default_rng(0)
        losses = 1 + rng.uniform(size=(3, 8, 1)) * np.array([1.0, 2.0, 4.0])[:, None, None]
        table = LossTable(np.array([1.0, 2, 3]), np.array([1.0]), losses)
        errors, dof, refused = bootstrap(table, self.Linear().exponents, 100_000, rng)
        # Independent samples of 8: the sum of w^2 s^2 / 8, and Satterthwaite's formula.
        parts = self.Linear.WEIGHTS**2 * losses[..., 0].var(axis=1, ddof=1) / 8
        np.testing.assert_allclose(errors, np.sqrt(parts.sum(axis=1)), rtol=0.01)
        expected = 7 * parts.sum(axis=1) ** 2 / np.sum(parts**2, axis=1)
        np.testing.assert_allclose(dof, expected, rtol=0.03)
        assert dof[1] == pytest.approx(7, rel=0.01), "one size alone"
        assert refused == 0

    def test_thousand_resamples_suffice_for_the_degrees_of_freedom(self):
        rng = np.random.default_rng(1)
        table = LossTable(np.arange(1, 4.0), np.array([1.0]), rng.uniform(1, 2, (3, 8, 1)))
        many = bootstrap(table, self.Linear().exponents, 100_000, rng)[1]
        few = [bootstrap(table, self.Linear().exponents, 1000, rng)[1] for _ in range(20)]
        np.testing.assert_allclose(np.mean(few, axis=0), many, rtol=0.1)


@pytest.mark.parametrize("method", METHODS)
class TestFitExponents:
    def table(self, n_runs=4, n_budgets=20, level=0.02, **known):
        return noisy(
            known_table(n_budgets=n_budgets, **known), n_runs, np.random.default_rng(0), level
        )

    def test_fields(self, method):
        table = self.table()
        fits = fit(table, method, resamples=50)
        assert (fits.eta.quantity, fits.xi.quantity) == ("eta", "xi")
        for found in both(fits):
            assert found.method == method
            assert found.error_source == "runs"
            assert 3 <= found.dof <= 3 * table.sizes.size
            assert found.ci_low < found.estimate < found.ci_high
            assert (found.used_low, found.used_high) == (table.budgets[0], table.budgets[-1])
            reach = student_t.ppf(0.975, found.dof) * found.std_error
            assert found.ci_high - found.estimate == pytest.approx(reach)
            assert 0 < found.rms_residual < 0.3
        assert fit(known_table(n_budgets=20), method).eta.error_source == "residuals"

    def test_residuals_are_those_of_the_fit(self, method):
        fits = fit(self.table(), method, resamples=20)
        if method == "approach3":
            assert np.isnan(fits.residuals).all()
            return
        front = fits.front
        for residuals, y, found in zip(
            fits.residuals, (front.loss_opt, front.d_opt), both(fits), strict=True
        ):
            law = power_law(front.budgets, y)
            np.testing.assert_allclose(residuals, law.residuals, atol=1e-9)
            assert found.rms_residual == pytest.approx(np.sqrt(np.mean(law.residuals**2)))

    def test_few_sizes(self, method):
        table = known_table(n_budgets=40)
        losses = table.losses.copy()
        losses[:8, :, :4] = np.nan
        fits = fit(LossTable(table.sizes, table.budgets, losses), method)
        assert fits.eta.status == "ok; dropped 4 few_sizes"
        assert fits.eta.used_low == table.budgets[4]
        part = LossTable(table.sizes[4:8], table.budgets, table.losses[4:8])
        for found in both(fit(part, method)):
            message = "refused: 0 usable budgets, at least 4 needed; dropped 40 few_sizes"
            assert found.status == message
            assert np.isnan([found.estimate, found.std_error, found.ci_low, found.ci_high]).all()
            assert (found.n_budgets, found.n_dropped) == (0, 40)
            assert (found.used_low, found.used_high) == (table.budgets[0], table.budgets[-1])

    def test_few_budgets(self, method):
        assert fit(known_table(n_budgets=4), method).eta.status == "ok"
        for n_runs in (1, 3):
            table = noisy(known_table(n_budgets=3), n_runs, np.random.default_rng(0), 1e-3)
            eta, xi = both(fit(table, method))
            assert eta.status == xi.status == "refused: 3 usable budgets, at least 4 needed"
            assert np.isnan([eta.estimate, xi.estimate]).all()

    def test_diverged_run_removes_its_size_from_the_resamples_too(self, method):
        table = self.table(n_runs=5)
        losses = table.losses.copy()
        losses[-1, 2, 10:] = np.nan
        whole = fit(replace(table, losses=losses), method, resamples=30)
        losses[-1, :, 10:] = np.nan
        assert both(whole) == both(fit(replace(table, losses=losses), method, resamples=30))

    def test_seeded(self, method):
        table = self.table(n_budgets=9)
        first = fit(table, method, seed=3, resamples=30)
        assert both(first) == both(fit(table, method, seed=3, resamples=30))
        other = fit(table, method, seed=4, resamples=30)
        assert first.eta.std_error != other.eta.std_error
        assert first.eta.estimate == other.eta.estimate

    def test_run_order_does_not_matter(self, method):
        table = self.table(n_budgets=9)
        shuffled = replace(table, losses=table.losses[:, [2, 0, 3, 1]])
        for one, other in zip(both(fit(table, method)), both(fit(shuffled, method)), strict=True):
            assert one.estimate == pytest.approx(other.estimate, rel=1e-6)
            assert one.std_error == pytest.approx(other.std_error, rel=0.3)

    def test_bad_input(self, method):
        with pytest.raises(ValueError, match=r"^resamples = 1: must be a whole number, at least 2"):
            fit(self.table(), method, resamples=1)
        with pytest.raises(ValueError, match="unknown method 'approach7': approach1, approach2"):
            fit(self.table(), "approach7")

    def test_thousand_resamples_take_seconds(self, method):
        table = noisy(known_table(n_sizes=9, n_budgets=9), 10, np.random.default_rng(0), 0.1)
        start = time.process_time()
        fit(table, method, resamples=1000)
        assert time.process_time() - start < 10


@pytest.mark.parametrize("method", FRONT_METHODS)
def test_edges_are_dropped_and_named(method):
    table = known_table(n_sizes=12)
    part = LossTable(table.sizes[:9], table.budgets, table.losses[:9])
    eta = fit(part, method).eta
    assert eta.n_dropped > 10
    assert eta.n_budgets + eta.n_dropped == 101
    assert eta.status == f"ok; dropped {eta.n_dropped} edge_minimum"
    assert eta.used_low == table.budgets[0]
    assert eta.used_high == table.budgets[eta.n_budgets - 1]
    assert eta.estimate == pytest.approx(ETA, abs=2e-3)


@pytest.mark.parametrize("method", FRONT_METHODS)
def test_refused_resamples_are_told(method):
    # Minima so flat that noise moves many to the edge of the grid.
    table = known_table(n_sizes=7, n_budgets=5)
    found = {
        fit(noisy(table, 3, np.random.default_rng(seed), 0.3), method, resamples=100).eta.status
        for seed in range(20)
    }
    assert any("% of resamples refused" in status for status in found)


def test_law_that_does_not_fit_is_refused():
    """Losses without a trade-off: at any number of samples, more parameters are worse."""
    table = known_table(n_budgets=9)
    losses = (table.sizes[:, None] ** 0.7 * table.budgets**-0.4)[:, None]
    found = fit(replace(table, losses=losses), "approach3").eta
    assert found.status.startswith("refused: the parametric law does not fit")
    assert np.isnan([found.estimate, found.std_error]).all()


class TestExactFront:
    def front(self, n=7, status="ok"):
        flops = np.geomspace(1e6, 1e9, n)
        return Front(flops, 3 * flops**0.4, 2 * flops**-0.7, np.full(n, status))

    def test_power_law(self):
        errors = np.full(7, 1e-9)
        fits = fit_exact_front(self.front(), errors, 2 * errors)
        assert (fits.eta.estimate, fits.xi.estimate) == pytest.approx((0.7, 0.4), rel=1e-12)
        assert fits.eta.method == "approach0"
        assert fits.eta.error_source == "solver"
        # Errors of alternating sign at the ends of the window would do this much.
        x = np.log(self.front().budgets)
        x = x - x.mean()
        assert fits.xi.std_error == pytest.approx(1e-9 * np.abs(x).sum() / (x @ x))
        assert fits.eta.std_error == pytest.approx(2 * fits.xi.std_error)
        assert fits.eta.ci_high - fits.eta.estimate == pytest.approx(
            1.959964 * fits.eta.std_error, rel=1e-3
        )

    def test_without_a_minimum_it_is_refused(self):
        fits = fit_exact_front(self.front(status="no minimum"), np.zeros(7), np.zeros(7))
        message = "refused: 0 usable budgets, at least 4 needed; dropped 7 no minimum"
        assert fits.eta.status == message
        assert np.isnan([fits.eta.estimate, fits.xi.std_error]).all()

    @pytest.mark.parametrize(
        ("v_over_d", "status"), [(4.0, statuses.NOT_CONVERGED), (1, statuses.NO_MINIMUM)]
    )
    def test_a_loss_that_cannot_be_computed_is_no_lack_of_a_minimum(
        self, monkeypatch, v_over_d, status
    ):
        def fail(*_):
            raise ConvergenceError

        monkeypatch.setattr("plrf.exact.budgets.invert_at", fail)
        plain = {"v_over_d": v_over_d, "schedule": "constant", "momentum": "none"}
        front = ExactFront.compute(np.array([1e6, 1e8]), PowerLawTask(0.7, 0.7), **plain)
        assert set(front.measurement.front.status) == {status}
        assert front.measurement.eta.status.endswith(f"; dropped 2 {status}")
        assert front.slopes is None


def test_exponents_of_a_part_of_the_budgets():
    front = TestExactFront().front()
    used = np.array([False, True, True, True, True, False, False])
    np.testing.assert_allclose(front_exponents(front, used), [0.7, 0.4])
    assert np.isnan(front_exponents(front, used & (np.arange(7) < 4))).all()


@pytest.mark.parametrize("method", METHODS)
def test_repeated_estimates_are_vectorised(method):
    table = known_table(n_sizes=8, n_budgets=5)
    rng = np.random.default_rng(0)
    means = np.stack([noisy(table, 1, rng, 0.02).mean_loss for _ in range(4)])
    estimate = partial(METHODS[method], table.sizes, table.budgets, neighbours=2)
    first = estimate(table.mean_loss)
    np.testing.assert_allclose(first.exponents, [ETA, XI], atol=0.01)
    together = first.repeat(means)
    assert together.shape == (2, 4)
    for k, mean in enumerate(means):
        tolerance = 0.01 if method == "approach3" else 1e-9
        np.testing.assert_allclose(together[:, k], estimate(mean).exponents, rtol=tolerance)
    # Neither the order of calls nor how many losses there are matters.
    np.testing.assert_array_equal(first.repeat(means[::-1])[:, ::-1], together)
    np.testing.assert_array_equal(first.exponents, estimate(table.mean_loss).exponents)


@given(
    loss_unit=st.floats(1e-6, 1e6),
    flop_unit=st.floats(1e-6, 1e6),
    size_unit=st.floats(1e-2, 1e2),
    method=st.sampled_from(FRONT_METHODS),
)
@settings(max_examples=30)
def test_units_do_not_matter(loss_unit, flop_unit, size_unit, method):
    table = noisy(known_table(n_budgets=20), 3, np.random.default_rng(0), 0.02)
    scaled = LossTable(table.sizes * size_unit, table.budgets * flop_unit, table.losses * loss_unit)
    for one, other in zip(both(fit(table, method)), both(fit(scaled, method)), strict=True):
        assert one.estimate == pytest.approx(other.estimate, rel=1e-8)
        assert one.std_error == pytest.approx(other.std_error, rel=1e-8)
