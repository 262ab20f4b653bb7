"""Whether a table separates the exponents, and which runs would help, found by refitting."""

from itertools import product

import numpy as np
import pytest

from plrf.fitting.law import fit_table
from plrf.fitting.profiles import profile
from plrf.fitting.resampling import resample
from plrf.fitting.separation import ALIKE, NOT_SEPARATED, ON_A_LINE, further_runs, separation
from plrf.measure.law_forms import EQUAL_EXPONENTS
from plrf.measure.refits import LEAST_SQUARES, refit
from tests.law_designs import columns, grid


def told(d, n, loss, resamples=200):
    fitted = fit_table(d, n, loss)
    sample = resample(fitted, resamples, np.random.default_rng(0))
    return separation(sample, profile(fitted, "a"), profile(fitted, "b")), sample


def six_sizes(noise, decades=1.0):
    """Six sizes, each at the same numbers of samples, and exponents 0.33 and 0.65."""
    d = np.geomspace(1e8, 1e8 * 10**decades, 6)[:, None]
    d, n = (values.ravel() for values in np.broadcast_arrays(d, np.geomspace(2e9, 2e10, 5)))
    rng = np.random.default_rng(1)
    loss = 1.7 + 0.8 * (d / 3e8) ** -0.33 + 0.8 * (n / 6e9) ** -0.65
    return d, n, loss * np.exp(noise * rng.standard_normal(d.size))


def test_six_sizes_over_a_decade_do_not_separate():
    found, _ = told(*six_sizes(0.02))
    assert found.status == NOT_SEPARATED
    # E and a are nearly one: what one takes, the other gives.
    assert found.correlations[0, 1] > 0.8
    assert found.errors[1] > 1.5 * found.errors[0]


@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_samples_in_proportion_to_parameters_do_not(noise):
    """A d^-a and B (20 d)^-b may change places, however well the law fits."""
    d = np.geomspace(1e6, 1e10, 20)
    loss = 1.8 + 400 * d**-0.34 + 2000 * (20 * d) ** -0.37
    found, _ = told(d, 20 * d, loss * np.exp(noise * np.random.default_rng(3).standard_normal(20)))
    assert found.status == ON_A_LINE


def test_many_sizes_with_little_noise_do():
    found, sample = told(*columns("scattered", "small", 2))
    assert found.status == "ok"
    exponents = sample.parameters[:, [2, 4]]
    np.testing.assert_allclose(found.correlations[1, 2], np.corrcoef(exponents.T)[0, 1])
    for axis, value, error in zip(
        (found.determined, found.undetermined), found.values, found.errors, strict=True
    ):
        assert np.linalg.norm(axis) == pytest.approx(1)
        assert value == pytest.approx(sample.fitted.parameters[[2, 4]] @ axis)
        assert error == pytest.approx((exponents @ axis).std(ddof=1))
    directions = [np.array([np.cos(t), np.sin(t)]) for t in np.linspace(0, np.pi, 181)]
    spreads = [(exponents @ direction).std(ddof=1) for direction in directions]
    assert found.errors[0] == pytest.approx(min(spreads), rel=1e-3)
    assert found.errors[1] == pytest.approx(max(spreads), rel=1e-3)


def test_no_law_separates_nothing():
    found, _ = told(*(column[:3] for column in columns("grid", "small", 3)))
    assert found.status == "3 losses, at least 6 needed" and np.isnan(found.errors).all()


def test_further_runs_against_the_information_of_the_larger_table():
    d, n, loss = columns("grid", "small", 4)
    fitted = fit_table(d, n, loss)
    runs = further_runs(fitted)
    ranks = np.round(np.log(runs.area) / ALIKE)
    assert np.all(np.diff(ranks) >= 0) and np.all(np.diff(runs.cost)[np.diff(ranks) == 0] >= 0)
    assert np.all((runs.a_error <= 1) & (runs.b_error <= 1) & (runs.area <= 1))

    def ellipse(log_d, log_n):
        """Covariance of (a, b), from derivatives by differences."""
        steps = 1e-6 * np.eye(5)
        up, down = (
            np.logaddexp.reduce(
                [
                    np.broadcast_to(p[:, :1], (5, log_d.size)),
                    p[:, 1:2] - p[:, 2:3] * log_d,
                    p[:, 3:4] - p[:, 4:] * log_n,
                ]
            )
            for p in (fitted.parameters + steps, fitted.parameters - steps)
        )
        slopes = (up - down) / 2e-6
        return np.linalg.inv(slopes @ slopes.T)[np.ix_([2, 4], [2, 4])]

    before = ellipse(np.log(d), np.log(n))
    for k in (0, 7, -1):
        after = ellipse(*(np.log(np.append(*pair)) for pair in ((d, runs.d[k]), (n, runs.n[k]))))
        expected = np.sqrt(np.diag(after) / np.diag(before))
        np.testing.assert_allclose([runs.a_error[k], runs.b_error[k]], expected, rtol=1e-4)
        area = np.sqrt(np.linalg.det(after) / np.linalg.det(before))
        assert runs.area[k] == pytest.approx(area, rel=1e-4)
        assert runs.cost[k] == pytest.approx(runs.d[k] * runs.n[k] / np.sum(d * n))


def test_candidates_are_within_and_beyond_the_table():
    log_d, log_n = grid()
    d, n, loss = columns("grid", "small", 5)
    runs = further_runs(fit_table(d, n, loss))
    levels = []
    for least, *_, most in (np.sort(np.exp(logs)) for logs in (log_d, log_n)):
        levels.append([least / 10, least / 3, np.sqrt(least * most), 3 * most, 10 * most])
    expected = sorted([d1, n1] for d1, n1 in product(*levels) if d1 * n1 <= np.sum(d * n))
    assert 10 < len(expected) < 25
    found = sorted(np.column_stack([runs.d, runs.n]).tolist())
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_first_choice_does_shrink_the_spread():
    """Of least-squares fits to 300 tables with its loss, by as much as foretold, to 15%."""
    d, n, _ = columns("grid", "small", 6)
    fitted = fit_table(d, n, columns("grid", "small", 6)[2], huber=LEAST_SQUARES)
    runs = further_runs(fitted)
    more = np.log(np.append(d, runs.d[0])), np.log(np.append(n, runs.n[0]))
    log_e, log_a, a, log_b, b = fitted.parameters
    law = np.exp(log_e) + np.exp(log_a - a * more[0]) + np.exp(log_b - b * more[1])
    noise = 0.0003 * np.random.default_rng(7).standard_normal((300, law.size))
    losses = np.log(law) + noise
    without, with_it = (
        refit(fitted.parameters, more[0][:m], more[1][:m], losses[:, :m], huber=LEAST_SQUARES)
        for m in (d.size, d.size + 1)
    )
    ratio = with_it.std(axis=0) / without.std(axis=0)
    np.testing.assert_allclose(ratio[[2, 4]], [runs.a_error[0], runs.b_error[0]], rtol=0.15)


def test_equal_exponents_cannot_be_separated():
    with pytest.raises(ValueError, match="form = 'a = b': a and b must both be free"):
        further_runs(fit_table(*columns("grid", "small", 8), form=EQUAL_EXPONENTS))
