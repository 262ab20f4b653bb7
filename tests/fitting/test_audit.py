"""Bias audit: surfaces of known exponents, and what methods make of them."""

import numpy as np
import pytest

import plrf
from plrf.fitting.audit import LAW_METHODS, LAWS, audit
from plrf.fitting.law import fit_table
from plrf.fitting.quantities import best_d, best_loss
from plrf.fitting.surfaces import POINTS, Design, law, random_features
from plrf.scaling import learning_rate
from plrf.theory.phases import PHASES, phase_name
from tests.law_designs import TRUTH, columns, isoflop

D, N = np.exp(isoflop())


@pytest.fixture(scope="module")
def rows():
    return audit(D, N, parameters=TRUTH)


def test_every_phase_has_a_point():
    assert [phase_name(*point) for point in POINTS] == [phase.name for phase in PHASES]


def test_all_surfaces_and_methods_have_rows(rows):
    surfaces = {row.surface for row in rows}
    assert len(surfaces) == len(POINTS) + 1 + len(LAWS)
    assert len(rows) == 2 * len(surfaces) * len(LAW_METHODS)
    assert {row.status for row in rows} == {"ok"}


def test_laws_are_not_biased_on_laws(rows):
    on_laws = [row for row in rows if not row.surface.startswith("phase")]
    assert len(on_laws) == 16
    for row in on_laws:
        assert row.bias == pytest.approx(0, abs=1e-6)
        assert row.exact == row.theory


def test_bias_is_apart_from_finite_size(rows):
    for row in rows:
        assert row.bias == pytest.approx(row.reported - row.exact, abs=1e-15)
    phase_ic = [row for row in rows if row.surface == "phase Ic, (0.2, 0.7)"]
    theory = plrf.theory_exponents(0.2, 0.7)
    assert {row.quantity: row.theory for row in phase_ic} == pytest.approx(
        dict(zip(("eta", "xi"), theory, strict=True))
    )
    # At the sizes of language models the exact exponents are close to their limits; the law, which
    # random features are not, is far away.
    for row in phase_ic:
        assert abs(row.exact - row.theory) < 0.01 < abs(row.bias)


@pytest.mark.parametrize("point", [(0.75, 0.25), (0.2, 0.7), (1.0, 2.0)])
def test_losses_of_random_features_are_exact(point):
    """Rows by themselves, at the whole numbers of steps next to theirs."""
    alpha, beta = point
    design = Design.of(D, N, TRUTH)
    on = random_features(alpha, beta)(design, 0.0)
    assert on.status == "ok"
    some = np.arange(0, D.size, 19)
    d, v = on.d[some], 4 * on.d[some]
    rates = [learning_rate(0.5, alpha, features, 1) for features in v]
    low, high = (
        plrf.expected_loss(steps, alpha=alpha, beta=beta, d=d, v=v, learning_rate=rates).loss
        for steps in (np.floor(on.n[some]), np.ceil(on.n[some]))
    )
    assert np.all((high * (1 - 1e-4) <= on.loss[some]) & (on.loss[some] <= low * (1 + 1e-4)))


def test_designs_are_moved_to_the_best_size():
    """The centre goes to d* of the same compute, where E has its share of the loss."""
    design = Design.of(D, N, TRUTH)
    compute = np.sqrt((D * N).min() * (D * N).max())
    assert design.d_centre == pytest.approx(best_d(TRUTH, np.array([compute]), 1.0)[0])
    assert design.d_centre * design.n_centre == pytest.approx(compute)
    front = plrf.compute_optimal(compute, alpha=1.0, beta=2.0)
    on = random_features(1.0, 2.0)(design, 0.8)
    without = random_features(1.0, 2.0)(design, 0.0)
    np.testing.assert_allclose(on.d / D, front.d / design.d_centre, rtol=1e-7)
    np.testing.assert_allclose(on.d * on.n, D * N, rtol=1e-12)
    np.testing.assert_allclose(on.loss - without.loss, 4 * front.loss, rtol=1e-9)


def test_surfaces_of_laws():
    """Front and share of E of the law that they are."""
    design = Design.of(D, N, None)
    assert design.d_centre == pytest.approx(np.sqrt(D.min() * D.max()))
    on = law(0.3, 0.6)(design, 0.7)
    fitted = fit_table(on.d, on.n, on.loss).parameters
    middle = np.array([design.d_centre * design.n_centre])
    assert best_d(fitted, middle, 1.0)[0] == pytest.approx(design.d_centre, rel=1e-6)
    assert best_loss(fitted, middle, 1.0)[0] == pytest.approx(1, rel=1e-9)
    assert np.exp(fitted[0]) == pytest.approx(0.7, rel=1e-6)


def test_any_method_is_audited():
    """Its own status is told, and an exponent that it does not have is NaN."""
    found = audit(D, N, {"mine": lambda d, n, loss: (np.nan, 0.5, "two of 12 budgets dropped")})
    assert {row.status for row in found} == {"two of 12 budgets dropped"}
    assert all(np.isnan(row.bias) == (row.quantity == "eta") for row in found)


def test_small_designs_are_out_of_range():
    """Sizes that random features would need below 12 are not made up."""
    d, n = np.array([2.0, 4, 8, 16, 32, 64]), np.array([64.0, 32, 16, 64, 32, 16])
    found = audit(d, n)
    statuses = {row.status for row in found if row.surface.startswith("phase")}
    assert statuses <= {"out of range", "no minimum", "diverges"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"share": 1.0}, "share = 1: must be below 1"),
        ({"share": -0.1}, r"share = -0\.1"),
        ({"d": [1.0]}, "d and n: must be 1-d, not empty and of one length"),
        ({"n": [-1.0] * D.size}, "n = -1"),
        ({"parameters": np.full(5, np.nan)}, "must be those of a law with exponents"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        audit(**({"d": D, "n": N} | changed))


def test_noise_is_not_needed_for_a_fitted_table():
    """Centre and share of E are those of the law that was fitted to noisy losses."""
    fitted = fit_table(*columns("isoflop", "normal", 60))
    design = Design.of(D, N, fitted.parameters)
    near = Design.of(D, N, TRUTH)
    assert design.d_centre == pytest.approx(near.d_centre, rel=0.1)
