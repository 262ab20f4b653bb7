"""Variants of a fit: what each of them changes, and their spread."""

import numpy as np
import pytest

from plrf.fitting import quantities
from plrf.fitting.law import fit_table
from plrf.fitting.sensitivity import STANDARD, VARIANTS, spreads, vary
from plrf.measure.refits import LEAST_SQUARES
from tests.law_designs import columns


def test_variants_by_hand():
    d, n, loss = columns("scattered", "heavy", 50)
    found = {(v.variant.choice, v.variant.name): v.fitted for v in vary(d, n, loss)}
    order, compute = np.argsort(loss), d * n
    expected = {
        ("none", "as it is"): fit_table(d, n, loss),
        ("huber", "1e-4"): fit_table(d, n, loss, huber=1e-4),
        ("huber", "1e-2"): fit_table(d, n, loss, huber=1e-2),
        ("huber", "least squares"): fit_table(d, n, loss, huber=LEAST_SQUARES),
        ("highest losses", "1 dropped"): fit_table(*(c[order[:-1]] for c in (d, n, loss))),
        ("highest losses", "5 dropped"): fit_table(*(c[order[:-5]] for c in (d, n, loss))),
    }
    for half, kept in (
        ("lower", compute <= np.median(compute)),
        ("upper", compute >= np.median(compute)),
    ):
        expected["window", f"{half} half"] = fit_table(d[kept], n[kept], loss[kept])
    assert found.keys() == expected.keys()
    for name, fitted in expected.items():
        np.testing.assert_allclose(found[name].parameters, fitted.parameters, rtol=1e-3)


def test_spreads_are_ranges_with_the_standard_fit():
    variations = vary(*columns("scattered", "heavy", 51))
    found = spreads(variations, quantities.xi)
    assert set(found) == {v.choice for v in VARIANTS} - {STANDARD.choice}
    values = [
        float(quantities.xi(v.fitted.parameters))
        for v in variations
        if v.variant.choice in ("none", "huber")
    ]
    assert found["huber"] == pytest.approx(max(values) - min(values))


def test_exact_losses_have_no_spread():
    log_d, log_n = np.log(columns("grid", "small", 0)[:2])
    loss = 2 + np.exp(5 - 0.3 * log_d) + np.exp(6 - 0.4 * log_n)
    found = spreads(vary(np.exp(log_d), np.exp(log_n), loss), quantities.eta)
    assert max(found.values()) < 1e-6


def test_an_outlier_is_seen():
    d, n, loss = columns("grid", "small", 52)
    loss[np.argmax(loss)] *= 1.5
    found = spreads(vary(d, n, loss), quantities.QUANTITIES["b"])
    clean = spreads(vary(*columns("grid", "small", 52)), quantities.QUANTITIES["b"])
    assert found["huber"] > 5 * clean["huber"]


def test_too_few_rows_for_a_variant_are_told():
    """And a range over what is left, if that is two fits at least."""
    variations = vary(*(column[::5] for column in columns("grid", "small", 53)))
    statuses = {v.variant.name: v.fitted.status for v in variations}
    assert statuses["5 dropped"] == "5 losses, at least 6 needed"
    assert statuses["as it is"] == statuses["1 dropped"] == "ok"
    assert spreads(variations, quantities.xi)["highest losses"] > 0
    only = [v for v in variations if v.variant.name in ("as it is", "5 dropped")]
    assert np.isnan(spreads(only, quantities.xi)["highest losses"])
