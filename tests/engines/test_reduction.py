"""The reduction to d dimensions against dense linear algebra on the whole of W."""

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from scipy.stats import kstest

from plrf.engines import reduction as module
from plrf.engines.reduction import BLOCK_ROWS, feature_blocks, gram_start, reduce
from plrf.streams import random_stream
from plrf.task import PowerLawTask, feature_variances, target_coefficients

MODELS = [
    (0.3, 0.9, 20, 50),
    (0.8, 0.2, 40, 160),
    (1.5, 1.0, 30, 60),
    (0.7, 0.7, 25, 25),
    (1, 0, 1, 9),
]


extended = pytest.mark.skipif(
    np.finfo(np.longdouble).eps > 1e-18, reason="needs extended precision"
)


def stream(d, v, run=0):
    return random_stream(11, "features", d, v, run)


def whole(d, v, run=0):
    """W in one piece."""
    return np.concatenate([block for _, block in feature_blocks(stream(d, v, run), d, v)])


def dense(alpha, beta, d, v):
    """D^1/2 W and D^1/2 b."""
    root = feature_variances(alpha, v) ** 0.5
    return root[:, None] * whole(d, v), root * target_coefficients(beta, v)


@pytest.mark.parametrize(("alpha", "beta", "d", "v"), MODELS)
class TestAgainstDenseAlgebra:
    def test_eigenvalues(self, alpha, beta, d, v):
        features, _ = dense(alpha, beta, d, v)
        (found,) = reduce(stream(d, v), [PowerLawTask(alpha, beta)], d, v)
        singular = np.linalg.svd(features, compute_uv=False)
        assert found.eigenvalues.shape == found.coefficients.shape == (d,)
        np.testing.assert_allclose(
            found.eigenvalues[::-1], singular**2, rtol=0, atol=1e-15 * d * singular[0] ** 2
        )

    def test_coefficients(self, alpha, beta, d, v):
        features, target = dense(alpha, beta, d, v)
        (found,) = reduce(stream(d, v), [PowerLawTask(alpha, beta)], d, v)
        left, singular, _ = np.linalg.svd(features, full_matrices=False)
        # The SVD's own error: a vector turns by rounding over the gap between singular values.
        gap = np.min(-np.diff(singular, append=0))
        error = 1e-15 * d * singular[0] * np.linalg.norm(target) / gap
        assert np.all(np.abs(found.coefficients[::-1] - np.abs(left.T @ target)) < error)

    def test_floor_is_the_least_squares_residual(self, alpha, beta, d, v):
        features, target = dense(alpha, beta, d, v)
        (found,) = reduce(stream(d, v), [PowerLawTask(alpha, beta)], d, v)
        solution = np.linalg.lstsq(features, target, rcond=None)[0]
        residual = np.square(target - features @ solution).sum()
        assert found.floor == pytest.approx(residual, rel=1e-12, abs=1e-25)
        if v == d:
            assert found.floor < 1e-25

    def test_parts_add_up_to_the_norm_of_the_target(self, alpha, beta, d, v):
        _, target = dense(alpha, beta, d, v)
        (found,) = reduce(stream(d, v), [PowerLawTask(alpha, beta)], d, v)
        total = np.square(found.coefficients).sum() + found.floor
        assert total == pytest.approx(np.square(target).sum(), rel=1e-14)


def test_floor_does_not_cancel():
    alpha, beta, d, v = 2.5, 1.5, 100, 200
    features, target = dense(alpha, beta, d, v)
    (found,) = reduce(stream(d, v), [PowerLawTask(alpha, beta)], d, v)
    left, _ = np.linalg.qr(features)
    rest = target - left @ (left.T @ target)
    rest -= left @ (left.T @ rest)  # twice is enough, in Gram and Schmidt's method
    floor = rest @ rest
    assert floor < 1e-9 * (target @ target)
    assert found.floor == pytest.approx(floor, rel=1e-9)
    # What the plain difference would give:
    assert abs(target @ target - np.square(found.coefficients).sum() - floor) > 1e-8 * floor


@cache
def extended_svd(alpha, d, v):
    """Singular values of D^1/2 W, increasing, and left vectors, in extended precision; d even.

    One-sided Jacobi: pairs of columns are rotated until they are orthogonal, all disjoint pairs of
    a round of a tournament at once.
    """
    j = np.arange(1, v + 1).astype(np.longdouble)
    columns = j[:, None] ** -np.longdouble(alpha) * whole(d, v)
    players = np.arange(d)
    for _ in range(30):
        largest = 0.0
        for _ in range(d - 1):
            p, q = players[: d // 2], players[: d // 2 - 1 : -1]
            x, y = columns[:, p], columns[:, q]
            xx, yy, xy = (x * x).sum(axis=0), (y * y).sum(axis=0), (x * y).sum(axis=0)
            largest = max(largest, np.max(abs(xy) / np.sqrt(xx * yy)))
            angle = np.arctan(2 * xy / (xx - yy)) / 2
            columns[:, p] = np.cos(angle) * x + np.sin(angle) * y
            columns[:, q] = np.cos(angle) * y - np.sin(angle) * x
            players[1:] = np.roll(players[1:], 1)
        if largest < 1e-18 * d:
            norms = np.sqrt((columns * columns).sum(axis=0))
            order = np.argsort(norms)
            return norms[order], columns[:, order] / norms[order]
    raise AssertionError("Jacobi rotations have not converged")


def exact(alpha, beta, d, v):
    """Eigenvalues, |coefficients|, floor, and the norm of the target, in extended precision."""
    j = np.arange(1, v + 1).astype(np.longdouble)
    singular, left = extended_svd(alpha, d, v)
    target = j ** -(np.longdouble(alpha) + np.longdouble(beta))
    coefficients = left.T @ target
    rest = target - left @ coefficients
    rest -= left @ (left.T @ rest)  # twice is enough
    return singular**2, abs(coefficients), rest @ rest, np.sqrt(target @ target)


@extended
@pytest.mark.parametrize("beta", [0.0, 0.7, 2.0])
@pytest.mark.parametrize("alpha", [0.3, 0.7, 1.0, 1.5])
@pytest.mark.parametrize(("d", "v", "gram"), [(48, 192, False), (48, 192, True), (30, 60, False)])
def test_relative_accuracy(monkeypatch, alpha, beta, d, v, gram):
    if gram:  # small blocks, so that most rows go through the Gram matrix
        monkeypatch.setattr(module, "BLOCK_ROWS", 8)
    else:
        monkeypatch.setattr(module, "SPREAD", 1.0)
    assert (
        gram_start(PowerLawTask(alpha, 0.0), d, v) < d
        if gram
        else gram_start(PowerLawTask(alpha, 0.0), d, v) == v
    )
    eigenvalues, coefficients, floor, norm = exact(alpha, beta, d, v)
    (found,) = reduce(stream(d, v), [PowerLawTask(alpha, beta)], d, v)
    np.testing.assert_allclose(found.eigenvalues, eigenvalues, rtol=1e-13)
    assert np.max(abs(found.coefficients - coefficients)) < 1e-13 * norm
    assert found.floor == pytest.approx(float(floor), rel=2e-14)


@extended
def test_a_gram_matrix_of_all_rows_loses_small_eigenvalues():
    """The loss that test_relative_accuracy would notice: the condition number is squared."""
    alpha, d, v = 1.5, 48, 192
    eigenvalues, *_ = exact(alpha, 0.0, d, v)
    features, _ = dense(alpha, 0.0, d, v)
    error = abs(np.linalg.eigvalsh(features.T @ features) / eigenvalues - 1)
    assert error[0] > 1e-12
    assert error[-1] < 1e-14


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.7, 1.0, 1.5, 2.5])
@pytest.mark.parametrize(("d", "v"), [(60, 180), (60, 240), (60, 1200)])
def test_gram_matrix_is_well_conditioned(monkeypatch, alpha, d, v):
    monkeypatch.setattr(module, "BLOCK_ROWS", 8)
    start = gram_start(PowerLawTask(alpha, 0.0), d, v)
    features, _ = dense(alpha, 0.0, d, v)
    if start == v:
        assert alpha > 1.5
    else:
        assert np.linalg.cond(features[start:]) ** 2 < 3000


@pytest.mark.parametrize("v", [4000, 16_000])
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_memory_is_a_few_square_matrices_whatever_v(v):
    d = 1000
    program = f"""
from plrf.engines.reduction import reduce
from plrf.streams import random_stream
from plrf.task import PowerLawTask

def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

reduce(random_stream(1, "features"), [PowerLawTask(1.0, 0.5)], 100, 400)
before = peak()
reduce(random_stream(1, "features"), [PowerLawTask(1.0, b) for b in (0.5, 1.5)], {d}, {v})
print((peak() - before) / (8 * {d}**2))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
    )
    assert 2 < float(run.stdout) < 5


@pytest.mark.parametrize("alpha", [4.0, 8.0])
def test_spectra_beyond_double_precision(alpha):
    d, v, beta = 60, 120, 0.3
    (found,) = reduce(stream(d, v), [PowerLawTask(alpha, beta)], d, v)
    features, target = dense(alpha, beta, d, v)
    singular = np.linalg.svd(features, compute_uv=False)
    assert np.all(found.eigenvalues >= 0)
    np.testing.assert_allclose(found.eigenvalues, singular[::-1] ** 2, rtol=0, atol=1e-16 * d)
    total = np.square(found.coefficients).sum() + found.floor
    assert total == pytest.approx(np.square(target).sum(), rel=1e-14)


@pytest.mark.parametrize(("d", "v"), [(3, 7), (37, 111), (64, 256), (100, 3000)])
def test_a_target_does_not_depend_on_the_others(d, v):
    betas = [0.2, 0.7, 1.2, 2.0, 0.9]
    together = reduce(stream(d, v), [PowerLawTask(0.8, beta) for beta in betas], d, v)
    for chosen in ([0], [3, 1], [4, 3, 2, 1, 0]):
        few = reduce(
            stream(d, v), [PowerLawTask(0.8, beta) for beta in [betas[k] for k in chosen]], d, v
        )
        for k, result in zip(chosen, few, strict=True):
            np.testing.assert_array_equal(result.eigenvalues, together[k].eigenvalues)
            np.testing.assert_array_equal(result.coefficients, together[k].coefficients)
            assert result.floor == together[k].floor


@pytest.mark.parametrize("rows", [1, 7, 64, 10_000])
def test_w_does_not_depend_on_the_blocks(monkeypatch, rows):
    d, v = 6, 150
    expected = whole(d, v)
    before = reduce(stream(d, v), [PowerLawTask(0.8, 0.6)], d, v)[0]
    monkeypatch.setattr(module, "BLOCK_ROWS", rows)
    blocks = list(feature_blocks(stream(d, v), d, v))
    assert [(s.start, s.stop) for s, _ in blocks] == [
        (start, min(start + rows, v)) for start in range(0, v, rows)
    ]
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), expected)
    after = reduce(stream(d, v), [PowerLawTask(0.8, 0.6)], d, v)[0]
    np.testing.assert_allclose(after.eigenvalues, before.eigenvalues, rtol=1e-12)
    assert after.floor == pytest.approx(before.floor, rel=1e-12)


def test_blocks_are_the_stream_in_one_piece():
    d, v = 3, 2 * BLOCK_ROWS + 5
    np.testing.assert_array_equal(whole(d, v), stream(d, v).standard_normal((v, d)) * d**-0.5)


def test_entries_are_gaussian_with_variance_one_over_d():
    """Kolmogorov and Smirnov's test of 10^5 entries; a correct law fails with probability 1e-6."""
    d = 10
    entries = whole(d, 10_000).ravel()
    assert kstest(entries * d**0.5, "norm").pvalue > 1e-6
    assert kstest(entries * (d + 1) ** 0.5, "norm").pvalue < 1e-6  # this it would notice


def test_transforms_are_the_sums_that_they_stand_for():
    (found,) = reduce(stream(8, 20), [PowerLawTask(0.7, 0.4)], 8, 20)
    z = np.array([[-0.1, 2 + 1j], [0.3 - 0.2j, 1e-4j]])
    forcing, kernel = found.transforms(z)
    for index in np.ndindex(2, 2):
        point = z[index]
        modes = sum(
            c**2 / (lam - point)
            for lam, c in zip(found.eigenvalues, found.coefficients, strict=True)
        )
        assert forcing[index] == pytest.approx(modes - found.floor / point, rel=1e-13)
        trace = sum(lam / (lam - point) for lam in found.eigenvalues)
        assert kernel[index] == pytest.approx(point * trace, rel=1e-13)
