"""Contour inversion against reference values, brute force, recursions and means over W."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st

from plrf.engines.recursion import recursion
from plrf.engines.reduction import Reduction, reduce
from plrf.exact.inversion import invert, invert_at
from plrf.exact.loss import DivergenceError, expected_loss
from plrf.exact.power_sums import power_sum
from plrf.exact.ridge import ConvergenceError, DeterministicEquivalent, critical_learning_rate
from plrf.model import power_law_model
from plrf.scaling import learning_rate
from plrf.streams import random_stream
from plrf.task import PowerLawTask, feature_variances, target_coefficients
from plrf.training import SGD

REFERENCE = pd.read_csv(Path(__file__).parents[1] / "data" / "expected_loss.csv")
CASES = [case for _, case in REFERENCE.groupby(["alpha", "beta"], sort=False)]
BATCHES = (1, 2, 4, 16, 64, 1000)

extended = pytest.mark.skipif(
    np.finfo(np.longdouble).eps > 1e-18, reason="needs extended precision"
)


def parameters(case):
    """Arguments of `expected_loss` for a case of the reference."""
    names = {"learning_rate": "gamma"}
    keys = ("alpha", "beta", "d", "v", "learning_rate", "batch")
    values = {key: case[names.get(key, key)].iloc[0].item() for key in keys}
    return values | {key: int(values[key]) for key in ("d", "v", "batch")}


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.alpha.iloc[0]}, {case.beta.iloc[0]}"
)
class TestReference:
    def test_loss_and_its_error(self, case):
        result = expected_loss(case.r.to_numpy(), **parameters(case))
        np.testing.assert_allclose(result.loss, case.loss, rtol=1e-11)
        deviation = np.abs(result.loss - case.loss.to_numpy())
        assert np.all(deviation <= (result.error + 1e-15) * result.loss)  # 16 digits are given
        assert np.all(result.error < 1e-9)

    def test_forcing(self, case):
        result = expected_loss(case.r.to_numpy(), **parameters(case))
        np.testing.assert_allclose(result.forcing, case.forcing, rtol=1e-11)

    def test_kernel(self, case):
        result = expected_loss(case.r.to_numpy(), **parameters(case))
        known = case.kernel.notna().to_numpy()
        assert known.sum() >= 4
        np.testing.assert_allclose(
            result.kernel[known], case.kernel[known], rtol=1e-9, atol=1e-16 * result.kernel[0]
        )
        # Where the reference has none, the kernel is too small to be seen.
        assert np.all(np.abs(result.kernel[~known]) < 1e-15 * result.kernel[0])

    def test_limits(self, case):
        result = expected_loss(case.r.to_numpy(), **parameters(case))
        (capacity,) = case.limit_capacity_F0.unique()
        assert result.capacity == pytest.approx(capacity, rel=1e-13)
        assert result.limit == pytest.approx(capacity / (1 - result.kernel_mass), rel=1e-14)
        assert result.loss[-1] == pytest.approx(result.limit, rel=1e-7)


def brute_force(alpha, beta, d, v, gamma, batch, nodes):
    """Loss, forcing and kernel at r < nodes/8 in extended precision.

    The formulas of model sections 4 and 5 as they stand there: sums over all v features, Newton's
    method, and one Fourier transform over a circle. What wraps around is damped by e^-44.
    """
    real = np.longdouble
    a = np.arange(1, v + 1).astype(real)[:, None] ** (-2 * real(alpha))
    ab2 = a * np.arange(1, v + 1).astype(real)[:, None] ** (-2 * real(beta))
    gamma, d, damping = real(gamma), real(d), real(44) / nodes
    pi = np.arccos(real(-1))
    p = damping + 2j * pi * np.arange(nodes // 2 + 1) / nodes
    zeta, u = np.exp(-p), 1 - np.exp(p)
    s = np.sqrt(1 - u * real(batch + 1) / batch)
    h = []
    for z in ((1 - s) / (gamma * (batch + 1)), (1 + s) / (gamma * (batch + 1))):
        kappa = a.sum() / d - z
        for _ in range(30):
            weight = a / (a + kappa)
            df, df2 = weight.sum(axis=0), (weight**2).sum(axis=0)
            step = (kappa * (1 - df / d) + z) / (1 - df2 / d)
            kappa = kappa - step
            if np.all(np.abs(step) < 1e-12 * np.abs(kappa)):
                break
        assert np.all(np.abs(step) < 1e-12 * np.abs(kappa))
        assert np.all((kappa.imag * z.imag <= 0) | (np.abs(z.imag) < 1e-15 * np.abs(z)))
        df = (a / (a + kappa)).sum(axis=0)
        h.append((-kappa / z * (ab2 / (a + kappa)).sum(axis=0), gamma**2 * batch * z * df))
    forcing, kernel = (
        (low - high) / (2 * gamma * batch * zeta * s) for low, high in zip(*h, strict=True)
    )
    loss = forcing / (1 - zeta * kernel)
    r = np.arange(nodes // 8)
    series = scipy.fft.irfft(np.stack([loss, forcing, kernel]), nodes)
    return series[:, r] * np.exp(damping * r)


def random_cases(n):
    """Random stable models at small size, with learning rates up to 0.999 of the critical one."""
    rng = np.random.default_rng(20240515)
    for _ in range(n):
        alpha = rng.choice([rng.uniform(0.05, 0.5), rng.uniform(0.5, 1.5)])
        beta = rng.uniform(max(-0.3, 0.5 - alpha), 2)
        d = int(rng.integers(1, 60))
        v = int(d * rng.choice([1, 1.2, 2, 4, 8]))
        batch = int(rng.choice(BATCHES))
        factor = rng.choice([0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
        yield (
            alpha,
            beta,
            d,
            v,
            factor * critical_learning_rate(power_law_model(alpha, 0.0, d, v), batch),
            batch,
        )


@extended
def test_stated_error_bounds_the_error():
    nodes = 2048
    steps = np.array([0, 1, 2, 3, 5, 10, 15, 16, 17, 30, 60, 100, 150, 159, 160, 200, 255])
    ratios, errors = [], []
    for alpha, beta, d, v, gamma, batch in random_cases(200):
        truth, _, _ = brute_force(alpha, beta, d, v, gamma, batch, nodes)
        result = expected_loss(
            steps, alpha=alpha, beta=beta, d=d, v=v, learning_rate=gamma, batch=batch
        )
        error = np.abs(result.loss - truth[steps]).astype(float) / np.abs(result.loss)
        ratios.append(error / result.error)
        errors.append(result.error)
    assert np.max(ratios) < 1
    # It is of use: not far above the error, and small.
    assert np.median(np.max(ratios, axis=1)) > 0.01
    assert np.quantile(errors, 0.99) < 1e-10


@extended
@pytest.mark.parametrize(
    ("alpha", "beta", "d", "v", "factor", "batch"),
    [
        (0.131, 0.78, 26, 208, 0.5, 16),
        (0.173, 0.39, 8, 64, 0.5, 16),
        (0.107, 0.71, 24, 192, 0.9, 16),
    ],
)
def test_gapped_spectra(alpha, beta, d, v, factor, batch):
    # Newton's method once found the ridge's other solution on the second contour of these.
    gamma = factor * critical_learning_rate(power_law_model(alpha, 0.0, d, v), batch)
    steps = np.arange(512)
    truth, _, _ = brute_force(alpha, beta, d, v, gamma, batch, 4096)
    result = expected_loss(
        steps, alpha=alpha, beta=beta, d=d, v=v, learning_rate=gamma, batch=batch
    )
    assert np.all(np.abs(result.loss - truth) <= result.error * result.loss)
    assert np.all(result.error < 1e-11)


def given_w(alpha=0.8, beta=0.6, d=20, v=60) -> Reduction:
    """A reduction of the model."""
    (reduction,) = reduce(random_stream(6, "features"), [PowerLawTask(alpha, beta)], d, v)
    return reduction


def stable_rate(reduction, mass, batch):
    """Learning rate at which a given W has this kernel mass, by bisection."""
    low, high = 0.0, 2 / ((batch + 1) * reduction.eigenvalues[-1])
    for _ in range(100):
        gamma = (low + high) / 2
        lam = gamma * reduction.eigenvalues
        low, high = (gamma, high) if (lam / (2 - (batch + 1) * lam)).sum() < mass else (low, gamma)
    return low


GIVEN = [(0.8, 0.6, 20, 60), (1.2, 0.3, 15, 60), (0.3, 0.9, 15, 120), (0.7, 0.7, 12, 12)]


class TestGivenW:
    """Inversion with the spectrum of one W, for which the recursion is exact."""

    @extended
    @pytest.mark.parametrize("model", GIVEN)
    @pytest.mark.parametrize("batch", [1, 2, 16, 1000])
    @pytest.mark.parametrize("mass", [0.02, 0.3, 0.9])
    def test_against_the_recursion(self, model, batch, mass):
        reduction = given_w(*model)
        gamma = stable_rate(reduction, mass, batch)
        steps = np.array([*range(301), 1000, 3000, 10_000])
        lam = reduction.eigenvalues.astype(np.longdouble)
        signal = reduction.coefficients.astype(np.longdouble) ** 2
        exact = recursion(
            lam, signal, reduction.floor, SGD(np.longdouble(gamma), batch), steps
        ).loss
        (loss, forcing, kernel), error = invert(steps.astype(float), reduction, SGD(gamma, batch))
        # The rounding of gamma itself is amplified by up to the batch, where z+ is that near to
        # the largest eigenvalue.
        assert np.all(np.abs(loss - exact) <= error + 3e-15 * batch * exact)
        seen = exact > 1e-4 * exact[0]
        assert seen.sum() > 60
        np.testing.assert_allclose(loss[seen], exact[seen], rtol=1e-11 * max(1, batch / 16))
        lam *= gamma
        multiplier = 1 - 2 * batch * lam + batch * (batch + 1) * lam**2
        powers = multiplier ** steps[:, None]
        np.testing.assert_allclose(forcing, reduction.floor + powers @ signal, 1e-11, 1e-14)
        gain = batch * lam**2
        np.testing.assert_allclose(kernel, powers @ gain, 1e-11, 1e-13 * kernel[0])

    def test_loss_that_vanishes(self):
        # With F0 = 0 the loss of a given W falls below what can be known: the error says so.
        reduction = given_w(0.8, 0.6, 5, 20)
        reduction = Reduction(reduction.eigenvalues, reduction.coefficients, 0.0)
        (loss, _, _), error = invert(np.array([10.0, 1e6, 1e12]), reduction, SGD(0.3))
        assert error[0] < 1e-13 * loss[0]
        assert np.all(np.abs(loss[1:]) < 1e-18)
        assert np.all(error[1:] >= np.abs(loss[1:]))

    @extended
    @pytest.mark.parametrize("batch", [1, 16])
    def test_against_powers_of_the_matrix_of_the_recursion(self, batch):
        """Steps up to 2^45: q <- A q is squared again and again, in extended precision."""
        reduction = given_w(1.5, 0.4, 12, 48)
        gamma = stable_rate(reduction, 0.4, batch)
        lam = gamma * reduction.eigenvalues.astype(np.longdouble)
        multiplier = 1 - 2 * batch * lam + batch * (batch + 1) * lam**2
        gain = batch * lam**2
        # Modes and a last coordinate that stays at F0; the loss is the sum of all coordinates.
        matrix = np.diag(np.append(multiplier, 1))
        matrix[:-1] += gain[:, None]
        start = np.append(reduction.coefficients**2, reduction.floor)
        exact = []
        for _ in range(46):
            exact.append(float((matrix @ start).sum()))
            matrix = matrix @ matrix
        steps = 2.0 ** np.arange(46)
        (loss, _, _), error = invert(steps, reduction, SGD(gamma, batch))
        # Squaring 45 times costs digits where multipliers are near 1.
        assert np.all(np.abs(loss - exact) <= error + 1e-11 * loss)
        assert np.all(error < 1e-10 * loss)
        assert exact[-1] == pytest.approx(reduction.floor / 0.6, rel=1e-9)


def gaussian_models(alpha, beta, d, v, n, rng):
    """Eigenvalues, squared coefficients and F0 of n independent W (model section 2)."""
    root, target = feature_variances(alpha, v) ** 0.5, target_coefficients(beta, v)
    features = root[:, None] * rng.standard_normal((n, v, d)) / d**0.5
    eigenvalues, vectors = np.linalg.eigh(features.transpose(0, 2, 1) @ features)
    moments = np.einsum("nvd,v,nde->ne", features, root * target, vectors, optimize=True)
    signal = moments**2 / eigenvalues
    return eigenvalues, signal, (root * target) @ (root * target) - signal.sum(axis=1)


@pytest.mark.parametrize(
    ("alpha", "beta", "batch", "c"), [(0.75, 0.25, 4, 0.3), (0.4, 0.2, 1, 0.3), (0.7, 1.2, 2, 0.2)]
)
def test_mean_over_w(alpha, beta, batch, c):
    """The deterministic equivalent is the mean over W up to a bias of at most 1.5/d.

    A correct equivalent fails this with probability below 1e-5: the limit is 5.3 standard errors
    at 3 points, 2 sizes, 7 steps. The last comparison, of biases that are at the last step 0.06 at
    d = 4 and below 0.02 +- 0.004 at d = 48, fails with probability below 1e-3.
    """
    steps = np.array([0, 1, 3, 10, 30, 100, 300, 1000])
    bias = []
    for d, n in ((4, 20_000), (48, 2500)):
        v = 4 * d
        gamma = learning_rate(c, alpha, v, batch)
        models = gaussian_models(alpha, beta, d, v, n, np.random.default_rng(3))
        sample = recursion(*models, SGD(gamma, batch), steps).loss
        expected = expected_loss(
            steps, alpha=alpha, beta=beta, d=d, v=v, learning_rate=gamma, batch=batch
        ).loss
        ratio = sample / expected[:, None]
        np.testing.assert_allclose(ratio[0], 1, rtol=1e-12)  # P(0) is the same for all W
        error = 5.3 * ratio.std(axis=1) / n**0.5
        bias.append(ratio.mean(axis=1) - 1)
        assert np.all(np.abs(bias[-1][1:]) <= error[1:] + 1.5 / d)
    assert abs(bias[0][-1]) > 5 * error[-1] / 5.3 * 0.5
    assert abs(bias[1][-1]) < abs(bias[0][-1]) / 2


stable_models = st.tuples(
    st.floats(0.05, 3),  # alpha
    st.floats(0.02, 2),  # beta - (1/2 - alpha)
    st.floats(0, 12).map(lambda x: float(np.floor(10**x))),  # d
    st.sampled_from([1.02, 1.5, 4, 100]),  # v/d
    st.sampled_from([*BATCHES, 10**6]),
    st.sampled_from([1e-3, 0.1, 0.5, 0.9, 0.999]),  # of the critical learning rate
)


@given(stable_models)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_what_is_known_at_any_size(model):
    alpha, above, d, ratio, batch, factor = model
    beta, v = 0.5 - alpha + above, float(np.ceil(ratio * d))
    gamma = factor * critical_learning_rate(power_law_model(alpha, 0.0, d, v), batch)
    # The last step is far beyond the time of the slowest mode.
    last = np.ceil(1e8 * v ** (2 * alpha) / (gamma * batch))
    steps = np.array([0, 1, 15, 16, 100, 1e4, 1e8, last])
    result = expected_loss(
        steps, alpha=alpha, beta=beta, d=d, v=v, learning_rate=gamma, batch=batch
    )
    error = result.error * np.abs(result.loss)
    initial = power_sum(2 * (alpha + beta), v)
    assert abs(result.loss[0] - initial) <= error[0] + 1e-15 * initial
    # P(1) = F(1) + K(0) P(0), with Tr D^2 averaged over W
    assert abs(result.loss[1] - result.forcing[1] - result.kernel[0] * initial) <= 1e-13 * initial
    trace, square = power_sum(2 * alpha, v), power_sum(4 * alpha, v)
    kernel = gamma**2 * batch * (square + trace**2 / d)
    assert result.kernel[0] == pytest.approx(kernel, rel=1e-11)
    # The loss never falls below what the features allow, and ends at F0/(1 - |K|).
    assert np.all(result.loss + error >= result.capacity * (1 - 1e-12))
    assert abs(result.loss[-1] - result.limit) <= error[-1] + 1e-11 * result.limit


@pytest.mark.parametrize(("alpha", "beta"), [(0.75, 0.25), (1.0, 0.9), (0.3, 1.0)])
@pytest.mark.parametrize("batch", [1, 32])
def test_loss_solves_the_volterra_equation(alpha, beta, batch):
    d, v = 10**6, 4 * 10**6
    gamma = 0.5 * critical_learning_rate(power_law_model(alpha, 0.0, d, v), batch)
    result = expected_loss(
        np.arange(400), alpha=alpha, beta=beta, d=d, v=v, learning_rate=gamma, batch=batch
    )
    loss = np.empty(400)
    for r in range(400):
        loss[r] = result.forcing[r] + result.kernel[:r][::-1] @ loss[:r]
    np.testing.assert_allclose(result.loss, loss, rtol=1e-11)


def test_infinitely_many_features_are_the_limit():
    steps = np.array([0, 1, 100, 1e5, 1e10])
    far, near = (
        expected_loss(steps, alpha=1.0, beta=0.7, d=50, v=v, learning_rate=0.2)
        for v in (np.inf, 4e15)
    )
    np.testing.assert_allclose(far.loss, near.loss, rtol=1e-9)
    assert far.capacity == pytest.approx(near.capacity, rel=1e-9)
    assert far.kernel_mass == pytest.approx(near.kernel_mass, rel=1e-12)


POINT = {"alpha": 0.8, "beta": 0.6, "d": 100, "v": 400, "learning_rate": 0.2, "batch": 1}


@pytest.mark.parametrize(("alpha", "beta"), [(0.7, 0.7), (0.3, 1.0), (1.5, 0.2)])
@pytest.mark.parametrize("d", [3, 300])
def test_late_losses_with_as_many_parameters_as_features(alpha, beta, d):
    """For v = d the density of the spectrum seen by the target is ``A x^-1/2 / pi`` near 0.

    Below all a_j the ridge is ``(-z d/S)^1/2`` with ``S = sum 1/a_j``: hence ``A = |b|^2
    (d/S)^1/2``, and ``F = A (2 pi gamma B r)^-1/2`` up to a relative error of the order of F.
    """
    steps = np.array([1e17, 1e20, 1e24]) * d ** (2 * alpha)
    gamma = learning_rate(0.5, alpha, d, 2)
    result = expected_loss(steps, alpha=alpha, beta=beta, d=d, v=d, learning_rate=gamma, batch=2)
    inverse = (1 / feature_variances(alpha, d)).sum()
    amplitude = np.square(target_coefficients(beta, d)).sum() * np.sqrt(d / inverse)
    expected = amplitude / np.sqrt(4 * np.pi * gamma * steps) / (1 - result.kernel_mass)
    np.testing.assert_allclose(result.loss, expected, rtol=1e-6)
    assert np.all(result.error < 1e-11)


def test_losses_of_a_solver_that_failed_are_missing(monkeypatch):
    """The losses of other models in the same call are there."""
    newton = DeterministicEquivalent._newton

    def fail(self, *arguments):
        if self.d == 20:
            raise ConvergenceError
        return newton(self, *arguments)

    monkeypatch.setattr(DeterministicEquivalent, "_newton", fail)
    found = expected_loss([[1], [100]], **POINT | {"d": [10, 20], "v": [40, 80]})
    assert np.isfinite(found.loss[:, 0]).all() and np.isfinite(found.error[:, 0]).all()
    assert np.isnan(found.loss[:, 1]).all() and np.isnan(found.error[:, 1]).all()
    assert np.isnan(found.limit).tolist() == [False, True]


class TestInterface:
    @given(st.permutations([0, 1, 15, 16, 17, 64, 159, 160, 161, 3000, 10**6, 10**17]), st.data())
    @settings(max_examples=50, deadline=None, derandomize=True)
    def test_steps_in_any_order_and_company(self, steps, data):
        together = expected_loss(steps, **POINT)
        k = data.draw(st.integers(0, len(steps) - 1))
        alone = expected_loss(steps[k], **POINT)
        assert alone.loss.shape == alone.error.shape == alone.forcing.shape == ()
        assert alone.loss == pytest.approx(together.loss[k], rel=1e-13)
        assert alone.kernel == pytest.approx(together.kernel[k], abs=1e-15)
        # To one loss for one step, wherever it stands.
        repeated = expected_loss([steps, steps[::-1]], **POINT).loss
        np.testing.assert_allclose(repeated, [together.loss, together.loss[::-1]], rtol=1e-13)

    def test_sizes_in_one_call(self):
        d, v, gamma = np.array([[100], [3], [100], [10**7]]), [[400], [3], [401], [4e14]], 0.2
        steps = np.array([[0, 3, 10**9], [1, 16, 40], [2, 2, 500], [5, 10**4, 10**20]])
        point = {"alpha": 0.8, "beta": 0.6}
        together = expected_loss(steps, **point, d=d, v=v, learning_rate=gamma)
        assert together.limit.shape == together.kernel_mass.shape == (4, 1)
        for k in range(4):
            alone = expected_loss(steps[k], **point, d=d[k, 0], v=v[k][0], learning_rate=gamma)
            for name in ("loss", "error", "forcing", "kernel"):
                assert np.array_equal(getattr(together, name)[k], getattr(alone, name)), name
            for name in ("limit", "capacity", "kernel_mass"):
                assert getattr(together, name)[k, 0] == getattr(alone, name), name
                assert isinstance(getattr(alone, name), float)

    def test_grid_of_sizes_and_rates(self):
        """Steps, sizes and learning rates on three axes."""
        d, gamma = np.array([[10], [20]]), np.array([0.1, 0.2, 0.3])
        steps = np.arange(20).reshape(5, 2, 2)[:, :, :1]
        point = {"alpha": 0.8, "beta": 0.6}
        result = expected_loss(steps, **point, d=d, v=4 * d, learning_rate=gamma)
        assert result.loss.shape == (5, 2, 3) and result.capacity.shape == (2, 3)
        one = expected_loss(steps[4, 1, 0], **point, d=20, v=80, learning_rate=0.3)
        assert result.loss[4, 1, 2] == pytest.approx(one.loss, rel=1e-13)

    def test_divergence_of_one_size_is_named(self):
        with pytest.raises(DivergenceError, match=r"rate 1\.5 diverges at .* d=100, v=400"):
            expected_loss([1], **POINT | {"learning_rate": [0.1, 1.5, 0.2]})

    def test_shapes_must_broadcast(self):
        with pytest.raises(ValueError, match="broadcast"):
            expected_loss([1, 2, 3], **POINT | {"d": [10, 20], "v": [40, 80]})

    def test_no_steps(self):
        assert expected_loss([], **POINT).loss.shape == (0,)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"v": 99}, "d=100, v=99: need d <= v"),
            ({"v": 2.0**54}, "<= 2.*53"),
            ({"v": np.inf, "alpha": 0.5}, "v infinite and 2 alpha > 1"),
            ({"v": 40.5, "d": 20}, "must be an integer below 48"),
        ],
    )
    def test_refused_parameters(self, change, message):
        with pytest.raises(ValueError, match=message):
            expected_loss([0, 1], **POINT | change)

    @pytest.mark.parametrize("batch", [1, 16])
    @pytest.mark.parametrize("excess", [1.001, 3, 1e6])
    def test_divergence_names_the_threshold(self, batch, excess):
        critical = critical_learning_rate(power_law_model(0.8, 0.0, 100, 400), batch)
        point = POINT | {"learning_rate": excess * critical, "batch": batch}
        with pytest.raises(DivergenceError, match="it must be below") as caught:
            expected_loss([0, 1], **point)
        named = float(str(caught.value).split()[-1])
        assert named == pytest.approx(critical, rel=1e-5)
        assert np.isfinite(expected_loss([0], **point | {"learning_rate": 0.999 * named}).loss)


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("step", [16, 100, 12_345, 10**7])
def test_loss_and_slope_at_one_step(batch, step):
    point = {"alpha": 0.7, "beta": 1.2, "d": 50, "v": 200}
    gamma = 0.5 * critical_learning_rate(power_law_model(0.7, 0.0, 50, 200), batch)
    spectrum = DeterministicEquivalent(power_law_model(**point))
    loss, slope = invert_at(step, spectrum, SGD(gamma, batch))
    expected = expected_loss(step, **point, learning_rate=gamma, batch=batch).loss
    assert loss == pytest.approx(expected, rel=1e-10)
    h = 1e-4 * np.array([-2, -1, 1, 2])
    around = np.array([invert_at(step * np.exp(x), spectrum, SGD(gamma, batch))[0] for x in h])
    difference = (around @ [1, -8, 8, -1]) / (12 * 1e-4)  # of fourth order, in log r
    assert slope == pytest.approx(difference, abs=1e-8 * loss)
