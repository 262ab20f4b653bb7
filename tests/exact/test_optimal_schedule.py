"""The best schedules: gradients against differences, optima against other optimisers."""

import numpy as np
import pytest
from scipy.optimize import minimize

import plrf
from plrf.exact.gradient import loss_and_gradient
from plrf.exact.modes import complex_modes
from plrf.exact.optimal_schedule import FREE, optimal_schedule
from plrf.exact.parametrised import SHAPES, Family, Nodes
from plrf.exact.ridge import DeterministicEquivalent, critical_learning_rate
from plrf.model import power_law_model
from plrf.scaling import ScalingRule
from plrf.schedules import SCHEDULES
from plrf.task import PowerLawTask

POINT = {"alpha": 0.9, "beta": 0.4, "noise": 0.1}


def contour(model, batch=1):
    spectrum = DeterministicEquivalent(model)
    critical = 0.999 * critical_learning_rate(model, batch)
    modes = complex_modes(spectrum, 2 / (critical * (batch + 1)))
    return spectrum, critical, modes.contour(0)


@pytest.mark.parametrize("batch", [1, 8])
def test_gradient_against_differences(batch):
    """Over more than one segment, and at both ends."""
    spectrum, critical, modes = contour(power_law_model(0.9, 0.4, 40, 160, 0.1), batch)
    rates = critical * np.random.default_rng(1).uniform(0.1, 0.9, 600)
    loss, gradient = loss_and_gradient(rates, batch, modes, spectrum)
    for step in (0, 1, 255, 256, 400, 599):
        around = []
        for change in (-1e-4, 1e-4):
            moved = rates.copy()
            moved[step] += change * critical
            around.append(loss_and_gradient(moved, batch, modes, spectrum)[0])
        difference = (around[1] - around[0]) / (2e-4 * critical)
        assert gradient[step] == pytest.approx(difference, rel=1e-5, abs=1e-7 * loss / critical)


def test_loss_is_that_of_the_schedule():
    """Of a cosine, from the steps of `plrf.expected_loss`."""
    model = power_law_model(0.9, 0.4, 40, 160, 0.1)
    spectrum, critical, modes = contour(model)
    rates = 0.5 * critical * SCHEDULES["cosine"]().rate(np.arange(700), 700)
    given = {"learning_rate": 0.5 * critical, "schedule": "cosine", "horizon": 700}
    exact = plrf.expected_loss(700, **model.parameters, **given)
    loss, _ = loss_and_gradient(rates, 1, modes, spectrum)
    assert loss == pytest.approx(exact.loss, rel=1e-11)


@pytest.mark.parametrize("name", [FREE, *SHAPES])
def test_pulled_gradients(name):
    """Of a linear function of the rates; shapes but for the width of their difference."""
    schedules = Nodes(500, 6) if name == FREE else Family(name, 500)
    rng = np.random.default_rng(2)
    x, weights = schedules.start(None) * 0.9, rng.standard_normal(500)
    pulled = schedules.pull(x, weights)
    for k in range(x.size):
        low, high = x.copy(), x.copy()
        low[k] -= 1e-3 if name != FREE else 1e-6
        high[k] += 1e-3 if name != FREE else 1e-6
        difference = weights @ (schedules.rates(high) - schedules.rates(low)) / (high - low)[k]
        assert pulled[k] == pytest.approx(difference, rel=2e-2, abs=1e-6)


def test_every_step_against_another_optimiser():
    """Thirty steps, each of them a node."""
    flops, d = 30 * 20.0, 20.0
    best = optimal_schedule(flops, d=d, **POINT)
    model = power_law_model(POINT["alpha"], POINT["beta"], d, 4 * d, POINT["noise"])
    spectrum, critical, modes = contour(model)

    def log_loss(rates):
        return np.log(loss_and_gradient(rates * critical, 1, modes, spectrum)[0])

    found = minimize(
        log_loss,
        np.full(30, 0.5),
        method="SLSQP",
        bounds=[(0, 1)] * 30,
        options={"ftol": 1e-12, "maxiter": 1000},
    )
    assert (best.steps, best.status) == (30, "ok")
    assert best.loss == pytest.approx(np.exp(found.fun), rel=1e-5)
    np.testing.assert_allclose(best.learning_rate / critical, found.x, atol=0.02)


def test_nothing_tried_is_better():
    """Small changes of any kind, at a size of which only nodes are free, and other sizes."""
    best = optimal_schedule(3e4, **POINT)
    assert best.status == "ok" and best.error < 1e-3
    model = power_law_model(POINT["alpha"], POINT["beta"], best.d, 4 * best.d, POINT["noise"])
    spectrum, critical, modes = contour(model)
    loss, _ = loss_and_gradient(best.learning_rate, 1, modes, spectrum)
    assert loss == pytest.approx(best.loss, rel=1e-9)
    time, rng = np.linspace(0, 1, best.steps), np.random.default_rng(3)
    for _ in range(50):
        wave = np.sin(np.pi * rng.integers(1, 20) * time + rng.uniform(0, 6))
        changed = np.clip(best.learning_rate * (1 + 0.1 * wave), 0, critical)
        assert loss_and_gradient(changed, 1, modes, spectrum)[0] > loss * (1 - best.error)
    for factor in (0.8, 1.25):
        other = optimal_schedule(3e4, d=best.d * factor, **POINT)
        assert other.loss > best.loss


def test_families_against_grids():
    best = optimal_schedule(3e4, **POINT)
    task = PowerLawTask(POINT["alpha"], POINT["beta"], POINT["noise"])
    for name, shape in SHAPES.items():
        tuned = optimal_schedule(3e4, d=best.d, family=name, **POINT)
        assert tuned.status == "ok" and tuned.loss > best.loss * (1 - best.error)
        model = ScalingRule().model(task, tuned.d)
        critical = critical_learning_rate(model, 1)
        factors = SCHEDULES[name](**({shape.parameter: tuned.shape} if shape else {}))
        rate = tuned.learning_rate[0] / factors.rate(np.arange(1), tuned.steps)[0]
        for tried in rate * np.array([0.5, 0.9, 1.0, 1.1, 1.5]):
            given = {"d": model.d, "v": model.v, "learning_rate": min(tried, 0.999 * critical)}
            for value in np.linspace(shape.low, min(shape.high, 3), 7) if shape else (None,):
                schedule = {"name": name} | ({shape.parameter: value} if shape else {})
                end = plrf.expected_loss(tuned.steps, **POINT, **given, schedule=schedule)
                assert end.loss > tuned.loss * (1 - 1e-9)


def test_rates_are_stable_and_not_negative():
    """A hard task asks for the largest rates."""
    best = optimal_schedule(1e9, alpha=1.0, beta=-0.4, d=1e5, noise=0.1)
    model = power_law_model(1.0, -0.4, best.d, 4 * best.d)
    largest = best.learning_rate.max() / critical_learning_rate(model, 1)
    assert largest == pytest.approx(0.999) and best.learning_rate.min() >= 0
    ratio = best.c / best.learning_rate
    np.testing.assert_allclose(ratio, model.task.trace(model.v), rtol=1e-12)


def test_published_forms_of_the_best_schedule():
    """Power decay where beta > 0, a plateau that ends ever more sharply where it is below.

    Of arXiv:2602.06797, for sizes that do not limit the loss, with noise of labels.
    """
    losses, cooldowns = {}, {}
    for beta in (0.7, -0.2):
        for steps in (1e3, 1e4):
            given = {"alpha": 1.0, "beta": beta, "d": 1e5, "noise": 0.1}
            for family in ("polynomial", "wsd"):
                best = optimal_schedule(steps * 1e5, **given, family=family)
                losses[beta, steps, family] = best.loss
                cooldowns[beta, steps] = best.shape
    for steps in (1e3, 1e4):
        assert losses[0.7, steps, "polynomial"] < 0.97 * losses[0.7, steps, "wsd"]
        assert losses[-0.2, steps, "wsd"] < 0.98 * losses[-0.2, steps, "polynomial"]
    assert cooldowns[0.7, 1e4] > cooldowns[0.7, 1e3] > 0.9
    assert cooldowns[-0.2, 1e4] < 0.8 * cooldowns[-0.2, 1e3] < 0.4


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"^family = 'cos': must be one of free, constant, power"):
        optimal_schedule(1e5, **POINT, family="cos")
    with pytest.raises(ValueError, match=r"^flops = 0: "):
        optimal_schedule(0, **POINT)
    with pytest.raises(ValueError, match=r"^d = 1e\+06: .* steps"):
        optimal_schedule(1e6, d=1e6, **POINT)
    with pytest.raises(ValueError, match=r"^d = 50: .* steps"):
        optimal_schedule(1e9, d=50, **POINT)
