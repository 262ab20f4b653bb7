"""Named parts of the loss: F_0, F_pp, F_ac, K_pp and the estimate built from them (section 6).

Each part but F_0 is an integral of ``u**(s-1) exp(-T u)`` with ``T = 2 gamma B r``: an incomplete
gamma function of order s. The order is negative in F_ac when 2 alpha < 1 and in K_pp when
4 alpha < 1.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import integrate, optimize, special

from plrf.arguments import number, numbers, whole_number
from plrf.exact.power_sums import feature_rule, power_sum
from plrf.theory.phases import TOLERANCE

Array = NDArray[np.float64]

# Below T u = 2 a power series, above it a continued fraction: these many terms reach rounding.
SPLIT = 2.0
SERIES_TERMS = 26
FRACTION_TERMS = 48


def _exponential_integral(s: float, x: Array) -> Array:
    """Integral of ``w**(s-1) exp(-x w)`` over w > 1, for x >= ``SPLIT`` and any s below 2.

    It is ``x**-s Gamma(s, x)``, or E_n(x) with n = 1 - s, by Legendre's continued fraction;
    SciPy has neither function for negative s.
    """
    fraction = np.zeros_like(x)
    for k in range(FRACTION_TERMS, 0, -1):
        fraction = k * (k - s) / (x + 2 * k + 1 - s - fraction)
    integral: Array = np.exp(-x) / (x + 1 - s - fraction)
    return integral


def _complete_integral(s: float, t: Array) -> Array:
    """Integral of ``u**(s-1) exp(-t u)`` over 0 < u < 1, for s > 0: ``t**-s gamma(s, t)``."""
    small, large = np.minimum(t, s + 1), np.maximum(t, s + 1)
    power = np.exp(special.gammaln(s) - s * np.log(large))
    integral: Array = np.where(
        t < s + 1, special.hyp1f1(s, s + 1, -small) / s, special.gammainc(s, large) * power
    )
    return integral


def _truncated_integral(s: float, lower: float, t: Array) -> Array:
    """Integral of ``u**(s-1) exp(-t u)`` over lower < u < 1, for s < 2.

    No step subtracts nearby numbers when s is near 0 or a negative integer, so none of these
    values is special.

    Parameters
    ----------
    s : float
        Order, below 2; positive if ``lower`` is 0.
    lower : float
        In [0, 1).
    t : array
        Non-negative.
    """
    if lower == 0:
        return _complete_integral(s, t)
    top = np.maximum(t, SPLIT)
    middle = np.maximum(SPLIT / top, lower)
    # From lower to middle, where t u < 2: expand the exponential. exprel(-a span) span is the
    # integral of u**(a-1) from lower/middle to 1, for a of any sign.
    span = np.log(middle / lower)
    scaled = np.minimum(t, SPLIT)
    k = np.arange(SERIES_TERMS)
    terms = (-scaled[..., None]) ** k / special.factorial(k)
    head = span * (terms * special.exprel(-(s + k) * span[..., None])).sum(axis=-1)
    tail = middle**s * _exponential_integral(s, middle * top) - _exponential_integral(s, top)
    integral: Array = middle**s * head + tail
    return integral


def _decay(steps: ArrayLike, learning_rate: float, batch: int) -> Array:
    """``T = 2 gamma B r``."""
    learning_rate = number("learning_rate", learning_rate, above=0)
    return (
        2 * learning_rate * whole_number("batch", batch, least=1) * numbers("steps", steps, least=0)
    )


def capacity_ridge(alpha: float, d: float, v: float) -> float:
    """Solution kappa of ``int_0^(v/d) kappa dx/(kappa + x**(2 alpha)) = 1``, for v > d."""

    def mean(log_z: float, sign: int) -> float:
        """Mean over 0 < x < 1 of ``1/(1 + z x**(2 alpha))``, or for sign -1 of 1 minus that."""

        def integrand(t: float) -> float:
            return math.exp(-t) * float(special.expit(sign * (2 * alpha * t - log_z)))

        bend = max(log_z / (2 * alpha), 0.0)
        before, _ = integrate.quad(integrand, 0.0, bend, epsabs=0, epsrel=1e-13)
        after, _ = integrate.quad(integrand, bend, math.inf, epsabs=0, epsrel=1e-13)
        return float(before + after)

    def excess(log_z: float) -> float:
        """Log odds of the mean, minus those of d/v: without cancellation at either end."""
        return math.log(mean(log_z, 1) / mean(log_z, -1) * (v - d) / d)

    # With x in units of v/d, z = (v/d)**(2 alpha) / kappa.
    log_ratio = math.log(v / d)
    low = math.log((v - d) / d) - 1
    high = (2 * alpha + 1) * (log_ratio + math.log(2))
    log_z = optimize.brentq(excess, low, high, xtol=1e-14, rtol=1e-15)
    return math.exp(2 * alpha * log_ratio - log_z)


def f_0(*, alpha: float, beta: float, d: float, v: float) -> float:
    """F_0, the loss that d parameters cannot remove, model section 6 (docs/model.md).

    It differs from the capacity of the deterministic equivalent,
    `plrf.exact.ridge.DeterministicEquivalent.capacity`, by a relative O(1/d): the equation for
    kappa is an integral here and a sum there.

    Parameters
    ----------
    alpha, beta : float
        Data and target complexity.
    d, v : float
        Numbers of parameters and features, ``d <= v <= 2**53``. F_0 is 0 when v = d.
    """
    alpha, beta = number("alpha", alpha, above=0), number("beta", beta)
    d, v = number("d", d, least=1), number("v", v, least=1)
    if not d <= v <= 2**53:
        raise ValueError(f"d={d:g}, v={v:g}: need d <= v <= 2**53")
    if v == d:
        return 0.0
    nodes, weights = feature_rule(alpha, float(v))
    ridge = d ** (2 * alpha) * capacity_ridge(alpha, d, v)
    return float(weights @ (nodes ** (-2 * beta) / (nodes ** (2 * alpha) + ridge)))


def pure_point_density(u: ArrayLike, *, alpha: float, beta: float) -> Array:
    """Density of the target's mass over eigenvalues that F_pp integrates, model section 6.

    ``F_pp = int pure_point_density(u) exp(-2 gamma B r u) du`` over 0 < u < 1: the eigenvalues
    ``a_j`` with their masses ``a_j b_j**2``, as a continuum.

    Parameters
    ----------
    u : array_like
        Eigenvalues, positive; the density is 0 above 1.
    alpha, beta : float
        Data and target complexity.
    """
    u = np.asarray(u, dtype=float)
    density: Array = u ** ((2 * beta - 1) / (2 * alpha)) / (2 * alpha)
    return np.where(u < 1, density, 0.0)


def continuous_density(u: ArrayLike, *, alpha: float, beta: float, d: float, v: float) -> Array:
    """Density of the target's mass over eigenvalues that F_ac integrates, model section 6.

    ``F_ac = int continuous_density(u) exp(-2 gamma B r u) du``: what W moves from the first
    features to all eigenvalues. It is 0 when 2 beta <= 1.

    Parameters
    ----------
    u : array_like
        Eigenvalues; the density is 0 outside ``d**(-2 alpha) < u < 1``.
    alpha, beta : float
        Data and target complexity.
    d, v : float
        Numbers of parameters and features.
    """
    u = np.asarray(u, dtype=float)
    if 2 * beta <= 1 + TOLERANCE:
        return np.zeros_like(u)
    inside = (u > d ** (-2 * alpha)) & (u < 1)
    density: Array = power_sum(2 * beta, v) / (2 * alpha * d) * u ** (-1 / (2 * alpha))
    return np.where(inside, density, 0.0)


def f_pp(
    steps: ArrayLike, *, alpha: float, beta: float, learning_rate: float, batch: int = 1
) -> Array:
    """F_pp(r), the forcing's part from pure points, model section 6 (docs/model.md).

    Parameters
    ----------
    steps : array_like
        r, non-negative.
    alpha, beta : float
        Data and target complexity.
    learning_rate : float
        gamma.
    batch : int
        B, samples per step.

    Returns
    -------
    array, shape of ``steps``

    Raises
    ------
    ValueError
        Unless 2(alpha+beta) > 1: the integral diverges on the edge and below it.
    """
    alpha, beta = number("alpha", alpha, above=0), number("beta", beta)
    p = 2 * (alpha + beta) - 1
    if p <= TOLERANCE:
        raise ValueError(
            f"F_pp is infinite at alpha = {alpha:.12g}, beta = {beta:.12g}: "
            f"2(alpha+beta) > 1 is required, here it is {p + 1:.12g}"
        )
    t = _decay(steps, learning_rate, batch)
    return _complete_integral(p / (2 * alpha), t) / (2 * alpha)


def f_ac(
    steps: ArrayLike,
    *,
    alpha: float,
    beta: float,
    d: float,
    v: float,
    learning_rate: float,
    batch: int = 1,
) -> Array:
    """F_ac(r), the forcing's part from the continuous spectrum, model section 6 (docs/model.md).

    The sum in c_beta runs over the v features of the model, not to infinity, where it would
    diverge as 2 beta falls to 1. F_ac is 0 when 2 beta <= 1, and jumps there.

    Parameters
    ----------
    steps : array_like
        r, non-negative.
    alpha, beta : float
        Data and target complexity.
    d, v : float
        Numbers of parameters and features.
    learning_rate : float
        gamma.
    batch : int
        B, samples per step.

    Returns
    -------
    array, shape of ``steps``
    """
    alpha, beta = number("alpha", alpha, above=0), number("beta", beta)
    d, v = number("d", d, least=1), number("v", v, least=1, infinite=True)
    t = _decay(steps, learning_rate, batch)
    if 2 * beta <= 1 + TOLERANCE:
        return np.zeros_like(t)
    scale = power_sum(2 * beta, v) / (2 * alpha * d)
    return scale * _truncated_integral(1 - 1 / (2 * alpha), d ** (-2 * alpha), t)


def k_pp(
    steps: ArrayLike, *, alpha: float, d: float, learning_rate: float, batch: int = 1
) -> Array:
    """K_pp(r), the kernel's part from pure points, model section 6 (docs/model.md).

    Section 6 integrates from u = 0, which diverges for alpha <= 1/4 and, just above, counts
    eigenvalues that d parameters do not have: at alpha = 0.255 and d = 1e4 it is 3 to 85 times
    the kernel. Here the integral starts at the spectral gap ``d**(-2 alpha)``, as in F_ac; the
    formula of section 6 is ``d = inf``.

    Parameters
    ----------
    steps : array_like
        r, non-negative.
    alpha : float
        Data complexity.
    d : float
        Number of parameters, or ``inf`` if alpha > 1/4.
    learning_rate : float
        gamma.
    batch : int
        B, samples per step.

    Returns
    -------
    array, shape of ``steps``

    Raises
    ------
    ValueError
        If d is infinite and alpha <= 1/4.
    """
    alpha, d = number("alpha", alpha, above=0), number("d", d, least=1, infinite=True)
    if math.isinf(d) and 4 * alpha <= 1 + TOLERANCE:
        raise ValueError(f"K_pp is infinite at alpha = {alpha:.12g}, d = inf: need alpha > 1/4")
    learning_rate = number("learning_rate", learning_rate, above=0)
    t = _decay(steps, learning_rate, batch)
    integral = _truncated_integral(2 - 1 / (2 * alpha), d ** (-2 * alpha), t)
    return learning_rate**2 * batch / (2 * alpha) * integral


def loss_estimate(
    steps: ArrayLike,
    *,
    alpha: float,
    beta: float,
    d: float,
    v: float,
    learning_rate: float,
    batch: int = 1,
) -> Array:
    """Estimate ``F_0 + F_pp + F_ac + K_pp/(gamma B)`` of the loss, model section 6 (docs/model.md).

    Its ratio to P(r) stays between bounds that do not depend on r and d, off the line 2 beta = 1:
    there, where 2 alpha > 1, it falls like 1/log d at late steps.

    Parameters
    ----------
    steps : array_like
        r, non-negative.
    alpha, beta : float
        Data and target complexity, with 2(alpha+beta) > 1.
    d, v : float
        Numbers of parameters and features, ``d <= v <= 2**53``.
    learning_rate : float
        gamma.
    batch : int
        B, samples per step.

    Returns
    -------
    array, shape of ``steps``
    """
    learning_rate = number("learning_rate", learning_rate, above=0)
    floor = f_0(alpha=alpha, beta=beta, d=d, v=v)
    pure = f_pp(steps, alpha=alpha, beta=beta, learning_rate=learning_rate, batch=batch)
    continuous = f_ac(
        steps, alpha=alpha, beta=beta, d=d, v=v, learning_rate=learning_rate, batch=batch
    )
    kernel = k_pp(steps, alpha=alpha, d=d, learning_rate=learning_rate, batch=batch)
    return floor + pure + continuous + kernel / (learning_rate * batch)
