"""Exact reduction of the model, given W, to Gaussian least squares in d dimensions (section 2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import blas, lapack

from plrf.progress import track
from plrf.task import Task

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

BLOCK_ROWS = 256
# Columns that a blocked Householder transformation eliminates at a time.
PANEL = 64
# Where a Gram matrix is formed, 2 d successive rows differ in variance by this factor at most.
SPREAD = 100.0


@dataclass(frozen=True, eq=False)
class Reduction:
    """Everything that the law of SGD depends on, for one W and one target (model section 2).

    Attributes
    ----------
    eigenvalues : array, shape (d,)
        lam_i of ``W^T D W``, increasing. Relative error below 1e-12, the smallest ones included,
        while they exceed ``1e-14 lam_max``; those below it have errors of their own size.
    coefficients : array, shape (d,)
        c_i >= 0, the target's coordinates: ``c_i**2 = lam_i rho_i(0)**2``. Absolute error below
        1e-12 of the target's norm.
    floor : float
        F0, the least loss that this W allows. Relative error below 1e-13; where it vanishes
        (v = d), rounding leaves about 1e-29 of the target's squared norm.
    noise : float
        Variance of the labels' noise.
    """

    eigenvalues: Array
    coefficients: Array
    floor: float
    noise: float = 0.0

    @property
    def multiplicities(self) -> Array:
        """Each eigenvalue is one."""
        return np.ones(self.eigenvalues.size)

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


def gram_start(task: Task, d: int, v: int) -> int:
    """First row of D^1/2 W from which on a Gram matrix is well conditioned; v if there is none.

    2 d rows of W have a Gram matrix of condition number 34, which D raises by SPREAD at most.
    """
    for start in range(0, v - 2 * d + 1, BLOCK_ROWS):
        if task.variance(start + 1) < SPREAD * task.variance(start + 2 * d):
            return start
    return v


class RowwiseQR:
    """QR factorisation of a matrix and its targets, whose rows arrive in blocks, large ones first.

    Householder transformations of rows in this order keep the relative accuracy of small rows.

    Attributes
    ----------
    factor : array, shape (d, d)
        R, upper triangular, in Fortran order.
    targets : list of arrays, shape (d, 1)
        The first d coordinates of ``Q^T t``, for each target t.
    floors : list of float
        Squared norm of the other coordinates: the least-squares residual, without cancellation.
    """

    def __init__(self, d: int, n_targets: int) -> None:
        self.factor = np.zeros((d, d), order="F")
        self.targets = [np.zeros((d, 1)) for _ in range(n_targets)]
        self.floors = [0.0] * n_targets

    def absorb(self, rows: Array, targets: list[Array], triangular: bool = False) -> None:
        """Add rows, given in Fortran order and overwritten; d of them may be upper triangular."""
        d = len(self.factor)
        shape = d if triangular else 0
        self.factor, reflectors, scales, _ = lapack.dtpqrt(
            shape, min(PANEL, d), self.factor, rows, overwrite_a=1, overwrite_b=1
        )
        # One target at a time, so that its bits do not depend on the others.
        for k, target in enumerate(targets):
            self.targets[k], rest, _ = lapack.dtpmqrt(
                shape, reflectors, scales, self.targets[k], target[:, None], trans="T"
            )
            self.floors[k] += float(np.square(rest).sum())


def factorise(rng: np.random.Generator, tasks: Sequence[Task], d: int, v: int) -> RowwiseQR:
    """QR factorisation of D^1/2 W and the targets D^1/2 b, in one pass over W.

    Rows from ``gram_start`` on, the bulk, go through a Gram matrix and its Cholesky factor, which
    is faster and as accurate there: its condition number is at most a few thousand, and for the
    same reason the residual of these rows alone may be a difference.
    """
    qr = RowwiseQR(d, len(tasks))
    start = gram_start(tasks[0], d, v)
    gram = np.zeros((d, d), order="F")
    moments = [np.zeros(d) for _ in tasks]
    norms = [0.0] * len(tasks)
    blocks = feature_blocks(rng, d, v)
    for rows, block in track(blocks, f"rows of W, (v, d)=({v}, {d})", -(-v // BLOCK_ROWS)):
        scale = tasks[0].rows(rows.start, rows.stop)[0]
        block *= scale[:, None]
        targets = [task.rows(rows.start, rows.stop)[1] for task in tasks]
        if rows.start < start:
            qr.absorb(np.asfortranarray(block), targets)
            continue
        gram = blas.dsyrk(1.0, block.T, beta=1.0, c=gram, overwrite_c=1)
        for k, target in enumerate(targets):
            moments[k] += target @ block
            norms[k] += float(target @ target)
    if start < v:
        triangle = linalg.cholesky(gram, overwrite_a=True, check_finite=False)
        targets = [linalg.solve_triangular(triangle, moment, trans="T") for moment in moments]
        for k, target in enumerate(targets):
            qr.floors[k] += norms[k] - float(target @ target)
        qr.absorb(triangle, targets, triangular=True)
    return qr


def graded_eigensystem(factor: Array, targets: list[Array]) -> tuple[Array, list[Array]]:
    """Eigenvalues of R R^T, and the targets in its eigenbasis; R is overwritten.

    R R^T has the eigenvalues of R^T R, but is graded: its rows and columns decrease like a power
    law. With the large end first, reduction to tridiagonal form and relatively robust
    representations keep its small eigenvalues, which they would lose in R^T R. Only the tridiagonal
    matrix's eigenvectors are formed: the targets are brought to them, not they to the targets.
    """
    d = len(factor)
    product, _ = lapack.dlauum(factor, overwrite_c=1)
    # The reduction starts at the large end if it is given the lower triangle.
    product, diagonal, off_diagonal, scales, _ = lapack.dsytrd(
        np.asfortranarray(product.T), lower=1, lwork=PANEL * d, overwrite_a=1
    )
    if d > 1:
        product = np.asfortranarray(product[1:, :-1])
        for target in targets:
            target[1:], _, _ = lapack.dormqr("L", "T", product, scales, target[1:], PANEL)
    del product
    eigenvalues, vectors = linalg.eigh_tridiagonal(
        diagonal, off_diagonal, check_finite=False, lapack_driver="stemr"
    )
    # Rounding may leave a negative one if it spans more than 16 digits.
    return np.maximum(eigenvalues, 0), [target[:, 0] @ vectors for target in targets]


def reduce(rng: np.random.Generator, tasks: Sequence[Task], d: int, v: int) -> list[Reduction]:
    """Draw W and reduce the model to its eigenbasis, for several targets that share W.

    W is never held whole: its rows are drawn in blocks, and memory stays at about three d-by-d
    matrices whatever v is.

    A target's numbers do not depend on the other targets, to the last bit.

    Parameters
    ----------
    rng : Generator
        Draws W.
    tasks : sequence of Task
        They differ in their targets and the noise of labels only.
    d, v : int
        Numbers of parameters and features.

    Returns
    -------
    list of Reduction
        One for each task, in order.
    """
    qr = factorise(rng, tasks, d, v)
    eigenvalues, coefficients = graded_eigensystem(qr.factor, qr.targets)
    # The signs of eigenvectors are free: with c_i >= 0, SGD does not depend on LAPACK's choice.
    return [
        Reduction(eigenvalues, np.abs(c), floor, task.noise)
        for c, floor, task in zip(coefficients, qr.floors, tasks, strict=True)
    ]
