"""Planned runs: each recorded step ends a training of its own (model section 10)."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import ks_2samp

from plrf.engines import planned, recursion, sgd, volterra
from plrf.engines.curves import LossCurves
from plrf.engines.reduction import Reduction, feature_blocks, reduce
from plrf.exact.groups import Groups
from plrf.exact.loss import expected_loss
from plrf.model import power_law_model
from plrf.scaling import learning_rate
from plrf.schedules import BatchGrowth, Cosine, PowerDecay, Warmup, WarmupStableDecay
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD

ALPHA, BETA, D, V, NOISE = 1.0, 0.4, 4, 12, 0.3
GAMMA, BATCH = learning_rate(0.3, ALPHA, V, 2), 2
STEPS = np.array([0, 1, 2, 3, 5, 9, 16, 40])
N = 1500
RELATIVE = [Cosine(0.2, 0.1), WarmupStableDecay(0.1, 0.3, "sqrt"), BatchGrowth(3, 3)]
relative = pytest.mark.parametrize("schedule", RELATIVE, ids=lambda s: type(s).__name__)


def model() -> Reduction:
    stream = random_stream(1, "features", D, V)
    (found,) = reduce(stream, [PowerLawTask(ALPHA, BETA, NOISE)], D, V)
    return found


def training(schedule, gamma=GAMMA):
    return SGD(gamma, BATCH, schedule, int(STEPS[-1]))


def streams(n, purpose="samples"):
    return [random_stream(2, purpose, k) for k in range(n)]


def by_hand(spectrum, schedule, horizon, gamma=GAMMA):
    """Loss at the end of one training, from the recursion as section 10 writes it."""
    lam, modes = spectrum.eigenvalues, spectrum.coefficients**2
    for step in range(horizon):
        rate, batch = (float(f(np.array(step), horizon)) for f in (schedule.rate, schedule.growth))
        g, b = gamma * rate, BATCH * batch
        loss = spectrum.floor + modes.sum()
        decay = 1 - 2 * g * b * lam + g**2 * b * (b + 1) * lam**2
        modes = decay * modes + g**2 * b * lam**2 * (loss + NOISE)
    return spectrum.floor + modes.sum()


@relative
def test_each_loss_of_the_recursion_ends_a_training(schedule):
    spectrum = model()
    curves = planned.run(recursion.run, [spectrum] * 2, training(schedule), STEPS, streams(2))
    expected = [by_hand(spectrum, schedule, int(horizon)) for horizon in STEPS]
    np.testing.assert_allclose(curves.loss, np.transpose([expected] * 2), rtol=1e-13)
    assert curves.error.shape == STEPS.shape and np.all(curves.error < 1e-11)
    assert curves.diverged_at.tolist() == [-1, -1]
    # On the way to the last step losses are others.
    one = recursion.run([spectrum], training(schedule), STEPS, [])
    assert np.all(np.abs(one.loss[3:-1, 0] / expected[3:-1] - 1) > 1e-3)


@relative
def test_each_loss_with_w_averaged_out_ends_a_training(schedule):
    point = power_law_model(0.7, 0.6, 50, 200, NOISE)
    curves = planned.run(volterra.run, point, training(schedule, 0.1), STEPS)
    settings = {"learning_rate": 0.1, "batch": BATCH, "schedule": schedule}
    for step, loss in zip(STEPS.tolist(), curves.loss, strict=True):
        exact = expected_loss([step], **point.parameters, **settings)  # to its last step
        assert loss == pytest.approx(float(exact.loss[0]), rel=1e-13)
    assert curves.error.shape == STEPS.shape and curves.diverged_at.shape == ()


@cache
def losses(schedule, gamma=GAMMA):
    """Losses of N planned runs."""
    plan = training(schedule, gamma)
    return planned.run(sgd.simulate, [model()] * N, plan, STEPS, streams(N)).loss


@relative
class TestStochastic:
    FALSE_ALARM = 1e-6

    def test_mean_is_that_of_planned_recursions(self, schedule):
        """Within 5.5 standard errors: false alarms below 1e-6 in all, with tails of the losses."""
        sample = losses(schedule, GAMMA / 4)
        expected = [by_hand(model(), schedule, int(step), GAMMA / 4) for step in STEPS]
        error = sample.std(axis=1, ddof=1) / N**0.5
        apart = np.abs(sample.mean(axis=1) - expected)
        assert np.all(apart < 5.5 * error + 1e-13)

    def test_law_is_that_of_literal_simulations_with_each_horizon(self, schedule):
        """Kolmogorov-Smirnov tests; correct runs fail with probability below FALSE_ALARM."""
        blocks = feature_blocks(random_stream(1, "features", D, V), D, V)
        features, task = np.concatenate([block for _, block in blocks]), PowerLawTask(1.0, 0.4, 0.3)
        sample, chosen = losses(schedule), [3, 5, 7]
        for k in chosen:
            horizon, rng = int(STEPS[k]), random_stream(3, "literal", k)
            plan = SGD(GAMMA, BATCH, schedule, horizon)
            literal = simulated(features, task, plan, horizon, rng, N)
            assert ks_2samp(literal, sample[k]).pvalue > self.FALSE_ALARM / len(chosen)

    def test_trainings_of_a_run_are_independent(self, schedule):
        """Correlations of n pairs are below 5.5 n^-1/2; of the steps of one training they are not.

        Logarithms have light tails: false alarms below 1e-5 in all.
        """
        logs = np.log(losses(schedule)[1:])
        apart = np.corrcoef(logs)[~np.eye(len(logs), dtype=bool)]
        assert np.all(np.abs(apart) < 5.5 / N**0.5)
        one = sgd.simulate([model()] * N, training(schedule), STEPS, streams(N)).loss
        assert np.corrcoef(np.log(one[1:]))[0, 1] > 0.2


def simulated(features, task, plan, horizon, rng, n):
    """Losses of literal simulations at their horizon."""
    return sgd.simulate_literal(features, task, plan, np.array([horizon]), rng, n)[0]


@relative
def test_groups_take_planned_runs_too(schedule):
    """The mean of groups of equal eigenvalues is that of the eigenvalues one by one.

    Within 5.5 standard errors at each step: false alarms below 1e-6.
    """
    lam, counts, signal = np.array([0.9, 0.3, 0.05]), [1, 3, 8], np.array([1.0, 0.4, 0.1])
    groups = Groups(lam, np.array(counts, float), signal, 0.02, NOISE)
    coefficients = np.zeros(12)
    coefficients[np.cumsum(counts) - 1] = np.sqrt(signal)
    single = Reduction(np.repeat(lam, counts), coefficients, 0.02, NOISE)
    plan = training(schedule, GAMMA / 4)
    sample = planned.run(sgd.simulate, [groups] * N, plan, STEPS, streams(N)).loss
    expected = [by_hand(single, schedule, int(step), GAMMA / 4) for step in STEPS]
    error = sample.std(axis=1, ddof=1) / N**0.5
    assert np.all(np.abs(sample.mean(axis=1) - expected) < 5.5 * error + 1e-13)


@pytest.mark.parametrize("schedule", [None, Warmup(5), PowerDecay(0.5)], ids=str)
def test_other_schedules_are_one_training(schedule):
    """The engine's own bits."""
    plan = SGD(GAMMA, BATCH) if schedule is None else training(schedule)
    for runner in (sgd.simulate, recursion.run):
        found = planned.run(runner, [model()] * 3, plan, STEPS, streams(3))
        expected = runner([model()] * 3, plan, STEPS, streams(3))
        np.testing.assert_array_equal(found.loss, expected.loss)


def test_divergence_is_that_of_the_shortest_training_that_did():
    """Three runs: none diverges, some do, all do."""
    at = {1: [-1, -1, 0], 2: [-1, -1, 1], 4: [-1, 3, 2], 8: [-1, 2, 1]}

    def runner(spectra, plan, steps, own):
        diverged = np.array(at[plan.horizon])
        loss = np.where(steps[:, None] >= np.where(diverged < 0, 99, diverged), np.nan, 1.0)
        return LossCurves(loss, None, diverged)

    steps = np.array([0, 1, 2, 4, 8])
    curves = planned.run(runner, None, SGD(0.1, 1, Cosine(), 8), steps, [])
    assert curves.diverged_at.tolist() == [-1, 3, 0]
    assert np.isnan(curves.loss).sum(axis=0).tolist() == [0, 2, 5]
    assert curves.error is None
