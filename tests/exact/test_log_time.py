"""Logarithmic time: schedules beyond the steps that are made one by one (model section 10)."""

import numpy as np
import pytest

from plrf.exact import modes
from plrf.exact.log_time import _logarithm
from plrf.exact.loss import expected_loss
from plrf.exact.ridge import critical_learning_rate
from plrf.model import power_law_model
from plrf.schedules import BatchGrowth, Cosine, PowerDecay, Warmup

FAR = np.array([3e5, 2e6, 1e9, 1e12, 1e18])


def point(alpha, beta, d, batch=1, noise=0.0):
    rate = 0.5 * critical_learning_rate(power_law_model(alpha, beta, d, 4 * d), batch)
    sizes = {"d": d, "v": 4 * d, "learning_rate": rate, "batch": batch}
    return {"alpha": alpha, "beta": beta, "noise": noise, **sizes}


@pytest.mark.parametrize(("alpha", "beta", "d"), [(1.2, 2.0, 1e6), (0.4, 1.0, 1e10)])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_constant_rate_against_contour_inversion(alpha, beta, d, noise):
    model = point(alpha, beta, d, 16, noise)
    found = expected_loss([10, 1000, *FAR], **model, schedule=PowerDecay(0.0))
    exact = expected_loss([10, 1000, *FAR], **model)
    np.testing.assert_allclose(found.loss, exact.loss, rtol=1e-9)
    known = (found.error + exact.error + 1e-13) * exact.loss
    assert np.all(np.abs(found.loss - exact.loss) <= known)
    assert np.all(found.error < 1e-7)


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize(
    "schedule", [PowerDecay(0.4), PowerDecay(1.0, 1e4), PowerDecay(0.5, 1e6), Warmup(800)], ids=str
)
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_against_single_steps(monkeypatch, batch, schedule, noise):
    model, steps = point(0.7, 0.7, 1e4, batch, noise), np.array([100, 3000, 4200, 9000, 20_000])
    exact = expected_loss(steps, **model, schedule=schedule)
    monkeypatch.setattr(modes, "LAST_SINGLE", 1000)
    monkeypatch.setattr(modes, "HANDOVER", 4096)
    found = expected_loss(steps, **model, schedule=schedule)
    far = steps >= 4096
    np.testing.assert_allclose(found.loss[~far], exact.loss[~far], rtol=1e-13)
    # The square of one over the step, 1/4096, with a moderate factor.
    np.testing.assert_allclose(found.loss[far], exact.loss[far], rtol=3e-8)
    assert np.all(np.abs(found.loss - exact.loss) <= (found.error + exact.error) * exact.loss)
    assert np.all(found.error < 1e-5)


def test_a_step_after_the_handover_is_a_step(monkeypatch):
    """Between neighbouring steps the loss changes as it does step by step."""
    model, schedule = point(0.7, 0.7, 1e4, 1, 0.5), PowerDecay(0.5)
    steps = np.array([4096, 4097, 4098])
    exact = expected_loss(steps, **model, schedule=schedule).loss
    monkeypatch.setattr(modes, "LAST_SINGLE", 1000)
    monkeypatch.setattr(modes, "HANDOVER", 4096)
    found = expected_loss(steps, **model, schedule=schedule).loss
    assert found[0] == pytest.approx(exact[0], rel=1e-12)
    np.testing.assert_allclose(np.diff(found), np.diff(exact), rtol=1e-3)


def test_what_is_no_power_of_the_step_is_refused():
    model = point(0.7, 0.7, 100)
    for schedule in (Cosine(), BatchGrowth(), Warmup(10**8)):
        with pytest.raises(ValueError, match=r"^steps = 1000000000: must be at most 100000000 "):
            expected_loss([10**9], **model, schedule=schedule)
    with pytest.raises(ValueError, match=r"^steps = 9223372036854775808: must be at most 46116860"):
        expected_loss([2.0**63], **model, schedule=PowerDecay(0.5))


def test_logarithms_of_factors_near_one_are_accurate():
    loss = np.array([1e-20 + 3e-21j, 1e-9 + 1e-8j, 0.3 - 0.2j])
    series = [loss[0], loss[1] + loss[1] ** 2 / 2, -np.log(1 - loss[2])]
    logarithm = _logarithm(loss)
    np.testing.assert_allclose(-logarithm.real, np.real(series), rtol=1e-12)
    np.testing.assert_allclose(-logarithm.imag, np.imag(series), rtol=1e-12)
