"""Momentum with W averaged out: real nodes, stability, logarithmic time (model section 14)."""

import numpy as np
import pytest

import plrf
from plrf.engines.recursion import run
from plrf.engines.reduction import reduce
from plrf.exact import modes, momentum
from plrf.exact.loss import DivergenceError
from plrf.exact.modes import complex_modes
from plrf.exact.ridge import (
    ConvergenceError,
    DeterministicEquivalent,
    critical_learning_rate,
    kernel_mass,
)
from plrf.model import Model, power_law_model
from plrf.momentum import MOMENTA, Momentum, momentum_of
from plrf.scaling import learning_rate
from plrf.schedules import BatchGrowth, PowerDecay
from plrf.spectrum import SpectrumTask
from plrf.streams import random_stream
from plrf.training import SGD

NONE = Momentum(direct=1.0, weight=0.0)
STEPS = np.array([0, 1, 3, 10, 100, 1000, 3000])
MODELS = [
    (0.7, 0.7, 100, 400),
    (1.0, 0.7, 10**4, 4 * 10**4),
    (0.4, 1.0, 10**3, 1100),
    (1.2, 2.0, 10**6, 2 * 10**6),
    (0.7, 0.4, 10, 1000),
    (0.27, 0.8, 300, 1200),
    (1.0, 0.7, 10**8, 4 * 10**8),
    (1.0, 0.7, 10, 40),  # cells of single features, wide
]


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize(("alpha", "beta", "d", "v"), MODELS)
def test_without_momentum_nodes_agree_with_contours(alpha, beta, d, v, noise):
    """And their stated errors hold, with those of the contours, 1e-9."""
    model, gamma = power_law_model(alpha, beta, d, v, noise), learning_rate(0.5, alpha, v, 1)
    loss, error = momentum.stepped(STEPS, model, SGD(gamma, momentum=NONE))
    exact = plrf.expected_loss(STEPS, **model.parameters, learning_rate=gamma)
    np.testing.assert_allclose(loss, exact.loss, rtol=1e-7)
    assert np.all(np.abs(loss - exact.loss) <= error + 1e-9 * exact.loss)
    assert np.all(error <= 1e-6 * loss)


def test_nodes_that_miss_the_trace_are_refused():
    """At small d and v close to it: no loss, rather than a wrong one."""
    model = power_law_model(0.5, 0.7, 20, 22)
    with pytest.raises(ConvergenceError, match="relative error of the trace"):
        momentum.kernel_mass(model, SGD(0.01, momentum=NONE), 10)
    found = plrf.expected_loss(STEPS, **model.parameters, learning_rate=0.01, momentum=NONE)
    assert np.isnan(found.loss).all() and np.isnan(found.error).all()


@pytest.mark.parametrize(
    ("alpha", "beta", "d", "v"),
    [(2.5, 1.0, 100, 400), (2.5, 1.0, 1000, 4000), (0.3, 0.4, 100, 400)],
)
def test_stated_errors_hold_where_both_rules_are_off_alike(alpha, beta, d, v):
    """Large alpha: narrow cells; alpha = 0.3: a contour near a pole. Contours are good to 1e-10."""
    model, gamma = power_law_model(alpha, beta, d, v), 0.05
    steps = np.array([0, 1, 100, 1000, 10**4])
    loss, error = momentum.stepped(steps, model, SGD(gamma, momentum=NONE))
    exact = plrf.expected_loss(steps, **model.parameters, learning_rate=gamma)
    assert np.all(np.abs(loss - exact.loss) <= error + 1e-10 * exact.loss)


def test_v_close_to_a_small_d_is_refused():
    for alpha, beta, d, v in ((1.0, 0.7, 30, 31), (2.5, 1.0, 20, 24)):
        with pytest.raises(ConvergenceError, match="relative error of the trace"):
            momentum.stepped(STEPS, power_law_model(alpha, beta, d, v), SGD(0.05, momentum=NONE))


@pytest.mark.parametrize("name", ["cosine", "polynomial", "wsd"])
def test_schedules_that_end_at_rate_zero(name):
    """Of what remembers nothing, they are those of SGD."""
    task = {"alpha": 1.0, "beta": 0.7, "d": 100, "v": 400, "learning_rate": 0.2, "schedule": name}
    found = plrf.expected_loss([10, 100, 1000], **task, momentum=NONE)
    plain = plrf.expected_loss([10, 100, 1000], **task)
    np.testing.assert_allclose(found.loss, plain.loss, rtol=1e-9)
    assert np.isfinite(plrf.expected_loss([100], **task, momentum="dana_decaying").loss).all()


@pytest.mark.parametrize("rate", [1e-12, 1e-6, 1e-3])
def test_small_rates_are_stable(rate):
    """In step 0 DANA remembers nothing, and the kernel mass is half the rate times the trace."""
    model = power_law_model(1.0, 0.7, 100, 400)
    rule = momentum_of({"name": "dana_constant", "c3": 0.0}, model, 1)
    mass = momentum.kernel_mass(model, SGD(rate, momentum=rule), 10)
    assert mass == pytest.approx(kernel_mass(model, SGD(rate)), rel=1e-6)


@pytest.mark.parametrize("batch", [1, 8])
def test_without_momentum_stability_is_that_of_sgd(batch):
    model, gamma = power_law_model(1.0, 0.7, 1000, 4000), learning_rate(0.5, 1.0, 4000, batch)
    sgd = SGD(gamma, batch, momentum=NONE)
    mass = momentum.kernel_mass(model, sgd, 100)
    assert mass == pytest.approx(kernel_mass(model, SGD(gamma, batch)), rel=1e-9)
    critical = momentum.critical_learning_rate(model, sgd, 100)
    assert critical == pytest.approx(critical_learning_rate(model, batch), rel=1e-5)


def on_complex_modes(model, sgd, n):
    """Losses on a contour around the spectrum, whose nodes are modes with complex eigenvalues."""
    spectrum, rule = DeterministicEquivalent(model), sgd.momentum
    gamma, batch, kept = sgd.learning_rate, sgd.batch, 1 - rule.forgetting
    first, third = gamma * (rule.direct + rule.weight), gamma * rule.weight * kept
    modes = complex_modes(spectrum, 3 / (first * (batch + 1))).contour(0)
    z, losses = modes.points[0], []
    q, x, u = modes.signal[0], 0 * z, 0 * z
    for _ in range(n):
        losses.append(spectrum.capacity + q.sum().real)
        mean, square = batch * z, batch * (batch + 1) * z**2
        source = batch * z * modes.trace[0] * (losses[-1] + spectrum.noise) + square * q
        q, x, u = (
            (1 - 2 * first * mean) * q
            + first**2 * source
            - 2 * third * (1 - first * mean) * x
            + third**2 * u,
            kept * (1 - first * mean) * x
            + mean * (q - third * x)
            - first * source
            - third * kept * u,
            kept**2 * u + 2 * kept * mean * x + source,
        )
    return np.array(losses)


@pytest.mark.parametrize("name", ["heavy_ball", "nesterov"])
@pytest.mark.parametrize(("alpha", "beta", "d"), [(1.0, 0.7, 10**4), (0.4, 1.0, 10**3)])
def test_constant_momentum_agrees_with_complex_modes(alpha, beta, d, name):
    """Where what is remembered is soon lost, their factors stay below 1."""
    model, gamma = power_law_model(alpha, beta, d, 4 * d, 0.01), learning_rate(0.3, alpha, 4 * d, 1)
    rule = momentum_of({"name": name, "momentum": 0.4}, model, 1)
    sgd, steps = SGD(gamma, momentum=rule), np.arange(1001)
    loss, error = momentum.stepped(steps, model, sgd)
    np.testing.assert_allclose(loss, on_complex_modes(model, sgd, steps.size), rtol=1e-9)
    assert np.all(error < 1e-6 * loss)


def test_nodes_of_a_given_spectrum():
    """With gaps, repeated features, one far above the others, and features without a target."""
    a = np.concatenate([[50.0], np.full(30, 1.0), np.geomspace(1e-2, 1e-5, 169)])
    b = np.where(np.arange(200) % 3 == 0, 0.0, 1.0)
    task, gamma = SpectrumTask(a, b, 0.2), 0.3 / a.sum()
    model = Model(task, 60.5, 200)
    loss, error = momentum.stepped(STEPS, model, SGD(gamma, 2, momentum=NONE))
    exact = plrf.expected_loss(
        STEPS, eigenvalues=a, targets=b, noise=0.2, d=60.5, learning_rate=gamma, batch=2
    )
    assert np.all(np.abs(loss - exact.loss) <= error + 1e-9 * exact.loss)
    np.testing.assert_allclose(loss, exact.loss, rtol=1e-6)


@pytest.mark.parametrize("name", MOMENTA)
def test_loss_is_the_mean_over_features(name):
    """Of the recursion: within the bias of W averaged out, 3/d, and 5 standard errors."""
    d, v, n = 200, 800, 40
    model = power_law_model(0.8, 0.5, d, v, 0.05)
    rule = momentum_of(name, model, 2)
    gamma = learning_rate(0.4 if "dana" in name else 0.05, 0.8, v, 2)
    sgd, steps = SGD(gamma, 2, PowerDecay(0.2, 100.0), momentum=rule), STEPS[STEPS <= 1000]
    reductions = [reduce(random_stream(1, "w", k), [model.task], d, v)[0] for k in range(n)]
    losses = run(reductions, sgd, steps, []).loss
    exact = plrf.expected_loss(
        steps,
        **model.parameters,
        learning_rate=gamma,
        batch=2,
        schedule=PowerDecay(0.2, 100.0),
        momentum=name,
    )
    mean, deviation = losses.mean(axis=1), losses.std(axis=1, ddof=1)
    allowed = 3 / d * exact.loss + 5 * deviation / n**0.5
    assert np.all(np.abs(mean - exact.loss) <= allowed)
    assert np.all(allowed < 0.2 * exact.loss)


def random_case(rng):
    """A rule, a task and a training that is stable and whose rates are powers of the step."""
    alpha, beta = rng.uniform(0.3, 1.3), rng.uniform(0.3, 1.2)
    d, batch = int(10 ** rng.uniform(1, 3)), int(rng.choice([1, 2, 8]))
    model = power_law_model(alpha, beta, d, 4 * d, float(rng.choice([0.0, 0.1])))
    name = str(rng.choice(list(MOMENTA)))
    if "dana" in name:
        rule = momentum_of({"name": name, "c3": rng.uniform(0, 0.3)}, model, batch)
    else:
        rule = momentum_of({"name": name, "momentum": rng.uniform(0.1, 0.95)}, model, batch)
    schedule = PowerDecay(rng.uniform(0, 0.5), 10.0)
    sgd = SGD(1.0, batch, schedule, momentum=rule)
    gamma = rng.uniform(0.1, 0.8) * momentum.critical_learning_rate(model, sgd, 10**5)
    return model, SGD(gamma, batch, schedule, momentum=rule)


def test_logarithmic_time_agrees_with_single_steps(monkeypatch):
    """Where it may begin early: stated errors hold in 24 random cases."""
    rng, steps = np.random.default_rng(5), np.array([2**12, 2**13, 2**14])
    cases = [random_case(rng) for _ in range(24)]
    exact = [momentum.stepped(steps, *case) for case in cases]
    monkeypatch.setattr(modes, "LAST_SINGLE", 2**10)
    monkeypatch.setattr(modes, "HANDOVER", 2**12)
    for case, (single, _) in zip(cases, exact, strict=True):
        loss, error = momentum.stepped(steps, *case)
        assert np.all(np.abs(loss - single) <= error), case
        assert np.all(error < 1e-3 * loss), case


def test_far_ahead_losses_reach_their_limit(monkeypatch):
    """With a constant rate that is F0 + s2 K over 1 - K, with the rule's own kernel mass K."""
    model = power_law_model(0.4, 1.0, 100, 400, 0.1)
    rule = momentum_of({"name": "heavy_ball", "momentum": 0.5}, model, 1)
    sgd = SGD(learning_rate(0.2, 0.4, 400, 1), momentum=rule)
    monkeypatch.setattr(modes, "HANDOVER", 2**12)
    mass, floor = momentum.kernel_mass(model, sgd, 1), DeterministicEquivalent(model).capacity
    loss, error = momentum.stepped(np.array([10**12]), model, sgd)
    assert loss[0] == pytest.approx((floor + 0.1 * mass) / (1 - mass), rel=1e-8)
    assert error[0] < 1e-5 * loss[0]


@pytest.mark.parametrize("name", ["heavy_ball", "nesterov"])
def test_beyond_the_threshold_losses_grow(name):
    """Of the nodes themselves, step by step, at 0.97 and 1.03 of the threshold."""
    model = power_law_model(0.6, 0.7, 50, 200)
    sgd = SGD(0.1, momentum=momentum_of(name, model, 1))
    critical = momentum.critical_learning_rate(model, sgd, 1)
    for factor, grows in ((0.97, False), (1.03, True)):
        near = SGD(factor * critical, momentum=sgd.momentum)
        assert (momentum.kernel_mass(model, near, 1) >= 1) == grows
        loss, _ = momentum.Nodes(model).to(20001, np.array([2000, 20000]), near)
        assert (loss[1] > 2 * loss[0]) == grows, loss


def test_what_cannot_be_followed_is_refused():
    task = {"alpha": 1.0, "beta": 0.7, "d": 100}

    def loss(steps=10, v=400, gamma=0.1, **rest):
        return plrf.expected_loss([steps], **task, v=v, learning_rate=gamma, **rest)

    with pytest.raises(DivergenceError, match=r"diverges at .* it must be below 0\.08") as error:
        loss(momentum="heavy_ball")
    limit = float(str(error.value).split()[-1])
    assert np.isfinite(loss(gamma=0.999 * limit, momentum="heavy_ball").loss)
    for words, arguments in (
        ("v must be finite and exceed d", {"v": 100, "momentum": "dana_constant"}),
        ("v must be finite and exceed d", {"v": np.inf, "momentum": "dana_constant"}),
        ("at most 10000000 with momentum", {"steps": 10**8, "momentum": "dana_constant"}),
        ("must be one of heavy_ball, nesterov", {"momentum": "adam"}),
        ("has no 'mu': its parameters are momentum", {"momentum": {"name": "nesterov", "mu": 1}}),
        ("momentum = 1: must be below 1", {"momentum": {"name": "nesterov", "momentum": 1}}),
        ("c3 = -1", {"momentum": {"name": "dana_decaying", "c3": -1}}),
    ):
        schedule = {"schedule": BatchGrowth(2, 2), "horizon": 10**8} if "steps" in arguments else {}
        with pytest.raises(ValueError, match=words):
            loss(**arguments, **schedule)
    with pytest.raises(TypeError, match="momentum = 3"):
        loss(momentum=3)
    spectrum = {"eigenvalues": [3.0, 2.0, 1.0], "targets": [1.0, 1.0, 1.0], "d": 2}
    with pytest.raises(ValueError, match="exponent: must be given where the task is no power law"):
        plrf.expected_loss([1], **spectrum, learning_rate=0.01, momentum="dana_decaying")
