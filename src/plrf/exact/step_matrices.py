"""Steps with momentum as matrices, for each mode: stability and logarithmic time (section 14)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StepMatrices:
    """The map of a step on the three numbers of each mode, less the identity, and its source.

    What is remembered is measured in units in which errors and it act on each other alike.

    Attributes
    ----------
    change : array, shape (n, 3, 3)
        ``M - 1``.
    source : array, shape (n, 3)
        What they gain from ``P + s2``.
    """

    change: Array
    source: Array

    @classmethod
    def of(
        cls,
        eigenvalues: Array,
        rate: float,
        batch: float,
        weight: float,
        forgetting: float,
        direct: float,
        unit: Array | None = None,
    ) -> "StepMatrices":
        """Matrices of a step; the arguments are those of `plrf.exact.three_numbers.march`.

        The units are the step's own (`units`), unless others are given.
        """
        lam, kept = eigenvalues, 1 - forgetting
        of_memory = rate * weight
        of_gradient, drift = rate * direct + of_memory, of_memory * kept
        mean, square = batch * lam, batch * (batch + 1) * lam**2
        shrink = of_gradient * mean
        if unit is None:
            unit = units(lam, rate, batch, weight, forgetting)
        change = np.empty((lam.size, 3, 3))
        change[:, 0, 0] = of_gradient**2 * square - 2 * shrink
        change[:, 0, 1] = -2 * drift / unit * (1 - shrink)
        change[:, 0, 2] = (drift / unit) ** 2
        change[:, 1, 0] = unit * (mean - of_gradient * square)
        change[:, 1, 1] = -forgetting - kept * shrink - mean * drift
        change[:, 1, 2] = -drift * kept / unit
        change[:, 2, 0] = unit**2 * square
        change[:, 2, 1] = 2 * kept * mean * unit
        change[:, 2, 2] = -forgetting * (2 - forgetting)
        scale = np.stack([np.full(lam.shape, of_gradient**2), -of_gradient * unit, unit**2], axis=1)
        return cls(change, (batch * lam**2)[:, None] * scale)

    def mass(self, multiplicities: Array) -> float:
        """Kernel mass if the step is repeated for ever; infinite where a mode alone diverges.

        The map takes covariances to covariances: modes are stable where the sum of what a source
        becomes is one.
        """
        used = multiplicities > 0
        try:
            summed = np.linalg.solve(-self.change[used], self.source[used, :, None])[..., 0]
        except np.linalg.LinAlgError:
            return np.inf
        q, x, u = summed.T
        stable = (q >= 0) & (u >= 0) & (x**2 <= q * u * (1 + 1e-6))
        return float(multiplicities[used] @ q) if stable.all() else np.inf


def units(lam: Array, rate: float, batch: float, weight: float, forgetting: float) -> Array:
    """Units of what is remembered; shape (n,)."""
    drift = rate * weight * (1 - forgetting)
    return np.sqrt(drift / (batch * lam)) if drift > 0 else np.full(lam.shape, rate or 1.0)
