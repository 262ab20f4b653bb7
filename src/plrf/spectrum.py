"""A task of any spectrum: variances of features and coefficients of the target, one by one."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number, numbers
from plrf.exact.power_sums import ShrinkageRule
from plrf.exact.spectrum_sums import SpectrumSums
from plrf.task import PowerLawTask

Array = NDArray[np.float64]


class SpectrumTask:
    """Variances ``a_j`` and coefficients ``b_j`` of v features (model section 1).

    Parameters
    ----------
    eigenvalues : array, shape (v,)
        ``a_j``, above 0, in any order.
    targets : array, shape (v,)
        ``b_j`` of the same features.
    noise : float
        Variance of the labels' noise (model section 10).

    Raises
    ------
    ValueError
        If lengths differ, there are none, or a number is out of range; the message names the
        first.
    TypeError
        If something is not a number.
    """

    square_summable = True
    decay = np.inf

    def __init__(self, eigenvalues: ArrayLike, targets: ArrayLike, noise: float = 0.0) -> None:
        a, b = numbers("eigenvalues", eigenvalues, above=0), numbers("targets", targets)
        if a.ndim != 1 or not a.size:
            raise ValueError(f"eigenvalues: must be one row of numbers, not of shape {a.shape}")
        if b.shape != a.shape:
            raise ValueError(f"targets: must be as many as eigenvalues, {a.size}, not {b.size}")
        order = np.argsort(-a, kind="stable")
        self.eigenvalues, self.targets = a[order], b[order]
        self.noise = number("noise", noise, least=0)

    def variance(self, j: Any) -> Any:
        """Variance of feature j, between features by interpolation."""
        return np.exp(self.log_variance(j))

    def log_variance(self, j: Any) -> Any:
        """Logarithm of the variance; of the last feature beyond it."""
        ranks = np.arange(1, self.eigenvalues.size + 1)
        return np.interp(j, ranks, np.log(self.eigenvalues))

    def rows(self, first: int, last: int) -> tuple[Array, Array]:
        """Rows of ``D**(1/2)`` and of ``D**(1/2) b``."""
        root = np.sqrt(self.eigenvalues[first:last])
        return root, root * self.targets[first:last]

    def trace(self, v: float) -> float:
        """Trace of D, of the first v features."""
        return float(self.eigenvalues[: int(v)].sum())

    def features(self, v: float) -> float:
        """All that are given."""
        return self.eigenvalues.size

    def silent(self) -> "SpectrumTask":
        """The task with labels without noise."""
        return SpectrumTask(self.eigenvalues, self.targets)

    def shrinkage_rule(self, d: float, v: float) -> ShrinkageRule:
        """All features, each a node."""
        p, squares = 1 / self.eigenvalues, self.targets**2
        return ShrinkageRule(p, np.stack([np.ones(p.size), squares, squares * p, p], axis=1))

    def feature_sums(self, v: float) -> SpectrumSums:
        """Sums over all features."""
        return SpectrumSums(self.eigenvalues, self.targets)

    @property
    def seeds(self) -> tuple[float, float]:
        """Digests of the arrays."""
        return _digest(self.eigenvalues), _digest(self.targets)

    @property
    def parameters(self) -> dict[str, Any]:
        """The arrays, and noise if there is any."""
        arrays = {"eigenvalues": self.eigenvalues, "targets": self.targets}
        return arrays | ({"noise": self.noise} if self.noise else {})

    def __str__(self) -> str:
        noise = f", noise={self.noise:g}" if self.noise else ""
        return f"{self.eigenvalues.size} eigenvalues{noise}"


def _digest(values: Array) -> float:
    """A whole number that depends on all values."""
    return float(int.from_bytes(hashlib.sha256(values.tobytes()).digest()[:6], "little"))


def task_of(
    alpha: float | None,
    beta: float | None,
    eigenvalues: ArrayLike | None,
    targets: ArrayLike | None,
    noise: float,
) -> PowerLawTask | SpectrumTask:
    """The task that is given in one of two ways.

    Raises
    ------
    ValueError
        If a number is out of range, or lengths differ.
    TypeError
        If something is not a number, or both ways are mixed.
    """
    if eigenvalues is None and targets is None:
        exponents = number("alpha", alpha, above=0), number("beta", beta)
        return PowerLawTask(*exponents, number("noise", noise, least=0))
    if alpha is not None or beta is not None:
        raise TypeError("give either alpha and beta, or eigenvalues and targets")
    return SpectrumTask(np.asarray(eigenvalues), np.asarray(targets), noise)
