"""Contour integrals around the cells of a spectrum, W averaged out (model section 4).

The contours are half-circles in the plane of log kappa, where ``z`` is an explicit function of the
ridge: nothing is solved for but the ends, on the curve where z is real. Where they are, and sums
over features close to their poles, is up to the task (`feature_sums`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.model import Model

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

ROUNDING = 1e-14  # of the size of a sum over a contour


@dataclass(frozen=True, eq=False)
class Cells:
    """Contours around parts of a spectrum.

    Attributes
    ----------
    z : complex array, shape (cells, nodes)
        Spectral parameters of the nodes.
    slope : complex array, shape (cells, nodes)
        Weights dz.
    trace, signal : complex arrays, shape (cells, nodes)
        Of the moments ``sum lam**p`` and ``sum c**2 lam**(p-1)`` over a cell, up to ``z**(p-1)``.
    starts : complex array, shape (cells,)
        Log kappa at the right ends, from the right of the spectrum to its left.
    least_count : float
        Number of eigenvalues of a group; cells with fewer are joined.
    """

    z: ComplexArray
    slope: ComplexArray
    trace: ComplexArray
    signal: ComplexArray
    starts: ComplexArray
    least_count: float

    @classmethod
    def of(cls, model: Model, step: float, nodes: int) -> "Cells":
        """Cells of a model's spectrum, of a length in log kappa, and nodes of each contour.

        Raises
        ------
        ValueError
            If v is infinite, does not exceed d, or is not that of the task.
        """
        d, v = model.d, model.v
        if not d < v < np.inf:
            raise ValueError(f"{model}: cells need d < v, finite")
        if v != (features := model.task.features(v)):
            raise ValueError(f"v = {v:g}: must be {features:g}, the features of {model.task}")
        sums = model.task.feature_sums(float(v))
        starts, stops = sums.cells(d, step)
        start, stop = starts[:, None], stops[:, None]
        x, weights = np.polynomial.legendre.leggauss(nodes)
        half_circle = np.exp(0.5j * np.pi * (1 + x))
        kappa = np.exp((start + stop) / 2 + (start - stop) / 2 * half_circle)
        df, target = sums(kappa)
        remainder = 1 - df / d
        z = -kappa * remainder
        slope = z @ _differentiation(x).T * weights
        # Real constants add nothing: between ends at which z is real, the integrals of powers of z
        # are. Left in, they would amplify the errors of the quadrature near the ends.
        trace, signal = (f - f.mean(axis=1, keepdims=True).real for f in (df, target / remainder))
        return cls(z, slope, trace, signal, starts, sums.least_count)

    def integral(self, integrand: ComplexArray) -> Array:
        """Moments of a measure from its transform times a polynomial; shape (cells,)."""
        moments: Array = -(integrand * self.slope).sum(axis=1).imag / np.pi
        return moments

    def rounding(self, integrand: ComplexArray) -> Array:
        """What rounding makes of such moments; shape (cells,)."""
        sizes: Array = ROUNDING * np.abs(integrand * self.slope).sum(axis=1)
        return sizes


def _differentiation(x: Array) -> Array:
    """Matrix that differentiates the polynomial through values at the points x."""
    distance = x[:, None] - x + np.eye(x.size)
    scale = distance.prod(axis=1)
    matrix = scale[:, None] / scale / distance
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    derivative: Array = matrix
    return derivative
