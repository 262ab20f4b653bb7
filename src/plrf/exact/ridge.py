"""The deterministic equivalent of the spectrum, through the effective ridge (model section 4).

Averaging over W, every quantity of the model is a sum over ``1/(a_j + kappa)`` with the effective
ridge ``kappa(z)``, the solution of ``kappa (1 - df(kappa)/d) = -z``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.exact.power_sums import ShrinkageRule
from plrf.model import Model
from plrf.training import SGD

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

NEWTON_STEPS = 60
NEWTON_TOLERANCE = 4e-15
# Newton is quadratic: after a step below this, a linear correction leaves nothing above rounding.
LAST_STEP = 1e-8
# Points of similar ridge are solved together, with temporaries of some 300 kB, within a cache.
CHUNK = 128


class ConvergenceError(ArithmeticError):
    """Newton's iteration for the effective ridge did not converge."""


@dataclass(frozen=True)
class DeterministicEquivalent:
    """Spectrum of a model with W averaged out (model section 4).

    Parameters
    ----------
    model : Model
        With v >= d.
    """

    model: Model

    @property
    def d(self) -> float:
        """Number of parameters."""
        return self.model.d

    @property
    def v(self) -> float:
        """Number of features."""
        return self.model.v

    @property
    def noise(self) -> float:
        """Variance of the labels' noise."""
        return self.model.task.noise

    @cached_property
    def _rule(self) -> ShrinkageRule:
        """Rule for sums over all features."""
        return self.model.task.shrinkage_rule(self.d, self.v)

    @cached_property
    def _top(self) -> float:
        """Largest variance ``a_1``."""
        return float(1 / self._rule.powers.min())

    @property
    def _few_features(self) -> bool:
        """Whether df may be so close to d that ``1 - df/d`` cancels."""
        return self.v < 2 * self.d

    def _remainder(self, kappa: NDArray[Any], sums: NDArray[Any]) -> NDArray[Any]:
        """``1 - df/d``, by ``v - df = sum kappa/(a_j+kappa)`` where that does not cancel."""
        few = self._few_features
        remainder: NDArray[Any] = (
            (kappa * sums[3] - (self.v - self.d)) / self.d if few else 1 - sums[0] / self.d
        )
        return remainder

    def _slope(
        self, kappa: NDArray[Any], sums: NDArray[Any], squares: NDArray[Any]
    ) -> NDArray[Any]:
        """Derivative ``1 - df2/d`` of ``kappa (1 - df/d)``."""
        few = self._few_features
        slope: NDArray[Any] = (
            self._remainder(kappa, sums) + kappa * squares[3] / self.d
            if few
            else 1 - squares[0] / self.d
        )
        return slope

    def degrees_of_freedom(self, kappa: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return ``df = sum a_j/(a_j+kappa)`` and ``df2 = sum (a_j/(a_j+kappa))**2``."""
        weights = self._rule.columns[:, 0]
        shrinkage = 1 / (1 + kappa[..., None] * self._rule.powers)
        return shrinkage @ weights, np.square(shrinkage) @ weights

    def ridge(self, z: ComplexArray) -> ComplexArray:
        """Effective ridge ``kappa(z)``, by Newton's method.

        Parameters
        ----------
        z : complex array, any shape
            Spectral parameters off the support of the spectrum.

        Raises
        ------
        ConvergenceError
            If some point has not converged, as happens on the support of the spectrum.
        """
        kappa: ComplexArray = self._solve(np.asarray(z, dtype=complex))[0]
        return kappa

    def ridge_and_freedom(self, z: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
        """Effective ridge kappa(z), as `ridge`, and degrees of freedom df there."""
        kappa, df, *_ = self._solve(z)
        return kappa, df

    def _solve(self, z: ComplexArray) -> ComplexArray:
        """Ridge kappa(z) and the sums of its :class:`ShrinkageRule`: shape (4, *z.shape)."""
        # The start is the solution where df is d (near 0) and where it is small (far out).
        points = z.ravel()
        start = self._first_guess(points)
        order = np.argsort(np.abs(start), kind="stable")
        result = np.empty((4, points.size), dtype=complex)
        for first in range(0, points.size, CHUNK):
            chunk = order[first : first + CHUNK]
            result[:, chunk] = self._solve_similar(points[chunk], start[chunk])[:4]
        return result.reshape(4, *z.shape)

    def _first_guess(self, z: ComplexArray) -> ComplexArray:
        """Ridge where df is close to d (near 0), and where it is small (far out)."""
        guess: ComplexArray = -z + (self.null_ridge or self.model.task.variance(self.d))
        if not self._few_features:
            return guess
        # Below all a_j: kappa (kappa sum 1/a_j - (v - d)) = -z d.
        total = self._rule.columns[:, 3].sum()
        half = (self.v - self.d) / total / 2
        small = half + np.sqrt(half**2 - z * (self.d / total))
        return np.where(np.abs(small) * self._rule.powers[-1] < 1, small, guess)

    def _solve_similar(self, z: ComplexArray, start: ComplexArray) -> ComplexArray:
        """As ``_solve``, for points sorted by the size of their first guess."""
        low, high = abs(start[0]) / 2, abs(start[-1]) * 2
        condensed = self._rule.condensed(low, high)
        if condensed.powers.size < self._rule.powers.size:
            result = self._newton(z, start, condensed)
            size = np.abs(result[0])
            if np.all((low <= size) & (size <= high)):
                return result
        return self._newton(z, start, self._rule)

    def _newton(self, z: ComplexArray, start: ComplexArray, rule: ShrinkageRule) -> ComplexArray:
        # One solution lies on the other side of the real axis than z: the one that is wanted. A
        # Newton step that leaves that side is replaced by kappa <- -z + kappa df/d, which does not.
        columns = rule.columns.astype(complex)
        result = np.empty((1 + columns.shape[1], z.size), dtype=complex)
        active, points, kappa = np.arange(z.size), z, start
        for _ in range(NEWTON_STEPS):
            shrinkage = 1 / (1 + kappa[:, None] * rule.powers)
            sums, squares = (shrinkage @ columns).T, (np.square(shrinkage) @ columns).T
            df, df2 = sums[0], squares[0]
            slope = self._slope(kappa, sums, squares)
            step = (kappa * self._remainder(kappa, sums) + points) / slope
            side = np.sign(points.imag)
            lost = (kappa - step).imag * side > 1e-12 * np.abs(kappa)
            lost |= (side == 0) & (df2.real >= self.d)  # how other solutions on the axis differ
            more = lost | ~(np.abs(step) <= LAST_STEP * np.abs(kappa))
            following = np.where(lost, kappa * df / self.d - points, kappa - step)
            if not more.all():
                # The derivative of each sum is (squares - sums)/kappa.
                result[:, active] = [following, *(sums + (sums - squares) * (step / kappa))]
                if not more.any():
                    return result
                active, points, following = active[more], points[more], following[more]
            kappa = following
        raise ConvergenceError(
            f"effective ridge: {active.size} of {z.size} points did not converge in {NEWTON_STEPS} "
            f"steps ({self.model}), the first at z={points[0]}"
        )

    def transforms(
        self, z: ComplexArray, near_zero: bool | NDArray[np.bool_] = False
    ) -> tuple[ComplexArray, ComplexArray]:
        """Stieltjes-type transforms that generate forcing and kernel (model section 4).

        Parameters
        ----------
        z : complex array, any shape
        near_zero : bool or array of bool that broadcasts against z
            Where ``|b|^2`` is finite, subtract it from the first transform: it drowns what matters
            at small z, and only differences of the transform matter.

        Returns
        -------
        forcing : complex array
            ``<D^1/2 b, R(z) D^1/2 b>``.
        kernel : complex array
            ``z df(kappa)``; the kernel's transform is ``gamma**2 batch`` times it.
        """
        z = np.asarray(z, dtype=complex)
        kappa, df, forcing, filtered = self._solve(z)
        if self.model.task.square_summable:
            # sum of a_j b_j^2/(a_j + kappa), less (1 - df/d) times the constant
            less = self._rule.columns[:, 1].sum() * df / self.d - kappa * filtered
            forcing = np.where(near_zero, less, forcing)
        # 1/m = -kappa/z: forming m = 1 - df/d would cancel near z = 0.
        return forcing * (-kappa / z), z * df

    @cached_property
    def null_ridge(self) -> float:
        """The ridge at z = 0, ``df(kappa) = d``; zero when v = d."""
        if self.v == self.d:
            return 0.0
        # df < Tr D / kappa bounds kappa from above; df falls in log kappa. Bisect, then Newton.
        size = self.v if self.v < np.inf else self.d
        low = self.model.task.log_variance(size) - 50.0
        high = np.log(self._trace / self.d)
        for _ in range(12):
            middle = (low + high) / 2
            excess, _ = self._excess(np.exp(middle))
            low, high = (middle, high) if excess > 0 else (low, middle)
        log_kappa = low
        for _ in range(NEWTON_STEPS):
            excess, fall = self._excess(np.exp(log_kappa))
            step = excess / fall
            log_kappa += step
            if abs(step) < NEWTON_TOLERANCE:
                break
        if abs(step) > 1e-6:
            raise ConvergenceError(f"null ridge at {self.model}")
        return float(np.exp(log_kappa))

    def _excess(self, kappa: float) -> tuple[float, float]:
        """``df - d`` and ``df - df2``, minus its derivative in log kappa, at one real ridge."""
        if not self._few_features:
            df, df2 = self.degrees_of_freedom(np.array(kappa))
            return float(df - self.d), float(df - df2)
        shrinkage = 1 / (1 + kappa * self._rule.powers)
        sums, squares = (x @ self._rule.columns[:, 3] for x in (shrinkage, np.square(shrinkage)))
        return float(self.v - self.d - kappa * sums), float(kappa * squares)

    @cached_property
    def _trace(self) -> float:
        """Tr D."""
        return float(self._rule.columns[:, 0] @ (1 / self._rule.powers))

    def rightmost(self, condition: Callable[[float, float], bool]) -> float:
        """Find the least z right of the spectrum down to which a condition on (df, df2) holds.

        There kappa < -a_1, and ``-df`` and df2 grow as z falls.
        """
        # Bisect in log(-1 - kappa/a_1); for -kappa above Tr D and a_1 both df and df2 are small.
        low, high = -40.0, float(np.log(self._trace / self._top)) + 5.0
        for _ in range(100):
            middle = (low + high) / 2
            df, df2 = self.degrees_of_freedom(np.array(self._top * (-1 - np.exp(middle))))
            low, high = (low, middle) if condition(float(df), float(df2)) else (middle, high)
        kappa = np.array(self._top * (-1 - np.exp(high)))
        df, _ = self.degrees_of_freedom(kappa)
        return float(-kappa * (1 - df / self.d))

    @cached_property
    def edges(self) -> tuple[float, float]:
        """Least and largest point of the spectrum, for v > d."""
        largest = self.rightmost(lambda df, df2: df2 < self.d)
        # The largest z of those whose ridge is between 0 and the null ridge: there dz/dkappa = 0.
        low, high = np.log(self.null_ridge) - 60.0, np.log(self.null_ridge)
        for _ in range(60):
            middle = (low + high) / 2
            kappa = np.exp(middle)
            shrinkage = 1 / (1 + kappa * self._rule.powers)
            sums, squares = (x @ self._rule.columns for x in (shrinkage, np.square(shrinkage)))
            inside = self._slope(kappa, sums, squares) < 0
            low, high = (middle, high) if inside else (low, middle)
        return float(-kappa * self._remainder(kappa, sums)), largest

    def outer_trace(self, z: Array) -> Array:
        """Degrees of freedom ``df(kappa(z))`` at real z right of the spectrum.

        Parameters
        ----------
        z : array, shape (n,)
            Positive.

        Returns
        -------
        array, shape (n,)
            Negative; NaN where z does not exceed the spectrum.
        """
        z = np.asarray(z, dtype=float)
        # There z(kappa) = -kappa (1 - df/d) falls from infinity to the edge as kappa rises towards
        # -a_1, and is convex: Newton from the left converges monotonically, or leaves the branch.
        kappa = -z - 2.0 * self._top
        for _ in range(NEWTON_STEPS):
            df, df2 = self.degrees_of_freedom(kappa)
            slope = 1 - df2 / self.d
            step = (kappa * (1 - df / self.d) + z) / slope
            kappa = np.where((kappa < -self._top) & (slope > 0), kappa - step, np.nan)
            if not np.any(np.abs(step) > NEWTON_TOLERANCE * np.abs(kappa)):
                break
        if np.any(np.abs(step) > 1e-6 * np.abs(kappa)):
            raise ConvergenceError(f"outer trace at {self.model}")
        trace: Array = np.where(np.isnan(kappa), np.nan, df)
        return trace

    @property
    def capacity(self) -> float:
        """Irreducible loss F_0, the limit of the forcing (model section 4)."""
        powers, columns = self._rule
        return float(self.null_ridge * (columns[:, 1] @ (1 / (1 + self.null_ridge * powers))))


def kernel_mass(model: Model, sgd: SGD) -> float:
    """Kernel mass ``|K| = sum_r K(r)`` of the deterministic equivalent (model section 3).

    With ``z+ = 2/(gamma (batch+1))`` it is ``-df(kappa(z+))/(batch+1)``. The target has no part in
    it.

    Returns
    -------
    float
        SGD is stable when it is below 1; ``inf`` when z+ does not exceed the spectrum.
    """
    z_plus = np.array([2 / (sgd.learning_rate * (sgd.batch + 1))])
    (trace,) = DeterministicEquivalent(model).outer_trace(z_plus)
    return float("inf") if np.isnan(trace) else float(-trace / (sgd.batch + 1))


def critical_learning_rate(model: Model, batch: float) -> float:
    """Learning rate at which SGD loses stability (model section 3).

    There the kernel mass reaches 1, or ``z+`` the edge of the spectrum (``df2 = d``).
    """
    spectrum = DeterministicEquivalent(model)
    z_plus = spectrum.rightmost(lambda df, df2: -df < batch + 1 and df2 < model.d)
    return 2 / ((batch + 1) * z_plus)
