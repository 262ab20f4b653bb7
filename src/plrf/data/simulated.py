"""Estimates from moments, and from moments of Gaussian samples that need not be drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.data.moments import Moments, Principal, principal

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimates:
    """What n samples say of a task with v features.

    Attributes
    ----------
    n : int
    eigenvalues, targets : arrays, shape (v,)
        ``a_j``, decreasing, from weights ``1/(n - 1)``, and ``b_j``.
    noise : float
        Variance of the residual, with ``n - 1 - v`` degrees of freedom.
    """

    n: int
    eigenvalues: Array
    targets: Array
    noise: float

    @property
    def signal(self) -> Array:
        """``a_j b_j**2``, shape (v,), less the ``noise/n`` that estimating ``b_j`` adds on average.

        It may be negative.
        """
        return self.eigenvalues * self.targets**2 - self.noise / self.n


def estimates(moments: Moments, task: Principal) -> Estimates:
    """Estimates from the moments of samples and the task that these are as a population."""
    n, v = moments.n, task.eigenvalues.size
    return Estimates(n, task.eigenvalues * n / (n - 1), task.targets, task.noise * n / (n - 1 - v))


def simulate(
    eigenvalues: Array, targets: Array, noise: float, n: int, rng: np.random.Generator
) -> Estimates:
    """Estimates from n Gaussian samples of a task.

    The samples' covariance is drawn by its Cholesky factor (Bartlett 1933), at a cost that does not
    depend on n.

    Parameters
    ----------
    eigenvalues, targets : arrays, shape (v,)
    noise : float
    n : int
        At least v + 3.
    rng : Generator

    Returns
    -------
    Estimates
    """
    v = eigenvalues.size
    factor = np.tril(rng.standard_normal((v + 1, v + 1)), -1)
    np.fill_diagonal(factor, np.sqrt(rng.chisquare(n - 1 - np.arange(v + 1))))
    root = np.sqrt(eigenvalues)
    x = root[:, None] * factor[:-1]
    y = targets @ x + np.sqrt(noise) * factor[-1]
    moments = Moments(n, np.zeros(v), 0.0, x @ x.T / n, x @ y / n, float(y @ y) / n)
    return estimates(moments, principal(moments))
