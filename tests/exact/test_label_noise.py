"""Label noise in the contour inversion and the front (model section 10)."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from plrf.engines.recursion import recursion
from plrf.engines.reduction import reduce
from plrf.exact.front import compute_optimal
from plrf.exact.groups import averaged_groups, sampled_groups
from plrf.exact.inversion import invert
from plrf.exact.loss import expected_loss
from plrf.exact.power_sums import ShrinkageRule
from plrf.exact.ridge import DeterministicEquivalent
from plrf.model import Model, power_law_model
from plrf.scaling import learning_rate
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD

DATA = Path(__file__).parents[1] / "data" / "label_noise_any_spectrum.json"
REFERENCE = json.loads(DATA.read_text(encoding="utf-8"))
POINT = {"alpha": 0.7, "beta": 0.6, "d": 50, "v": 200, "learning_rate": 0.1}


@dataclass(frozen=True, eq=False)
class GivenTask:
    """A task of any variances and coefficients, summed one by one."""

    a: np.ndarray
    b: np.ndarray
    noise: float
    square_summable = True

    def log_variance(self, j):
        return np.log(self.variance(j))

    def variance(self, j):
        return np.interp(j, np.arange(1, self.a.size + 1), self.a)

    def shrinkage_rule(self, d, v):
        squares = self.b**2
        return ShrinkageRule(1 / self.a, np.stack([self.a**0, squares, squares / self.a], axis=1))


@pytest.mark.parametrize("case", REFERENCE, ids=lambda case: case["spectrum"])
def test_against_reference_for_any_spectrum(case):
    a, b, steps, exact = (np.array(case[key], float) for key in ("a", "b", "steps", "excess_loss"))
    model = Model(GivenTask(a, b, float(case["noise_variance"])), case["d"], a.size)
    sgd = SGD(float(case["learning_rate"]), case["batch"])
    (loss, _, _), error = invert(steps, DeterministicEquivalent(model), sgd)
    np.testing.assert_allclose(loss, exact, rtol=1e-13)
    assert np.all(np.abs(loss - exact) <= error + 1e-15 * exact)
    assert np.all(error < 1e-12 * loss)


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("noise", [1e-9, 0.3, 1e5])
def test_given_w_against_the_recursion(batch, noise):
    task = PowerLawTask(0.8, 0.6, noise)
    (model,) = reduce(random_stream(6, "features"), [task], 20, 60)
    sgd, signal = SGD(0.2 / batch, batch), model.coefficients**2
    steps = np.array([*range(40), 100, 1000, 10_000])
    exact = recursion(model.eigenvalues, signal, model.floor, sgd, steps, noise).loss
    singles = sampled_groups(model.eigenvalues, signal, model.floor, 1.001, noise)
    for spectrum in (model, singles):
        (loss, _, _), error = invert(steps.astype(float), spectrum, sgd)
        np.testing.assert_allclose(loss, exact, rtol=1e-11)
        assert np.all(np.abs(loss - exact) <= error + 1e-13 * exact)


@pytest.mark.parametrize(("alpha", "beta", "d"), [(0.7, 0.7, 1e10), (1.5, 2.0, 1e8), (0.3, 1, 1e6)])
@pytest.mark.parametrize("noise", [1e-15, 1e-3, 1e4])
def test_limit_at_large_steps(alpha, beta, d, noise):
    point = {"alpha": alpha, "beta": beta, "d": d, "v": 4 * d, "noise": noise}
    result = expected_loss([1e45], **point, learning_rate=learning_rate(0.3, alpha, 4 * d, 1))
    mass = result.kernel_mass
    assert result.limit == pytest.approx((result.capacity + noise * mass) / (1 - mass), rel=1e-14)
    assert result.loss[0] == pytest.approx(result.limit, rel=1e-12)
    assert result.error[0] < 1e-11


def test_loss_is_linear_in_the_noise():
    """Its slope is the loss of a model whose target is nothing but noise."""
    steps = np.array([0, 1, 7, 16, 100, 10**5, 10**9])
    none, one, many = (expected_loss(steps, **POINT, noise=x).loss for x in (0.0, 1.0, 300.0))
    np.testing.assert_allclose((many - none) / 300, one - none, rtol=1e-9, atol=1e-13)
    assert one[0] == none[0] and np.all(one[1:] > none[1:])
    np.testing.assert_array_equal(none, expected_loss(steps, **POINT).loss)


def test_groups_have_the_noise_of_their_task():
    groups = averaged_groups(power_law_model(0.7, 0.7, 1000, 4000, 0.5))
    (loss, _, _), _ = invert(np.array([3.0, 3000.0]), groups, SGD(0.1))
    exact = expected_loss([3, 3000], alpha=0.7, beta=0.7, d=1000, v=4000, learning_rate=0.1)
    noisy = expected_loss(
        [3, 3000], alpha=0.7, beta=0.7, d=1000, v=4000, learning_rate=0.1, noise=0.5
    )
    np.testing.assert_allclose(loss, noisy.loss, rtol=4e-3)
    assert noisy.loss[1] > 10 * exact.loss[1]


def test_front_is_the_lowest_loss_with_noise():
    alpha, beta, noise, flops = 0.75, 0.25, 1e-3, 1e8
    front = compute_optimal(flops, alpha=alpha, beta=beta, c=0.3, noise=noise)
    assert front.status == "ok"

    def loss(d):
        # Whole steps: budgets are a little off, the same way for all sizes.
        rate = learning_rate(0.3, alpha, 4 * d, 1)
        return expected_loss(
            np.rint(flops / d),
            alpha=alpha,
            beta=beta,
            d=d,
            v=4 * d,
            learning_rate=rate,
            noise=noise,
        ).loss

    d = float(front.d)
    assert loss(d) == pytest.approx(front.loss, rel=1e-4)
    assert loss(d) < min(loss(1.3 * d), loss(d / 1.3))
    assert front.loss > compute_optimal(flops, alpha=alpha, beta=beta, c=0.3).loss


@pytest.mark.parametrize("noise", [-1e-9, np.nan, np.inf])
def test_noise_that_is_no_variance_is_refused(noise):
    with pytest.raises(ValueError, match=rf"^noise = {noise:.12g}: must be a finite number, at le"):
        PowerLawTask(0.7, 0.7, noise)


def test_noise_tells_tasks_apart():
    quiet, noisy = PowerLawTask(0.7, 0.6), PowerLawTask(0.7, 0.6, 0.25)
    assert quiet.parameters == {"alpha": 0.7, "beta": 0.6} and str(quiet) == "alpha=0.7, beta=0.6"
    assert noisy.parameters == {"alpha": 0.7, "beta": 0.6, "noise": 0.25}
    assert str(noisy) == "alpha=0.7, beta=0.6, noise=0.25"
