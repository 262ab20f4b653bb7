"""Experiments without noise: known laws, exact losses, and SGD."""

from functools import partial
from unittest.mock import Mock

import numpy as np
import pytest

from plrf.atlas import experiment as experiments
from plrf.atlas.experiment import APPROACHES, Experiment, exact_losses, reported_exponents
from plrf.engines.reduction import reduce
from plrf.engines.sgd import simulate
from plrf.exact.front import compute_optimal
from plrf.exact.loss import DivergenceError, expected_loss
from plrf.measure.curves import LossTable
from plrf.measure.exponents import fit_exponents
from plrf.scaling import ScalingRule
from plrf.streams import random_stream
from plrf.task import PowerLawTask

RULE = ScalingRule()


def test_losses_are_those_of_whole_sizes():
    task, sizes = PowerLawTask(0.7, 0.9), np.array([50.0, 400.0])
    flops = 400.0 * np.array([10, 40, 1000, 10**6])
    losses = exact_losses(sizes, flops, task, RULE)
    assert np.isnan(losses[1, 0])  # of 10 steps
    for d, row in zip(sizes, losses, strict=True):
        model = RULE.model(task, d)
        gamma = RULE.training(model).learning_rate
        known = np.isfinite(row)
        arguments = {"alpha": 0.7, "beta": 0.9, "d": d, "v": 4 * d, "learning_rate": gamma}
        exact = expected_loss(flops[known] / d, **arguments).loss
        np.testing.assert_allclose(row[known], exact, rtol=1e-9)


def law(a, b, d, f, *_):
    """Losses d^-a + n^-b of sizes at budgets, instead of exact ones."""
    return d[:, None] ** -a + (f / d[:, None]) ** -b


@pytest.mark.parametrize("sizes", [5, 12, 20])
def test_a_law_is_reported_as_it_is(monkeypatch, sizes):
    """Losses d^-a + n^-b: Approach 3 is exact; parabolas are for their symmetric valley, a = b."""
    for a, b in ((0.6, 0.6), (0.8, 0.4)):
        monkeypatch.setattr(experiments, "exact_losses", partial(law, a, b))
        best = (a / b) ** (1 / (a + b)) * np.array([1e6, 1e8]) ** (b / (a + b))
        rows = reported_exponents(Experiment((1e6, 1e8), sizes), best, PowerLawTask(1, 1), RULE)
        exponents = {row.approach: row.exponents for row in rows}
        truth = [a * b / (a + b), b / (a + b)]
        np.testing.assert_allclose(exponents["approach3"], truth, rtol=1e-3)
        if a == b and sizes > 5:
            np.testing.assert_allclose(exponents["approach1"], truth, rtol=5e-3)
            np.testing.assert_allclose(exponents["approach2"], truth, rtol=5e-3)


def test_more_sizes_come_closer_to_the_exact_front():
    """The bias of parabolas falls with the distance of the sizes."""
    front = compute_optimal([1e6, 1e8], alpha=0.27, beta=0.8)
    eta, xi = (np.log(x[0] / x[1]) / np.log(100) for x in (front.loss, 1 / front.d))
    worst = []
    for sizes in (5, 12, 20):
        rows = reported_exponents(
            Experiment((1e6, 1e8), sizes), front.d, PowerLawTask(0.27, 0.8), RULE
        )
        assert [row.refusal for row in rows] == [""] * len(APPROACHES)
        worst.append(max(abs(rows[0].exponents - [eta, xi])))
    assert worst[0] > worst[1] > worst[2] and worst[2] < 0.01


@pytest.mark.parametrize("v_over_d, least", [(1.5, 1e5), (4, 1e4)])
def test_sizes_begin_where_losses_are_known(v_over_d, least):
    """A fourth of the best size would be a model of a few parameters."""
    front = compute_optimal([least, 1e6], alpha=1.2, beta=0.2, v_over_d=v_over_d)
    rule = ScalingRule(v_over_d)
    experiment = Experiment((least, 1e6), isoflop_budgets=5, envelope_budgets=5)
    rows = reported_exponents(experiment, front.d, PowerLawTask(1.2, 0.2), rule)
    assert front.d[0] / 4 < 49 / v_over_d and all(np.isfinite(row.exponents).all() for row in rows)


def test_sizes_begin_where_the_rate_is_stable(monkeypatch):
    """The threshold of c rises with d; exact losses of smaller sizes would be finite."""
    task, rule = PowerLawTask(1.4, 1.0), ScalingRule(c=0.75)
    with pytest.raises(DivergenceError, match="diverges at d = 12"):
        exact_losses([12], [1e5], task, rule)
    losses = Mock(side_effect=partial(law, 0.6, 0.6))
    monkeypatch.setattr(experiments, "exact_losses", losses)
    reported_exponents(Experiment((1e4, 1e6)), [100.0, 1000.0], task, rule)
    sizes = losses.call_args_list[0].args[0]
    assert 25 < sizes[0] < 30 and sizes[-1] == pytest.approx(4000)
    exact_losses(sizes[:1], [1e5], task, rule)


def test_sgd_reports_what_losses_without_noise_do():
    """Approach 2 on 24 runs, at (0.45, 0.33): within four standard errors, false alarm 1e-3."""
    task, budgets = PowerLawTask(0.45, 0.33), np.geomspace(3e3, 3e4, 6)
    best = compute_optimal(budgets[[0, -1]], alpha=0.45, beta=0.33).d
    sizes = np.unique(np.round(np.geomspace(best[0] / 3, best[1] * 3, 9)))
    means = exact_losses(sizes, budgets, task, RULE)
    losses = np.full((sizes.size, 24, budgets.size), np.nan)
    for k, d in enumerate(sizes.astype(int).tolist()):
        model = RULE.whole_model(task, d)
        steps = np.round(budgets / d).astype(int)
        made = steps >= 16
        features = [
            reduce(random_stream(1, "features", d, run), [task], d, 4 * d)[0] for run in range(24)
        ]
        streams = [random_stream(1, "samples", d, run) for run in range(24)]
        recorded = np.concatenate([[0], steps[made]])
        curves = simulate(features, RULE.training(model), recorded, streams)
        losses[k][:, made] = curves.loss[1:].T
    tables = LossTable(sizes, budgets, losses), LossTable(sizes, budgets, means[:, None])
    noisy, exact = (
        fit_exponents(
            t, "approach2", neighbours=2, resamples=300, rng=random_stream(1, "bootstrap")
        )
        for t in tables
    )
    for quantity in ("eta", "xi"):
        measured, expected = getattr(noisy, quantity), getattr(exact, quantity)
        assert abs(measured.estimate - expected.estimate) < 4 * measured.std_error
        assert measured.std_error < 0.05


@pytest.mark.parametrize(
    "change, message",
    [
        ({"sizes": 4}, "sizes = 4"),
        ({"isoflop_budgets": 3}, "isoflop_budgets = 3"),
        ({"neighbours": 0}, "neighbours = 0"),
        ({"window": (1e8, 1e6)}, "window"),
    ],
)
def test_settings_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**{"window": (1e6, 1e8)} | change)
