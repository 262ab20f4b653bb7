"""The exact compute-optimal front against direct minimisation, theory and published values."""

import numpy as np
import pytest

from plrf.exact.best_sizes import optimal_budgets
from plrf.exact.budgets import BudgetLosses
from plrf.exact.front import compute_optimal
from plrf.exact.loss import DivergenceError, expected_loss
from plrf.exact.ridge import ConvergenceError, critical_learning_rate, kernel_mass
from plrf.model import power_law_model
from plrf.scaling import ScalingRule, learning_rate
from plrf.task import PowerLawTask
from plrf.theory.phases import exponents
from plrf.training import SGD

POINTS = {
    "Ia": (0.75, 0.25),
    "Ib": (0.45, 0.33),
    "Ic": (0.2, 0.7),
    "II": (1.25, 0.75),
    "III": (1.0, 2.0),
    "IVa": (0.4, 1.0),
    "IVb": (0.27, 0.8),
}


def loss_of_size(d, flops, alpha, beta, batch=1, v_over_d=4):
    """Expected loss of one integer size at the step nearest to a budget."""
    v = v_over_d * d
    gamma = learning_rate(0.5, alpha, v, batch)
    steps = np.rint(flops / (d * batch))
    return expected_loss(
        [steps], alpha=alpha, beta=beta, d=d, v=v, learning_rate=gamma, batch=batch
    ).loss[0]


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("batch", [1, 8])
def test_no_integer_size_beats_the_optimum(point, batch):
    """Losses of many sizes lie above P*, and touch it at d*."""
    flops = 1e9
    front = compute_optimal([flops], alpha=point[0], beta=point[1], batch=batch)
    sizes = np.unique(np.rint(front.d[0] * np.geomspace(0.02, 50, 41)).astype(int))
    sizes = sizes[flops / (sizes * batch) > 20]
    losses = np.array([loss_of_size(int(d), flops, *point, batch) for d in sizes])
    # An integer number of steps misses the budget by at most half a step.
    slack = 0.5 * sizes * batch / flops
    assert np.all(losses > front.loss[0] * (1 - slack))
    nearest = np.argmin(np.abs(sizes / front.d[0] - 1))
    np.testing.assert_allclose(losses[nearest], front.loss[0], rtol=slack[nearest] + 1e-6)


@pytest.mark.parametrize("v_over_d", [1.25, 2])
def test_few_features(v_over_d):
    """Where v is not far above d, no multiple of four parameters beats the optimum."""
    flops = 1e9
    front = compute_optimal([flops], alpha=0.7, beta=0.4, v_over_d=v_over_d)
    sizes = 4 * np.rint(front.d[0] / 4 * np.geomspace(0.3, 3, 41)).astype(int)
    losses = np.array([loss_of_size(int(d), flops, 0.7, 0.4, v_over_d=v_over_d) for d in sizes])
    slack = 0.5 * sizes / flops
    assert np.all(losses > front.loss[0] * (1 - slack))
    assert losses.min() == pytest.approx(front.loss[0], rel=1e-4)


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_local_exponents_are_the_derivatives_of_the_front(point):
    """Central differences of log P* and log d* over a small step in log f."""
    step = 0.02
    flops = 1e8 * np.exp([-step, 0, step])
    front = compute_optimal(flops, alpha=point[0], beta=point[1])
    eta = -(np.log(front.loss[2]) - np.log(front.loss[0])) / (2 * step)
    xi = (np.log(front.d[2]) - np.log(front.d[0])) / (2 * step)
    np.testing.assert_allclose(eta, front.eta[1], atol=1e-5)
    np.testing.assert_allclose(xi, front.xi[1], atol=2e-3)


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_exponents_tend_to_theory(point):
    """At f = 1e24 they are close to the theory, and closer than at 1e8.

    In phase IVb eta first overshoots, and is still above the theory at 1e24.
    """
    front = compute_optimal([1e8, 1e24], alpha=point[0], beta=point[1])
    eta, xi = exponents(*point)
    for measured, theory in ((front.eta, eta), (front.xi, xi)):
        near, far = np.abs(measured - theory)[::-1]
        assert near < far or point == POINTS["IVb"]
        assert near < 0.015


@pytest.mark.parametrize("point", [(0.2, 1.0), (0.27, 0.8), (0.2, 0.61)])
def test_the_deeper_of_two_valleys(point):
    """With few features and 2 alpha < 1 < 2 beta the best size jumps: each budget is on its own."""
    rule = {"alpha": point[0], "beta": point[1], "v_over_d": 1.5}
    flops = [1e8, 1e12, 1e16, 1e20, 1e24]
    front = compute_optimal(flops, **rule)
    singly = [float(compute_optimal(budget, **rule).loss) for budget in flops]
    np.testing.assert_allclose(front.loss, singly, rtol=1e-4)
    losses = BudgetLosses(PowerLawTask(*point), ScalingRule(v_over_d=1.5))
    for flops, loss in zip(front.flops, front.loss, strict=True):
        sizes = np.arange(4, np.log(flops / 20), 0.25)
        lowest = min(losses.log_loss(log_d, flops)[0] for log_d in sizes)
        assert np.log(loss) <= lowest + 1e-4


def test_the_deeper_valley_of_a_schedule_may_be_another_one():
    """At 3e7 flops that of a constant rate is at d = 12301; each budget is on its own."""
    rule = {"alpha": 0.35, "beta": 0.9, "v_over_d": 1.5, "schedule": "wsd"}
    together, single = compute_optimal([1e7, 3e7], **rule), compute_optimal(3e7, **rule)
    assert single.d == pytest.approx(together.d[1], rel=1e-4) and single.d < 3000
    assert single.loss == pytest.approx(together.loss[1], rel=1e-6)


@pytest.mark.parametrize("alpha, beta", [(0.13, 1.1), (0.2, 0.7), (0.29, 1.9)])
def test_exponents_where_losses_bend_sharply(alpha, beta):
    """For 2 alpha < 1 exponents are slopes between budgets (Simpson's rule over two decades)."""
    front = compute_optimal(10.0 ** np.arange(9, 24), alpha=alpha, beta=beta)
    for exponent, values in ((front.xi, front.d), (-front.eta, front.loss)):
        mean = (exponent[:-2] + 4 * exponent[1:-1] + exponent[2:]) / 6
        slope = np.log(values[2:] / values[:-2]) / np.log(100)
        np.testing.assert_allclose(mean, slope, atol=2e-3)


def test_values_stated_in_the_model():
    """Model section 7: local exponents at (0.42, 0.8), measured there between coarse budgets."""
    front = compute_optimal([1e7, 1e11, 1e14, 1e18], alpha=0.42, beta=0.8)
    np.testing.assert_allclose(front.eta, [0.44, 0.436, 0.423, 0.420], atol=0.008)
    np.testing.assert_allclose(front.xi, [0.60, 0.56, 0.519, 0.503], atol=0.008)
    window = compute_optimal([1e6, 1e8], alpha=0.7, beta=0.7)
    assert np.all((window.eta > 0.615) & (window.eta < 0.63))
    assert np.all((window.xi > 0.49) & (window.xi < 0.51))


def test_errors_bound_the_change_with_the_nodes(monkeypatch):
    """Twice as many nodes change the results by less than the stated errors (and rounding)."""
    flops = np.geomspace(1e4, 1e20, 5)
    arguments = {"alpha": 0.7, "beta": 0.9}
    front = compute_optimal(flops, **arguments)
    monkeypatch.setattr("plrf.exact.minimise.NODES", 21)
    finer = compute_optimal(flops, **arguments)
    for name in ("loss", "d", "eta", "xi"):
        value, truth = getattr(front, name), getattr(finer, name)
        scale = truth if name in ("loss", "d") else 1
        error = getattr(front, f"{name}_error")
        assert np.all(np.abs(value - truth) / scale <= 10 * error + 1e-9), name


def test_infinitely_many_features_are_the_limit():
    limit = compute_optimal([1e10], alpha=1.0, beta=0.8, v_over_d=np.inf)
    large = compute_optimal([1e10], alpha=1.0, beta=0.8, v_over_d=1e7)
    np.testing.assert_allclose(large.loss, limit.loss, rtol=1e-5)
    np.testing.assert_allclose(large.d, limit.d, rtol=1e-5)


def test_order_and_shape_of_budgets_do_not_matter():
    flops = np.array([[1e8, 1e5], [1e12, 1e6]])
    front = compute_optimal(flops, alpha=0.7, beta=0.7)
    assert front.loss.shape == flops.shape
    order = np.argsort(-front.loss, axis=None)
    assert np.array_equal(order, np.argsort(flops, axis=None))
    alone = compute_optimal([1e12], alpha=0.7, beta=0.7)
    np.testing.assert_allclose(front.d[1, 0], alone.d[0], rtol=1e-6)


def test_a_budget_too_small_for_a_minimum_is_flagged():
    front = compute_optimal([100.0, 1e8], alpha=0.7, beta=0.7)
    assert front.status.tolist() == ["no minimum", "ok"]
    assert np.isnan(front.d[0]) and np.isfinite(front.d[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"beta": -0.4}, "no power law"),
        ({"alpha": 0.4, "beta": 0.4, "v_over_d": np.inf}, "^alpha = 0.4: must be above 0.5"),
    ],
)
def test_points_without_a_loss_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        compute_optimal(1e8, **{"alpha": 0.7, "beta": 0.7} | change)


@pytest.mark.parametrize(("v_over_d", "batch"), [(1.25, 1), (4, 1), (4, 64), (np.inf, 1)])
def test_sizes_that_are_unstable_are_left_out(v_over_d, batch):
    """Where the learning rate is stable for large sizes only, the front begins with these."""
    point = {"alpha": 0.7, "beta": 0.7, "v_over_d": v_over_d, "batch": batch}
    features = 1e12 * min(v_over_d, 1e6)
    critical = critical_learning_rate(power_law_model(0.7, 0.0, 1e12, features), batch)
    c = 0.9 * critical / learning_rate(1.0, 0.7, features, batch)
    for d, stable in ((12 + 49 / v_over_d, False), (1e4, True)):
        rate = learning_rate(c, 0.7, v_over_d * d, batch)
        assert (
            kernel_mass(power_law_model(0.7, 0.0, d, v_over_d * d), SGD(rate, batch)) < 1
        ) == stable
    flops = batch * np.array([1e3, 1e12])
    front = compute_optimal(flops, c=c, **point)
    assert front.status.tolist() == ["no minimum", "ok"]
    around = compute_optimal(batch * 1e12, c=0.99 * c, **point)
    assert front.d[1] == pytest.approx(around.d, rel=0.1)


def test_unstable_learning_rate_is_refused():
    """The threshold that the message names is that of large sizes."""
    point = {"alpha": 0.7, "beta": 0.7}
    with pytest.raises(
        DivergenceError, match=r"^c = 1.9: SGD diverges .*: c must be below"
    ) as said:
        compute_optimal([1e8], c=1.9, **point)
    threshold = float(str(said.value).split()[-1])
    assert compute_optimal(1e30, c=0.999 * threshold, **point).status == "ok"


def test_powers_of_large_sizes_do_not_overflow():
    """Steep spectra: sizes whose powers exceed the range of floats are far from the best one."""
    front = compute_optimal([1e18, 1e22], alpha=8.5, beta=0.7)
    assert front.status.tolist() == ["ok", "ok"]
    assert np.all(front.d < 200)


def test_a_loss_that_cannot_be_computed_is_flagged(monkeypatch):
    def fail(*_):
        raise ConvergenceError

    monkeypatch.setattr("plrf.exact.budgets.invert_at", fail)
    front = compute_optimal([1e3, 1e8], alpha=0.7, beta=0.7)
    assert front.status.tolist() == ["not converged", "not converged"]
    assert np.isnan(front.d).all()


class TestOptimalBudgets:
    @pytest.mark.parametrize(("alpha", "beta"), [(0.7, 0.7), (1.25, 0.75), (0.2, 0.7), (1.5, 0.3)])
    def test_front_inverts_them(self, alpha, beta):
        """To the bend of the front within two decades."""
        sizes = [40, 100, 700, 5000, 200_000]
        budgets = optimal_budgets(sizes, PowerLawTask(alpha, beta))
        front = compute_optimal(budgets, alpha=alpha, beta=beta)
        np.testing.assert_allclose(front.d, sizes, rtol=0.02)

    def test_sizes_beyond_all_budgets_have_none(self):
        budgets = optimal_budgets([10.0, 1e11, 1e14], PowerLawTask(1.25, 0.75))
        assert budgets[0] == pytest.approx(1e3) and np.isinf(budgets[1:]).all()

    def test_without_a_front_there_are_none(self):
        """On the edge, close to v = d, the best size falls to the least."""
        budgets = optimal_budgets([100, 1000], PowerLawTask(0.05, 0.45), v_over_d=1.05)
        assert np.isnan(budgets).all()
