"""Convergence to the theory: closed forms, direct computation, and the trend in every phase."""

from itertools import product

import numpy as np
import pytest

from plrf.atlas.convergence import (
    DRIFTS,
    NOT_FALLING,
    SIGN_CHANGES,
    horizon,
    leading_correction,
)
from plrf.exact.front import compute_optimal
from plrf.exact.target_fronts import target_fronts
from plrf.statuses import BEYOND, FROM_THE_START, JUMPS, OK, TOO_FEW
from plrf.streams import random_stream
from plrf.theory.phases import exponents

BUDGETS = 10.0 ** np.arange(4, 25)
POINTS = {
    "Ia": (0.75, 0.25),
    "Ib": (0.45, 0.33),
    "Ic": (0.2, 0.7),
    "II": (1.25, 0.75),
    "III": (1.0, 2.0),
    "IVa": (0.4, 1.0),
    "IVb": (0.27, 0.8),
}
NO_ERROR = np.zeros(BUDGETS.size)


def approach(rate, size=1.0, theory=0.5):
    """Exponents that tend to the theory like a power of f."""
    return theory * (1 + size * BUDGETS**-rate)


@pytest.mark.parametrize("size", [1.0, -1.0])
@pytest.mark.parametrize("rate", [0.1, 0.23])
def test_horizon_of_a_power(rate, size):
    """``f**-rate`` falls to 5% at ``20**(1/rate)``."""
    found = horizon(BUDGETS, approach(rate, size), NO_ERROR, 0.5)
    assert found.status == OK and found.trend < 0
    assert np.log10(found.flops) == pytest.approx(np.log10(20) / rate, abs=0.05)
    assert abs(np.log10(found.flops) - np.log10(20) / rate) < found.error < 0.5


def test_horizon_is_for_good():
    """A deviation that passes through the tolerance and leaves it again does not count."""
    deviation = 0.2 * np.sin(np.log10(BUDGETS)) * (BUDGETS < 1e15)
    found = horizon(BUDGETS, 1 + deviation, NO_ERROR, 1.0)
    assert 14 < np.log10(found.flops) < 15


@pytest.mark.parametrize("start, error", [(0.03, 1.0), (0.02, 0.0)])
def test_a_deviation_may_leave_the_tolerance_before_the_second_budget(start, error):
    values = 1 + start * (BUDGETS < 1e5)
    found = horizon(BUDGETS, values, NO_ERROR, 1.0)
    assert found.status == FROM_THE_START and found.error == pytest.approx(error)


@pytest.mark.parametrize("error, trend", [(1e-6, 1e-5), (2e-6, 0.0)])
def test_a_trend_within_the_errors_is_none(error, trend):
    """Three times the sum of both errors are 6e-6 and 1.2e-5."""
    values = 1.01 + 1e-5 * (BUDGETS > 1e23)
    found = horizon(BUDGETS, values, error + NO_ERROR, 1.0)
    assert found.trend == pytest.approx(trend, abs=1e-12)


@pytest.mark.parametrize(
    "values, theory, status",
    [
        (approach(0.02), 0.5, BEYOND),
        (approach(0.1, 0.01), 0.5, FROM_THE_START),
        (approach(0.1), np.nan, JUMPS),
        (np.where(BUDGETS < 1e24, 0.5, np.nan), 0.5, TOO_FEW),
        (np.where(BUDGETS < 1e6, np.nan, approach(0.2)), 0.5, OK),
    ],
)
def test_statuses_of_a_horizon(values, theory, status):
    found = horizon(BUDGETS, values, NO_ERROR, theory)
    assert found.status == status
    assert np.isfinite(found.flops) == (status in (OK, FROM_THE_START))


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_correction_of_two_powers(rate):
    """The second power is within the error, and errors of the exponents are told apart."""
    values = approach(rate) + 0.2 * BUDGETS ** (-2 * rate)
    noise = 1e-7 * random_stream(1, "errors").standard_normal(BUDGETS.size)
    found = leading_correction(BUDGETS, values + noise, 1e-7 + NO_ERROR, 0.5)
    assert found.status == OK
    assert abs(found.rate - rate) < 3 * found.error + 1e-3
    assert found.high < 1e24 or rate < 0.3


@pytest.mark.parametrize(
    "values, errors, theory, status",
    [
        (0.5 + 1 / np.log(BUDGETS) ** 2, NO_ERROR, 0.5, DRIFTS),  # 2/log f
        (0.5 + 1e-3 * (np.log10(BUDGETS[::-1]) - 3.99), NO_ERROR, 0.5, DRIFTS),
        (0.5 + np.cos(np.log10(BUDGETS)) / BUDGETS**0.1, NO_ERROR, 0.5, SIGN_CHANGES),
        (0.5 + BUDGETS**0.01, NO_ERROR, 0.5, NOT_FALLING),
        (approach(0.1), NO_ERROR + 1, 0.5, TOO_FEW),
        (approach(0.1), NO_ERROR, np.nan, JUMPS),
    ],
)
def test_statuses_of_a_correction(values, errors, theory, status):
    assert leading_correction(BUDGETS, values, errors, theory).status == status


@pytest.mark.parametrize("point", [(0.8, 0.3), (0.8, 0.24), (1.1, 0.24), (1.1, 0.1)])
def test_correction_in_phase_Ia(point):
    """Capacity is a power of d times 1 + d**-(1 - 2 beta), and d* ~ f**(1/(2 alpha + 1))."""
    alpha, beta = point
    fronts = target_fronts(BUDGETS, alpha=alpha, betas=[beta])
    for quantity, theory in zip(("eta", "xi"), exponents(alpha, beta), strict=True):
        values, errors = (getattr(fronts, quantity + end)[0] for end in ("", "_error"))
        found = leading_correction(BUDGETS, values, errors, float(theory))
        assert found.status == OK
        assert found.rate == pytest.approx((1 - 2 * beta) / (2 * alpha + 1), rel=0.05)


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_exponents_converge_to_theory(point):
    """Within 1% at 1e20 flops; or, where the horizon of 1% is beyond, they move towards it."""
    fronts = target_fronts(BUDGETS, alpha=point[0], betas=[point[1]])
    for quantity, theory in zip(("eta", "xi"), exponents(*point), strict=True):
        values, errors = (getattr(fronts, quantity + end)[0] for end in ("", "_error"))
        found = horizon(BUDGETS, values, errors, float(theory), tolerance=0.01)
        at_1e20 = values[BUDGETS == 1e20] / theory - 1
        assert (np.abs(at_1e20) < 0.01).all() or (found.flops > 1e20 and found.trend < 0)


@pytest.mark.parametrize("k", range(5))
def test_horizons_agree_with_fronts_one_by_one(k):
    """At random points exact exponents are within 5% beyond the horizon, and outside before it."""
    stream = random_stream(1, "points", k)
    alpha = stream.uniform(0.15, 1.5)
    betas = stream.uniform(max(0.55 - alpha, -0.2), 2, 4)
    fronts = target_fronts(BUDGETS, alpha=alpha, betas=betas)
    for (row, beta), (i, name) in product(enumerate(betas), enumerate(("eta", "xi"))):
        theory = float(exponents(alpha, beta)[i])
        values, errors = (getattr(fronts, name + end)[row] for end in ("", "_error"))
        found = horizon(BUDGETS, values, errors, theory)
        margin = 10 ** (found.error + 0.02)
        budget = min(found.flops, 1e24)
        around = np.array([budget / margin, min(budget * margin, 1e24)])
        single = getattr(compute_optimal(around, alpha=alpha, beta=beta), name)
        deviation = np.abs(single / theory - 1)
        assert (deviation[1] > 0.05) if found.status == BEYOND else (deviation[1] < 0.0501)
        assert found.status == FROM_THE_START or deviation[0] > 0.05


@pytest.mark.parametrize("alphas, betas", [((0.6, 0.75), (0.2, 0.3)), ((0.36, 0.4), (0.7, 0.9))])
def test_a_finer_plane_moves_no_contour_beyond_its_cell(alphas, betas):
    """In the middle of a cell the horizon is between those at its corners, within its error."""
    fine, errors = np.full((3, 3), np.nan), np.zeros((3, 3))
    beta = np.linspace(*betas, 3)
    for i, alpha in enumerate(np.linspace(*alphas, 3)):
        fronts = target_fronts(BUDGETS, alpha=alpha, betas=beta)
        for k in range(3):
            theory = float(exponents(alpha, beta[k])[0])
            found = horizon(BUDGETS, fronts.eta[k], fronts.eta_error[k], theory)
            fine[i, k], errors[i, k] = np.log10(found.flops), found.error
    corners, slack = fine[::2, ::2], errors.max() + 0.05
    assert corners.min() - slack <= fine[1, 1] <= corners.max() + slack


@pytest.mark.parametrize(
    "change, message",
    [
        ({"flops": BUDGETS[::-1]}, "must be budgets that increase"),
        ({"exponent": [0.5]}, "exponent of shape"),
        ({"error": [0.1]}, "error of shape"),
        ({"tolerance": 0}, "tolerance = 0"),
    ],
)
def test_arguments_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        horizon(
            **{"flops": BUDGETS, "exponent": approach(0.1), "error": NO_ERROR, "theory": 0.5}
            | change
        )
