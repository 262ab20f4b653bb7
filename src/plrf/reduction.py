"""Exact reduction of the model, given W, to Gaussian least squares in d dimensions (section 2)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import blas

from plrf.model import feature_variances, target_coefficients

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Reduction:
    """Everything that the law of SGD depends on, for one W and one target (model section 2).

    Attributes
    ----------
    eigenvalues : array, shape (d,)
        lam_i of ``W^T D W``, increasing. Absolute error about ``1e-16 lam_max``; those
        below ``2e-16 d lam_max`` are set to zero.
    coefficients : array, shape (d,)
        c_i, the target's coordinates: ``c_i**2 = lam_i rho_i(0)**2``.
    floor : float
        F0, the least loss that this W allows.
    """

    eigenvalues: Array
    coefficients: Array
    floor: float

    def outer_trace(self, z: Array) -> Array:
        """Degrees of freedom ``sum lam_i/(lam_i - z)`` at real z above all lam_i; NaN elsewhere."""
        z = np.asarray(z, dtype=float)
        trace: Array = (1 / (self.eigenvalues - z[..., None])) @ self.eigenvalues
        return np.where(z > self.eigenvalues[-1], trace, np.nan)

    def transforms(
        self, z: ComplexArray, near_zero: bool | NDArray[np.bool_] = False
    ) -> tuple[ComplexArray, ComplexArray]:
        """Transforms of forcing and kernel for contour inversion (model section 5).

        Parameters
        ----------
        z : complex array, any shape
        near_zero : bool or array of bool
            Has no effect here.

        Returns
        -------
        forcing, kernel : complex arrays
            ``sum c_i**2/(lam_i - z) - F0/z`` and ``z sum lam_i/(lam_i - z)``.
        """
        poles = 1 / (self.eigenvalues - z[..., None])
        return poles @ self.coefficients**2 - self.floor / z, z * (poles @ self.eigenvalues)


def feature_blocks(rng: np.random.Generator, d: int, v: int) -> Iterator[tuple[slice, Array]]:
    """Draw W with entries N(0, 1/d), a block of rows at a time: (rows, block) pairs."""
    for start in range(0, v, BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, v))
        block = rng.standard_normal((rows.stop - rows.start, d))
        block *= d**-0.5
        yield rows, block


def reduce(
    stream: Callable[[], np.random.Generator], alpha: float, betas: list[float], d: int, v: int
) -> list[Reduction]:
    """Draw W and reduce the model to its eigenbasis, for several targets that share W.

    W is never held whole: its rows are drawn in blocks, twice from the same stream, so that memory
    stays at about three d-by-d matrices. F0 is the residual norm at the least-squares solution
    (the second pass); the difference ``|D^1/2 b|^2 - |c|^2`` would cancel. Modes whose eigenvalue
    rounding swallows (below ``2e-16 d lam_max``) count as fixed: zero eigenvalue and coefficient,
    their part of the loss in F0.

    A target's numbers do not depend on the other targets, to the last bit.

    Parameters
    ----------
    stream : callable
        Returns the generator of W, in its initial state at each call.
    alpha : float
        Data complexity.
    betas : list of float
        Target complexities.
    d, v : int
        Numbers of parameters and features.

    Returns
    -------
    list of Reduction
        One for each beta, in order.
    """
    root = np.sqrt(feature_variances(alpha, v))
    targets = [root * target_coefficients(beta, v) for beta in betas]
    gram = np.zeros((d, d), order="F")
    moments = [np.zeros(d) for _ in betas]
    for rows, block in feature_blocks(stream(), d, v):
        block *= root[rows, None]
        gram = blas.dsyrk(1.0, block.T, beta=1.0, c=gram, lower=1, overwrite_c=1)
        for moment, target in zip(moments, targets, strict=True):
            moment += target[rows] @ block

    eigenvalues, vectors = linalg.eigh(gram, lower=True, overwrite_a=True, driver="evd")
    visible = eigenvalues > d * np.finfo(float).eps * eigenvalues[-1]
    eigenvalues = np.where(visible, eigenvalues, 0.0)
    scale = np.where(visible, np.sqrt(np.where(visible, eigenvalues, 1.0)), np.inf)
    coefficients = [(moment @ vectors) / scale for moment in moments]

    # An error e of the solution raises the residual by e^T H e only: second order.
    solutions = [vectors @ (c / scale) for c in coefficients]
    floors = [0.0] * len(betas)
    for rows, block in feature_blocks(stream(), d, v):
        block *= root[rows, None]
        for k, (target, solution) in enumerate(zip(targets, solutions, strict=True)):
            floors[k] += float(np.square(target[rows] - block @ solution).sum())
    return [Reduction(eigenvalues, c, floor) for c, floor in zip(coefficients, floors, strict=True)]
