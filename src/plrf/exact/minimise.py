"""Minimum of a smooth function of log d, by Chebyshev interpolation around it.

Losses are smooth in log d and cost little, so that an interpolant gives the minimum and derivatives
there to many digits. Functions may have several components, of which the first is minimised.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebfit, chebpts1
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES = 11
HALF_WIDTH = 0.5  # of an interpolation
SHARP_HALF_WIDTH = 0.25  # where losses bend sharply, for 2 alpha < 1
MAX_MOVES = 100
SCAN_POINTS = 24
# Of a logarithm: a rise beyond which no other minimum is looked for, and how much lower than where
# steps fall one may be.
BARRIER, NEARLY = 1.0, 0.5


class NoMinimumError(ArithmeticError):
    """A function falls towards a bound."""


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a function is lowest, and what it is around there.

    Attributes
    ----------
    x : float
        Place of the minimum.
    curves : list of Chebyshev
        Interpolants of all components around it.
    """

    x: float
    curves: list[Chebyshev]

    def coarser(self) -> "Minimum":
        """The same from interpolants of a lower degree; the difference is an error estimate."""
        fewer = [curve.truncate(curve.coef.size - 2) for curve in self.curves]
        return Minimum(_lowest(fewer[0]), fewer)

    def check(self) -> "Minimum":
        """The same with the first two components less the last two: those of a check."""
        first, second, *others = self.curves
        checks = [first - others[-2], second - others[-1], *others]
        return Minimum(_lowest(checks[0]), checks)


def minimise(
    function: Callable[[float], Array],
    low: float,
    high: float,
    guess: float | None = None,
    nodes: int = NODES,
    half_width: float = HALF_WIDTH,
) -> Minimum | None:
    """Find the minimum of a function's first component between two bounds.

    Parameters
    ----------
    function : callable
        Components at x, shape (n,).
    low, high : float
        Bounds, within which all evaluations are.
    guess : float, optional
        Where to begin; without one, the whole range is scanned.
    nodes : int
        Points of an interpolation.
    half_width : float
        Of an interpolation.

    Returns
    -------
    Minimum or None
        None if the function falls towards a bound, or the bounds leave no room.
    """
    first, last = low + half_width, high - half_width  # centres of interpolations
    if not first <= last:
        return None
    if guess is None:
        points = np.linspace(low, high, SCAN_POINTS)
        guess = float(points[np.argmin([function(x)[0] for x in points])])
    centre = min(max(guess, first), last)
    for _ in range(MAX_MOVES):
        curves = _interpolate(function, centre, nodes, half_width)
        best = _lowest(curves[0])
        if abs(best - centre) < 0.9 * half_width:
            return Minimum(best, curves)
        moved = min(max(best, first), last)
        if moved == centre:
            break
        centre = moved
    return None


def value_at(function: Callable[[float], Array], x: float) -> float:
    """First component of a function that may itself be a minimum; infinite where there is none."""
    if not np.isfinite(x):
        return np.inf
    try:
        return float(function(x)[0])
    except NoMinimumError:
        return np.inf


def downhill(function: Callable[[float], Array], start: float, low: float, high: float) -> float:
    """Walk in steps of an interpolation's width to where a function's first component is low."""
    best, least = start, value_at(function, start)
    for step in (-2 * HALF_WIDTH, 2 * HALF_WIDTH):
        while low <= best + step <= high:
            value = value_at(function, best + step)
            if value >= least and np.isfinite(value):
                break
            best, least = best + step, value
    return best


def valleys(
    function: Callable[[float], Array],
    start: float,
    low: float,
    high: float,
    width: float = 2 * HALF_WIDTH,
) -> list[float]:
    """Walk both ways in steps of some width, over what rises by less than one.

    Returns
    -------
    list of float
        Steps whose neighbours are higher and which may be lowest: within one half of the lowest.
    """
    values = {start: value_at(function, start)}
    for step in (-width, width):
        x = start + step
        while low <= x <= high:
            values[x] = value_at(function, x)
            if values[x] > min(values.values()) + BARRIER:
                break
            x += step
    places = sorted(values)
    heights = np.array([np.inf, *(values[x] for x in places), np.inf])
    inner = heights[1:-1]
    bottom = (inner <= heights[:-2]) & (inner <= heights[2:]) & (inner <= inner.min() + NEARLY)
    return [x for x, there in zip(places, bottom.tolist(), strict=True) if there]


def _interpolate(
    function: Callable[[float], Array], centre: float, count: int, half_width: float
) -> list[Chebyshev]:
    """Interpolants of all components over ``centre`` +- half_width."""
    domain = [centre - half_width, centre + half_width]
    nodes = centre + half_width * chebpts1(count)
    values = np.array([function(x) for x in nodes])
    coefficients = chebfit(chebpts1(count), values, count - 1)
    return [Chebyshev(row, domain=domain) for row in coefficients.T]


def _lowest(curve: Chebyshev) -> float:
    """Point of the domain where an interpolant is lowest."""
    roots = curve.deriv().roots()
    real = roots.real[np.abs(roots.imag) < 1e-9]
    low, high = curve.domain
    points = np.concatenate([curve.domain, real[(real > low) & (real < high)]])
    return float(points[np.argmin(curve(points))])
