"""Groups of any spectrum: closed forms, all features one by one, exact losses, and drawn W."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import t as student

from plrf.engines.reduction import reduce
from plrf.engines.sgd import simulate
from plrf.exact.groups import averaged_groups
from plrf.exact.inversion import invert
from plrf.exact.loss import expected_loss
from plrf.exact.ridge import DeterministicEquivalent, critical_learning_rate
from plrf.exact.spectrum_sums import SpectrumSums
from plrf.model import Model, power_law_model
from plrf.spectrum import SpectrumTask
from plrf.streams import random_stream
from plrf.training import SGD

D, V = 600, 1200
STEPS = np.unique(np.rint(np.geomspace(1, 1e8, 40)))
RANK = np.arange(1.0, V + 1)
NORMALS = random_stream(1, "spectrum").standard_normal((2, V))


def power_law(alpha, beta, v):
    rank = np.arange(1.0, v + 1)
    return rank ** (-2 * alpha), rank**-beta


SPECTRA = {
    "power law": power_law(0.7, 0.7, V),
    "flat": (np.ones(V), RANK**-0.5),
    "flat, hardly more features than parameters": (np.ones(D + 6), RANK[: D + 6] ** -0.5),
    "flat, many features": (np.ones(10 * D), np.ones(10 * D)),
    "repeated": (np.repeat(RANK[:240] ** -1.2, 5), RANK**-0.6),
    "pairs": (np.repeat(0.9 ** RANK[:D], 2) * np.tile([1, 1.001], D), RANK**-0.3),
    "levels": (np.repeat([1, 0.3, 0.01, 1e-4], 300), np.ones(V)),
    "gap": (np.r_[np.linspace(1, 2, 500), 1e-9 * np.linspace(1, 2, 700)], np.ones(V)),
    "gap that is closed": (np.r_[np.ones(800), np.full(400, 1e-9)], np.ones(V)),
    "as many large as parameters": (np.r_[np.ones(D), np.full(D, 1e-9)], np.ones(V)),
    "one huge": (np.r_[1e6, np.linspace(1, 2, V - 1)], np.ones(V)),
    "two huge": (np.r_[1e6, 1e6, np.linspace(1, 2, V - 2)], np.ones(V)),
    "log-normal": (np.exp(2 * NORMALS[0]), NORMALS[1]),
    "one target": (RANK**-1.2, 1.0 * (RANK == 7)),
}
# Relative errors in units of 1/d while the loss hangs on few eigenvalues, which the groups and the
# deterministic equivalent spread differently: huge ones, and the last ones of a band, when all
# others are learned. Of a square matrix, whose least eigenvalue may be anything, it is all.
FEW = {
    "flat, hardly more features than parameters": 12,
    "gap": 100,
    "as many large as parameters": 600,
    "one huge": 15,
    "two huge": 30,
}


def model_of(name):
    a, b = SPECTRA[name]
    return Model(SpectrumTask(a, b), D, a.size)


@pytest.mark.parametrize("name", SPECTRA)
def test_moments_are_kept(name):
    """All of the target, the trace to less than an eigenvalue, and as many as parameters."""
    model = model_of(name)
    groups, (a, b) = averaged_groups(model), SPECTRA[name]
    assert groups.signal.sum() + groups.floor == pytest.approx(a @ b**2, rel=1e-9)
    assert groups.multiplicities @ groups.eigenvalues == pytest.approx(a.sum(), rel=5 / D)
    assert D - 2 < groups.multiplicities.sum() < D + 0.1
    assert np.all(groups.signal >= 0) and np.all(groups.multiplicities >= 1)
    assert np.all(np.diff(groups.eigenvalues) < 0)
    least, largest = DeterministicEquivalent(model).edges
    assert least < groups.eigenvalues[-1] and groups.eigenvalues[0] < largest


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("batch", [1, 16])
def test_expected_loss_on_the_groups(name, batch):
    model = model_of(name)
    rate = 0.5 * critical_learning_rate(model, batch)
    exact = expected_loss(STEPS, **parameters(model), learning_rate=rate, batch=batch).loss
    (loss, _, _), _ = invert(STEPS, averaged_groups(model), SGD(rate, batch))
    tolerance = FEW.get(name, 3 + batch / 2) / D + 2.5e-4
    np.testing.assert_allclose(loss, exact, rtol=tolerance)


def parameters(model):
    return {key: value for key, value in model.parameters.items() if key != "v"}


@pytest.mark.parametrize("v", [D + 1, 1000, 6000])
def test_marchenko_pastur(v):
    """Equal variances: the first two moments and the edges are known."""
    groups = averaged_groups(Model(SpectrumTask(np.ones(v), np.ones(v)), D, v))
    square = groups.multiplicities @ groups.eigenvalues**2
    assert square == pytest.approx(D * ((v / D) ** 2 + v / D), rel=5e-4)
    root = np.sqrt(v / D)
    assert (root - 1) ** 2 < groups.eigenvalues[-1] and groups.eigenvalues[0] < (root + 1) ** 2
    # c_i is a projection of b = (1, ..., 1) on one of d random directions in v dimensions. For v
    # close to d the last groups span a decade: their multiplicities are below their numbers.
    np.testing.assert_allclose(groups.signal[:-3], groups.multiplicities[:-3], rtol=2e-2)


BANDS = [0, 20, 1e3, 1e5, np.inf]


def test_bands_have_as_many_eigenvalues_as_features():
    """Those far above all others; what is left has the rest."""
    a = np.r_[np.full(5, 1e6), 1e4, np.full(40, 100.0), np.linspace(1, 2, 1400)]
    groups = averaged_groups(Model(SpectrumTask(a, np.ones(a.size)), D, a.size))
    lam, m = groups.eigenvalues, groups.multiplicities
    counts = [m[(lam > low) & (lam < high)].sum() for low, high in pairwise(BANDS)]
    np.testing.assert_allclose(counts, [D - 46, 40, 1, 5], atol=0.1)


@pytest.mark.parametrize(
    ("alpha", "beta", "d", "v"),
    [(0.7, 0.7, 1000, 4000), (0.2, 0.7, 800, 3200), (1.5, 1.2, 600, 2400), (0.5, -0.2, 600, 900)],
)
def test_groups_of_a_power_law(alpha, beta, d, v):
    """Against those that know it for one: cut elsewhere, the same spectrum and losses."""
    given = averaged_groups(Model(SpectrumTask(*power_law(alpha, beta, v)), d, v))
    known = averaged_groups(power_law_model(alpha, beta, d, v))
    assert given.floor == pytest.approx(known.floor, rel=1e-12)
    assert given.signal.sum() == pytest.approx(known.signal.sum(), rel=1e-5)
    traces = [groups.multiplicities @ groups.eigenvalues for groups in (given, known)]
    assert traces[0] == pytest.approx(traces[1], rel=3 / d + 3e-4)
    rate = 0.5 * critical_learning_rate(power_law_model(alpha, beta, d, v), 1)
    losses = [invert(STEPS, groups, SGD(rate))[0][0] for groups in (given, known)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=2 * (3 / d + 2.5e-4))


def test_sums_near_and_on_the_poles():
    """Against the sum of all terms, where most features are far, and some repeated."""
    a = np.exp(-random_stream(2, "spectrum").uniform(0, 20, 3000))
    a[:50], b = a[0], random_stream(3, "spectrum").standard_normal(3000)
    stream, angle = random_stream(4, "ridges"), np.array([0.0, 0.1, 1.0, 3.0, np.pi - 1e-3])
    kappa = np.exp(stream.uniform(-22, 2, 400)[:, None] - 1j * angle)
    terms = 1 / (1 + kappa[..., None] / a)
    found = SpectrumSums(a, b)(kappa)
    np.testing.assert_allclose(found, np.stack([terms.sum(-1), terms @ b**2]), rtol=2e-12)


@pytest.mark.parametrize("name", ["power law", "levels", "gap"])
@pytest.mark.parametrize("factor", [1e-12, 7.0, 1e9])
def test_units(name, factor):
    """Other units of the data are those of eigenvalues and of the target's mass."""
    a, b = SPECTRA[name]
    groups, other = (averaged_groups(Model(SpectrumTask(s * a, b), D, V)) for s in (1.0, factor))
    np.testing.assert_allclose(other.multiplicities, groups.multiplicities, rtol=1e-9)
    for field in ("eigenvalues", "signal", "floor"):
        np.testing.assert_allclose(
            getattr(other, field), factor * getattr(groups, field), rtol=1e-9
        )


def test_multiplicities_do_not_depend_on_the_target():
    """To the last bit: targets share the numbers of a run."""
    tasks = (SpectrumTask(RANK**-1.2, b) for b in (RANK**-0.3, 1.0 * (RANK > 1000)))
    first, second = (averaged_groups(Model(task, D, V)).multiplicities for task in tasks)
    np.testing.assert_array_equal(first, second)


def test_no_target_at_all():
    groups = averaged_groups(Model(SpectrumTask(RANK**-1.2, 0 * RANK), D, V))
    assert not groups.signal.any() and groups.floor == 0
    trace = groups.multiplicities @ groups.eigenvalues
    assert trace == pytest.approx((RANK**-1.2).sum(), rel=5 / D)


N_DRAWN = 12


@pytest.mark.parametrize("name", ["flat", "levels", "gap"])
def test_mean_over_drawn_features(name):
    """Student's test at 9 steps: false alarms below 1e-3 in all, if losses are normal over W."""
    model, steps = model_of(name), np.rint(np.geomspace(3, 1e7, 9))
    sgd = SGD(0.3 * critical_learning_rate(model, 1))
    streams = [random_stream(5, "features", run) for run in range(N_DRAWN)]
    drawn = [reduce(stream, [model.task], D, V)[0] for stream in streams]
    loss = np.array([invert(steps, reduction, sgd)[0][0] for reduction in drawn])
    mean, error = loss.mean(axis=0), loss.std(axis=0, ddof=1) / np.sqrt(N_DRAWN)
    (expected, _, _), _ = invert(steps, averaged_groups(model), sgd)
    allowed = student.isf(1e-3 / (2 * 3 * steps.size), N_DRAWN - 1)
    assert np.all(np.abs(mean - expected) < allowed * error + 3 / D * expected)


@pytest.mark.parametrize("batch", [1, 16])
def test_runs_on_the_groups(batch):
    """Mean of runs with noise of labels: within 5 standard errors, false alarms below 1e-5 each."""
    a, b = SPECTRA["log-normal"]
    model = Model(SpectrumTask(a, b, 20.0), D, V)
    groups, sgd = averaged_groups(model), SGD(0.3 * critical_learning_rate(model, batch), batch)
    steps, runs = np.array([1, 10, 50, 200]), 100
    streams = [random_stream(6, "samples", run) for run in range(runs)]
    loss = simulate([groups] * runs, sgd, steps, streams).loss
    (expected, _, _), _ = invert(steps.astype(float), groups, sgd)
    error = loss.std(axis=1, ddof=1) / np.sqrt(runs)
    assert np.all(np.abs(loss.mean(axis=1) - expected) < 5 * error)


@pytest.mark.parametrize(
    ("d", "v", "message"),
    [
        (499, V, "1200 eigenvalues, d=499, v=1200: groups need 500 <= d < v"),
        (V, V, "groups need 500 <= d < v"),
        (D, 1100, "v = 1100: must be 1200, the features of 1200 eigenvalues"),
    ],
)
def test_what_has_no_groups_is_refused(d, v, message):
    with pytest.raises(ValueError, match=message):
        averaged_groups(Model(SpectrumTask(RANK**-1.0, RANK**0.0), d, v))
