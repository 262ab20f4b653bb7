"""Heuristic exponents with momentum: against the best of the terms' exponents over all sizes."""

import numpy as np
import pytest

from plrf.theory.momentum_exponents import heuristic_exponents
from plrf.theory.phases import exponents

POINTS = [(0.75, 0.25), (1.25, 0.75), (1.0, 0.7), (1.0, 2.0), (1.4, 1.6), (0.7, 1.2), (2.0, 0.1)]


def best_exponents(algorithm, alpha, beta):
    """Slowly: for each size f**x the largest of the terms at the effective time, f**-least."""
    x = np.linspace(0.001, 0.999, 99801)
    time = 1 - x  # steps are f**time
    power = {
        "sgd": time,
        "dana_constant": np.where(time > x, 2 * time - x, time),
        "dana_decaying": (2 - 1 / (2 * alpha)) * time,
    }[algorithm]
    p = 2 * alpha + 2 * beta - 1
    terms = [x * (2 * alpha - max(0.0, 1 - 2 * beta)), power * p / (2 * alpha)]
    terms.append(power * (2 - 1 / (2 * alpha)))
    if 2 * beta > 1:
        terms.append(x + power * (1 - 1 / (2 * alpha)))
    least = np.min(terms, axis=0)
    return least.max(), x[np.argmax(least)]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("algorithm", ["sgd", "dana_constant", "dana_decaying"])
def test_it_is_the_best_balance_of_the_terms(algorithm, point):
    found = heuristic_exponents(algorithm, *point)
    assert np.array(found) == pytest.approx(best_exponents(algorithm, *point), abs=2e-5)


def test_known_formulas():
    """Phases Ia and II, as in docs/model.md, section 14."""
    a, b = 0.8, 0.3
    p = 2 * a + 2 * b - 1
    constant, decaying = (
        heuristic_exponents(x, a, b)[0] for x in ("dana_constant", "dana_decaying")
    )
    assert constant == pytest.approx(2 * p / (2 * a + 3))
    assert decaying == pytest.approx(p * (4 * a - 1) / (4 * a**2 + 4 * a - 1))
    a, b = 1.0, 0.7
    s, p = 2 - 1 / (2 * a), 2 * a + 2 * b - 1
    assert heuristic_exponents("dana_decaying", a, b)[0] == pytest.approx(p * s / (2 * (a + b * s)))


def test_nothing_is_gained_by_a_heavy_ball_or_below_the_line():
    alpha, beta = np.meshgrid(np.linspace(0.1, 0.49, 9), np.linspace(0.2, 2, 9))
    for algorithm in ("heavy_ball", "dana_constant", "dana_decaying"):
        for found, own in zip(
            heuristic_exponents(algorithm, alpha, beta), exponents(alpha, beta), strict=True
        ):
            np.testing.assert_array_equal(found, own)
    np.testing.assert_array_equal(heuristic_exponents("heavy_ball", 1.0, 0.7), exponents(1.0, 0.7))
