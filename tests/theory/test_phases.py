"""The phase table against exponents derived from the terms of the loss.

Up to constants, each term of the loss is d^x T^y with T = gamma B r (model section 6). At batch 1
the steps are r = f/d and the largest stable rate is gamma = d^min(0, 2 alpha - 1), so each term is
d^u f^v: the exact exponents (u, v) are computed here from the terms alone.
"""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plrf
from plrf.theory.phases import IV_BOUNDARY, PHASES, exponents, greek, phase, phase_name, universal

INTERIOR = {
    "Ia": (0.8, 0.2),
    "Ib": (0.4, 0.3),
    "Ic": (0.2, 0.9),
    "II": (0.9, 0.7),
    "III": (0.7, 1.2),
    "IVa": (0.42, 0.8),
    "IVb": (0.27, 0.8),
}
BY_NAME = {row.name: row for row in PHASES}


def terms(alpha, beta):
    """Exponents (x, y) of each term d^x T^y that is present at a point.

    K_pp and F_ac are powers of T where their integrals converge at u = 0; elsewhere the cut-off
    u > d^(-2 alpha) makes them constants of the order of F_0.
    """
    gamma = min(0, 2 * alpha - 1)
    found = {
        "F_0": (-2 * alpha + max(0, 1 - 2 * beta), 0),
        "F_pp": (0, -(1 + beta / alpha) + 1 / (2 * alpha)),
    }
    if 4 * alpha > 1:
        found["K_pp"] = (gamma, -2 + 1 / (2 * alpha))
    if 2 * alpha > 1 and 2 * beta > 1:
        found["F_ac"] = (-1, -1 + 1 / (2 * alpha))
    return found


def terms_in_flops(alpha, beta):
    """Exponents (u, v) of each term d^u f^v, from T = gamma f / d."""
    gamma = min(0, 2 * alpha - 1)
    return {name: (x + y * (gamma - 1), y) for name, (x, y) in terms(alpha, beta).items()}


def balance(first, second):
    """eta and xi where the terms d^u f^v `first` and `second` are equal."""
    (u1, v1), (u2, v2) = first, second
    xi = (v2 - v1) / (u1 - u2)
    return -(u1 * xi + v1), xi


def minimise_largest_term(lines):
    """eta and xi of min over d of the largest of the terms d^u f^v, on a grid of log d / log f.

    The terms are exact powers, so log f = 1 stands for any f.
    """
    log_d = np.linspace(0, 1, 200_001)
    largest = np.max([u * log_d + v for u, v in lines], axis=0)
    best = int(np.argmin(largest))
    return -largest[best], log_d[best]


@st.composite
def points(draw):
    """Rational points above the edge; the odd offsets keep them off every boundary."""
    alpha = Fraction(draw(st.integers(4, 299)), 200) + Fraction(1, 401)
    beta = Fraction(draw(st.integers(-100, 399)), 200) + Fraction(1, 997)
    return alpha, beta if 2 * (alpha + beta) > 1 else beta + Fraction(3, 2)


@given(points())
@settings(max_examples=300, deadline=None)
def test_trade_off_gives_the_exponents(point):
    row = BY_NAME[phase_name(*map(float, point))]
    lines = terms_in_flops(*point)
    eta, xi = balance(*(lines[name] for name in row.trade_off))
    assert float(row.eta(*point)) == pytest.approx(float(eta), rel=1e-12)
    assert float(row.xi(*point)) == pytest.approx(float(xi), rel=1e-12)
    assert exponents(*map(float, point)) == pytest.approx((float(eta), float(xi)), rel=1e-9)


@given(points())
@settings(max_examples=150, deadline=None)
def test_front_is_the_minimum_of_the_largest_term(point):
    lines = {name: tuple(map(float, uv)) for name, uv in terms_in_flops(*point).items()}
    expected = exponents(*map(float, point))
    assert minimise_largest_term(lines.values()) == pytest.approx(expected, abs=2e-5)


@given(points())
@settings(max_examples=150, deadline=None)
def test_visible_terms_are_those_that_lead_at_some_time(point):
    # At log d = 1 each term is a straight line in log T, and F_0 = F_ac at T = d^(2 alpha).
    log_time = np.linspace(0, 1.2 * float(max(2 * point[0], 1)), 100_001)[1:]
    found = terms(*point)
    lines = np.array([float(x) + float(y) * log_time for x, y in found.values()])
    leaders = {list(found)[index] for index in np.unique(np.argmax(lines, axis=0))}
    assert leaders == set(BY_NAME[phase_name(*map(float, point))].visible_terms)


@given(
    st.floats(0.001, 3, allow_nan=False),
    st.floats(-2, 3, allow_nan=False),
)
@settings(max_examples=300, deadline=None)
def test_phases_tile_the_region(alpha, beta):
    inside = [
        row.name for row in PHASES if all(side.margin(alpha, beta) > 1e-9 for side in row.region)
    ]
    if 2 * (alpha + beta) < 1 - 1e-9:
        assert not inside
        with pytest.raises(ValueError, match="no power law"):
            phase_name(alpha, beta)
        return
    name = phase_name(alpha, beta)
    assert inside == ([] if name == "edge" or "/" in name else [name])


@pytest.mark.parametrize(("name", "point"), INTERIOR.items())
def test_names(name, point):
    assert phase_name(*point) == name


@pytest.mark.parametrize(
    ("point", "names"),
    [
        ((0.7, 0.7), "II/III"),
        ((0.1 + 0.2, 0.5), "Ib/IVa"),
        ((0.5, 0.5), "Ia/Ib/II/III/IVa"),
        ((0.25, 0.5), "Ib/Ic/IVb"),
        ((0.25, 0.8), "Ic/IVb"),
        ((IV_BOUNDARY, 0.8), "IVa/IVb"),
        ((IV_BOUNDARY, 0.5), "Ib/IVa/IVb"),
        ((0.5, 0.3), "Ia/Ib"),
        ((0.8, 0.5), "Ia/II"),
        ((0.7, -0.2), "edge"),
        ((0.2, 0.3), "edge"),
    ],
)
def test_names_on_boundaries(point, names):
    assert phase_name(*point) == names


BOUNDARIES = {
    "Ia/Ib": lambda t: ((0.5, t / 2), (1, 0)),
    "Ia/II": lambda t: ((0.5 + t, 0.5), (0, 1)),
    "Ib/Ic": lambda t: ((0.25 * t, 0.5), (0, 1)),
    "Ib/IVb": lambda t: ((0.25 + (IV_BOUNDARY - 0.25) * t, 0.5), (0, 1)),
    "Ib/IVa": lambda t: ((IV_BOUNDARY + (0.5 - IV_BOUNDARY) * t, 0.5), (0, 1)),
    "Ic/IVb": lambda t: ((0.25, 0.5 + t), (1, 0)),
    "IVa/IVb": lambda t: ((IV_BOUNDARY, 0.5 + t), (1, 0)),
    "II/III": lambda t: ((0.5 + t, 0.5 + t), (1, -1)),
    "III/IVa": lambda t: ((0.5, 0.5 + t), (1, 0)),
}


@pytest.mark.parametrize("names", BOUNDARIES)
def test_exponents_across_boundaries(names):
    for t in np.linspace(0.05, 0.95, 19):
        point, normal = (np.array(pair, float) for pair in BOUNDARIES[names](t))
        assert phase_name(*point) == names
        sides = np.array([point - 1e-8 * normal, point + 1e-8 * normal])
        assert {phase_name(*side) for side in sides} == set(names.split("/"))
        eta, xi = exponents(*point)
        side_eta, side_xi = exponents(sides[:, 0], sides[:, 1])
        assert side_eta == pytest.approx(eta, abs=1e-6)
        if names != "IVa/IVb":
            assert side_xi == pytest.approx(xi, abs=1e-6)
            continue
        # K_pp no longer depends on d there: from its crossing with F_pp to that with F_0, every
        # size is optimal, and xi jumps from the one to the other.
        assert np.isnan(xi)
        lines = terms_in_flops(*point)
        assert lines["K_pp"][0] == pytest.approx(0, abs=1e-12)
        crossings = [balance(lines["K_pp"], lines[name])[1] for name in ("F_pp", "F_0")]
        assert side_xi == pytest.approx(crossings, abs=1e-6)
        assert side_xi[1] - side_xi[0] < -0.01


@pytest.mark.parametrize("point", [(0.3, 0.1), (0.7, -0.3), (0, 1), (-0.5, 3), (np.nan, 1)])
def test_outside_the_power_law_region(point):
    with pytest.raises(ValueError, match=r"alpha > 0 and 2\(alpha\+beta\) >= 1 are required"):
        phase_name(*point)
    assert np.isnan(exponents(*point)).all()
    assert not universal(*point)


@pytest.mark.parametrize(
    ("point", "region"),
    [
        ((0.7, 1.2), "2 alpha > 1, beta > alpha"),
        ((0.8, 0.2), "2 alpha > 1, 2 beta < 1, 2(alpha+beta) > 1"),
        ((0.7, 0.7), "II: 2 alpha > 1, 2 beta > 1, beta < alpha; III: 2 alpha > 1, beta > alpha"),
        ((0.7, -0.2), "2(alpha+beta) = 1"),
    ],
)
def test_phase_of_a_point(point, region):
    found = plrf.phase(*point)
    assert (found.name, found.region) == (phase_name(*point), region)
    expected = plrf.theory_exponents(*point)
    np.testing.assert_array_equal([found.eta, found.xi], expected)
    assert np.isnan(found.eta) == (found.name == "edge")


@given(points())
def test_phase_has_one_region_for_each_name(point):
    alpha, beta = map(float, point)
    found = phase(alpha, beta)
    assert found.region == ", ".join(side.text for side in BY_NAME[found.name].region)
    with pytest.raises(ValueError, match="no power law"):
        phase(alpha, 0.4 - alpha)


def test_refusal_names_the_values():
    with pytest.raises(ValueError, match=r"alpha = 0\.7, beta = -0\.3: .* 2\(alpha\+beta\) = 0\.8"):
        phase_name(0.7, -0.3)
    with pytest.raises(ValueError, match="alpha = inf"):
        phase_name(np.inf, 1)


def test_exponents_on_the_edge_are_undefined_but_eta_tends_to_zero():
    assert np.isnan(exponents(0.7, -0.2)).all()
    eta, _ = exponents([0.7, 0.3], [-0.2 + 1e-6, 0.2 + 1e-6])
    assert np.all((eta > 0) & (eta < 1e-5))


def test_jump_of_xi_closes_at_the_end_of_its_line():
    assert exponents(IV_BOUNDARY, 0.5) == pytest.approx((IV_BOUNDARY, 0.5))


def test_exponents_broadcast():
    alpha = np.array([0.2, 0.3, 0.5, 0.7])
    beta = np.array([-0.3, 0.3, 0.7])[:, None]
    eta, xi = exponents(alpha, beta)
    assert eta.shape == xi.shape == (3, 4)
    for index in np.ndindex(3, 4):
        scalar = exponents(alpha[index[1]], beta[index[0], 0])
        np.testing.assert_array_equal((eta[index], xi[index]), scalar)


@given(points())
def test_universal_region(point):
    alpha, beta = map(float, point)
    assert universal(alpha, beta) == (phase_name(alpha, beta) in {"Ib", "III", "IVa"})


def test_universal_on_boundaries():
    assert universal([0.7, 0.5, 0.4], [0.7, 0.9, 0.5]).all()
    assert not universal([IV_BOUNDARY, 0.7], [0.8, -0.2]).any()


def value_of(formula, alpha, beta):
    """Value of an exponent's text, where a space or nothing between factors means a product."""
    python = re.sub(r"(?<=[\da)]) ?(?=\(|alpha|beta)", "*", formula)
    return eval(python, {"alpha": alpha, "beta": beta})


@given(points())
def test_texts_of_the_exponents_are_the_exponents(point):
    row = BY_NAME[phase_name(*map(float, point))]
    assert float(value_of(row.eta_text, *point)) == pytest.approx(float(row.eta(*point)), rel=1e-12)
    assert float(value_of(row.xi_text, *point)) == pytest.approx(float(row.xi(*point)), rel=1e-12)


def test_greek():
    assert greek("gamma^2 Gamma(2 alpha)/(2 beta) zeta") == "γ^2 Γ(2 α)/(2 β) ζ"
