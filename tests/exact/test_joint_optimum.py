"""Fronts with schedules, and the best learning rates and batches, against direct minimisation."""

import numpy as np
import pytest
from scipy.optimize import brentq

from plrf.exact.critical_batch import critical_batch
from plrf.exact.front import compute_optimal
from plrf.exact.loss import expected_loss
from plrf.scaling import learning_rate
from plrf.schedules import BatchGrowth, Cosine, PowerDecay, Warmup, WarmupStableDecay

POINT = {"alpha": 0.75, "beta": 0.5, "noise": 0.1}
SCHEDULES = [Cosine(0.1), WarmupStableDecay(), BatchGrowth(2, 3), PowerDecay(0.3, 50.0), Warmup(30)]


def loss_of(d, steps, c=0.5, batch=1, **settings):
    """Loss at the end of a training that is planned for a number of steps."""
    rate = learning_rate(c, settings["alpha"], 4 * d, batch)
    return expected_loss(steps, d=d, v=4 * d, learning_rate=rate, batch=batch, **settings).loss


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_no_size_beats_the_front_over_planned_trainings(schedule):
    front = compute_optimal(1e5, **POINT, schedule=schedule)
    sizes = np.rint(front.d * np.geomspace(0.3, 3, 9)).astype(int)
    steps = 3 * np.rint(1e5 / (3 * sizes)).astype(int)  # whole stages
    samples = [int(schedule.summed_growth(np.array([r]), r)[0]) for r in steps]
    if schedule.parts > 1:  # the budget that so many steps take
        steps = 3 * np.rint(steps * steps / np.array(samples) / 3).astype(int)
        samples = [int(schedule.summed_growth(np.array([r]), r)[0]) for r in steps]
    best = compute_optimal(sizes * samples, **POINT, schedule=schedule)
    losses = [loss_of(d, r, **POINT, schedule=schedule) for d, r in zip(sizes, steps, strict=True)]
    over = np.array(losses) / best.loss - 1
    assert np.all(over > -1e-8)
    # The best size itself, but for rounding it.
    near = np.argmin(np.abs(sizes / best.d - 1))
    curvature = np.polynomial.polynomial.polyfit(np.log(sizes / best.d), over, 6)
    assert over[near] < 2 * curvature[2] * np.log(sizes[near] / best.d[near]) ** 2 + 1e-6
    assert abs(curvature[0]) < 1e-4 and over.max() > 0.01


@pytest.mark.parametrize("schedule", ["constant", *SCHEDULES], ids=str)
def test_exponents_are_slopes_of_the_front(schedule):
    """Planned trainings of whole steps limit differences to some 1e-5."""
    budgets = 2e5 * np.exp([-0.2, 0.0, 0.2])
    settings = {**POINT, "schedule": schedule, "c": "optimal"}
    front = compute_optimal(budgets, **settings)
    assert np.all(front.status == "ok")
    for name, exponent in (("loss", -front.eta), ("d", front.xi), ("c", front.c_exponent)):
        slope = np.log(getattr(front, name)[2] / getattr(front, name)[0]) / 0.4
        assert slope == pytest.approx(exponent[1], abs=1e-3)


@pytest.mark.parametrize("schedule", ["constant", Cosine()], ids=str)
def test_best_learning_rate_by_brute_force(schedule):
    joint = compute_optimal(1e5, **POINT, schedule=schedule, c="optimal")
    given = [
        compute_optimal(1e5, **POINT, schedule=schedule, c=float(joint.c) * factor)
        for factor in (0.5, 0.9, 1.0, 1.1, 2.0)
    ]
    losses = np.array([front.loss for front in given])
    assert np.all(np.diff(losses[:3]) < 0) and np.all(np.diff(losses[2:]) > 0)
    assert losses[2] == pytest.approx(joint.loss, rel=1e-9)
    assert given[2].d == pytest.approx(joint.d, rel=1e-6)


def test_best_batch_by_brute_force():
    """At a learning rate that is too high for the labels' noise."""
    joint = compute_optimal(1e6, **POINT, c=0.8, batch="optimal")
    batches = np.arange(1, 40)
    losses = [compute_optimal(1e6, **POINT, c=0.8, batch=batch).loss for batch in batches]
    assert abs(batches[np.argmin(losses)] - joint.batch) <= 0.5
    assert np.all(np.array(losses) > joint.loss * (1 - 1e-10))
    far = compute_optimal(1e6 * np.exp([-0.1, 0.1]), **POINT, c=0.8, batch="optimal")
    slope = np.log(far.batch[1] / far.batch[0]) / 0.2
    assert slope == pytest.approx(joint.batch_exponent, abs=1e-3)


def test_one_sample_is_best_with_the_best_learning_rate():
    for noise in (0.0, 0.1):
        settings = POINT | {"noise": noise}
        joint = compute_optimal(1e6, **settings, c="optimal", batch="optimal")
        single = compute_optimal(1e6, **settings, c="optimal")
        assert (joint.batch, joint.batch_exponent) == (1, 0)
        assert joint.loss == pytest.approx(single.loss, rel=1e-9)


def test_learning_rate_at_its_bound():
    """A cosine without noise is best where it begins as high as is stable."""
    settings = {"alpha": 1.0, "beta": 0.7, "schedule": "cosine"}
    front = compute_optimal(1e6, **settings, c="optimal")
    lower = compute_optimal(1e6, **settings, c=0.97 * float(front.c))
    assert front.status == "ok" and abs(front.c_exponent) < 1e-12
    assert lower.loss > front.loss


def test_half_the_steps_of_the_critical_batch_cost_a_tenth_more():
    settings = {"alpha": 0.7, "beta": -0.1, "noise": 0.1, "c": 0.3}
    critical = critical_batch(1e6, **settings)
    assert critical.steps == pytest.approx(1e6 / (critical.d * critical.batch))

    def flops_to_the_loss(batch):
        def excess(log_f):
            return compute_optimal(np.exp(log_f), batch=batch, **settings).loss - critical.loss

        flops = np.exp(brentq(excess, np.log(1e5), np.log(1e7), xtol=1e-6))
        return flops, flops / (batch * compute_optimal(flops, batch=batch, **settings).d)

    def spared(log_batch):
        return flops_to_the_loss(np.exp(log_batch))[1] - critical.steps / 2

    start = np.log(critical.batch)
    batch = np.exp(brentq(spared, start, start + 3, xtol=1e-5))
    assert flops_to_the_loss(batch)[0] == pytest.approx(1.1e6, rel=3e-3)


def test_critical_batch_below_one_and_out_of_range():
    below = critical_batch([1e6], alpha=1.0, beta=0.7)
    assert below.status == ["below"] and np.isnan(below.batch).all()
    # The few steps that are left could not be halved.
    few = critical_batch([1e5], alpha=0.7, beta=1.2, noise=0.1, c="optimal")
    assert few.status == ["no minimum"] and np.isnan(few.loss).all()


@pytest.mark.parametrize(
    ("point", "flops", "c"),
    [
        ({"alpha": 0.9, "beta": 0.4, "noise": 3.0}, 1e6, 0.01),
        ({"alpha": 0.9, "beta": 0.4, "noise": 1e3}, 1e8, 3e-5),
        ({"alpha": 0.7, "beta": 0.7, "noise": 100.0}, 1e6, 8e-4),
    ],
)
def test_best_learning_rate_where_higher_ones_have_no_best_size(point, flops, c):
    joint = compute_optimal(flops, **point, c="optimal")
    assert joint.status == "ok" and 0.2 * c < joint.c < 5 * c
    given = [compute_optimal(flops, **point, c=joint.c * x).loss for x in (0.8, 1.0, 1.25)]
    assert given[1] == pytest.approx(joint.loss, rel=1e-6) and given[1] == np.nanmin(given)


def test_best_batch_where_one_sample_has_no_best_size():
    point = {"alpha": 0.9, "beta": 0.4, "noise": 10.0, "c": 0.5}
    joint = compute_optimal(1e6, **point, batch="optimal")
    losses = [compute_optimal(1e6, **point, batch=b).loss for b in (30, 100, 300, 1000)]
    assert joint.status == "ok" and joint.loss <= np.nanmin(losses)
    assert compute_optimal(1e6, **point).status == "no minimum"


def test_best_batch_just_above_one():
    point = {"alpha": 0.9, "beta": 0.4, "noise": 0.1, "c": 0.18}
    joint = compute_optimal(1e5, **point, batch="optimal")
    assert 1.2 < joint.batch < 1.7
    for batch in (1, 1.25, 1.5, 2):
        assert compute_optimal(1e5, **point, batch=batch).loss > joint.loss * (1 - 1e-9)


@pytest.mark.parametrize(
    "schedule", [WarmupStableDecay(), WarmupStableDecay(0.1, 0.05, "sqrt"), Cosine()], ids=str
)
def test_errors_cover_what_other_budgets_change(schedule):
    """Cooldowns act on whole steps, over which the loss jumps with the horizon."""
    front = compute_optimal([1e4, 1e4, 1.3e4, 1e4], **POINT, schedule=schedule)
    for name in ("loss", "d", "eta"):
        values, error = getattr(front, name), getattr(front, f"{name}_error")
        scale = 1 if name == "eta" else values[0]
        for k in (1, 3):
            assert abs(values[k] - values[0]) <= 2 * (error[0] + error[k]) * scale
    assert np.all(front.loss_error < 1e-2)


def test_rate_that_vanishes():
    """Log time goes on where a power of the step is too small for a number."""
    given = {"alpha": 0.9, "beta": 0.4, "d": 50, "v": 200, "learning_rate": 0.1, "noise": 0.1}
    loss = expected_loss([2**12, 2**21, 2**30], **given, schedule=PowerDecay(40.0)).loss
    np.testing.assert_allclose(loss, loss[0], rtol=1e-8)
