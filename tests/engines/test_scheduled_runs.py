"""Schedules in stochastic runs and in the recursion (model section 10)."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

from plrf.engines import sgd as module
from plrf.engines.recursion import recursion, run
from plrf.engines.reduction import Reduction, feature_blocks, reduce
from plrf.engines.sgd import simulate, simulate_literal
from plrf.exact.groups import Groups
from plrf.scaling import learning_rate
from plrf.schedules import BatchGrowth, Constant, Cosine, PowerDecay, Warmup, WarmupStableDecay
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "data" / "modes.json").read_text(encoding="utf-8")
)
SETTINGS = {
    "sgd_constant": {},
    "sgd_power_decay": {"schedule": PowerDecay(0.5, 50.0)},
    "sgd_cosine_to_1000": {"schedule": Cosine(), "horizon": 1000},
}
ALPHA, BETA, D, V, NOISE = 1.0, 0.4, 4, 12, 0.3
STEPS = np.array([1, 2, 5, 20, 40])
GAMMA, HORIZON = learning_rate(0.4, ALPHA, V, 2), 40
TRAININGS = [
    SGD(GAMMA, 2, Cosine(0.2, 0.1), HORIZON),
    SGD(GAMMA, 2, BatchGrowth(3, 3), HORIZON),
]


@pytest.mark.parametrize("name", SETTINGS)
def test_recursion_against_reference(name):
    case = REFERENCE["cases"][name]
    lam, signal = (np.array(REFERENCE[key], float) for key in ("eigenvalues", "signal"))
    sgd = SGD(float(REFERENCE["base_learning_rate"]), **SETTINGS[name])
    floor, noise = float(REFERENCE["floor"]), float(case["noise_variance"])
    found = recursion(lam, signal, floor, sgd, np.array(case["steps"]), noise)
    np.testing.assert_allclose(found.loss, np.array(case["excess_loss"], float), rtol=1e-14)


def test_recursion_with_a_growing_batch_is_step_by_step():
    lam, signal = np.array([0.9, 0.4, 0.1]), np.array([1.0, 0.5, 0.25])
    sgd, modes, losses = SGD(0.2, 2, BatchGrowth(2, 3), 30), signal, []
    for now in range(51):
        batch = 2 * 2 ** min(now * 3 // 30, 2)
        gamma = 0.2 * 2 / batch
        losses.append(0.01 + modes.sum())
        decay = 1 - 2 * gamma * batch * lam + gamma**2 * batch * (batch + 1) * lam**2
        modes = decay * modes + gamma**2 * batch * lam**2 * (losses[-1] + NOISE)
    found = recursion(lam, signal, 0.01, sgd, np.arange(51), NOISE)
    np.testing.assert_allclose(found.loss, losses, rtol=1e-13)
    exact = recursion(*(x.astype(np.longdouble) for x in (lam, signal)), 0.01, sgd, np.arange(51))
    assert np.all(found.error >= exact.error)


def model() -> Reduction:
    stream = random_stream(1, "features", D, V)
    (found,) = reduce(stream, [PowerLawTask(ALPHA, BETA, NOISE)], D, V)
    return found


def chains(spectrum, sgd, n, steps=STEPS):
    streams = [random_stream(2, "samples", k) for k in range(n)]
    return simulate([spectrum] * n, sgd, steps, streams).loss


@pytest.mark.parametrize("sgd", TRAININGS, ids=lambda sgd: type(sgd.schedule).__name__)
class TestLaw:
    N = 4000
    FALSE_ALARM = 1e-6

    def same_law(self, first, second):
        """Kolmogorov-Smirnov tests of losses, and of their ratios from one step to the next.

        A correct simulation fails with probability below ``FALSE_ALARM`` (Bonferroni).
        """
        pairs = [*zip(first, second, strict=True)]
        pairs += zip(first[1:] / first[:-1], second[1:] / second[:-1], strict=True)
        return min(ks_2samp(*pair).pvalue for pair in pairs) > self.FALSE_ALARM / len(pairs)

    def test_is_that_of_the_literal_simulation(self, sgd):
        blocks = feature_blocks(random_stream(1, "features", D, V), D, V)
        features = np.concatenate([block for _, block in blocks])
        task, rng = PowerLawTask(ALPHA, BETA, NOISE), random_stream(3, "literal")
        literal = simulate_literal(features, task, sgd, STEPS, rng, self.N)
        assert self.same_law(literal, chains(model(), sgd, self.N))
        # This it would notice.
        assert not self.same_law(literal, chains(model(), SGD(GAMMA, 2), self.N))

    def test_groups_have_the_law_of_the_eigenvalues_one_by_one(self, sgd):
        lam, counts, signal = np.array([0.9, 0.3, 0.05]), [1, 3, 8], np.array([1.0, 0.4, 0.1])
        coefficients = np.zeros(12)
        coefficients[np.cumsum(counts) - 1] = np.sqrt(signal)
        single = Reduction(np.repeat(lam, counts)[::-1], coefficients[::-1], 0.02, NOISE)
        groups = Groups(lam, np.array(counts, float), signal, 0.02, NOISE)
        streams = [random_stream(4, "alone", k) for k in range(self.N)]
        alone = simulate([single] * self.N, sgd, STEPS, streams).loss
        assert self.same_law(chains(groups, sgd, self.N), alone)

    def test_mean_is_that_of_the_recursion(self, sgd):
        """Within 5.5 standard errors: false alarms below 1e-6 in all, with tails of the losses."""
        calm = SGD(sgd.learning_rate / 4, sgd.batch, sgd.schedule, sgd.horizon)
        sample = chains(model(), calm, self.N)
        (expected,) = run([model()], calm, STEPS, []).loss.T
        error = sample.std(axis=1, ddof=1) / self.N**0.5
        assert np.all(np.abs(sample.mean(axis=1) - expected) < 5.5 * error)

    @pytest.mark.parametrize("length", [1, 26, 1 << 20])
    def test_does_not_depend_on_how_far_noise_is_drawn_ahead(self, sgd, monkeypatch, length):
        expected = chains(model(), sgd, 2)
        monkeypatch.setattr(module, "NOISE_BUFFER", length)
        np.testing.assert_array_equal(chains(model(), sgd, 2), expected)


def test_schedule_that_changes_nothing_changes_no_bit():
    none = SGD(GAMMA, 2)
    for schedule in (Constant(), PowerDecay(0.0), Warmup(1)):
        same = SGD(GAMMA, 2, schedule)
        np.testing.assert_array_equal(chains(model(), same, 2), chains(model(), none, 2))
        found, expected = (run([model()], sgd, STEPS, []) for sgd in (same, none))
        np.testing.assert_array_equal(found.loss, expected.loss)
        np.testing.assert_array_equal(found.error, expected.error)


def test_rate_that_is_too_large_for_a_while_is_flagged():
    """Unstable from the end of the warm-up on: losses are NaN from the divergence on."""
    sgd, steps = SGD(3.0, 1, WarmupStableDecay(0.5, 0.5), 400), np.arange(401)
    for curves in (
        run([model()], sgd, steps, []),
        simulate([model()], sgd, steps, [random_stream(2, "samples")]),
    ):
        (first,) = curves.diverged_at
        assert 20 < first < 400
        assert np.isfinite(curves.loss[:first]).all() and np.isnan(curves.loss[first:]).all()


def test_rate_that_vanishes_stops_the_training():
    sgd, steps = SGD(GAMMA, 2, Cosine(), 30), np.array([29, 30, 31, 100])
    for loss in (run([model()], sgd, steps, []).loss[:, 0], chains(model(), sgd, 1, steps)[:, 0]):
        assert loss[1] == loss[2] == loss[3] != loss[0]
