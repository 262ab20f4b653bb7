"""Moments of samples (x, y) in one pass over batches, and the task that they are (section 1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from plrf.progress import track

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)


class Batches(Protocol):
    """Samples in batches: arrays x, shape (m, p), and y, shape (m,); a list of them is one."""

    def __len__(self) -> int:
        """Number of batches."""
        ...

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """All batches, from the first on."""
        ...


@dataclass(frozen=True, eq=False)
class Moments:
    """First and second moments of n samples, with weights 1/n.

    Attributes
    ----------
    n : int
        Number of samples.
    mean_x : array, shape (p,)
    mean_y : float
    covariance : array, shape (p, p)
        Of x.
    cross : array, shape (p,)
        Covariances of x with y.
    variance_y : float
    """

    n: int
    mean_x: Array
    mean_y: float
    covariance: Array
    cross: Array
    variance_y: float


@dataclass(frozen=True, eq=False)
class Principal:
    """Samples in the eigenbasis of their covariance, as a task (model section 1).

    Attributes
    ----------
    eigenvalues : array, shape (v,)
        ``a_j``, decreasing. Absolute error of a few roundings of the largest.
    basis : array, shape (p, v)
        Orthonormal eigenvectors ``u_j``, signed such that targets are not negative.
    targets : array, shape (v,)
        ``b_j = <u_j, cov(x, y)>/a_j``, the coefficients of the best linear function of x.
    noise : float
        Variance of y that this function leaves, ``Var y - sum a_j b_j**2``.
    left_out : int
        Directions without variance, p - v.
    """

    eigenvalues: Array
    basis: Array
    targets: Array
    noise: float
    left_out: int


def moments_of(batches: Batches, what: str = "moments") -> Moments:
    """Moments of all samples in one pass.

    Samples count from the first one, so that large means cost no digits and constants are exactly
    zero. Each batch is centred on its own mean before it is squared, and merged with those before
    it (Chan, Golub and LeVeque 1983). Memory is that of two batches and two p-by-p matrices.

    Parameters
    ----------
    batches : Batches
        Finite numbers.
    what : str
        Name of the work, for the log.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        If there is no sample.
    """
    n, origin = 0, np.zeros(0)
    mean, scatter = np.zeros(0), np.zeros((0, 0))
    for x, y in track(batches, what, len(batches)):
        if not len(y):
            continue
        samples = np.column_stack([x, y]).astype(float, copy=False)  # y is one more column
        if not n:
            origin, p = samples[0].copy(), samples.shape[1]
            mean, scatter = np.zeros(p), np.zeros((p, p))
        samples -= origin
        centre = samples.mean(axis=0)
        samples -= centre
        shift, total = centre - mean, n + len(y)
        scatter += samples.T @ samples
        scatter += np.outer(shift, shift * (n * len(y) / total))
        mean += shift * (len(y) / total)
        n = total
    if not n:
        raise ValueError("x, y: there are no samples")
    mean += origin
    scatter /= n
    cross, variance_y = scatter[:-1, -1], float(scatter[-1, -1])
    return Moments(n, mean[:-1], float(mean[-1]), scatter[:-1, :-1], cross, variance_y)


def merged(first: Moments, second: Moments) -> Moments:
    """Moments of the samples of both."""
    n = first.n + second.n
    mine, theirs = first.n / n, second.n / n
    shift_x, shift_y = second.mean_x - first.mean_x, second.mean_y - first.mean_y
    weight = mine * theirs
    return Moments(
        n,
        first.mean_x + theirs * shift_x,
        first.mean_y + theirs * shift_y,
        mine * first.covariance + theirs * second.covariance + weight * np.outer(shift_x, shift_x),
        mine * first.cross + theirs * second.cross + weight * shift_x * shift_y,
        mine * first.variance_y + theirs * second.variance_y + weight * shift_y**2,
    )


def constant_features(moments: Moments) -> NDArray[np.int64]:
    """Columns of x that have one value; counted from 0."""
    return np.flatnonzero(np.diag(moments.covariance) == 0)


def principal(moments: Moments) -> Principal:
    """The task that the samples are, taken as the population (model section 1).

    Directions whose variance is within rounding of zero, of constant or linearly dependent
    features, are left out.

    Parameters
    ----------
    moments : Moments

    Returns
    -------
    Principal

    Raises
    ------
    ValueError
        If no feature varies.
    """
    a, u = np.linalg.eigh(moments.covariance)
    varies = a > max(len(a) * EPS * a[-1], 0)
    if not varies.any():
        raise ValueError("x: no feature varies")
    a, u = a[varies][::-1], u[:, varies][:, ::-1]
    b = (u.T @ moments.cross) / a
    u = np.where(b < 0, -u, u)
    noise = max(moments.variance_y - float(a @ b**2), 0.0)
    return Principal(a.copy(), u, np.abs(b), noise, int((~varies).sum()))
