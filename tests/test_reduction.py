"""The reduction to d dimensions against dense linear algebra on the whole of W."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import kstest

from plrf import reduction as module
from plrf.model import feature_variances, random_stream, target_coefficients
from plrf.reduction import BLOCK_ROWS, feature_blocks, reduce

MODELS = [
    (0.3, 0.9, 20, 50),
    (0.8, 0.2, 40, 160),
    (1.5, 1.0, 30, 60),
    (0.7, 0.7, 25, 25),
    (1, 0, 1, 9),
]


def stream(d, v, run=0):
    return partial(random_stream, 11, "features", d, v, run)


def whole(d, v, run=0):
    """W in one piece."""
    return np.concatenate([block for _, block in feature_blocks(stream(d, v, run)(), d, v)])


def dense(alpha, beta, d, v):
    """D^1/2 W and D^1/2 b."""
    root = feature_variances(alpha, v) ** 0.5
    return root[:, None] * whole(d, v), root * target_coefficients(beta, v)


@pytest.mark.parametrize(("alpha", "beta", "d", "v"), MODELS)
class TestAgainstDenseAlgebra:
    def test_eigenvalues(self, alpha, beta, d, v):
        features, _ = dense(alpha, beta, d, v)
        (found,) = reduce(stream(d, v), alpha, [beta], d, v)
        singular = np.linalg.svd(features, compute_uv=False)
        assert found.eigenvalues.shape == found.coefficients.shape == (d,)
        np.testing.assert_allclose(
            found.eigenvalues[::-1], singular**2, rtol=0, atol=1e-15 * d * singular[0] ** 2
        )

    def test_coefficients(self, alpha, beta, d, v):
        features, target = dense(alpha, beta, d, v)
        (found,) = reduce(stream(d, v), alpha, [beta], d, v)
        left, singular, _ = np.linalg.svd(features, full_matrices=False)
        # An error of rounding's size in the moments is divided by the singular value.
        error = 1e-15 * d * singular[0] * np.linalg.norm(target) / singular
        assert np.all(np.abs(np.abs(found.coefficients[::-1]) - np.abs(left.T @ target)) < error)

    def test_floor_is_the_least_squares_residual(self, alpha, beta, d, v):
        features, target = dense(alpha, beta, d, v)
        (found,) = reduce(stream(d, v), alpha, [beta], d, v)
        solution = np.linalg.lstsq(features, target, rcond=None)[0]
        residual = np.square(target - features @ solution).sum()
        assert found.floor == pytest.approx(residual, rel=1e-12, abs=1e-25)
        if v == d:
            assert found.floor < 1e-25

    def test_parts_add_up_to_the_norm_of_the_target(self, alpha, beta, d, v):
        _, target = dense(alpha, beta, d, v)
        (found,) = reduce(stream(d, v), alpha, [beta], d, v)
        total = np.square(found.coefficients).sum() + found.floor
        assert total == pytest.approx(np.square(target).sum(), rel=1e-14)


def test_floor_does_not_cancel():
    alpha, beta, d, v = 2.5, 1.5, 100, 200
    features, target = dense(alpha, beta, d, v)
    (found,) = reduce(stream(d, v), alpha, [beta], d, v)
    left, _ = np.linalg.qr(features)
    rest = target - left @ (left.T @ target)
    rest -= left @ (left.T @ rest)  # twice is enough, in Gram and Schmidt's method
    floor = rest @ rest
    assert floor < 1e-9 * (target @ target)
    assert found.floor == pytest.approx(floor, rel=1e-9)
    # What the plain difference would give:
    assert abs(target @ target - np.square(found.coefficients).sum() - floor) > 1e-8 * floor


@pytest.mark.parametrize("alpha", [4.0, 8.0])
def test_modes_below_rounding_are_frozen(alpha):
    d, v, beta = 60, 120, 0.3
    (found,) = reduce(stream(d, v), alpha, [beta], d, v)
    features, target = dense(alpha, beta, d, v)
    frozen = found.eigenvalues == 0
    assert frozen.any()
    assert np.all(found.coefficients[frozen] == 0)
    visible = found.eigenvalues[~frozen]
    assert np.all(visible > 1e-16 * d * visible[-1])
    singular = np.linalg.svd(features, compute_uv=False)
    largest = singular[visible.size - 1 :: -1] ** 2
    np.testing.assert_allclose(visible, largest, rtol=0, atol=1e-16 * d)
    total = np.square(found.coefficients).sum() + found.floor
    assert total == pytest.approx(np.square(target).sum(), rel=1e-14)


@pytest.mark.parametrize(("d", "v"), [(3, 7), (37, 111), (64, 256), (100, 3000)])
def test_a_target_does_not_depend_on_the_others(d, v):
    betas = [0.2, 0.7, 1.2, 2.0, 0.9]
    together = reduce(stream(d, v), 0.8, betas, d, v)
    for chosen in ([0], [3, 1], [4, 3, 2, 1, 0]):
        few = reduce(stream(d, v), 0.8, [betas[k] for k in chosen], d, v)
        for k, result in zip(chosen, few, strict=True):
            np.testing.assert_array_equal(result.eigenvalues, together[k].eigenvalues)
            np.testing.assert_array_equal(result.coefficients, together[k].coefficients)
            assert result.floor == together[k].floor


@pytest.mark.parametrize("rows", [1, 7, 64, 10_000])
def test_w_does_not_depend_on_the_blocks(monkeypatch, rows):
    d, v = 6, 150
    expected = whole(d, v)
    before = reduce(stream(d, v), 0.8, [0.6], d, v)[0]
    monkeypatch.setattr(module, "BLOCK_ROWS", rows)
    blocks = list(feature_blocks(stream(d, v)(), d, v))
    assert [(s.start, s.stop) for s, _ in blocks] == [
        (start, min(start + rows, v)) for start in range(0, v, rows)
    ]
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), expected)
    after = reduce(stream(d, v), 0.8, [0.6], d, v)[0]
    np.testing.assert_allclose(after.eigenvalues, before.eigenvalues, rtol=1e-12)
    assert after.floor == pytest.approx(before.floor, rel=1e-12)


def test_blocks_are_the_stream_in_one_piece():
    d, v = 3, 2 * BLOCK_ROWS + 5
    np.testing.assert_array_equal(whole(d, v), stream(d, v)().standard_normal((v, d)) * d**-0.5)


def test_entries_are_gaussian_with_variance_one_over_d():
    """Kolmogorov and Smirnov's test of 10^5 entries; a correct law fails with probability 1e-6."""
    d = 10
    entries = whole(d, 10_000).ravel()
    assert kstest(entries * d**0.5, "norm").pvalue > 1e-6
    assert kstest(entries * (d + 1) ** 0.5, "norm").pvalue < 1e-6  # this it would notice


def test_transforms_are_the_sums_that_they_stand_for():
    (found,) = reduce(stream(8, 20), 0.7, [0.4], 8, 20)
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
