"""Fronts against surfaces whose minimum is known, and against polyfit and brute force."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar

from plrf.measure.curves import LossTable, losses_at_budgets
from plrf.measure.fronts import parabolas, splines
from tests.surfaces import XI, A, B, known_table, noisy


def front_of(table, find=parabolas, neighbours=2):
    return find(table.sizes, table.budgets, table.mean_loss, neighbours)


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


class TestParabolas:
    def test_three_sizes_interpolate_the_envelope(self):
        table = known_table()
        front = front_of(table, neighbours=1)
        assert front.usable.all()
        np.testing.assert_array_equal(front.best, table.mean_loss.argmin(axis=0))
        assert np.all(front.loss_opt <= table.mean_loss.min(axis=0))
        np.testing.assert_array_equal(front.d_low, table.sizes[front.best - 1])
        np.testing.assert_array_equal(front.d_high, table.sizes[front.best + 1])
        # The minimum lies within half a step of the lowest size, and nearer to the exact one.
        steps = np.log(front.d_opt / table.sizes[front.best]) / np.log(np.sqrt(2))
        assert np.abs(steps).max() <= 0.5
        exact = table.budgets**XI * (A / B) ** (1 / (A + B))
        assert np.abs(np.log(front.d_opt / exact)).max() < 0.15 * np.log(np.sqrt(2))

    @pytest.mark.parametrize("neighbours", [1, 2, 3])
    def test_exact_parabola(self, neighbours):
        sizes = 100 * 1.7 ** np.arange(9)
        budgets = np.geomspace(1e6, 1e9, 7)
        d_opt, loss_opt, curvature = 40 * budgets**0.2, budgets**-0.3, np.linspace(0.05, 0.2, 7)
        log_loss = np.log(loss_opt) + curvature * np.log(sizes[:, None] / d_opt) ** 2
        front = front_of(LossTable(sizes, budgets, np.exp(log_loss)[:, None, :]), parabolas, 1)
        assert front.usable.all()
        np.testing.assert_allclose(front.d_opt, d_opt, rtol=1e-10)
        np.testing.assert_allclose(front.loss_opt, loss_opt, rtol=1e-10)
        np.testing.assert_allclose(front.parabola[:, 0], curvature, rtol=1e-9)
        for coefficients, column in zip(front.parabola, log_loss.T, strict=True):
            np.testing.assert_allclose(np.polyval(coefficients, np.log(sizes)), column, rtol=1e-9)

    @pytest.mark.parametrize("neighbours", [1, 2, 3])
    def test_against_polyfit(self, neighbours):
        table = noisy(known_table(n_budgets=20, margin=4), 1, np.random.default_rng(3), 0.02)
        front = front_of(table, parabolas, neighbours)
        for j, coefficients in enumerate(front.parabola):
            best = np.argmin(table.mean_loss[:, j])
            around = slice(best - neighbours, best + neighbours + 1)
            x, y = np.log(table.sizes[around]), np.log(table.mean_loss[around, j])
            np.testing.assert_allclose(coefficients, np.polyfit(x, y, 2), rtol=1e-7)
            limits = front.d_low[j], front.d_high[j]
            np.testing.assert_allclose(limits, table.sizes[around][[0, -1]])

    def test_needs_a_neighbour(self):
        with pytest.raises(ValueError, match=r"^neighbours = 0: .* at least 1"):
            front_of(known_table(), parabolas, 0)


class TestSplines:
    def test_minimum_against_brute_force(self):
        table = noisy(known_table(n_budgets=30), 1, np.random.default_rng(5), 0.05)
        front = front_of(table, splines)
        for j in np.flatnonzero(front.usable):
            x = np.log(table.sizes)
            curve = CubicSpline(x, np.log(table.mean_loss[:, j]))
            best = front.best[j]
            found = minimize_scalar(
                curve, bounds=(x[best - 1], x[best + 1]), options={"xatol": 1e-12}
            )
            assert np.log(front.loss_opt[j]) <= found.fun + 1e-12
            assert curve(np.log(front.d_opt[j])) == pytest.approx(np.log(front.loss_opt[j]))
            assert abs(curve.derivative()(np.log(front.d_opt[j]))) < 1e-9
            assert x[best - 1] < np.log(front.d_opt[j]) < x[best + 1]
        assert front.usable.sum() > 20

    def test_much_nearer_to_the_truth_than_parabolas(self):
        table = known_table()
        exact = table.budgets**XI * (A / B) ** (1 / (A + B))
        errors = [
            np.abs(np.log(front_of(table, find).d_opt / exact)).max()
            for find in (parabolas, splines)
        ]
        assert errors[1] < 3e-4
        assert errors[0] > 20 * errors[1]

    def test_exact_cubic(self):
        sizes, budgets = 100 * 1.7 ** np.arange(9), np.array([1e6, 1e7])
        x = np.log(sizes / 800)
        loss = np.exp(0.1 * x**2 + 0.02 * x**3)
        table = LossTable(sizes, budgets, np.stack([loss, 2 * loss], axis=-1)[:, None])
        front = front_of(table, splines)
        np.testing.assert_allclose(front.d_opt, 800, rtol=1e-9)
        np.testing.assert_allclose(front.loss_opt, [1, 2], rtol=1e-12)

    def test_size_without_a_loss_is_left_out(self):
        table = known_table(n_budgets=9)
        table.losses[0, 0, 3] = np.nan
        front = front_of(table, splines)
        whole = front_of(LossTable(table.sizes[1:], table.budgets, table.losses[1:]), splines)
        assert front.d_opt[3] == pytest.approx(whole.d_opt[3], rel=1e-13)
        first = np.full(9, table.sizes[0])
        first[3] = table.sizes[1]
        np.testing.assert_array_equal(front.d_low, first)


@pytest.mark.parametrize("find", [parabolas, splines])
class TestFronts:
    def test_vectorised_over_leading_axes(self, find):
        rng = np.random.default_rng(2)
        means = np.stack([noisy(known_table(n_budgets=9), 1, rng).mean_loss for _ in range(6)])
        means[:, 2, 4] = np.nan
        table = known_table(n_budgets=9)
        together = find(table.sizes, table.budgets, means.reshape(2, 3, *means.shape[1:]), 2)
        for k, mean in enumerate(means):
            alone = find(table.sizes, table.budgets, mean, 2)
            place = divmod(k, 3)
            np.testing.assert_array_equal(together.status[place], alone.status)
            np.testing.assert_allclose(together.d_opt[place], alone.d_opt, rtol=1e-12)
            np.testing.assert_allclose(together.loss_opt[place], alone.loss_opt, rtol=1e-12)

    def test_edge_needs_neighbours_on_both_sides(self, find):
        x = np.arange(9.0)
        centres = np.arange(9.0)
        losses = np.exp(0.1 * (x[:, None] - centres) ** 2)[:, None]
        table = LossTable(2.0**x, 10.0**centres, losses)
        for neighbours in (1, 2, 3):
            front = front_of(table, find, neighbours)
            inside = (centres >= neighbours) & (centres <= 8 - neighbours)
            expected = np.where(inside, "ok", "edge_minimum")
            np.testing.assert_array_equal(front.status, expected)
            np.testing.assert_allclose(front.d_opt[inside], 2 ** centres[inside], rtol=1e-9)
            assert np.isnan(front.d_opt[~inside]).all()

    @pytest.mark.parametrize("missing", [4, 6, 7])
    def test_minimum_near_a_missing_size_is_an_edge(self, find, missing):
        loss = np.array([5, 4, 3.5, 3, 2.5, 2, 2.5, 3, 4])
        losses = np.repeat(loss[:, None, None], 2, axis=1)
        losses[missing, 0] = np.nan
        table = LossTable(2.0 ** np.arange(9), np.array([1e6]), losses)
        assert front_of(table, find, 1).status == ("ok" if missing == 7 else "edge_minimum")
        assert front_of(table, find, 2).status == "edge_minimum"

    def test_no_size_reaches_the_budget(self, find):
        table = known_table()
        table.losses[:, :, 0] = np.nan
        front = front_of(table, find)
        assert front.status[0] == "few_sizes"
        assert np.isnan([front.d_opt[0], front.loss_opt[0]]).all()
        assert front.usable[1:].all()


@pytest.mark.parametrize("find", [parabolas, splines])
def test_minima_far_below_all_losses_are_refused(find):
    """Two sizes are so close that noise of 1% is a steep slope."""
    sizes = np.array([1e6, 1e7, 1e8, 1.0001e8, 1e9, 1e10])
    loss = np.array([4.0, 3.5, 3.03, 3.0, 3.4, 3.9])[:, None]
    front = find(sizes, np.array([1e18]), loss, neighbours=1)
    assert front.status.tolist() == ["below_losses"]
    assert np.isnan([front.d_opt, front.loss_opt]).all()
    apart = find(np.geomspace(1e6, 1e10, 6), np.array([1e18]), loss, neighbours=1)
    assert apart.status.tolist() == ["ok"]
    assert 2.9 < apart.loss_opt[0] < 3.0


def test_statuses_of_parabolas():
    sizes = 2.0 ** np.arange(7)
    columns = {
        "ok": [5, 4, 3, 2, 3, 4, 5],
        "edge_minimum": [1, 2, 3, 4, 5, 6, 7],
        "few_sizes": [np.nan, np.nan, np.nan, 3, 2, 3, 4],
        "not_convex": [9, 1.0, 8, 0.9, 8, 1.0, 9],
        "vertex_outside": [9, 1.5, 2.0, 1.0, 1.01, 1.2, 9],
    }
    log_losses = np.array(list(columns.values())).T
    table = LossTable(sizes, 10.0 ** np.arange(5), np.exp(log_losses)[:, None, :])
    front = front_of(table, parabolas, 2)
    assert front.status.tolist() == list(columns)
    assert np.isnan(front.d_opt).tolist() == [False, True, True, True, True]
    assert front_of(table, parabolas, 1).status.tolist() == [
        "ok", "edge_minimum", "few_sizes", "ok", "ok",
    ]  # fmt: skip
