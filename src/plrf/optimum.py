"""The exact compute-optimal front: the best size and its loss, with d continuous (section 7).

At a budget of f flops a model of d parameters makes ``r = f/(d batch)`` steps. The expected loss is
a smooth function of log d and log f, known to about twelve digits; its minimum over d, and the
local exponents of the front, come from Chebyshev interpolation in log d.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebpts1
from numpy.typing import ArrayLike, NDArray

from plrf.model import learning_rate
from plrf.resolvent import DeterministicEquivalent
from plrf.theory import phase
from plrf.volterra import FIRST_HYPERBOLA, invert_at, stable_kernel_mass

Array = NDArray[np.float64]

NODES = 11
HALF_WIDTH = 0.5  # of the interpolation in log d
MAX_MOVES = 100
LEAST_SIZE = 12.0
LEAST_FEATURES = 49.0  # from 48 on v may be any real number
SCAN_SIZES = 24


@dataclass(frozen=True)
class Optimum:
    """Exact compute-optimal front; arrays have the shape of ``flops``.

    Attributes
    ----------
    flops, d, loss : arrays
        Budgets, best sizes d*(f) and their losses P*(f).
    eta, xi : arrays
        Local exponents ``-d log P*/d log f`` and ``d log d*/d log f``.
    d_error, loss_error : arrays
        Estimated relative errors.
    eta_error, xi_error : arrays
        Estimated absolute errors.
    status : array of str
        "ok", or "no minimum" if the best size leaves the range from 12 parameters
        (or 49 features) to 16 steps.
    """

    flops: Array
    d: Array
    loss: Array
    eta: Array
    xi: Array
    d_error: Array
    loss_error: Array
    eta_error: Array
    xi_error: Array
    status: NDArray[np.str_]


@dataclass(frozen=True)
class _Problem:
    """log P as a function of log d at one budget."""

    flops: float
    alpha: float
    beta: float
    v_over_d: float
    c: float
    batch: int

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and largest log d that are looked at."""
        least = max(LEAST_SIZE, LEAST_FEATURES / self.v_over_d)
        return np.log(least), np.log(self.flops / (self.batch * FIRST_HYPERBOLA))

    def __call__(self, log_d: float) -> tuple[float, float]:
        """Return log P and its derivative in log f at fixed d."""
        d = float(np.exp(log_d))
        v = self.v_over_d * d
        gamma = learning_rate(self.c, self.alpha, v, self.batch)
        stable_kernel_mass(self.alpha, d, v, gamma, self.batch)
        spectrum = DeterministicEquivalent(self.alpha, self.beta, d, v)
        loss, slope = invert_at(self.flops / (d * self.batch), spectrum, gamma, self.batch)
        return float(np.log(loss)), slope / loss

    def scan(self) -> float:
        """Best of a few sizes over the whole range."""
        sizes = np.linspace(*self.bounds, SCAN_SIZES)
        return float(sizes[np.argmin([self(x)[0] for x in sizes])])

    def interpolate(self, centre: float) -> tuple[Chebyshev, Chebyshev]:
        """Interpolants of both over ``centre`` +- HALF_WIDTH."""
        domain = [centre - HALF_WIDTH, centre + HALF_WIDTH]
        nodes = centre + HALF_WIDTH * chebpts1(NODES)
        values = np.array([self(x) for x in nodes])
        log_loss, slope = (Chebyshev.fit(nodes, y, NODES - 1, domain=domain) for y in values.T)
        return log_loss, slope

    def minimum(self, guess: float) -> tuple[float, Chebyshev, Chebyshev] | None:
        """Log of the best size, with the interpolants around it; None if it is out of bounds."""
        low, high = self.bounds[0] + HALF_WIDTH, self.bounds[1] - HALF_WIDTH
        centre = min(max(guess, low), high)
        for _ in range(MAX_MOVES):
            log_loss, slope = self.interpolate(centre)
            best = _lowest(log_loss)
            if abs(best - centre) < 0.9 * HALF_WIDTH:
                return best, log_loss, slope
            moved = min(max(best, low), high)
            if moved == centre:
                break
            centre = moved
        return None


def _lowest(curve: Chebyshev) -> float:
    """Point of the domain where an interpolant is lowest."""
    roots = curve.deriv().roots()
    real = roots.real[np.abs(roots.imag) < 1e-9]
    low, high = curve.domain
    points = np.concatenate([curve.domain, real[(real > low) & (real < high)]])
    return float(points[np.argmin(curve(points))])


def _local(best: float, log_loss: Chebyshev, slope: Chebyshev) -> NDArray[np.float64]:
    """Log d*, log P*, eta and xi from interpolants around the minimum.

    At the minimum ``d log P/d log d = 0``: P* changes with f through its slope at fixed d only, and
    d* so that the mixed derivative is made up for by the second one.
    """
    curvature, mixed = log_loss.deriv(2)(best), slope.deriv()(best)
    return np.array([best, log_loss(best), -slope(best), -mixed / curvature])


def compute_optimal(
    flops: ArrayLike,
    *,
    alpha: float,
    beta: float,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: int = 1,
) -> Optimum:
    """Exact compute-optimal front P*(f), d*(f) with its local exponents, d continuous (section 7).

    Parameters
    ----------
    flops : array, any shape and order
        Budgets ``f = d r batch``.
    alpha, beta : float
        Data and target complexity.
    v_over_d : float
        Number of features over number of parameters, above 1; may be infinite if 2 alpha > 1.
    c : float
        Learning-rate constant, ``gamma = c/(batch Tr D)``.
    batch : int
        Samples per step.

    Returns
    -------
    Optimum

    Raises
    ------
    ValueError
        If a budget is not positive and finite, v_over_d is too small, or the model has no power
        law (model section 1).
    DivergenceError
        If the learning rate is not below the stability threshold.
    """
    flops = np.asarray(flops, dtype=float)
    if not np.all((flops > 0) & np.isfinite(flops)):
        raise ValueError("flops must be positive and finite")
    if not v_over_d > 1:
        raise ValueError(f"v_over_d = {v_over_d}: must be above 1")
    phase(alpha, beta)  # raises where there is no power law
    rows = np.full((flops.size, 8), np.nan)
    previous: list[tuple[float, NDArray[np.float64]]] = []
    for k in np.argsort(flops, axis=None):
        problem = _Problem(float(flops.flat[k]), alpha, beta, v_over_d, c, batch)
        low, high = problem.bounds
        if high - low < 2 * HALF_WIDTH:
            continue
        if previous:
            log_flops, row = previous[-1]
            guess = row[0] + row[3] * (np.log(problem.flops) - log_flops)
        else:
            guess = problem.scan()
        found = problem.minimum(guess)
        if found is None:
            continue
        best, log_loss, slope = found
        row = _local(best, log_loss, slope)
        fewer = log_loss.truncate(NODES - 2)
        coarse = _local(_lowest(fewer), fewer, slope.truncate(NODES - 2))
        rows[k] = [*row, *np.abs(row - coarse)]
        previous.append((np.log(problem.flops), row))
    measured, errors = np.moveaxis(rows.reshape(*flops.shape, 2, 4), (-2, -1), (0, 1))
    return Optimum(
        flops,
        d=np.exp(measured[0]),
        loss=np.exp(measured[1]),
        eta=measured[2],
        xi=measured[3],
        d_error=errors[0],
        loss_error=errors[1],
        eta_error=errors[2],
        xi_error=errors[3],
        status=np.where(np.isnan(measured[0]), "no minimum", "ok"),
    )
