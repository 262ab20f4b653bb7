"""Fronts with momentum: against plain SGD, and against losses of finer nodes at sizes around."""

import numpy as np
import pytest

from plrf import compute_optimal, expected_loss
from plrf.exact.loss import DivergenceError
from plrf.momentum import Momentum

POINTS = [(0.75, 0.25), (1.25, 0.75), (1.0, 2.0), (0.4, 1.0), (0.27, 0.8)]
KEPT = ("eta", "xi")
RELATIVE = ("d", "loss")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("flops", [1e6, 1e10])
def test_without_memory_it_is_the_front_of_sgd(point, flops):
    """Weight zero: the contours of plain SGD know the front to many digits."""
    task = {"alpha": point[0], "beta": point[1], "c": 0.25}
    plain = compute_optimal(flops, **task)
    found = compute_optimal(flops, momentum=Momentum(1.0, 0.0), **task)
    assert found.status == "ok"
    for name in KEPT:
        assert abs(getattr(found, name) - getattr(plain, name)) <= getattr(found, f"{name}_error")
    for name in RELATIVE:
        apart = abs(getattr(found, name) / getattr(plain, name) - 1)
        assert apart <= getattr(found, f"{name}_error")
    assert found.eta == pytest.approx(plain.eta, abs=2e-3)
    assert found.xi == pytest.approx(plain.xi, abs=1e-2)


@pytest.mark.parametrize("name", ["dana_constant", "dana_decaying"])
def test_no_size_is_better_than_the_best(name):
    """Losses of `expected_loss` at the best size and at sizes around it, at the same budget."""
    task = {"alpha": 1.0, "beta": 0.7}
    front = compute_optimal(1e7, momentum=name, c=0.25, **task)
    losses = []
    for factor in (0.8, 1.0, 1.25):
        d = float(front.d) * factor
        trace = np.sum(np.arange(1, round(4 * d) + 1.0) ** -2)
        steps = round(1e7 / d)
        found = expected_loss(
            steps, d=d, v=4 * d, learning_rate=0.25 / trace, momentum=name, horizon=steps, **task
        )
        losses.append(float(found.loss))
    assert losses[1] < min(losses[0], losses[2])
    assert losses[1] == pytest.approx(front.loss, rel=1e-3)


def test_exponents_are_slopes_of_the_front():
    """Differences over half a decade against local exponents in the middle."""
    flops = 10 ** np.array([8.75, 9.0, 9.25])
    front = compute_optimal(flops, alpha=1.0, beta=0.7, c=0.25, momentum="dana_decaying")
    loss, size = (np.diff(np.log(x[::2]))[0] / np.log(10**0.5) for x in (front.loss, front.d))
    assert -loss == pytest.approx(front.eta[1], abs=2e-3)
    assert size == pytest.approx(front.xi[1], abs=1e-2)


def test_finer_nodes_agree_within_the_stated_errors():
    """Refinement 2: the errors of refinement 1 hold, and fall."""
    task = {"alpha": 1.25, "beta": 0.75, "c": 0.25, "momentum": "dana_constant"}
    front, fine = (compute_optimal(1e9, refinement=x, **task) for x in (1.0, 2.0))
    for name in KEPT:
        error = getattr(front, f"{name}_error")
        assert abs(getattr(front, name) - getattr(fine, name)) <= error
    assert fine.loss == pytest.approx(front.loss, rel=float(front.loss_error))


def test_what_it_does_not_know_is_refused():
    task = {"alpha": 1.0, "beta": 0.7, "momentum": "dana_constant"}
    with pytest.raises(ValueError, match="c = 'optimal': must be a number with momentum"):
        compute_optimal(1e6, c="optimal", **task)
    with pytest.raises(ValueError, match="must be constant with momentum"):
        compute_optimal(1e6, schedule="cosine", **task)
    with pytest.raises(ValueError, match="v_over_d = inf: must be finite with momentum"):
        compute_optimal(1e6, v_over_d=np.inf, **task)
    with pytest.raises(ValueError, match="must be one of heavy_ball"):
        compute_optimal(1e6, **task | {"momentum": "heavy"})


def test_a_weight_that_is_unstable_is_named():
    """A heavy ball of 1.2 that keeps half moves like a rate of 2.4."""
    with pytest.raises(DivergenceError, match="it must be below"):
        compute_optimal(
            1e6, alpha=1.0, beta=0.7, c=1.2, momentum={"name": "heavy_ball", "momentum": 0.5}
        )


def test_the_lower_of_two_minima_is_found():
    """Phase III with DANA-constant: at t ~ d, near the best size of SGD, and at t ~ d**2."""
    task = {"alpha": 1.4, "beta": 1.6, "c": 0.25}
    front = compute_optimal(1e10, momentum="dana_constant", **task)
    at_sgd = compute_optimal(1e10, **task)
    assert front.d < at_sgd.d / 10
    assert front.loss < at_sgd.loss / 2
    assert front.eta == pytest.approx(2.8 * 2 / (2.8 + 3), abs=0.01)
