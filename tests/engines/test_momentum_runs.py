"""Momentum in stochastic runs and in the recursion (model section 14)."""

import json
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

from plrf.engines import sgd as module
from plrf.engines.recursion import recursion, run
from plrf.engines.reduction import Reduction, feature_blocks, reduce
from plrf.engines.sgd import simulate, simulate_literal
from plrf.exact.groups import Groups
from plrf.model import Model
from plrf.momentum import MOMENTA, Momentum
from plrf.scaling import learning_rate
from plrf.schedules import Cosine, PowerDecay
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "data" / "modes.json").read_text(encoding="utf-8")
)
GAMMA = float(REFERENCE["base_learning_rate"])
SETTINGS = {
    "sgd_power_decay": SGD(GAMMA, 1, PowerDecay(0.5, 50.0), None, Momentum(1.0, 0.0)),
    "heavy_ball_0.9": SGD(0.05 * GAMMA / 2, 2, momentum=Momentum(0.0, 1.0, forgetting=0.1)),
    "dana_constant": SGD(GAMMA, momentum=Momentum(1.0, 1 / 60, delay=6.0)),
    "dana_decaying": SGD(GAMMA, momentum=Momentum(1.0, 0.2, 1 / 1.6, delay=6.0)),
}
ALPHA, BETA, D, V, NOISE = 1.0, 0.4, 4, 12, 0.3
TASK = PowerLawTask(ALPHA, BETA, NOISE)
STEPS = np.array([1, 2, 5, 20, 40])
TRAININGS = {
    f"{name}, batch {batch}": SGD(
        learning_rate(0.2, ALPHA, V, batch),
        batch,
        Cosine(),
        40,
        MOMENTA[name](
            Model(TASK, D, V), batch, **({"momentum": 0.5} if "dana" not in name else {})
        ),
    )
    for name, batch in (
        ("heavy_ball", 1),
        ("nesterov", 4),
        ("dana_constant", 4),
        ("dana_decaying", 1),
    )
}


@pytest.mark.parametrize("name", SETTINGS)
def test_recursion_against_reference(name):
    case = REFERENCE["cases"][name]
    lam, signal = (np.array(REFERENCE[key], float) for key in ("eigenvalues", "signal"))
    floor, noise = float(REFERENCE["floor"]), float(case["noise_variance"])
    found = recursion(lam, signal, floor, SETTINGS[name], np.array(case["steps"]), noise)
    exact = np.array(case["excess_loss"], float)
    np.testing.assert_allclose(found.loss, exact, rtol=1e-13)
    assert np.all(np.abs(found.loss / exact - 1) <= found.error + 1e-16)


def in_decimals(lam, signal, floor, sgd, n):
    """The first losses with 40 digits, from the moments of errors and of what is remembered."""
    with localcontext() as context:
        context.prec = 40
        one, batch = Decimal(1), Decimal(sgd.batch)
        lam = [Decimal(float(x)) for x in lam]
        rho = [Decimal(float(s)) / x for s, x in zip(signal, lam, strict=True)]
        chi, nu, losses = [Decimal(0)] * len(lam), [Decimal(0)] * len(lam), []
        for t in range(n):
            loss = Decimal(floor) + sum(x * r for x, r in zip(lam, rho, strict=True))
            losses.append(float(loss))
            momentum, steps = sgd.momentum, np.array([t])
            gamma = Decimal(sgd.learning_rate * float(sgd.factors(steps)[0]))
            kept = one - Decimal(float(momentum.forgettings(steps)[0]))
            third = gamma * Decimal(float(momentum.weights(steps)[0]))
            first = gamma * Decimal(momentum.direct) + third
            for i, x in enumerate(lam):
                # E g e, E g^2 and E g y of the sum g of a batch's gradients, by Wick's theorem.
                ge, gy = batch * x * rho[i], batch * x * chi[i]
                gg = batch * x * (loss + 2 * x * rho[i]) + batch * (batch - 1) * x * x * rho[i]
                gg += batch * x * Decimal(NOISE)
                # e' = e - first g - third kept y, y' = kept y + g.
                old = rho[i], chi[i], nu[i]
                y = third * kept
                rho[i] = old[0] + first**2 * gg + y**2 * old[2]
                rho[i] += -2 * first * ge - 2 * y * old[1] + 2 * first * y * gy
                chi[i] = kept * old[1] + ge - first * kept * gy - first * gg
                chi[i] += -y * kept * old[2] - y * gy
                nu[i] = kept**2 * old[2] + 2 * kept * gy + gg
    return np.array(losses)


@pytest.mark.parametrize("name", TRAININGS)
def test_early_steps_to_the_last_digits(name):
    lam, signal = np.array([0.9, 0.4, 0.1, 1e-5]), np.array([1.0, 0.5, 0.25, 1e-3])
    sgd = TRAININGS[name]
    found = recursion(lam, signal, 0.01, sgd, np.arange(51), NOISE)
    exact = in_decimals(lam, signal, 0.01, sgd, 51)
    np.testing.assert_allclose(found.loss, exact, rtol=1e-14)
    assert np.all(np.abs(found.loss / exact - 1) <= found.error)


def model() -> Reduction:
    (found,) = reduce(random_stream(1, "features", D, V), [TASK], D, V)
    return found


def chains(spectrum, sgd, n, steps=STEPS, purpose="samples"):
    streams = [random_stream(2, purpose, k) for k in range(n)]
    return simulate([spectrum] * n, sgd, steps, streams).loss


@pytest.mark.parametrize("sgd", TRAININGS.values(), ids=TRAININGS)
class TestLaw:
    N = 3000
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
        rng = random_stream(3, "literal")
        literal = simulate_literal(features, TASK, sgd, STEPS, rng, self.N)
        assert self.same_law(literal, chains(model(), sgd, self.N))
        # This it would notice.
        other = SGD(sgd.learning_rate, sgd.batch, sgd.schedule, sgd.horizon, Momentum(1.0, 1.0))
        assert not self.same_law(literal, chains(model(), other, self.N))

    def test_groups_have_the_law_of_the_eigenvalues_one_by_one(self, sgd):
        lam, counts, signal = np.array([0.9, 0.3, 0.05]), [1, 2, 8], np.array([1.0, 0.4, 0.1])
        coefficients = np.zeros(11)
        coefficients[np.cumsum(counts) - 1] = np.sqrt(signal)
        single = Reduction(np.repeat(lam, counts)[::-1], coefficients[::-1], 0.02, NOISE)
        groups = Groups(lam, np.array(counts, float), signal, 0.02, NOISE)
        alone = chains(single, sgd, self.N, purpose="alone")
        assert self.same_law(chains(groups, sgd, self.N), alone)

    def test_mean_is_that_of_the_recursion(self, sgd):
        """Within 5.5 standard errors: false alarms below 1e-6 in all, with tails of the losses."""
        sample = chains(model(), sgd, self.N)
        (expected,) = run([model()], sgd, STEPS, []).loss.T
        error = sample.std(axis=1, ddof=1) / self.N**0.5
        assert np.all(np.abs(sample.mean(axis=1) - expected) < 5.5 * error)

    def test_does_not_depend_on_how_far_noise_is_drawn_ahead(self, sgd, monkeypatch):
        groups = Groups(np.array([0.9, 0.3]), np.array([1, 8.5]), np.array([1.0, 0.4]), 0.02, NOISE)
        expected = chains(groups, sgd, 2)
        for length in (1, 26):
            monkeypatch.setattr(module, "NOISE_BUFFER", length)
            np.testing.assert_array_equal(chains(groups, sgd, 2), expected)


def test_momentum_that_is_not_used_changes_no_bit():
    none, unused = (SGD(0.1, 2, momentum=momentum) for momentum in (None, Momentum(1.0, 0.0)))
    np.testing.assert_array_equal(chains(model(), unused, 2), chains(model(), none, 2))
    found, expected = (run([model()], sgd, STEPS, []).loss for sgd in (unused, none))
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_what_diverges_is_flagged():
    sgd, steps = SGD(0.3, momentum=Momentum(0.0, 1.0, forgetting=0.02)), np.arange(401)
    for curves in (
        run([model()], sgd, steps, []),
        simulate([model()], sgd, steps, [random_stream(2, "samples")]),
    ):
        (first,) = curves.diverged_at
        assert 5 < first < 400
        assert np.isnan(curves.loss[first:]).all() and np.isfinite(curves.loss[:first]).all()
