"""SGD in the eigenbasis against SGD as the model states it, and against its exact mean."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import ks_2samp

from plrf.engines import sgd as module
from plrf.engines.recursion import recursion
from plrf.engines.reduction import Reduction, feature_blocks, reduce
from plrf.engines.sgd import simulate, simulate_literal
from plrf.exact.groups import Groups, sampled_groups
from plrf.scaling import learning_rate
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD, recorded_steps

ALPHA, BETA, D, V = 1.0, 0.4, 4, 12
STEPS = np.array([1, 2, 5, 20, 50])


def features(d=D, v=V):
    """W, and the stream that makes it."""
    stream = partial(random_stream, 1, "features", d, v)
    return np.concatenate([block for _, block in feature_blocks(stream(), d, v)]), stream


def reduction(beta=BETA, d=D, v=V) -> Reduction:
    """The reduction of the same W."""
    (found,) = reduce(features(d, v)[1](), [PowerLawTask(ALPHA, beta)], d, v)
    return found


def streams(n, seed=2):
    return [random_stream(seed, "samples", k) for k in range(n)]


def chains(model, n, gamma, batch, steps=STEPS, seed=2):
    """Losses of n independent chains with the same W."""
    return simulate([model] * n, SGD(gamma, batch), steps, streams(n, seed)).loss


class TestLaw:
    """The two simulations have the same law.

    Two-sample Kolmogorov-Smirnov tests of the losses at each recorded step, and of their ratios
    from one recorded step to the next (the law is one of whole curves). Bonferroni's correction
    keeps the probability that a correct simulation fails below 1e-6 for each batch size.
    """

    N = 4000
    FALSE_ALARM = 1e-6

    @pytest.fixture(params=[1, 16])
    def batch(self, request):
        return request.param

    def literal(self, batch):
        rng = random_stream(3, "literal", batch)
        gamma = self.gamma(batch)
        return simulate_literal(
            features()[0], PowerLawTask(ALPHA, BETA), SGD(gamma, batch), STEPS, rng, self.N
        )

    def gamma(self, batch):
        return learning_rate(0.4, ALPHA, V, batch)

    def same_law(self, first, second):
        pairs = [*zip(first, second, strict=True)]
        pairs += zip(first[1:] / first[:-1], second[1:] / second[:-1], strict=True)
        smallest = min(ks_2samp(*pair).pvalue for pair in pairs)
        return smallest > self.FALSE_ALARM / len(pairs)

    def test_eigenbasis_agrees_with_literal(self, batch):
        assert self.same_law(
            self.literal(batch), chains(reduction(), self.N, self.gamma(batch), batch)
        )

    def test_label_noise_without_effect_on_the_steps_is_noticed(self, batch):
        # Wrong on purpose: the noise coordinate is dropped, and F0 only added to the loss.
        model = reduction()
        quiet = Reduction(model.eigenvalues, model.coefficients, 0.0)
        wrong = chains(quiet, self.N, self.gamma(batch), batch) + model.floor
        assert not self.same_law(self.literal(batch), wrong)

    def test_one_degree_of_freedom_too_many_is_noticed(self, batch):
        # Wrong on purpose: the batch enters through chi-squared alone.
        wrong = chains(reduction(), self.N, self.gamma(batch), batch + 1)
        assert not self.same_law(self.literal(batch), wrong)


def test_literal_simulation_is_the_update_of_the_model():
    """One chain, sample by sample and feature by feature, on the same random numbers."""
    w, _ = features()
    gamma, batch, steps = 0.05, 3, np.array([0, 1, 4])
    found = simulate_literal(
        w, PowerLawTask(ALPHA, BETA), SGD(gamma, batch), steps, random_stream(4, "x"), 1
    )
    rng, theta, losses = random_stream(4, "x"), [0.0] * D, []
    a, b = [j**-ALPHA for j in range(1, V + 1)], [j**-BETA for j in range(1, V + 1)]

    def loss():
        errors = [sum(w[j, i] * theta[i] for i in range(D)) - b[j] for j in range(V)]
        return sum((a[j] * errors[j]) ** 2 for j in range(V))

    losses.append(loss())
    for _ in range(4):
        gradient = [0.0] * D
        for z in rng.standard_normal((batch, V)):
            x = [a[j] * z[j] for j in range(V)]
            projected = [sum(w[j, i] * x[j] for j in range(V)) for i in range(D)]
            prediction = sum(projected[i] * theta[i] for i in range(D))
            residual = prediction - sum(x[j] * b[j] for j in range(V))
            gradient = [gradient[i] + projected[i] * residual for i in range(D)]
        theta = [theta[i] - gamma * gradient[i] for i in range(D)]
        losses.append(loss())
    np.testing.assert_allclose(found[:, 0], [losses[0], losses[1], losses[4]], rtol=1e-12)


@pytest.mark.parametrize(("batch", "c"), [(1, 0.1), (16, 0.5)])
def test_mean_is_the_expected_loss_of_the_same_w(batch, c):
    """Within 5.3 standard errors (model section 3).

    A correct simulation fails with probability 1e-6 (2 cases, 5 steps). At B = 1 losses have heavy
    tails unless the learning rate is small, hence c = 0.1.
    """
    d, v, n, steps = 10, 40, 4000, np.array([1, 3, 10, 30, 100])
    model, gamma = reduction(0.7, d, v), learning_rate(c, ALPHA, v, batch)
    sample = chains(model, n, gamma, batch, steps, seed=5)
    centred = sample - sample.mean(axis=1, keepdims=True)
    error = sample.std(axis=1) / n**0.5
    # The standard error of a mean of heavy tails would say little.
    assert np.all((centred**4).mean(axis=1) < 15 * sample.var(axis=1) ** 2)
    signal = model.coefficients**2

    def deviation(of_batch):
        expected = recursion(
            model.eigenvalues, signal, model.floor, SGD(gamma, of_batch), steps
        ).loss
        return np.abs(sample.mean(axis=1) - expected) / error

    assert deviation(batch).max() < 5.3
    assert deviation(batch + 1).max() > 10  # this it would notice


class TestChains:
    GAMMA = learning_rate(0.5, ALPHA, V, 2)
    STEPS = recorded_steps(300, 6)

    def models(self):
        return [reduction(beta) for beta in (0.4, 0.2, 1.0, 0.4, 3.0)]

    def run(self, chosen):
        models, many = self.models(), streams(5)
        return simulate(
            [models[k] for k in chosen], SGD(self.GAMMA, 2), self.STEPS, [many[k] for k in chosen]
        ).loss

    @pytest.mark.parametrize("chosen", [[0], [3], [4, 1], [2, 3, 0], [4, 3, 2, 1, 0]])
    def test_do_not_depend_on_each_other(self, chosen):
        np.testing.assert_array_equal(self.run(chosen), self.run([0, 1, 2, 3, 4])[:, chosen])

    def test_with_one_w_differ(self):
        loss = self.run([0, 3])
        assert np.all(loss[0, 0] == loss[0, 1])
        assert np.all(loss[1:, 0] != loss[1:, 1])

    @pytest.mark.parametrize("length", [1, 26, 1000, 1 << 20])
    def test_do_not_depend_on_how_far_noise_is_drawn_ahead(self, monkeypatch, length):
        expected = self.run([0, 1, 2, 3, 4])
        monkeypatch.setattr(module, "NOISE_BUFFER", length)
        np.testing.assert_array_equal(self.run([0, 1, 2, 3, 4]), expected)

    def test_do_not_depend_on_what_is_recorded(self):
        model = reduction()
        every = simulate([model], SGD(self.GAMMA, 2), np.arange(101), streams(1)).loss
        chosen = np.array([0, 3, 64, 100])
        few = simulate([model], SGD(self.GAMMA, 2), chosen, streams(1)).loss
        np.testing.assert_array_equal(few, every[chosen])

    def test_start_from_the_initial_loss(self):
        initial = (np.arange(1.0, V + 1) ** (-2 * (ALPHA + BETA))).sum()
        result = simulate([reduction()], SGD(self.GAMMA, 2), np.array([0]), streams(1))
        assert result.loss.shape == (1, 1)
        assert result.loss[0, 0] == pytest.approx(initial, rel=1e-14)
        assert result.diverged_at.tolist() == [-1]

    def test_do_not_fall_below_the_least_loss(self):
        model = reduction()
        assert np.all(chains(model, 20, self.GAMMA, 2, np.arange(200)) >= model.floor)


class TestDivergence:
    GAMMA = 2.0

    def models(self):
        """Unstable and, with eigenvalues smaller by 100, stable chains in turns."""
        model = reduction()
        calm = Reduction(model.eigenvalues / 100, model.coefficients, model.floor)
        return [model, calm] * 3

    @pytest.mark.parametrize("buffer", [1, 1 << 16])
    def test_is_reported_at_its_first_step(self, monkeypatch, buffer):
        monkeypatch.setattr(module, "NOISE_BUFFER", buffer)
        steps = np.arange(201)
        result = simulate(self.models(), SGD(self.GAMMA), steps, streams(6))
        monkeypatch.setattr(module, "DIVERGENCE_FACTOR", 1e200)
        free = simulate(self.models(), SGD(self.GAMMA), steps, streams(6)).loss
        for k in range(6):
            if k % 2:
                assert result.diverged_at[k] == -1
                np.testing.assert_array_equal(result.loss[:, k], free[:, k])
                continue
            first = int(np.argmax(~(free[:, k] <= 1e6 * free[0, k])))
            assert 0 < first < 200
            assert result.diverged_at[k] == first
            np.testing.assert_array_equal(result.loss[:first, k], free[:first, k])
            assert np.isnan(result.loss[first:, k]).all()
        assert len(set(result.diverged_at[::2])) > 1  # each has its own step

    def test_is_reported_between_recorded_steps(self):
        every = simulate(self.models(), SGD(self.GAMMA), np.arange(201), streams(6))
        ends = simulate(self.models(), SGD(self.GAMMA), np.array([0, 200]), streams(6))
        np.testing.assert_array_equal(ends.diverged_at, every.diverged_at)
        np.testing.assert_array_equal(ends.loss, every.loss[[0, 200]])

    def test_does_not_touch_other_chains(self):
        alone = simulate([self.models()[1]], SGD(self.GAMMA), np.arange(201), [streams(6)[1]])
        among = simulate(self.models(), SGD(self.GAMMA), np.arange(201), streams(6))
        np.testing.assert_array_equal(among.loss[:, 1], alone.loss[:, 0])

    @pytest.mark.parametrize("gamma", [1e3, 1e100, 1e300])
    def test_overflow_is_no_warning(self, gamma):
        result = simulate([reduction()], SGD(gamma), np.arange(2001), streams(1))
        assert 0 < result.diverged_at[0] < 10
        assert np.isfinite(result.loss[0, 0])
        assert np.isnan(result.loss[result.diverged_at[0] :, 0]).all()

    def test_underflow_is_no_divergence(self):
        # Without noise the loss falls by a constant factor, down to the least positive number.
        model = Reduction(np.array([1.0]), np.array([1.0]), 0.0)
        result = simulate([model], SGD(0.25, 2), np.array([0, 10, 2000, 4000]), streams(1))
        assert result.diverged_at.tolist() == [-1]
        assert np.all(result.loss >= 0)
        assert result.loss[1, 0] < 1
        assert result.loss[-1, 0] < 1e-300


class TestGroups:
    """Equal eigenvalues as a group, and one by one: the same law of the loss, not only its mean."""

    EIGENVALUES = np.array([0.9, 0.5, 0.2, 0.05])
    MULTIPLICITIES = np.array([1, 3, 8, 20])
    SIGNAL = np.array([1.0, 0.4, 0.3, 0.1])
    STEPS = np.array([1, 4, 20, 100])
    N = 3000

    def groups(self):
        counts = self.MULTIPLICITIES.astype(float)
        return Groups(self.EIGENVALUES, counts, self.SIGNAL, 0.02)

    def one_by_one(self):
        """The signal of a group lies in one of its directions: the law does not depend on which."""
        coefficients = np.zeros(self.MULTIPLICITIES.sum())
        coefficients[np.cumsum(self.MULTIPLICITIES) - 1] = np.sqrt(self.SIGNAL)
        eigenvalues = np.repeat(self.EIGENVALUES, self.MULTIPLICITIES)
        return Reduction(eigenvalues[::-1], coefficients[::-1], 0.02)

    @pytest.mark.parametrize("batch", [1, 16])
    def test_law_is_that_of_the_eigenvalues_one_by_one(self, batch):
        """Kolmogorov-Smirnov at 4 steps: a correct law fails with probability below 1e-5 each."""
        sgd = SGD(0.25 / batch, batch)
        samples = [
            simulate([model] * self.N, sgd, self.STEPS, streams(self.N, seed)).loss
            for model, seed in ((self.groups(), 21), (self.one_by_one(), 22))
        ]
        for ours, theirs in zip(*samples, strict=True):
            assert ks_2samp(ours, theirs).pvalue > 1e-5

    @pytest.mark.parametrize("batch", [1, 16])
    def test_mean_is_that_of_the_recursion(self, batch):
        """Within 5 standard errors of light-tailed losses: false alarms below 1e-5 in all."""
        sgd, model = SGD(0.1 / batch, batch), self.one_by_one()
        signal = model.coefficients**2
        expected = recursion(model.eigenvalues, signal, model.floor, sgd, self.STEPS).loss
        loss = simulate([self.groups()] * self.N, sgd, self.STEPS, streams(self.N, 23)).loss
        error = loss.std(axis=1, ddof=1) / np.sqrt(self.N)
        assert np.all(np.abs(loss.mean(axis=1) - expected) < 5 * error)

    def test_groups_of_one_are_a_reduction(self):
        """The same numbers are drawn for eigenvalues that are alone: the same bits."""
        single = reduction()
        order = slice(None, None, -1)
        flipped = Reduction(single.eigenvalues[order], single.coefficients[order], single.floor)
        groups = Groups(
            flipped.eigenvalues, np.ones(D), np.square(flipped.coefficients), single.floor
        )
        found, expected = (
            simulate([model] * 2, SGD(0.2), self.STEPS, streams(2)).loss
            for model in (groups, flipped)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    @pytest.mark.parametrize("batch", [1, 16])
    def test_law_is_that_of_the_literal_simulation(self, batch):
        """On a W made for eigenvalues of these multiplicities; false alarms as above."""
        task, (d, v) = PowerLawTask(ALPHA, BETA), (9, 12)
        root, signal = task.rows(0, v)
        eigenvalues = np.repeat([0.5, 0.1, 0.02], [1, 3, 5])
        basis = np.linalg.qr(random_stream(5, "basis").standard_normal((v, d))).Q
        features = basis * np.sqrt(eigenvalues) / root[:, None]
        along = np.square(basis.T @ signal)
        starts, counts = [0, 1, 4], np.array([1.0, 3.0, 5.0])
        groups = Groups(
            eigenvalues[starts],
            counts,
            np.add.reduceat(along, starts),
            float(signal @ signal - along.sum()),
        )
        sgd = SGD(0.3 / batch, batch)
        rng = random_stream(6, "literal", batch)
        literal = simulate_literal(features, task, sgd, STEPS, rng, self.N)
        ours = simulate([groups] * self.N, sgd, STEPS, streams(self.N, 26)).loss
        for mine, theirs in zip(ours, literal, strict=True):
            assert ks_2samp(mine, theirs).pvalue > 1e-5

    def test_chains_of_a_stream_are_what_each_is_alone(self):
        """Two targets on the same eigenvalues: numbers drawn once serve both."""
        other = Groups(
            self.EIGENVALUES, self.MULTIPLICITIES.astype(float), self.SIGNAL[::-1] + 0.1, 0.5
        )
        pair = self.groups(), other
        shared = simulate([*pair, *pair], SGD(0.2), self.STEPS, streams(2)).loss
        for k, model in enumerate(pair):
            alone = simulate([model] * 2, SGD(0.2), self.STEPS, streams(2)).loss
            np.testing.assert_allclose(shared[:, k::2], alone, rtol=1e-12)

    def test_groups_of_a_sampled_spectrum_have_its_law(self):
        """Groups 3% wide of a W with 60 eigenvalues; false alarms below 1e-5 at each of 4 steps."""
        model = reduction(d=60, v=240)
        signal = np.square(model.coefficients)
        groups = sampled_groups(model.eigenvalues, signal, model.floor)
        assert groups.eigenvalues.size < 60
        samples = [
            simulate([spectrum] * self.N, SGD(0.3), self.STEPS, streams(self.N, seed)).loss
            for spectrum, seed in ((model, 24), (groups, 25))
        ]
        for ours, theirs in zip(*samples, strict=True):
            assert ks_2samp(ours, theirs).pvalue > 1e-5

    def test_divergence_is_flagged(self):
        """At ten times a stable rate losses grow; from the flag on they are NaN."""
        steps = np.array([0, 1, 5, 200])
        curves = simulate([self.groups()] * 3, SGD(3.0), steps, streams(3))
        assert (curves.diverged_at > 0).all() and np.isfinite(curves.loss[0]).all()
        gone = steps[:, None] >= curves.diverged_at
        np.testing.assert_array_equal(np.isnan(curves.loss), gone)
        assert gone[-1].all()

    def test_a_chain_does_not_depend_on_the_others_or_the_buffer(self):
        many = simulate([self.groups()] * 5, SGD(0.2), self.STEPS, streams(5)).loss
        alone = simulate([self.groups()], SGD(0.2), self.STEPS, streams(5)[3:4]).loss
        np.testing.assert_allclose(many[:, 3:4], alone, rtol=1e-12)
