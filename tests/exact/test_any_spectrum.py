"""Tasks of any spectrum: against power laws, 40-digit values, and the recursion of drawn W."""

import json
from pathlib import Path

import numpy as np
import pytest

import plrf
from plrf.engines.recursion import recursion
from plrf.engines.reduction import reduce
from plrf.exact.ridge import critical_learning_rate
from plrf.model import Model, power_law_model
from plrf.spectrum import SpectrumTask
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD

DATA = Path(__file__).parents[1] / "data" / "label_noise_any_spectrum.json"
REFERENCE = json.loads(DATA.read_text(encoding="utf-8"))
STEPS = np.array([0, 1, 10, 300, 10**4, 10**6])


def power_law(alpha, beta, v, shuffle=True):
    j = np.arange(1, v + 1, dtype=float)
    if shuffle:
        j = np.random.default_rng(1).permutation(j)
    return {"eigenvalues": j ** (-2 * alpha), "targets": j**-beta}


@pytest.mark.parametrize(("alpha", "beta"), [(0.7, 0.6), (1.2, 0.3), (0.3, 0.9), (0.9, -0.2)])
@pytest.mark.parametrize(("d", "v"), [(50, 200), (300, 4000), (60, 60), (50, 51)])
def test_power_laws_in_any_order(alpha, beta, d, v):
    rate = 0.5 * critical_learning_rate(power_law_model(alpha, beta, d, v), 2)
    given = {"d": d, "learning_rate": rate, "batch": 2, "noise": 0.1}
    exact = plrf.expected_loss(STEPS, alpha=alpha, beta=beta, v=v, **given)
    found = plrf.expected_loss(STEPS, **power_law(alpha, beta, v), **given)
    np.testing.assert_allclose(found.loss, exact.loss, rtol=1e-12)
    for name in ("limit", "capacity", "kernel_mass"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("schedule", ["cosine", {"name": "power", "exponent": 0.5}], ids=str)
def test_schedules(schedule):
    given = {"d": 50, "learning_rate": 0.1, "noise": 0.1, "schedule": schedule}
    exact = plrf.expected_loss([0, 30, 1000], alpha=0.7, beta=0.6, v=200, **given)
    found = plrf.expected_loss([0, 30, 1000], **power_law(0.7, 0.6, 200), **given)
    np.testing.assert_allclose(found.loss, exact.loss, rtol=1e-12)


@pytest.mark.parametrize("case", REFERENCE, ids=lambda case: case["spectrum"])
def test_against_40_digits(case):
    a, b, steps, exact = (np.array(case[key], float) for key in ("a", "b", "steps", "excess_loss"))
    given = {"d": case["d"], "learning_rate": float(case["learning_rate"]), "batch": case["batch"]}
    noise = float(case["noise_variance"])
    found = plrf.expected_loss(steps, eigenvalues=a, targets=b, noise=noise, **given)
    np.testing.assert_allclose(found.loss, exact, rtol=1e-11)


SPECTRA = {
    "repeated": (np.repeat([1.0, 0.1, 0.01], 40), np.ones(120)),
    "one huge": (np.concatenate([[1e3], np.full(119, 0.1)]), np.concatenate([[0.1], np.ones(119)])),
    "targets of zero": (np.arange(1, 121) ** -1.5, np.arange(120) % 2 * 1.0),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_against_the_recursion_averaged_over_w(name):
    """Up to a bias of 4/d; a correct equivalent fails with probability below 1e-5.

    The limit is 5.3 standard errors at three spectra and five steps.
    """
    task, d, n = SpectrumTask(*SPECTRA[name], noise=0.1), 24, 300
    rate = 0.1 * critical_learning_rate(Model(task, d, 120), 1)
    steps = np.array([0, 1, 10, 100, 1000])
    drawn = [reduce(random_stream(k, "features"), [task], d, 120)[0] for k in range(n)]
    sample = recursion(
        np.array([r.eigenvalues for r in drawn]),
        np.array([r.coefficients**2 for r in drawn]),
        np.array([r.floor for r in drawn]),
        SGD(rate),
        steps,
        task.noise,
    ).loss
    exact = plrf.expected_loss(steps, **task.parameters, d=d, learning_rate=rate).loss
    ratio = sample / exact[:, None]
    error = 5.3 * ratio.std(axis=1) / n**0.5
    assert np.all(np.abs(ratio.mean(axis=1) - 1) <= error + 4 / d)


@pytest.mark.parametrize("scale", [1e-6, 1e4])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_units_of_the_data_do_not_matter(scale, schedule):
    """Variances and the noise in other units, the learning rate in the inverse ones."""
    law = power_law(0.8, 0.5, 300)
    given = {"d": 60, "targets": law["targets"], "schedule": schedule}
    exact = plrf.expected_loss(
        STEPS[:4], eigenvalues=law["eigenvalues"], learning_rate=0.2, noise=0.1, **given
    )
    found = plrf.expected_loss(
        STEPS[:4],
        eigenvalues=scale * law["eigenvalues"],
        learning_rate=0.2 / scale,
        noise=0.1 * scale,
        **given,
    )
    np.testing.assert_allclose(found.loss, scale * exact.loss, rtol=1e-11)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_no_size_beats_the_front(schedule):
    """The features are given, so that sizes share them; some are repeated."""
    law = power_law(0.8, 0.5, 1000)
    law["eigenvalues"][:200] = law["eigenvalues"][:200].mean()
    front = plrf.compute_optimal([3e4], **law, noise=0.01, c=0.4, schedule=schedule)
    assert front.status == ["ok"]
    sizes = np.unique(np.rint(front.d[0] * np.geomspace(0.3, 3, 15)).astype(int))
    steps = np.rint(3e4 / sizes).astype(int)
    rate = 0.4 / law["eigenvalues"].sum()
    given = law | {"learning_rate": rate, "noise": 0.01, "schedule": schedule}
    losses = [plrf.expected_loss(r, d=d, **given).loss for d, r in zip(sizes, steps, strict=True)]
    assert np.all(losses > front.loss * (1 - 0.5 * sizes / 3e4))
    nearest = np.argmin(np.abs(sizes / front.d[0] - 1))
    assert losses[nearest] == pytest.approx(front.loss[0], rel=3e-3)
    best = plrf.compute_optimal([3e4], **law, noise=0.01, c="optimal", schedule=schedule)
    assert best.loss < front.loss


def test_best_schedule_is_that_of_the_power_law():
    given = {"noise": 0.1, "d": 80}
    exact = plrf.optimal_schedule(2e4, alpha=0.8, beta=0.5, **given)
    found = plrf.optimal_schedule(2e4, **power_law(0.8, 0.5, 320), **given)
    assert found.loss == pytest.approx(exact.loss, rel=1e-6)
    assert found.steps == exact.steps == 250


def test_whole_steps_leave_sizes_below_the_number_of_features():
    law = power_law(0.7, 0.6, 200)
    best = plrf.optimal_schedule(186 * 16.9, d=186, **law, family="constant")
    assert best.steps == 16 and 186 < best.d < 200 and best.status == "ok"
    with pytest.raises(ValueError, match=r"^d = 199: must be from "):
        plrf.optimal_schedule(199 * 16.9, d=199, **law)


def test_all_features_are_too_few():
    """The best size would be larger than their number."""
    front = plrf.compute_optimal([1e4, 1e8], **power_law(0.8, 0.5, 200))
    assert front.status.tolist() == ["ok", "no minimum"]


def test_critical_batch():
    critical = plrf.critical_batch([1e6], **power_law(0.9, 0.4, 2000), noise=0.1)
    assert critical.status == ["ok"] and 1 < critical.batch < 1000


def test_one_task_however_it_is_given():
    """As seen by what draws W."""
    given = SpectrumTask(**power_law(0.7, 0.6, 80))
    law = PowerLawTask(0.7, 0.6)
    for first, last in ((0, 80), (10, 20)):
        for found, exact in zip(given.rows(first, last), law.rows(first, last), strict=True):
            np.testing.assert_allclose(found, exact, rtol=1e-14)
    assert given.trace(80) == pytest.approx(law.trace(80), rel=1e-14)
    assert given.variance(7) == pytest.approx(law.variance(7), rel=1e-14)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eigenvalues": [1.0, -0.1]}, r"^eigenvalues = -0.1: must be a finite number above 0"),
        ({"eigenvalues": [1.0, np.nan]}, r"^eigenvalues = nan: must be "),
        ({"targets": [1.0, np.inf]}, r"^targets = inf: must be "),
        ({"targets": [1.0]}, r"^targets: must be as many as eigenvalues, 2, not 1"),
        ({"eigenvalues": [], "targets": []}, r"^eigenvalues: must be one row of numbers"),
        ({"d": 3}, r"need d <= v"),
        ({"v": 3}, r"^v = 3: must be the number of eigenvalues"),
        ({"noise": -1}, r"^noise = -1: must be "),
    ],
    ids=str,
)
def test_bad_input_is_named(changes, message):
    good = {"eigenvalues": [1.0, 0.5], "targets": [1.0, 1.0], "d": 1, "learning_rate": 0.1}
    with pytest.raises(ValueError, match=message):
        plrf.expected_loss([1], **good | changes)


def test_two_ways_at_once():
    with pytest.raises(TypeError, match="either alpha and beta, or eigenvalues and targets"):
        plrf.expected_loss([1], alpha=1.0, eigenvalues=[1.0], targets=[1.0], d=1, learning_rate=0.1)
