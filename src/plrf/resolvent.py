"""The deterministic equivalent of the spectrum, through the effective ridge (model section 4).

Averaging over W, every quantity of the model is a sum over ``1/(a_j + kappa)`` with the effective
ridge ``kappa(z)``, the solution of ``kappa (1 - df(kappa)/d) = -z``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.power_sums import feature_rule

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

NEWTON_STEPS = 60
NEWTON_TOLERANCE = 4e-15
CHUNK = 1 << 20  # complex numbers per temporary: 16 MB


class ConvergenceError(ArithmeticError):
    """Newton's iteration for the effective ridge did not converge."""


@dataclass(frozen=True)
class DeterministicEquivalent:
    """Spectrum of the model with W averaged out (model section 4).

    Parameters
    ----------
    alpha, beta : float
        Data and target complexity.
    d : float
        Number of parameters.
    v : float
        Number of features, ``v >= d``.
    """

    alpha: float
    beta: float
    d: float
    v: float

    @cached_property
    def _rule(self) -> tuple[Array, Array, Array]:
        """Powers ``j**(2 alpha)`` at the quadrature nodes, weights, and weights times b_j**2."""
        nodes, weights = feature_rule(self.alpha, float(self.v))
        return nodes ** (2 * self.alpha), weights, weights * nodes ** (-2 * self.beta)

    def degrees_of_freedom(self, kappa: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return ``df = sum a_j/(a_j+kappa)`` and ``df2 = sum (a_j/(a_j+kappa))**2``."""
        powers, weights, _ = self._rule
        shrinkage = 1 / (1 + kappa[..., None] * powers)
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
        flat = np.asarray(z, dtype=complex).ravel()
        size = max(1, CHUNK // self._rule[0].size)
        parts = [self._newton(flat[i : i + size]) for i in range(0, flat.size, size)]
        return np.concatenate(parts).reshape(np.shape(z)) if parts else flat.reshape(np.shape(z))

    def _newton(self, z: ComplexArray) -> ComplexArray:
        kappa: ComplexArray = -z + self.d ** (-2 * self.alpha)
        active = np.arange(z.size)
        for _ in range(NEWTON_STEPS):
            k = kappa[active]
            df, df2 = self.degrees_of_freedom(k)
            step = (k * (1 - df / self.d) + z[active]) / (1 - df2 / self.d)
            kappa[active] = k - step
            # Newton is quadratic: a step below 1e-8 leaves an error below rounding.
            active = active[~(np.abs(step) <= 1e-8 * np.abs(k))]
            if active.size == 0:
                return kappa
        raise ConvergenceError(
            f"effective ridge: {active.size} of {z.size} points did not converge in {NEWTON_STEPS} "
            f"steps (alpha={self.alpha}, d={self.d}, v={self.v}), the first at z={z[active[0]]}"
        )

    def transforms(self, z: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
        """Stieltjes-type transforms that generate forcing and kernel (model section 4).

        Parameters
        ----------
        z : complex array, any shape

        Returns
        -------
        forcing : complex array
            ``<D^1/2 b, R(z) D^1/2 b>``.
        kernel : complex array
            ``z df(kappa)``; the kernel's transform is ``gamma**2 batch`` times it.
        """
        z = np.asarray(z, dtype=complex)
        kappa = self.ridge(z)
        powers, weights, target = self._rule
        flat, size = kappa.ravel(), max(1, CHUNK // powers.size)
        forcing, df = np.empty_like(flat), np.empty_like(flat)
        for i in range(0, flat.size, size):
            shrinkage = 1 / (1 + flat[i : i + size, None] * powers)
            forcing[i : i + size] = shrinkage @ target
            df[i : i + size] = shrinkage @ weights
        # 1/m = -kappa/z: forming m = 1 - df/d would cancel near z = 0.
        return forcing.reshape(z.shape) * (-kappa / z), z * df.reshape(z.shape)

    @cached_property
    def null_ridge(self) -> float:
        """The ridge at z = 0, ``df(kappa) = d``; zero when v = d."""
        if self.v == self.d:
            return 0.0
        powers, weights, _ = self._rule
        # df < Tr D / kappa bounds kappa from above; df falls in log kappa. Bisect, then Newton.
        low, high = -2 * self.alpha * np.log(self.v) - 50.0, np.log(weights @ (1 / powers) / self.d)
        for _ in range(12):
            middle = (low + high) / 2
            df, _ = self.degrees_of_freedom(np.array(np.exp(middle)))
            low, high = (middle, high) if df > self.d else (low, middle)
        log_kappa = low
        for _ in range(NEWTON_STEPS):
            df, df2 = self.degrees_of_freedom(np.array(np.exp(log_kappa)))
            step = (df - self.d) / (df - df2)
            log_kappa += step
            if abs(step) < NEWTON_TOLERANCE:
                break
        return float(np.exp(log_kappa))

    @property
    def capacity(self) -> float:
        """Irreducible loss F_0, the limit of the forcing (model section 4)."""
        powers, _, target = self._rule
        return float(self.null_ridge * (target @ (1 / (1 + self.null_ridge * powers))))


def kernel_mass(alpha: float, d: float, v: float, learning_rate: float, batch: int) -> float:
    """Kernel mass ``|K| = sum_r K(r)`` of the deterministic equivalent (model section 3).

    With ``z+ = 2/(gamma (batch+1))`` it is ``-df(kappa(z+))/(batch+1)``.

    Parameters
    ----------
    alpha : float
        Data complexity.
    d, v : float
        Numbers of parameters and features.
    learning_rate : float
        gamma.
    batch : int
        Samples per step.

    Returns
    -------
    float
        SGD is stable when it is below 1; ``inf`` when z+ does not exceed the spectrum.
    """
    spectrum = DeterministicEquivalent(alpha, 0.0, d, v)
    target = 2 / (learning_rate * (batch + 1))
    # Right of the spectrum z(kappa) = -kappa (1 - df/d) falls from infinity to the edge as kappa
    # rises towards -a_1, and is convex there: Newton from the left converges monotonically.
    kappa = np.array(-target - 2.0)
    for _ in range(NEWTON_STEPS):
        df, df2 = spectrum.degrees_of_freedom(kappa)
        slope = 1 - df2 / d
        if kappa >= -1 or slope <= 0:
            return float("inf")
        step = (kappa * (1 - df / d) + target) / slope
        kappa = kappa - step
        if abs(step) <= NEWTON_TOLERANCE * abs(kappa):
            break
    return float(-df / (batch + 1)) if kappa < -1 else float("inf")


def critical_learning_rate(alpha: float, d: float, v: float, batch: int) -> float:
    """Learning rate at which SGD loses stability (model section 3).

    There the kernel mass reaches 1, or ``z+`` the edge of the spectrum (``df2 = d``).

    Parameters
    ----------
    alpha : float
        Data complexity.
    d, v : float
        Numbers of parameters and features.
    batch : int
        Samples per step.
    """
    spectrum = DeterministicEquivalent(alpha, 0.0, d, v)
    # kappa = -1 - exp(x): both conditions hold on the left, and are monotone.
    low, high = -40.0, np.log(float(v)) + 5.0
    for _ in range(100):
        middle = (low + high) / 2
        df, df2 = spectrum.degrees_of_freedom(np.array(-1 - np.exp(middle)))
        stable = -df < batch + 1 and df2 < d
        low, high = (low, middle) if stable else (middle, high)
    kappa = np.array(-1 - np.exp(high))
    df, _ = spectrum.degrees_of_freedom(kappa)
    return float(2 / ((batch + 1) * -kappa * (1 - df / d)))
