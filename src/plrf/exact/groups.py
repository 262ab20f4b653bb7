"""A spectrum in groups of equal eigenvalues, W averaged out, at any size (model section 4).

Moments of the spectrum between two of its points are contour integrals of the deterministic
equivalent. The contours are half-circles in the plane of log kappa, where ``z`` is an explicit
function of the ridge: nothing is solved for but the ends, on the curve where z is real. There
features are so close to poles that sums over them take their poles one by one (`_FeatureSums`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.exact.power_sums import EXACT_TERMS, feature_rule
from plrf.exact.ridge import DeterministicEquivalent
from plrf.model import Model
from plrf.task import PowerLawTask

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

NODES = 20  # of a contour
BISECTIONS = 60
# Ridges whose angle to the negative axis is larger leave the sums' rule its accuracy.
FAR = 2.0
RIGHT = 2.0  # size of a ridge right of the spectrum, in units of a_1
LEAST_RATIO = 1.001
LEAST_SIZE = 500  # below it random W differ too much


@dataclass(frozen=True, eq=False)
class Groups:
    """Eigenvalues with multiplicities, and the target's mass on each; a `Spectrum`.

    Attributes
    ----------
    eigenvalues : array, shape (n,)
        Decreasing.
    multiplicities : array, shape (n,)
        At least 1; they need not be whole.
    signal : array, shape (n,)
        Sums of c_i**2.
    floor : float
        F0.
    noise : float
        Variance of the labels' noise.
    """

    eigenvalues: Array
    multiplicities: Array
    signal: Array
    floor: float
    noise: float = 0.0

    @property
    def coefficients(self) -> Array:
        """Roots of the signal: the length of the target's part in each group."""
        return np.sqrt(self.signal)

    def outer_trace(self, z: Array) -> Array:
        """Degrees of freedom ``sum m lam/(lam - z)`` at real z above all lam; NaN elsewhere."""
        z = np.asarray(z, dtype=float)
        trace = 1 / (self.eigenvalues - z[..., None]) @ (self.multiplicities * self.eigenvalues)
        return np.where(z > self.eigenvalues[0], trace, np.nan)

    def transforms(
        self, z: ComplexArray, near_zero: bool | NDArray[np.bool_] = False
    ) -> tuple[ComplexArray, ComplexArray]:
        """Transforms of forcing and kernel for contour inversion (model section 5).

        Parameters
        ----------
        z : complex array, any shape
        near_zero : bool or array of bool
            Has no effect here.
        """
        poles = 1 / (self.eigenvalues - z[..., None])
        kernel = z * (poles @ (self.multiplicities * self.eigenvalues))
        return poles @ self.signal - self.floor / z, kernel


@dataclass(frozen=True)
class _FeatureSums:
    """Sums over the features of ``s_j = a_j/(a_j + kappa)`` at any kappa off the poles ``-a_j``.

    Near the negative axis the summand has a pole at a real or complex rank j*, close to the rule's
    nodes. Its part ``R/(j - j*)`` is subtracted from what the rule sums, and summed in closed form:
    a difference of digamma functions.
    """

    task: PowerLawTask
    v: float

    @cached_property
    def _rule(self) -> tuple[Array, Array, Array, Array]:
        """Ranks, weights, weights of the target, and ``1/a_j``."""
        j, weights = feature_rule(self.task.alpha, self.v)
        return j, weights, weights * j ** (-2 * self.task.beta), j ** (2 * self.task.alpha)

    def __call__(self, kappa: NDArray[Any]) -> ComplexArray:
        """Sums of s_j and of b_j**2 s_j; shape (2, *kappa.shape)."""
        from scipy.special import digamma  # here, so that plans of the workflow do without scipy

        j, weights, targets, powers = self._rule
        kappa = np.asarray(kappa, dtype=complex)
        shrinkage = 1 / (1 + kappa[..., None] * powers)
        sums, signal = shrinkage @ weights, shrinkage @ targets
        pole = (-1 / kappa) ** (1 / (2 * self.task.alpha))
        near = (np.abs(np.angle(-kappa)) < FAR) & (pole.real > EXACT_TERMS / 2)
        near &= pole.real < 2 * self.v
        residue = np.where(near, -pole / (2 * self.task.alpha), 0)
        tail = j > EXACT_TERMS  # before, features are summed one by one
        by_rule = residue * (1 / (j[tail] - pole[..., None]) @ weights[tail])
        exact = residue * (digamma(self.v + 1 - pole) - digamma(EXACT_TERMS + 1 - pole))
        correction = np.where(near, exact - by_rule, 0)
        result: ComplexArray = np.stack(
            [sums + correction, signal + pole ** (-2 * self.task.beta) * correction]
        )
        return result


def averaged_groups(model: Model, ratio: float = 1.03) -> Groups:
    """Group the spectrum of a model, W averaged out (model section 4).

    The first eigenvalues are groups of one. The moments that decide on losses are kept: of each
    group the mass and its mean eigenvalue, and, up to the square of the group's width, the sum of
    squared eigenvalues. Multiplicities are ``(sum lam)**2/(sum lam**2)``, whatever the target is.

    Parameters
    ----------
    model : Model
        A power-law task with ``500 <= d < v``, both finite.
    ratio : float
        Of neighbouring eigenvalues beyond the first ones; above 1.

    Returns
    -------
    Groups
        Their number grows like log d. The expected loss on them is that of the model to about
        ``3/d``, since the first eigenvalues of a random W scatter (``8/d`` for large batches), and
        for large d to 1e-4, which falls with the square of the ratio's distance from 1.

    Raises
    ------
    ValueError
        If the ratio is not above 1, d is too small, or v is infinite or does not exceed d.
    TypeError
        If the task is none of power laws.
    """
    d, v = model.d, model.v
    if not ratio >= LEAST_RATIO:
        raise ValueError(f"ratio = {ratio:g}: must be at least {LEAST_RATIO:g}")
    if not LEAST_SIZE <= d < v < np.inf:
        raise ValueError(f"{model}: groups need {LEAST_SIZE} <= d < v, both finite")
    task = model.task
    if not isinstance(task, PowerLawTask):
        raise TypeError("groups are made of power-law tasks")
    sums, step = _FeatureSums(task, float(v)), float(np.log(ratio))
    ends = _ends(sums, d, step)
    start, stop = ends[:-1, None], ends[1:, None]
    x, weights = np.polynomial.legendre.leggauss(NODES)
    half_circle = np.exp(0.5j * np.pi * (1 + x))
    kappa = np.exp((start + stop) / 2 + (start - stop) / 2 * half_circle)
    df, target = sums(kappa)
    remainder = 1 - df / d
    z = -kappa * remainder
    slope = z @ _differentiation(x).T * weights
    # Real constants add nothing: between ends at which z is real, the integrals of 1 and z are.
    # Left in, they would amplify the errors of the quadrature near the ends.
    trace, mass = (f - f.mean(axis=1, keepdims=True).real for f in (df, target / remainder))
    first, square, signal, weighted = (
        -(integrand * slope).sum(axis=1).imag / np.pi
        for integrand in (trace, trace * z, mass, mass * z)
    )
    multiplicities = np.maximum(first**2 / square, 1.0)
    floor = DeterministicEquivalent(model).capacity
    return Groups(weighted / signal, multiplicities, signal, floor, task.noise)


def sampled_groups(
    eigenvalues: Array, signal: Array, floor: float, ratio: float = 1.03, noise: float = 0.0
) -> Groups:
    """Group the spectrum of a given W.

    Parameters
    ----------
    eigenvalues, signal : arrays, shape (d,)
        lam_i, all positive, and c_i**2 of its reduction (model section 2), in any order.
    floor : float
        F0.
    ratio : float
        Of the largest eigenvalue of a group to its least one, at most; above 1.
    noise : float
        Variance of the labels' noise.

    Returns
    -------
    Groups
        The sums of lam, lam**2, c**2 and lam c**2 are kept as by `averaged_groups`.

    Raises
    ------
    ValueError
        If the ratio is not above 1.
    """
    if not ratio >= LEAST_RATIO:
        raise ValueError(f"ratio = {ratio:g}: must be at least {LEAST_RATIO:g}")
    order = np.argsort(-eigenvalues)
    lam, mass = eigenvalues[order], signal[order]
    bins = np.floor(np.log(lam[0] / lam) / np.log(ratio))
    starts = np.flatnonzero(np.diff(bins, prepend=-1.0))
    first, square, total, weighted = (
        np.add.reduceat(terms, starts) for terms in (lam, lam**2, mass, mass * lam)
    )
    return Groups(weighted / total, np.maximum(first**2 / square, 1.0), total, floor, noise)


def _differentiation(x: Array) -> Array:
    """Matrix that differentiates the polynomial through values at the points x."""
    distance = x[:, None] - x + np.eye(x.size)
    scale = distance.prod(axis=1)
    matrix = scale[:, None] / scale / distance
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    derivative: Array = matrix
    return derivative


def _beyond(sums: _FeatureSums, d: float, log_size: Array, angle: Array) -> NDArray[np.bool_]:
    """Whether ridges lie beyond the curve where z is real: ``sum a^2/|a + kappa|^2 < d``."""
    kappa = np.exp(log_size - 1j * angle)
    outside: NDArray[np.bool_] = -(kappa * sums(kappa)[0]).imag < -kappa.imag * d
    return outside


def _angles(sums: _FeatureSums, d: float, log_size: Array) -> Array:
    """Angles of the ridges of given sizes at which z is real: pi in gaps of the spectrum."""
    low, high = np.zeros(log_size.shape), np.full(log_size.shape, np.pi)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        outside = _beyond(sums, d, log_size, middle)
        low, high = np.where(outside, middle, low), np.where(outside, high, middle)
    return np.where(low > np.pi - 1e-12, np.pi, low)


def _log_sizes(sums: _FeatureSums, d: float, angle: Array) -> Array:
    """Log sizes of the ridges of given angles, up to pi/2, at which z is real."""
    task = sums.task
    low = np.full(angle.shape, task.log_variance(sums.v) - 60.0)
    high = np.full(angle.shape, 5.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        outside = _beyond(sums, d, middle, angle)
        low, high = np.where(outside, low, middle), np.where(outside, middle, high)
    return high


def _ends(sums: _FeatureSums, d: float, step: float) -> ComplexArray:
    """Logarithms of the ridges at the ends of groups, from the right of the spectrum to its left.

    The first ones lie between neighbouring features, where the spectrum has gaps or dips. Where
    ranks are so large that groups have many, the curve is cut into equal lengths.
    """
    task = sums.task
    last = _log_sizes(sums, d, np.array([1e-9, np.pi / 2]))
    ranks = [1.0]
    while True:
        rank = max(ranks[-1] + 1, np.floor(ranks[-1] * np.exp(step / (2 * task.alpha))))
        if rank >= sums.v or task.log_variance(rank) < last[1]:
            break
        ranks.append(rank)
    log_sizes = (task.log_variance(np.array(ranks)) + task.log_variance(np.array(ranks) + 1)) / 2
    right = np.array([np.log(RIGHT) - 1j * np.pi])
    upper = log_sizes - 1j * _angles(sums, d, log_sizes)
    # From there on by size where that falls fast, and by angle where that does.
    bottom = last[0]
    by_size = np.arange(log_sizes[-1] - step, bottom, -step)
    angles = np.arange(np.pi / 2, step / 2, -step)
    lower = np.concatenate(
        [by_size - 1j * _angles(sums, d, by_size), _log_sizes(sums, d, angles) - 1j * angles]
    )
    lower = lower[(lower.real < log_sizes[-1]) & (lower.real > bottom)]
    lower = lower[np.argsort(-lower.real)]
    kept = [upper[-1]]
    for end in lower:
        if abs(end - kept[-1]) > step / 2:
            kept.append(end)
    ends: ComplexArray = np.concatenate([right, upper, kept[1:], [bottom + 0j]])
    return ends
