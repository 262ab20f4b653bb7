"""Schedules: their values, names and parameters, and the training that follows them."""

from itertools import pairwise

import numpy as np
import pytest

from plrf.exact.ridge import kernel_mass
from plrf.model import power_law_model
from plrf.schedules import (
    SCHEDULES,
    BatchGrowth,
    Constant,
    Cosine,
    PolynomialDecay,
    PowerDecay,
    Warmup,
    WarmupStableDecay,
    schedule_of,
)
from plrf.study.schedules import schedule_text
from plrf.training import SGD, steps_of, trainings

HORIZON = 100
STEPS = np.array([0, 4, 9, 30, 55, 80, 95, 100, 1000])
# Factors of the rate at these steps, by hand.
RATES = {
    Constant(): [1, 1, 1, 1, 1, 1, 1, 1, 1],
    Warmup(10): [0.1, 0.5, 1, 1, 1, 1, 1, 1, 1],
    PowerDecay(0.5, 5.0): [(5 / (5 + t)) ** 0.5 for t in STEPS],
    PolynomialDecay(2.0): [(1 - min(t, 100) / 100) ** 2 for t in STEPS],
    Cosine(): [(1 + np.cos(np.pi * min(t, 100) / 100)) / 2 for t in STEPS],
    Cosine(0.1, 0.2): [
        0.1,
        0.5,
        *(0.2 + 0.4 * (1 + np.cos(np.pi * x / 9)) for x in (0, 2, 4.5, 7, 8.5, 9, 9)),
    ],
    WarmupStableDecay(0.1, 0.4): [0.1, 0.5, 1, 1, 1, 0.5, 0.125, 0, 0],
    WarmupStableDecay(cooldown=0.4, final=0.5): [1, 1, 1, 1, 1, 0.75, 0.5625, 0.5, 0.5],
    WarmupStableDecay(cooldown=0.8, shape="sqrt"): [
        *[1, 1, 1],
        *(1 - x**0.5 for x in (1 / 8, 7 / 16, 3 / 4, 15 / 16, 1, 1)),
    ],
    BatchGrowth(2, 4): [1, 1, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 8, 1 / 8, 1 / 8],
    BatchGrowth(3, 2): [1, 1, 1, 1, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3],
}


def test_all_schedules_are_tested():
    assert {type(schedule) for schedule in RATES} == set(SCHEDULES.values())


@pytest.mark.parametrize("schedule", RATES, ids=str)
def test_rates(schedule):
    rates = schedule.rate(STEPS, HORIZON)
    np.testing.assert_allclose(rates, RATES[schedule], rtol=1e-14, atol=1e-15)
    assert np.all(rates >= 0)


@pytest.mark.parametrize("schedule", RATES, ids=str)
def test_training_follows_its_schedule(schedule):
    """Step by step and all at once; the same object while nothing changes."""
    sgd, steps = SGD(0.3, 5, schedule, HORIZON), np.arange(5000)  # more than a block
    each = list(sgd.each(steps.size))
    assert [now.learning_rate for now in each] == (0.3 * schedule.rate(steps, HORIZON)).tolist()
    assert [now.batch for now in each] == sgd.batches(steps).tolist()
    samples = np.concatenate([[0], np.cumsum(sgd.batches(steps))])
    np.testing.assert_array_equal(sgd.samples(np.arange(5001)), samples)
    changes = sum(now is not before for before, now in pairwise(each))
    assert changes == sum(x != y for x, y in pairwise(each))


@pytest.mark.parametrize("horizon", [2, 3, 7, 1000])
def test_growth_of_the_batch_keeps_rate_times_batch(horizon):
    sgd, steps = SGD(0.3, 5, BatchGrowth(3, 3), horizon), np.arange(2 * horizon)
    np.testing.assert_allclose(sgd.factors(steps) * sgd.batches(steps), 5, rtol=1e-15)
    stage = np.minimum(steps * 3 // horizon, 2)
    np.testing.assert_array_equal(sgd.batches(steps), 5 * 3**stage)
    samples = np.concatenate([[0], np.cumsum(sgd.batches(steps))])
    np.testing.assert_array_equal(sgd.samples(np.arange(steps.size + 1)), samples)


def test_sums_of_many_steps_are_whole():
    sgd, starts = SGD(0.3, 1, BatchGrowth(2, 21), 10**12), [-(-k * 10**12 // 21) for k in range(22)]
    total = sum((starts[k + 1] - starts[k]) * 2**k for k in range(21))
    assert sgd.samples(np.array([10**12])).tolist() == [total]


def test_relative_schedules_are_trained_for_each_step():
    steps = np.array([0, 1, 2, 7, 30])
    for schedule in RATES:
        plans = trainings(SGD(0.3, 5, schedule, 30), steps)
        if not schedule.relative:
            assert plans == [(SGD(0.3, 5, schedule, 30), steps)]
            continue
        assert [plan for plan, _ in plans] == [SGD(0.3, 5, schedule, h) for h in (1, 2, 7, 30)]
        assert [recorded.tolist() for _, recorded in plans] == [[0, 1], [2], [7], [30]]


GROWING = [BatchGrowth(2, 4), BatchGrowth(3, 2), BatchGrowth(2, 7), BatchGrowth(50, 3)]


@pytest.mark.parametrize("schedule", GROWING, ids=str)
def test_least_number_of_steps_for_some_batches(schedule):
    """Against the sums over the steps of all plans, which rise."""
    spent = [
        sum(schedule.growth(np.arange(horizon), horizon).tolist()) for horizon in range(1, 400)
    ]
    assert np.all(np.diff(spent) > 0)
    for batches in range(1, spent[-1], max(1, spent[-1] // 2000)):
        expected = next(k for k, sum_ in enumerate(spent, 1) if sum_ >= batches)
        assert steps_of(schedule, batches) == expected


def test_least_number_of_many_steps():
    for schedule in (Constant(), Cosine(), PowerDecay(0.5)):
        for batches in (1, 2, 10**6 + 1, 10**18):
            assert steps_of(schedule, batches) == batches
    steps = steps_of(BatchGrowth(2, 21), 10**18)
    before, there = (
        int(BatchGrowth(2, 21).summed_growth(np.array(n), n)) for n in (steps - 1, steps)
    )
    assert before < 10**18 <= there < 10**18 + 2**21


@pytest.mark.parametrize("schedule", RATES, ids=str)
def test_no_step_is_less_stable_than_without_a_schedule(schedule):
    """As the check of configurations takes for granted."""
    model, sgd = power_law_model(0.7, 0.0, 20, 80), SGD(0.1, 5, schedule, HORIZON)
    without = kernel_mass(model, SGD(0.1, 5))
    for now in sgd.each(120):
        assert now.learning_rate == 0 or kernel_mass(model, now) <= without * (1 + 1e-12)


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (Constant(), "constant"),
        (Cosine(final=0), "cosine"),
        (Cosine(warmup=0.05), "cosine(warmup=0.05)"),
        (WarmupStableDecay(cooldown=0.3, shape="sqrt"), "wsd(cooldown=0.3, shape=sqrt)"),
        (PowerDecay(0.5, 100.0), "power(exponent=0.5, scale=100)"),
        (Warmup(1e3), "warmup(steps=1000)"),
        (BatchGrowth(), "batch_growth"),
        (BatchGrowth(stages=3.0), "batch_growth(stages=3)"),
    ],
)
def test_text_for_tables(schedule, text):
    assert schedule_text(schedule) == text


def test_whole_numbers_are_kept_as_such():
    """They may be written as floats, as 1.0e+3 in YAML."""
    assert type(Warmup(1e3).power_from) is int
    growth = BatchGrowth(2.0, 3.0)
    assert growth == BatchGrowth(2, 3) and growth.growth(np.array([9]), 10).dtype == np.int64
    assert growth.summed_growth(np.array([10]), 10).dtype == np.int64


def test_by_name():
    assert schedule_of("constant") == Constant()
    assert schedule_of({"name": "power", "exponent": 0.5}) == PowerDecay(0.5)
    wsd = {"name": "wsd", "warmup": 0.1, "cooldown": 0.3, "shape": "sqrt", "final": 0.1}
    assert schedule_of(wsd) == WarmupStableDecay(0.1, 0.3, "sqrt", 0.1)
    assert schedule_of(Cosine(final=0.5)) == Cosine(final=0.5)
    assert wsd["name"] == "wsd"  # it is left as it was


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "cosin",
            r"^schedule = 'cosin': must be one of constant, warmup, power, polynomial, cosine, ",
        ),
        ({"final": 0.5}, r"^schedule = None: must be one of constant, "),
        (
            {"name": "cosine", "end": 1},
            r"^schedule 'cosine' has no 'end': its parameters are warmup, ",
        ),
        ({"name": "constant", "end": 1}, r"^schedule 'constant' has no 'end': .* are none$"),
        ({"name": "power"}, r"^schedule 'power' needs exponent$"),
        ({"name": "warmup", "steps": 0}, r"^steps = 0: must be a whole number, at least 1"),
        ({"name": "warmup", "steps": 2.5}, r"^steps = 2.5: must be a whole number"),
        ({"name": "power", "exponent": -1}, r"^exponent = -1: must be "),
        ({"name": "power", "exponent": 1, "scale": 0}, r"^scale = 0: must be .* above 0"),
        ({"name": "cosine", "warmup": 1.0}, r"^warmup = 1: must be below 1"),
        ({"name": "cosine", "final": 1.5}, r"^final = 1.5: must be at most 1"),
        ({"name": "cosine", "final": -0.5}, r"^final = -0.5: must be a finite number, at least 0"),
        ({"name": "wsd", "cooldown": 0}, r"^cooldown = 0: must be .* above 0"),
        (
            {"name": "wsd", "cooldown": 0.9, "warmup": 0.2},
            r"^cooldown = 0.9: must be at most 1 tog",
        ),
        ({"name": "wsd", "shape": "cubic"}, r"^shape = 'cubic': must be one of linear, sqrt"),
        ({"name": "batch_growth", "factor": 1}, r"^factor = 1: must be a whole number, at least 2"),
        ({"name": "batch_growth", "stages": 1}, r"^stages = 1: must be a whole number, at least 2"),
        (
            {"name": "batch_growth", "stages": 22},
            r"^stages = 22: a batch must not grow by more than",
        ),
    ],
)
def test_mistakes_are_named(value, message):
    with pytest.raises(ValueError, match=message):
        schedule_of(value)


def test_what_is_no_number_is_named():
    with pytest.raises(TypeError, match=r"^final = 'x': must be "):
        schedule_of({"name": "cosine", "final": "x"})
    with pytest.raises(ValueError, match=r"^schedule = \['x'\]: must be one of constant"):
        schedule_of({"name": ["x"]})
    for value in (None, 1.0, ["cosine"]):
        with pytest.raises(TypeError, match=r"^schedule = .*: must be a name, a mapping or a sch"):
            schedule_of(value)


def test_relative_schedules_need_a_horizon():
    relative = {schedule for schedule in RATES if schedule.relative}
    expected = {PolynomialDecay, Cosine, WarmupStableDecay, BatchGrowth}
    assert {type(schedule) for schedule in relative} == expected
    for schedule in relative:
        with pytest.raises(ValueError, match=r"^horizon = None: .* needs a number of steps"):
            SGD(0.1, 1, schedule)
    SGD(0.1, 1, PowerDecay(0.5))


def test_schedule_tells_trainings_apart():
    assert SGD(0.1, 2).parameters == {"learning_rate": 0.1, "batch": 2}
    assert SGD(0.1, 2, Constant(), 10).parameters == {"learning_rate": 0.1, "batch": 2}
    cosine = SGD(0.1, 2, Cosine(), 10)
    assert SGD(**cosine.parameters) == cosine and cosine != SGD(0.1, 2)


@pytest.mark.parametrize("horizon", [0, -5, 2.5])
def test_horizon_is_a_number_of_steps(horizon):
    with pytest.raises((ValueError, TypeError), match=f"horizon = {horizon}"):
        SGD(0.1, 1, Cosine(), horizon)


def test_a_class_is_no_schedule():
    with pytest.raises(TypeError, match="must be a name, a mapping or a schedule"):
        schedule_of(Cosine)
