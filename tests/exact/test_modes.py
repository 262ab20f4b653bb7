"""Complex modes: schedules with W averaged out (model section 10)."""

from dataclasses import dataclass

import numpy as np
import pytest

from plrf.engines import volterra
from plrf.engines.recursion import recursion
from plrf.engines.reduction import Reduction, reduce
from plrf.exact import modes as module
from plrf.exact.groups import averaged_groups
from plrf.exact.loss import DivergenceError, expected_loss
from plrf.exact.modes import stepped
from plrf.exact.ridge import DeterministicEquivalent, critical_learning_rate
from plrf.model import power_law_model
from plrf.scaling import learning_rate
from plrf.schedules import BatchGrowth, Cosine, PowerDecay, Warmup, WarmupStableDecay
from plrf.streams import random_stream
from plrf.task import PowerLawTask, feature_variances, target_coefficients
from plrf.training import SGD

STEPS = np.array([0, 1, 3, 10, 100, 1000, 3000])
POINT = {"alpha": 0.7, "beta": 0.6, "d": 50, "v": 200, "learning_rate": 0.15}
SCHEDULES = [
    Warmup(200),
    PowerDecay(0.5, 20.0),
    Cosine(0.1, 0.05),
    WarmupStableDecay(0.1, 0.3),
    WarmupStableDecay(cooldown=0.5, shape="sqrt"),
    BatchGrowth(4, 3),
]
MODELS = [
    (0.7, 0.7, 100, 400),
    (1.0, 0.7, 1e4, 4e4),
    (0.4, 1.0, 1e3, 4e3),
    (1.2, 2.0, 1e6, 4e6),
    (0.7, 0.7, 1e10, 4e10),
    (0.75, 0.25, 1e8, np.inf),
    (0.7, 0.7, 1000, 1001),
    (0.3, 0.9, 1e4, 1e6),
    (0.1, 3.0, 1e3, 2e3),
    (0.7, 0.5, 1, 4),
]


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize(("batch", "of_critical"), [(1, 1e-3), (1, 0.3), (1, 0.99), (64, 0.9)])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_constant_rate_against_contour_inversion(model, batch, of_critical, noise):
    alpha, beta, d, v = model
    averaged = power_law_model(*model, noise)
    rate = of_critical * critical_learning_rate(averaged, batch)
    loss, error = stepped(STEPS, DeterministicEquivalent(averaged), SGD(rate, batch))
    exact = expected_loss(
        STEPS, alpha=alpha, beta=beta, d=d, v=v, learning_rate=rate, batch=batch, noise=noise
    )
    np.testing.assert_allclose(loss, exact.loss, rtol=1e-10)
    # The rate's own rounding is amplified by up to the batch where that is near the threshold.
    known = error + (exact.error + 1e-14 + 2e-14 * (batch > 1) * batch) * exact.loss
    assert np.all(np.abs(loss - exact.loss) <= known)
    assert np.all(error < 1e-11 * exact.loss)


@dataclass(frozen=True)
class GivenW:
    """A given W as if it were an average: for it the recursion is exact."""

    reduction: Reduction

    @property
    def edges(self):
        return self.reduction.eigenvalues[0], self.reduction.eigenvalues[-1]

    def transforms(self, z, near_zero):
        return self.reduction.transforms(z)

    def __getattr__(self, name):
        names = {"capacity": "floor", "noise": "noise"}
        return 10 if name == "d" else getattr(self.reduction, names[name])


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("batch", [1, 16])
def test_schedules_against_the_recursion_of_a_given_w(schedule, batch):
    task = PowerLawTask(0.8, 0.6, 0.2)
    (found,) = reduce(random_stream(6, "features"), [task], 10, 30)
    sgd, signal = SGD(0.25 / batch, batch, schedule, 2000), found.coefficients**2
    loss, error = stepped(STEPS, GivenW(found), sgd)
    exact = recursion(found.eigenvalues, signal, found.floor, sgd, STEPS, found.noise).loss
    np.testing.assert_allclose(loss, exact, rtol=1e-11)
    assert np.all(np.abs(loss - exact) <= error + 1e-13 * exact)


@pytest.mark.parametrize("spacings", [(0.3, 0.35), (0.5, 0.6)])
def test_error_is_estimated(monkeypatch, spacings):
    """With few nodes the deviation shows, and the estimate is not far above it."""
    model = power_law_model(0.7, 0.7, 1000, 4000)
    sgd = SGD(0.9 * critical_learning_rate(model, 1), 1)
    spectrum = DeterministicEquivalent(model)
    fine, _ = stepped(STEPS, spectrum, sgd)
    monkeypatch.setattr(module, "SPACINGS", spacings)
    module.complex_modes.cache_clear()
    coarse, error = stepped(STEPS, spectrum, sgd)
    module.complex_modes.cache_clear()
    deviation = np.abs(coarse - fine)
    assert np.all(deviation <= error) and error.max() < 1e3 * deviation.max()
    assert np.max(deviation / fine) > 1e-8


@pytest.mark.parametrize("schedule", [Cosine(0.1), BatchGrowth(2, 3)], ids=str)
def test_schedules_against_the_recursion_averaged_over_w(schedule):
    """Up to a bias of 1.5/d; a correct equivalent fails with probability below 1e-5.

    The limit is 5.3 standard errors at 2 schedules, 2 sizes, 6 steps.
    """
    alpha, beta, noise, steps = 0.75, 0.25, 0.1, np.array([0, 1, 3, 10, 30, 100, 300])
    for d, n in ((4, 10_000), (48, 1000)):
        v, rng = 4 * d, np.random.default_rng(3)
        sgd = SGD(learning_rate(0.3, alpha, v, 4), 4, schedule, 300)
        root, target = feature_variances(alpha, v) ** 0.5, target_coefficients(beta, v)
        features = root[:, None] * rng.standard_normal((n, v, d)) / d**0.5
        lam, vectors = np.linalg.eigh(features.transpose(0, 2, 1) @ features)
        moments = np.einsum("nvd,v,nde->ne", features, root * target, vectors, optimize=True)
        signal = moments**2 / lam
        floor = (root * target) @ (root * target) - signal.sum(axis=1)
        sample = recursion(lam, signal, floor, sgd, steps, noise).loss
        point = {"alpha": alpha, "beta": beta, "d": d, "v": v, "noise": noise}
        ratio = sample / expected_loss(steps, **point, **sgd.parameters).loss[:, None]
        error = 5.3 * ratio.std(axis=1) / n**0.5
        assert np.all(np.abs(ratio.mean(axis=1) - 1) <= error + 1.5 / d)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_schedules_against_groups_at_large_size(schedule):
    model = power_law_model(0.7, 0.7, 1e6, 4e6, 0.01)
    groups = averaged_groups(model)
    sgd = SGD(learning_rate(0.5, 0.7, 4e6, 2), 2, schedule, 3000)
    # Groups as a spectrum with multiplicities: eigenvalues repeat, the gain of each is m times.
    lam, gain = groups.eigenvalues, groups.multiplicities * groups.eigenvalues**2
    state, losses = groups.signal, []
    for now in sgd.each(3001):
        losses.append(groups.floor + state.sum())
        noise = now.learning_rate**2 * now.batch * (losses[-1] + groups.noise)
        state = now.decay(lam) * state + gain * noise
    result = expected_loss(STEPS, **model.parameters, **sgd.parameters)
    np.testing.assert_allclose(result.loss, np.array(losses)[STEPS], rtol=3e-4)
    assert np.all(result.error < 1e-11)


def test_schedule_that_changes_nothing_at_any_size():
    for d in (30, 1e5, 1e10):
        point = {"alpha": 0.9, "beta": 0.4, "d": d, "v": 4 * d, "noise": 1e-3}
        point |= {"learning_rate": learning_rate(0.5, 0.9, 4 * d, 1)}
        stepwise = expected_loss(STEPS, **point, schedule={"name": "power", "exponent": 0.0})
        exact = expected_loss(STEPS, **point)
        np.testing.assert_allclose(stepwise.loss, exact.loss, rtol=1e-11)
        assert stepwise.capacity == exact.capacity
        for name in ("forcing", "kernel", "limit", "kernel_mass"):
            assert np.all(np.isnan(getattr(stepwise, name)))


@pytest.mark.parametrize("schedule", ["cosine", {"name": "batch_growth", "factor": 4}], ids=str)
def test_without_a_horizon_each_step_ends_a_training_of_its_own(schedule):
    point = POINT | {"d": np.array([[50], [60]]), "schedule": schedule}
    steps = np.array([[30, 100], [50, 0]])
    planned = expected_loss(steps, **point)
    for row, d in enumerate((50, 60)):
        for k, step in enumerate(steps[row]):
            alone = POINT | {"d": d, "schedule": schedule, "horizon": max(step, 1)}
            loss = expected_loss(step, **alone).loss
            np.testing.assert_allclose(planned.loss[row, k], loss, rtol=1e-12)
    longer = expected_loss(steps, **point, horizon=1000)
    assert np.all((longer.loss != planned.loss) == (steps > 0))


def test_steps_in_any_order_and_shape():
    steps = np.array([[7, 0, 7], [64, 63, 200]])
    result = expected_loss(steps, **POINT, schedule=PowerDecay(0.5))
    every = expected_loss(np.arange(201), **POINT, schedule=PowerDecay(0.5))
    np.testing.assert_array_equal(result.loss, every.loss[steps])
    np.testing.assert_array_equal(result.error, every.error[steps])
    (start,) = expected_loss([0], **POINT, schedule=Cosine()).loss
    assert start == pytest.approx(expected_loss(0, **POINT).loss, rel=1e-13)


def test_engine_follows_the_schedule():
    model, sgd = power_law_model(0.7, 0.6, 50, 200, 0.5), SGD(0.1, 2, Cosine(0.1), 100)
    curves, steps = volterra.run(model, sgd, STEPS[:5]), STEPS[:5]
    exact = expected_loss(steps, **model.parameters, **sgd.parameters)
    np.testing.assert_array_equal(curves.loss, exact.loss)
    np.testing.assert_array_equal(curves.error, exact.error)


def test_first_unstable_step_is_named():
    critical = critical_learning_rate(power_law_model(0.7, 0.6, 50, 200), 1)
    point = POINT | {"learning_rate": 2 * critical, "schedule": Warmup(1000)}
    assert np.isfinite(expected_loss([499], **point).loss).all()
    with pytest.raises(DivergenceError, match=r"^learning rate \S+ of step 499 diverges at alpha"):
        expected_loss([500], **point)
    # As the batch grows c stays, whose threshold rises.
    growth = POINT | {"learning_rate": critical * 0.9, "schedule": BatchGrowth(4, 4)}
    assert np.isfinite(expected_loss([100], **growth).loss).all()


def test_what_cannot_be_done_is_refused():
    with pytest.raises(ValueError, match=r"v=50: v must exceed d with a schedule"):
        expected_loss([10], **POINT | {"v": 50}, schedule="cosine")
    with pytest.raises(ValueError, match=r"^steps = 1000000000: must be at most 100000000 with"):
        expected_loss([10**9], **POINT, schedule="cosine")
    with pytest.raises(ValueError, match=r"^schedule = 'cosin': must be one of constant, "):
        expected_loss([10], **POINT, schedule="cosin")
    with pytest.raises(ValueError, match=r"^horizon = 0: must be a whole number, at least 1"):
        expected_loss([10], **POINT, schedule="cosine", horizon=0)


@pytest.mark.parametrize("ratio", [1.01, 1.5, 4.0, 100.0])
def test_edges_of_equal_features_are_those_of_marchenko_and_pastur(ratio):
    d = 1000
    spectrum = DeterministicEquivalent(power_law_model(1e-9, 1.0, d, round(ratio * d)))
    expected = [(ratio**0.5 - 1) ** 2, (ratio**0.5 + 1) ** 2]
    np.testing.assert_allclose(spectrum.edges, expected, rtol=1e-6)
