"""Gains over SGD and what they say of a heuristic: made-up fronts with known answers."""

import numpy as np
import pandas as pd
import pytest

from plrf.measure.momentum_gains import verdict, verdicts, with_gains

SMALL = np.full(3, 1e-4)


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        ([0.03, 0.08, 0.095], "confirmed"),
        ([0.03, 0.05, 0.07], "not yet asymptotic"),
        ([0.03, 0.05, 0.05], "not seen"),
        ([0.10, 0.13, 0.16], "not seen"),
        ([0.03, 0.098, np.nan], "not measured"),
        ([np.nan, np.nan, np.nan], "not measured"),
    ],
)
def test_verdict_on_an_expected_gain_of_a_tenth(gain, expected):
    assert verdict(np.array(gain), SMALL, 0.1) == expected


def test_an_uncertain_gain_confirms_within_twice_its_error():
    assert verdict(np.array([0.085]), np.array([0.009]), 0.1) == "confirmed"
    assert verdict(np.array([0.05]), np.array([0.03]), 0.1) == "not measured"


def front(algorithm, flops, eta, heuristic):
    own = {"alpha": 1.0, "beta": 0.7, "algorithm": algorithm, "flops": flops, "eta": eta}
    return own | {"eta_error": 1e-3, "loss": flops**-eta, "eta_heuristic": heuristic}


def test_gains_are_over_sgd_at_the_same_point_and_budget():
    rows = [front("sgd", f, 0.5, 0.5) for f in (1e4, 1e6)]
    rows += [front("dana_decaying", f, eta, 0.8) for f, eta in ((1e4, 0.6), (1e6, 0.7))]
    table = pd.DataFrame(rows)
    gains = with_gains(table).set_index(["algorithm", "flops"])
    assert gains["gain"].to_list() == pytest.approx([0, 0, 0.1, 0.2])
    assert gains.loc[("dana_decaying", 1e6), "loss_ratio"] == pytest.approx(1e6**-0.2)
    found = verdicts(table).set_index("algorithm")
    assert found.loc["dana_decaying", "verdict"] == "not yet asymptotic"
    assert found.loc["dana_decaying", "flops"] == 1e6
    assert found.loc["dana_decaying", "gain_error"] == pytest.approx(2e-3)
