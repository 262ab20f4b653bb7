"""Label noise in stochastic runs and in the recursion (model section 10)."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import ks_2samp

from plrf.engines import volterra
from plrf.engines.recursion import recursion, run
from plrf.engines.reduction import Reduction, feature_blocks, reduce
from plrf.engines.sgd import simulate, simulate_literal
from plrf.exact.groups import Groups
from plrf.exact.loss import expected_loss
from plrf.model import power_law_model
from plrf.scaling import learning_rate
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD

ALPHA, BETA, D, V, NOISE = 1.0, 0.4, 4, 12, 0.5
STEPS = np.array([1, 2, 5, 20, 50])
FALSE_ALARM = 1e-6
N = 4000


def model(noise=NOISE) -> Reduction:
    """A reduction of the model."""
    stream = random_stream(1, "features", D, V)
    (found,) = reduce(stream, [PowerLawTask(ALPHA, BETA, noise)], D, V)
    return found


def chains(spectrum, sgd, steps=STEPS, n=N):
    streams = [random_stream(2, "samples", k) for k in range(n)]
    return simulate([spectrum] * n, sgd, steps, streams).loss


def literal(sgd, noise=NOISE, n=N):
    """Losses of the simulation as the model states it, on the same W."""
    blocks = feature_blocks(random_stream(1, "features", D, V), D, V)
    features = np.concatenate([block for _, block in blocks])
    rng = random_stream(3, "literal", sgd.batch)
    return simulate_literal(features, PowerLawTask(ALPHA, BETA, noise), sgd, STEPS, rng, n)


def same_law(first, second):
    """Kolmogorov-Smirnov tests of losses, and of their ratios from one step to the next.

    A correct simulation fails with probability below ``FALSE_ALARM`` (Bonferroni).
    """
    pairs = [*zip(first, second, strict=True)]
    pairs += zip(first[1:] / first[:-1], second[1:] / second[:-1], strict=True)
    return min(ks_2samp(*pair).pvalue for pair in pairs) > FALSE_ALARM / len(pairs)


@pytest.mark.parametrize("batch", [1, 16])
class TestLaw:
    def sgd(self, batch):
        return SGD(learning_rate(0.4, ALPHA, V, batch), batch)

    def test_is_that_of_the_literal_simulation(self, batch):
        ours = chains(model(), self.sgd(batch))
        assert same_law(literal(self.sgd(batch)), ours)
        assert not same_law(literal(self.sgd(batch), 0.5 * NOISE), ours)  # this it would notice

    def test_groups_of_one_are_a_reduction(self, batch):
        single = model()
        order = slice(None, None, -1)
        lam, signal = single.eigenvalues[order], single.coefficients[order] ** 2
        flipped = Reduction(lam, single.coefficients[order], single.floor, NOISE)
        groups = Groups(lam, np.ones(D), signal, single.floor, NOISE)
        found, expected = (chains(x, self.sgd(batch), n=3) for x in (groups, flipped))
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_groups_have_the_law_of_the_eigenvalues_one_by_one(self, batch):
        lam, counts, signal = np.array([0.9, 0.3, 0.05]), [1, 3, 8], np.array([1.0, 0.4, 0.1])
        coefficients = np.zeros(12)
        coefficients[np.cumsum(counts) - 1] = np.sqrt(signal)
        single = Reduction(np.repeat(lam, counts)[::-1], coefficients[::-1], 0.02, NOISE)
        groups = Groups(lam, np.array(counts, float), signal, 0.02, NOISE)
        sgd = SGD(0.25 / batch, batch)
        alone = simulate(
            [single] * N, sgd, STEPS, [random_stream(4, "alone", k) for k in range(N)]
        ).loss
        assert same_law(chains(groups, sgd), alone)


@pytest.mark.parametrize("batch", [1, 16])
def test_mean_is_that_of_the_recursion(batch):
    """Within 5 standard errors of light-tailed losses: false alarms below 1e-5 in all."""
    spectrum, sgd = model(), SGD(learning_rate(0.1, ALPHA, V, batch), batch)
    steps = np.array([1, 3, 10, 30, 100])
    sample = chains(spectrum, sgd, steps)
    (expected,) = run([spectrum], sgd, steps, []).loss.T
    error = sample.std(axis=1, ddof=1) / N**0.5
    assert np.all(np.abs(sample.mean(axis=1) - expected) < 5 * error)
    (quiet,) = run([model(0.0)], sgd, steps, []).loss.T
    assert np.abs(sample.mean(axis=1) - quiet)[-1] > 20 * error[-1]  # this it would notice


def test_noise_leaves_the_samples_as_they_are():
    """What is drawn does not depend on it: with little noise, runs are nearly the same."""
    sgd = SGD(0.1, 2)
    for losses in (partial(literal, sgd, n=3), lambda s2: chains(model(s2), sgd, n=3)):
        np.testing.assert_allclose(losses(1e-20), losses(0.0), rtol=1e-8)


def test_recursion_solves_the_volterra_equation():
    """``P(r) = F(r) + sum K(r-1-s) (P(s) + s2)``, as it stands."""
    spectrum, gamma, batch, last = model(), 0.1, 3, 200
    lam = spectrum.eigenvalues
    decay = 1 - 2 * gamma * batch * lam + gamma**2 * batch * (batch + 1) * lam**2
    powers = decay ** np.arange(last + 1)[:, None]
    forcing = spectrum.floor + powers @ spectrum.coefficients**2
    kernel = gamma**2 * batch * powers @ lam**2
    loss = np.empty(last + 1)
    for now in range(last + 1):
        loss[now] = forcing[now] + kernel[:now][::-1] @ (loss[:now] + NOISE)
    found = run([spectrum], SGD(gamma, batch), np.arange(last + 1), []).loss[:, 0]
    np.testing.assert_allclose(found, loss, rtol=1e-12)


def test_recursion_takes_a_noise_for_each_w():
    spectra, sgd, steps = [model(0.0), model(), model(7.0)], SGD(0.1), np.array([0, 3, 50])
    together = run(spectra, sgd, steps, []).loss
    for k, spectrum in enumerate(spectra):
        alone = run([spectrum], sgd, steps, []).loss[:, 0]
        np.testing.assert_array_equal(together[:, k], alone)
        signal = spectrum.coefficients**2
        one = recursion(spectrum.eigenvalues, signal, spectrum.floor, sgd, steps, spectrum.noise)
        np.testing.assert_array_equal(one.loss, alone)


def test_averaged_engine_takes_the_noise_of_the_task():
    steps = np.array([0, 5, 100])
    loss = volterra.run(power_law_model(0.7, 0.6, 50, 200, NOISE), SGD(0.1, 2), steps).loss
    point = {"alpha": 0.7, "beta": 0.6, "d": 50, "v": 200, "learning_rate": 0.1, "batch": 2}
    np.testing.assert_array_equal(loss, expected_loss(steps, **point, noise=NOISE).loss)


def test_divergence_is_that_of_the_loss_without_the_noise():
    """The criterion is the excess risk's growth, however large the noise is."""
    steps = np.arange(200)
    for noise in (0.0, 1e4):
        found = simulate([model(noise)], SGD(2.0), steps, [random_stream(5, "samples")])
        free = found.loss[: found.diverged_at[0], 0]
        assert found.diverged_at[0] > 0 and np.all(free <= 1e6 * free[0])
