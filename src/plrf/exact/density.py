"""Spectral density of ``K^ = D^1/2 W W^T D^1/2``, W averaged out (model section 4).

On the real axis the effective ridge is complex, ``kappa(x + i0) = -s - i eta``. Neither Newton's
method in the complex plane nor continuation towards the axis is needed: for given s the height eta
solves one real equation, and everything else is a sum of positive terms,

    sum_j w_j a_j**2 = d                          w_j = 1 / ((a_j - s)**2 + eta**2)
    x = (s**2 + eta**2)/d sum_j w_j a_j
    density = d eta / (pi (s**2 + eta**2))        weighted = eta/(pi x) sum_j w_j (a_j b_j)**2

(take imaginary parts of ``kappa (1 - df/d) = -z``). The spectrum is where ``eta > 0``, and x
increases with s there. Outliers are bands around the ``a_j`` of the first features: semicircles of
variance ``a_j**2/d``. Over draws of W the largest eigenvalues spread about twice as much, as
Gaussians: averaging the resolvent loses that, but not the place and mass of an outlier.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.task import feature_variances, target_coefficients

Array = NDArray[np.float64]

NEWTON_STEPS = 60
# Newton is quadratic: a step below this leaves an error below rounding.
NEWTON_TOLERANCE = 1e-8
ROUNDING = 1e-14  # of the sums over features
BISECTIONS = 25
CELL_NODES = 24
CHUNK = 1 << 15  # numbers per temporary: 256 kB, within a cache


@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """Density of the nonzero eigenvalues, on a grid made for integration.

    Integrals over the spectrum are sums: ``weights @ (density * f(x))``.

    Attributes
    ----------
    x : array, shape (n,)
        Points of the spectrum, increasing.
    weights : array, shape (n,)
        Quadrature weights.
    density : array, shape (n,)
        Density of the d nonzero eigenvalues; its integral is d.
    weighted : array, shape (n,)
        Density of ``sum_i c_i**2 delta(x - lam_i)``, the spectrum seen by ``D^1/2 b``; its
        integral is ``|D^1/2 b|^2 - F_0``.
    converged : bool array, shape (n,)
        Whether Newton's method converged at each point.
    bands : array, shape (m, 2)
        Ends of the intervals that carry the spectrum, increasing.
    """

    x: Array
    weights: Array
    density: Array
    weighted: Array
    converged: NDArray[np.bool_]
    bands: Array


def _chunks(points: int, v: int) -> list[slice]:
    """Ranges of points whose temporaries of shape (points, v) stay within ``CHUNK``."""
    size = max(1, CHUNK // v)
    return [slice(i, i + size) for i in range(0, points, size)]


def _pole_sums(s: Array, a: Array) -> tuple[Array, Array]:
    """``f(s) = sum_j (a_j/(a_j - s))**2`` and half its derivative."""
    f, slope = np.empty((2, s.size))
    for rows in _chunks(s.size, a.size):
        ratio = 1 / (1 - s[rows, None] / a)
        square = np.square(ratio)
        f[rows] = square.sum(axis=1)
        slope[rows] = (square * ratio) @ (1 / a)
    return f, slope


def _dips(count: int, a: Array) -> Array:
    """Minima of the convex function f between ``a_j`` and ``a_(j+1)``, for j = 1..count."""
    low, high = a[1 : count + 1].copy(), a[:count].copy()
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        falling = _pole_sums(middle, a)[1] < 0
        low, high = np.where(falling, middle, low), np.where(falling, high, middle)
    return (low + high) / 2


def _ends(start: Array, a: Array, d: float) -> Array:
    """Ends of bands, where f = d, from points of the bands near a pole.

    Between neighbouring poles ``f**-1/2`` is concave, as a power mean of the distances to all
    poles. Newton's method for it rises to the end of the band.
    """
    s = start.copy()
    for _ in range(NEWTON_STEPS):
        f, slope = _pole_sums(s, a)
        step = f * (1 - np.sqrt(f / d)) / slope
        s += step
        if np.all(np.abs(step) <= NEWTON_TOLERANCE * (np.abs(s) + a[-1])):
            break
    return s


def _bands(dips: Array, a: Array, d: float) -> Array:
    """Intervals of s that carry the spectrum, increasing; shape (m, 2).

    A single feature makes a band ``a_j (1 -+ d**-1/2)``. Bands of neighbours merge, except for
    those of the first features, when f stays above d between them.
    """
    gaps = np.flatnonzero(_pole_sums(dips, a)[0] < d)[::-1]
    lower = np.append(a[-1], a[gaps]) * (1 - d**-0.5)
    upper = np.append(a[gaps + 1], a[0]) * (1 + d**-0.5)
    return np.stack([_ends(lower, a, d), _ends(upper, a, d)], axis=1)


def _grid(bands: Array, dips: Array, alpha: float, d: float, v: int) -> tuple[Array, Array]:
    """Quadrature nodes s and weights on the bands.

    The bands are cut into cells: at the dips between the first features, whose bumps may be
    distinct, then at each e-fold of ``a_j`` down to ``a_d``. The lowest cell is graded when v is
    close to d, where the density has a narrow peak. On a cell ``s = middle - half cos(theta)``
    with Gauss nodes in theta, which resolves the square roots at the ends of bands.
    """
    merged = np.exp(np.arange(np.log(dips.size + 1), np.log(d), 0.5 / alpha))
    bottom, last = bands[0, 0], v ** (-2 * alpha)
    peak = bottom**2 / last if v > d else last
    graded = bottom + np.exp(np.arange(np.log(peak), np.log(last), np.log(4)))
    cuts = np.sort(np.concatenate([bands.ravel(), dips, merged ** (-2 * alpha), graded]))
    middle, half = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts) / 2
    band = np.searchsorted(bands[:, 0], middle, side="right") - 1
    inside = middle < bands[band, 1]
    middle, half = middle[inside, None], half[inside, None]
    x, w = np.polynomial.legendre.leggauss(CELL_NODES)
    theta = (1 + x) * np.pi / 2
    s = middle - half * np.cos(theta)
    return s.ravel(), (half * np.sin(theta) * w * np.pi / 2).ravel()


def _height(s: Array, a: Array, d: float) -> tuple[Array, NDArray[np.bool_]]:
    """Squared height q of the ridge, ``sum_j a_j**2/((a_j - s)**2 + q) = d``, and convergence.

    The inverse of the sum is a concave, increasing function of q: Newton's method started below
    the root rises to it. Each term alone gives a lower bound.
    """
    distance, squares = np.square(a - s[:, None]), a**2
    w = squares / d - distance
    q = np.maximum(w.max(axis=1), 0.0)
    for _ in range(NEWTON_STEPS):
        np.add(distance, q[:, None], out=w)
        np.reciprocal(w, out=w)
        total = w @ squares
        np.square(w, out=w)
        scale = total / (w @ squares)
        step = scale * (total / d - 1)
        q += step
        converged = np.abs(step) <= NEWTON_TOLERANCE * q + ROUNDING * scale
        if converged.all():
            break
    return np.maximum(q, 0.0), converged


def _inverse_squares(s: Array, q: Array, a: Array) -> Array:
    """``w_j = 1/((a_j - s)**2 + q)``; shape (n, v)."""
    w: Array = a - s[:, None]
    np.square(w, out=w)
    w += q[:, None]
    return np.reciprocal(w, out=w)


def _densities(s: Array, q: Array, a: Array, signal: Array, d: float) -> Array:
    """x, dx/ds, the density and the weighted density; shape (4, n)."""
    w = _inverse_squares(s, q, a)
    trace, target = w @ a, w @ signal
    np.square(w, out=w)
    squares = np.square(a)
    curvature, third = w @ squares, w @ (squares * a)
    eta, modulus = np.sqrt(q), np.square(s) + q
    x = modulus / d * trace
    # From the derivatives of the equations for q and x.
    slope = 2 / d * (q * curvature + np.square(third - s * curvature) / curvature)
    return np.stack([x, slope, d * eta / (np.pi * modulus), eta * target / (np.pi * x)])


def _positions(bands: Array, a: Array, d: float) -> Array:
    """The bands in terms of x."""
    s, height = bands.ravel(), np.zeros(1)
    parts = [_inverse_squares(s[rows], height, a) @ a for rows in _chunks(s.size, a.size)]
    x: Array = np.square(s) / d * np.concatenate(parts)
    return x.reshape(bands.shape)


def spectral_density(alpha: float, beta: float, d: float, v: int) -> SpectralDensity:
    """Density of the eigenvalues, and of the spectrum seen by the target (model section 4).

    The number of points grows with ``alpha sqrt(d)``, the number of distinct outliers. Moments
    are right to 1e-7 for d >= 5, and to 1e-4 below.

    Parameters
    ----------
    alpha, beta : float
        Data and target complexity.
    d : float
        Number of parameters.
    v : int
        Number of features, ``v >= d``, up to about 1e5: sums over features are direct.

    Raises
    ------
    ValueError
        Unless ``1 <= d <= v``.
    """
    if not 1 <= d <= v:
        raise ValueError(f"d={d}, v={v}: need 1 <= d <= v")
    a = feature_variances(alpha, v)
    signal = np.square(a * target_coefficients(beta, v))
    dips = _dips(min(int(2 * alpha * np.sqrt(d)) + 1, v - 1), a)
    bands = _bands(dips, a, d)
    s, weights = _grid(bands, dips, alpha, d, v)
    values = np.empty((4, s.size))
    converged = np.empty(s.size, dtype=bool)
    for rows in _chunks(s.size, v):
        q, converged[rows] = _height(s[rows], a, d)
        values[:, rows] = _densities(s[rows], q, a, signal, d)
    x, slope, density, weighted = values
    return SpectralDensity(
        x, weights * slope, density, weighted, converged, _positions(bands, a, d)
    )
