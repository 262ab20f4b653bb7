"""Measured exponents against surfaces whose front is known in closed form."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

from plrf.fitting import (
    LossTable,
    envelope,
    fit_exponents,
    isoflop,
    losses_at_budgets,
    power_law,
)

METHODS = ("approach1", "approach2")
A, B = 0.6, 0.5
ETA, XI = A * B / (A + B), B / (A + B)


def surface(sizes, budgets, a=A, b=B):
    """L = d^-a + (f/d)^-b: the front has eta = ab/(a+b), xi = b/(a+b)."""
    return sizes[:, None] ** -a + (budgets / sizes[:, None]) ** -b


def optimal_budget(d, a=A, b=B):
    """The budget at which `d` is the minimum of `surface`."""
    return d ** ((a + b) / b) * (b / a) ** (1 / b)


def known_table(ratio=2**0.5, n_sizes=12, n_budgets=101, offset=0.0, margin=2.5, a=A, b=B):
    """The surface on a geometric grid of sizes; the optimum stays `margin` steps inside."""
    sizes = 200 * ratio ** (np.arange(n_sizes) + offset)
    low, high = 200 * ratio**margin, 200 * ratio ** (n_sizes - 1 - margin)
    budgets = np.geomspace(optimal_budget(low, a, b), optimal_budget(high, a, b), n_budgets)
    return LossTable(sizes, budgets, surface(sizes, budgets, a, b)[:, None, :])


def noisy(table, n_runs, rng, level=0.02):
    """Runs of the table's sizes: each has one factor for its curve and some that vary with f."""
    n_d, _, n_f = table.losses.shape
    log_f = np.log(table.budgets)
    smooth = np.exp(-0.5 * np.subtract.outer(log_f, log_f) ** 2) + 1e-8 * np.eye(n_f)
    curve = rng.standard_normal((n_d, n_runs, n_f)) @ np.linalg.cholesky(smooth).T
    noise = rng.standard_normal((n_d, n_runs, 1)) + 0.5 * curve
    return replace(table, losses=table.losses * (1 + level * noise))


def fit(table, method, parabola_sizes=5, resamples=200, seed=1):
    rng = np.random.default_rng(seed)
    return fit_exponents(table, method, parabola_sizes=parabola_sizes, resamples=resamples, rng=rng)


class TestLossesAtBudgets:
    curves = pytest.mark.parametrize(
        "curve",
        [
            lambda f: f**-0.4,
            lambda f: 0.01 + f**-0.7 + 3 * f**-1.3,
            lambda f: 1e-3 + (1 + f / 1e5) ** -1.2,
        ],
        ids=["power", "two powers", "bend"],
    )

    @curves
    def test_error_at_24_steps_per_decade(self, curve):
        flops = np.geomspace(1e3, 1e8, 5 * 24 + 1)
        budgets = np.geomspace(1e3, 1e8, 997)
        found = losses_at_budgets(flops, curve(flops), budgets)
        np.testing.assert_allclose(found, curve(budgets), rtol=2e-5)

    @curves
    def test_error_on_integer_steps(self, curve):
        steps = np.unique(np.geomspace(1, 1e5, 5 * 24 + 1).round())
        flops = 1e3 * np.concatenate([[0], steps])
        loss = np.concatenate([[1.0], curve(1e3 * steps)])
        budgets = np.geomspace(1e4, 1e8, 997)
        np.testing.assert_allclose(
            losses_at_budgets(flops, loss, budgets), curve(budgets), rtol=1e-4
        )

    def test_records_are_reproduced_and_nothing_is_extrapolated(self):
        flops, loss = np.array([0, 10, 20, 40.0]), np.array([5, 4, 3, 2.5])
        found = losses_at_budgets(flops, loss, [9.99, 10, 20, 40, 40.01])
        np.testing.assert_allclose(found, [np.nan, 4, 3, 2.5, np.nan])

    def test_diverged_run_ends_at_its_last_finite_loss(self):
        flops = np.array([10, 20, 40, 80, 160.0])
        loss = np.array([4, 3, 1e5, np.inf, 2])
        found = losses_at_budgets(flops, loss, [20, 40, 60, 160])
        np.testing.assert_allclose(found, [3, 1e5, np.nan, np.nan])

    def test_too_short_to_interpolate(self):
        assert np.isnan(losses_at_budgets([0, 10], [1, 0.5], [5, 10])).all()
        assert np.isnan(losses_at_budgets([10, 20], [np.nan, 0.5], [15])).all()

    @pytest.mark.parametrize(
        ("flops", "loss", "message"),
        [
            ([1, 2, 3], [1, 2], "of one length"),
            ([1, 2, 2], [1, 1, 1], "increasing"),
            ([1, 2, 3], [1, 0, 1], "positive"),
        ],
    )
    def test_bad_input(self, flops, loss, message):
        with pytest.raises(ValueError, match=message):
            losses_at_budgets(flops, loss, [1.5])


class TestLossTable:
    def test_mean_is_missing_where_a_run_is(self):
        losses = np.array([[[1, 2, 3], [3, 4, np.nan]]])
        table = LossTable(np.array([2.0]), np.array([1.0, 2, 3]), losses)
        np.testing.assert_array_equal(table.mean_loss, [[2, 3, np.nan]])

    @pytest.mark.parametrize(
        ("sizes", "budgets", "losses", "message"),
        [
            ([2, 1], [1, 2], np.ones((2, 1, 2)), "sizes must be"),
            ([0, 1], [1, 2], np.ones((2, 1, 2)), "sizes must be"),
            ([1, 2], [], np.ones((2, 1, 0)), "budgets must be"),
            ([1, 2], [1, 2], np.ones((2, 2)), r"losses must have shape \(2, number of runs, 2\)"),
            ([1, 2], [1, 2], np.ones((2, 0, 2)), "losses must have shape"),
            ([1, 2], [1, 2], np.zeros((2, 1, 2)), "losses must be positive"),
            ([1, 2], [1, 2], np.full((2, 1, 2), np.inf), "losses must be positive"),
        ],
    )
    def test_bad_input(self, sizes, budgets, losses, message):
        with pytest.raises(ValueError, match=message):
            LossTable(np.array(sizes, float), np.array(budgets, float), losses)


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


class TestFronts:
    def test_envelope_is_the_lowest_loss(self):
        table = known_table()
        front = envelope(table)
        assert front.usable.all()
        np.testing.assert_array_equal(front.loss_opt, table.losses[:, 0].min(axis=0))
        # The size is optimal for budgets within about half a step of the grid around it.
        steps = np.log(front.d_opt / table.budgets**XI / (A / B) ** (1 / (A + B)))
        assert np.abs(steps).max() < 0.55 * np.log(np.sqrt(2))

    @pytest.mark.parametrize("parabola_sizes", [3, 4, 7, 20])
    def test_exact_parabola(self, parabola_sizes):
        sizes = 100 * 1.7 ** np.arange(9)
        budgets = np.geomspace(1e6, 1e9, 7)
        d_opt, loss_opt, curvature = 40 * budgets**0.2, budgets**-0.3, np.linspace(0.05, 0.2, 7)
        log_loss = np.log(loss_opt) + curvature * np.log(sizes[:, None] / d_opt) ** 2
        table = LossTable(sizes, budgets, np.exp(log_loss)[:, None, :])
        front = isoflop(table, parabola_sizes)
        assert front.usable.all()
        np.testing.assert_allclose(front.d_opt, d_opt, rtol=1e-10)
        np.testing.assert_allclose(front.loss_opt, loss_opt, rtol=1e-10)
        np.testing.assert_allclose(front.parabola[:, 0], curvature, rtol=1e-9)
        for coefficients, column in zip(front.parabola, log_loss.T, strict=True):
            np.testing.assert_allclose(np.polyval(coefficients, np.log(sizes)), column, rtol=1e-9)
        eta, xi = fit(table, "approach2", parabola_sizes)
        assert (eta.estimate, xi.estimate) == pytest.approx((0.3, 0.2), rel=1e-9)

    def test_parabola_against_polyfit(self):
        rng = np.random.default_rng(3)
        table = noisy(known_table(n_budgets=20), 1, rng)
        front = isoflop(table, 6)
        for j, coefficients in enumerate(front.parabola):
            lowest = np.argsort(table.mean_loss[:, j])[:6]
            expected = np.polyfit(
                np.log(table.sizes[lowest]), np.log(table.mean_loss[lowest, j]), 2
            )
            np.testing.assert_allclose(coefficients, expected, rtol=1e-7)

    def test_parabola_needs_three_sizes(self):
        with pytest.raises(ValueError, match="at least 3 sizes, not 2"):
            isoflop(known_table(), 2)

    def test_statuses(self):
        sizes = 2.0 ** np.arange(7)
        columns = {
            "ok": [5, 4, 3, 2, 3, 4, 5],
            "edge_minimum": [1, 2, 3, 4, 5, 6, 7],
            "few_sizes": [np.nan, np.nan, np.nan, 3, 2, 3, 4],
            "not_convex": [9, 3.9, 4.5, 4.5, 4.0, 9, 9],
            "vertex_outside": [9, 1.001, 1, 1.5, 1.9, 9, 9],
        }
        log_losses = np.array(list(columns.values())).T
        table = LossTable(sizes, 10.0 ** np.arange(5), np.exp(log_losses)[:, None, :])
        front = envelope(table)
        assert front.status.tolist() == ["ok", "edge_minimum", "few_sizes", "ok", "ok"]
        np.testing.assert_array_equal(front.d_opt, sizes[[3, 0, 4, 1, 2]])

        front = isoflop(table, 4)
        assert front.status.tolist() == list(columns)
        assert np.isnan(front.d_opt).tolist() == [False, True, True, True, True]

    @pytest.mark.parametrize("missing", [4, 6])
    def test_minimum_next_to_a_missing_size_is_an_edge(self, missing):
        loss = np.array([5, 4, 3.5, 3, 2.5, 2, 2.5, 3, 4])
        losses = np.repeat(loss[:, None, None], 2, axis=1)
        losses[missing, 0] = np.nan
        table = LossTable(2.0 ** np.arange(9), np.array([1e6]), losses)
        assert envelope(table).status == "edge_minimum"
        assert isoflop(table, 5).status == "edge_minimum"

    def test_no_size_reaches_the_budget(self):
        table = known_table()
        table.losses[:, :, 0] = np.nan
        for front in (envelope(table), isoflop(table, 5)):
            assert front.status[0] == "few_sizes"
            assert np.isnan([front.d_opt[0], front.loss_opt[0]]).all()
            assert front.usable[1:].all()


class TestKnownExponents:
    # Worst errors seen on these grids: the staircase for approach 1, the skew of the true
    # curves for approach 2.
    @pytest.mark.parametrize(
        ("method", "eta_error", "xi_error"), [("approach1", 3e-4, 0.02), ("approach2", 5e-4, 3e-3)]
    )
    @pytest.mark.parametrize(("a", "b"), [(0.6, 0.5), (0.3, 0.6), (0.8, 0.4)])
    def test_recovered(self, method, eta_error, xi_error, a, b):
        for offset in np.linspace(-0.5, 0.5, 7):
            eta, xi = fit(known_table(offset=offset, a=a, b=b), method)
            assert (eta.status, eta.n_budgets, eta.n_dropped) == ("ok", 101, 0)
            assert eta.estimate == pytest.approx(a * b / (a + b), abs=eta_error)
            assert xi.estimate == pytest.approx(b / (a + b), abs=xi_error)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("ratio", [np.sqrt(2), 2])
    def test_regression_intervals_cover_the_truth_without_noise(self, method, ratio):
        # All that is random is where the grid of sizes lies and how wide the window is. With
        # independent residuals, the intervals of approach 2 would cover in about half the trials.
        rng = np.random.default_rng(0)
        covered = np.zeros(2)
        for _ in range(200):
            table = known_table(ratio, n_sizes=9, offset=rng.uniform(-0.5, 0.5), margin=1)
            first, last = rng.integers(0, 20), rng.integers(81, 101)
            window = LossTable(
                table.sizes, table.budgets[first:last], table.losses[:, :, first:last]
            )
            fits = fit(window, method)
            covered += [
                found.ci_low <= truth <= found.ci_high
                for found, truth in zip(fits, (ETA, XI), strict=True)
            ]
        assert np.all(covered / 200 > 0.85)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("n_runs", [3, 8])
    def test_bootstrap_against_many_experiments(self, method, n_runs):
        # With 300 experiments the true standard deviation is known to 4%: 3 sigma are allowed.
        rng = np.random.default_rng(0)
        clean = known_table(n_budgets=15)
        truths = np.array([ETA, XI])
        estimates, errors, covered = [], [], []
        for trial in range(300):
            fits = fit(noisy(clean, n_runs, rng), method, resamples=100, seed=trial)
            estimates.append([found.estimate for found in fits])
            errors.append([found.std_error for found in fits])
            covered.append([f.ci_low <= t <= f.ci_high for f, t in zip(fits, truths, strict=True)])
        spread = np.std(estimates, axis=0)
        ratio = np.sqrt(np.mean(np.square(errors), axis=0)) / spread
        np.testing.assert_allclose(ratio, 1, atol=0.12)
        np.testing.assert_array_less(np.abs(np.mean(estimates, axis=0) - truths), 0.2 * spread)
        assert np.all(np.mean(covered, axis=0) > 0.92)


@pytest.mark.parametrize("method", METHODS)
class TestFitExponents:
    def test_fields(self, method):
        table = noisy(known_table(), 4, np.random.default_rng(0))
        eta, xi = fit(table, method)
        assert (eta.quantity, xi.quantity) == ("eta", "xi")
        for found in (eta, xi):
            assert found.method == method
            assert found.ci_low < found.estimate < found.ci_high
            assert (found.window_low, found.window_high) == (table.budgets[0], table.budgets[-1])
            # t quantile of 3 degrees of freedom
            assert found.ci_high - found.estimate == pytest.approx(3.182446 * found.std_error)

    def test_edges_are_dropped_and_named(self, method):
        table = known_table(n_sizes=12)
        part = LossTable(table.sizes[:8], table.budgets, table.losses[:8])
        eta, _ = fit(part, method)
        assert eta.n_dropped > 10
        assert eta.n_budgets + eta.n_dropped == 101
        assert eta.status == f"ok; dropped {eta.n_dropped} edge_minimum"
        assert eta.window_low == table.budgets[0]
        assert eta.window_high == table.budgets[eta.n_budgets - 1]
        assert eta.estimate == pytest.approx(ETA, abs=2e-3)

    def test_few_sizes(self, method):
        table = known_table()
        losses = table.losses.copy()
        losses[:8, :, :10] = np.nan
        eta, _ = fit(LossTable(table.sizes, table.budgets, losses), method)
        assert eta.status == "ok; dropped 10 few_sizes"
        part = LossTable(table.sizes[4:8], table.budgets, table.losses[4:8])
        for found in fit(part, method):
            message = "refused: 0 usable budgets, at least 4 needed; dropped 101 few_sizes"
            assert found.status == message
            assert np.isnan([found.estimate, found.std_error, found.ci_low, found.ci_high]).all()
            assert (found.n_budgets, found.n_dropped) == (0, 101)
            assert (found.window_low, found.window_high) == (table.budgets[0], table.budgets[-1])

    def test_few_budgets(self, method):
        eta, xi = fit(known_table(n_budgets=4), method)
        assert eta.status == xi.status == "ok"
        for n_runs in (1, 3):
            table = noisy(known_table(n_budgets=3), n_runs, np.random.default_rng(0), 1e-3)
            eta, xi = fit(table, method)
            assert eta.status == xi.status == "refused: 3 usable budgets, at least 4 needed"
            assert np.isnan([eta.estimate, xi.estimate]).all()

    def test_diverged_run_removes_its_size_from_the_resamples_too(self, method):
        table = noisy(known_table(), 5, np.random.default_rng(0))
        losses = table.losses.copy()
        losses[-1, 2, 50:] = np.nan
        whole = fit(replace(table, losses=losses), method)
        losses[-1, :, 50:] = np.nan
        assert whole == fit(replace(table, losses=losses), method)

    def test_refused_resamples_are_told(self, method):
        # Minima so flat that noise moves many to the edge of the grid.
        table = known_table(n_sizes=7, n_budgets=5)
        found = {
            fit(noisy(table, 3, np.random.default_rng(seed), level=0.2), method)[0].status
            for seed in range(20)
        }
        assert any("% of resamples refused" in status for status in found)

    def test_seeded(self, method):
        table = noisy(known_table(n_budgets=20), 4, np.random.default_rng(0))
        assert fit(table, method, seed=3) == fit(table, method, seed=3)
        assert fit(table, method, seed=3)[0].std_error != fit(table, method, seed=4)[0].std_error

    def test_run_order_does_not_matter(self, method):
        table = noisy(known_table(n_budgets=20), 4, np.random.default_rng(0))
        shuffled = replace(table, losses=table.losses[:, [2, 0, 3, 1]])
        for one, other in zip(fit(table, method), fit(shuffled, method), strict=True):
            assert one.estimate == pytest.approx(other.estimate, rel=1e-12)
            assert one.std_error == pytest.approx(other.std_error, rel=0.3)

    def test_bad_input(self, method):
        table = noisy(known_table(n_budgets=20), 4, np.random.default_rng(0))
        with pytest.raises(ValueError, match="at least 2 resamples, not 1"):
            fit(table, method, resamples=1)
        with pytest.raises(ValueError, match="unknown method 'approach7'"):
            fit(table, method.replace(method[-1], "7"))

    def test_thousand_resamples_take_about_a_second(self, method):
        table = noisy(known_table(n_sizes=9, n_budgets=100), 10, np.random.default_rng(0))
        start = time.process_time()
        fit(table, method, resamples=1000)
        assert time.process_time() - start < 5


@given(
    loss_unit=st.floats(1e-6, 1e6),
    flop_unit=st.floats(1e-6, 1e6),
    size_unit=st.floats(1e-2, 1e2),
    method=st.sampled_from(METHODS),
)
@settings(max_examples=30, deadline=None)
def test_units_do_not_matter(loss_unit, flop_unit, size_unit, method):
    table = noisy(known_table(n_budgets=20), 3, np.random.default_rng(0))
    scaled = LossTable(table.sizes * size_unit, table.budgets * flop_unit, table.losses * loss_unit)
    for one, other in zip(fit(table, method), fit(scaled, method), strict=True):
        assert one.estimate == pytest.approx(other.estimate, rel=1e-8)
        assert one.std_error == pytest.approx(other.std_error, rel=1e-8)
