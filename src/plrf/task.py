"""The task: what there is to learn, independent of any model of it (model section 1).

Data ``x_j = a_j**(1/2) z_j`` with Gaussian z, target ``<x, b>``, which labels show with noise. All
else sees of a task only sums over its features j, the rows that random features are made of, and
the variance of the noise.
"""

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import number
from plrf.exact.feature_sums import FeatureSums
from plrf.exact.power_law_sums import PowerLawSums
from plrf.exact.power_sums import ShrinkageRule, power_sum, shrinkage_rule

Array = NDArray[np.float64]


class Task(Protocol):
    """What the numerics ask of a task."""

    def variance(self, j: Any) -> Any:
        """Variance ``a_j`` of feature j, which may be any real number from 1 on; falling."""
        ...

    def log_variance(self, j: Any) -> Any:
        """Logarithm of the variance, also where that is too small for a number."""
        ...

    def rows(self, first: int, last: int) -> tuple[Array, Array]:
        """``a_j**(1/2)`` and ``a_j**(1/2) b_j`` for ``first < j <= last``."""
        ...

    def trace(self, v: float) -> float:
        """Trace of D with v features, the sum of ``a_j``; may be infinite."""
        ...

    def shrinkage_rule(self, d: float, v: float) -> ShrinkageRule:
        """Rule for sums over all features that d parameters filter."""
        ...

    def feature_sums(self, v: float) -> FeatureSums:
        """Sums over v features near their poles, for the groups of a spectrum."""
        ...

    def features(self, v: float) -> float:
        """Number of features of a model that asks for v."""
        ...

    def silent(self) -> "Task":
        """The task with labels without noise."""
        ...

    @property
    def square_summable(self) -> bool:
        """Whether the sum of ``b_j**2`` is finite however many features there are."""
        ...

    @property
    def noise(self) -> float:
        """Variance of the labels' noise, which losses leave out (model section 10)."""
        ...

    @property
    def decay(self) -> float:
        """Exponent with which variances fall, at most."""
        ...

    @property
    def seeds(self) -> tuple[float, float]:
        """What random numbers of a task are seeded with: of its variances, and of its target."""
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """What tells the task from others, by the names of arguments."""
        ...

    def __hash__(self) -> int:
        """What is known of a task is remembered by it."""
        ...


@dataclass(frozen=True)
class PowerLawTask:
    """Power laws: ``a_j = j**(-2 alpha)`` and ``b_j = j**-beta``.

    Attributes
    ----------
    alpha, beta : float
        Data and target complexity.
    noise : float
        Variance of the labels' noise (model section 10).

    Raises
    ------
    ValueError
        If the noise is negative or infinite.
    TypeError
        If the noise is not a number.
    """

    alpha: float
    beta: float
    noise: float = 0.0

    def __post_init__(self) -> None:
        number("noise", self.noise, least=0)

    def variance(self, j: Any) -> Any:
        """Variance of feature j."""
        return j ** (-2 * self.alpha)

    def log_variance(self, j: Any) -> Any:
        """Logarithm of the variance."""
        return -2 * self.alpha * np.log(j)

    def rows(self, first: int, last: int) -> tuple[Array, Array]:
        """Rows of ``D**(1/2)`` and of ``D**(1/2) b``."""
        j = np.arange(first + 1, last + 1, dtype=float)
        return j**-self.alpha, j ** -(self.alpha + self.beta)

    def trace(self, v: float) -> float:
        """Trace of D; infinite for infinitely many features unless ``2 alpha > 1``."""
        diverges = v == np.inf and 2 * self.alpha <= 1
        return np.inf if diverges else power_sum(2 * self.alpha, v)

    def shrinkage_rule(self, d: float, v: float) -> ShrinkageRule:
        """Rule of a few dozen nodes for each decade of features."""
        return shrinkage_rule(self.alpha, self.beta, d, v)

    def feature_sums(self, v: float) -> PowerLawSums:
        """Sums at the same cost for any v."""
        return PowerLawSums(self.alpha, self.beta, v)

    def features(self, v: float) -> float:
        """Any number."""
        return v

    def silent(self) -> "PowerLawTask":
        """The task with labels without noise."""
        return PowerLawTask(self.alpha, self.beta)

    @property
    def square_summable(self) -> bool:
        """Whether ``2 beta > 1``."""
        return 2 * self.beta > 1

    @property
    def decay(self) -> float:
        """``2 alpha``."""
        return 2 * self.alpha

    @property
    def seeds(self) -> tuple[float, float]:
        """Alpha and beta."""
        return self.alpha, self.beta

    @property
    def parameters(self) -> dict[str, float]:
        """The columns alpha and beta, and noise if there is any."""
        values = asdict(self)
        return values if self.noise else {key: values[key] for key in ("alpha", "beta")}

    def __str__(self) -> str:
        return ", ".join(f"{key}={value:g}" for key, value in self.parameters.items())


def feature_variances(alpha: float, v: int) -> Array:
    """Diagonal of the data covariance D, ``a_j = j**(-2 alpha)``; shape (v,) (model section 1)."""
    return np.arange(1, v + 1, dtype=float) ** (-2 * alpha)


def target_coefficients(beta: float, v: int) -> Array:
    """Target vector ``b_j = j**-beta``; shape (v,) (model section 1)."""
    return np.arange(1, v + 1, dtype=float) ** -beta
