"""Expected loss of one-pass SGD at any step, by contour inversion (model sections 3 to 5).

The expected loss P solves a Volterra equation with forcing F and kernel K. Their generating
functions are known in closed form, and inverting them costs the same at any step: hyperbolic
contours, each for a decade of steps, and a circle for the first few steps.
"""

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from plrf.training import SGD

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

# Steps below this are inverted on a circle; from there on each decade has a hyperbola, which
# stays well inside |Im p| < pi.
FIRST_HYPERBOLA = 16
DECADE = 10.0
# Node counts of the contour that gives the values and of the one that checks them.
CIRCLE_NODES = (192, 160)
HYPERBOLA_NODES = (33, 31)
# On the circle |zeta| = exp(-36/nodes): aliasing is exp(-36) = 2e-16 relative to P(0).
CIRCLE_DAMPING = 36.0
# The best hyperbolas for a decade of steps and for a single step (Weideman and Trefethen 2007,
# for Lambda = 10 and 1): asymptotic angle, and node spacing times nodes.
DECADE_SHAPE = (1.0236, 3.374)
SINGLE_SHAPE = (1.1721, 1.082)
SINGLE_NODES = 15
# Rounding error of a sum over a contour, relative to the sum of its terms' magnitudes.
ROUNDING = 16 * np.finfo(float).eps


class Spectrum(Protocol):
    """What contour inversion needs to know of a spectrum: a given W's, or the average over W."""

    @property
    def noise(self) -> float:
        """Variance of the labels' noise."""
        ...

    def outer_trace(self, z: Array) -> Array:
        """Return df(z) at real z right of the support, NaN elsewhere."""
        ...

    def transforms(
        self, z: ComplexArray, near_zero: NDArray[np.bool_]
    ) -> tuple[ComplexArray, ComplexArray]:
        """Return the transforms of forcing, h_F(z) up to a constant, and kernel, z df(z)."""
        ...


def spectral_parameters(
    p: ComplexArray, sgd: SGD
) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
    """Map the plane of p to that of the spectrum: z-, z+ and s (model section 5)."""
    learning_rate, batch = sgd.learning_rate, sgd.batch
    u: ComplexArray = -np.expm1(p)
    s: ComplexArray = np.sqrt(1 - u * ((batch + 1) / batch))
    return u / (learning_rate * batch * (1 + s)), (1 + s) / (learning_rate * (batch + 1)), s


def generating_functions(
    p: ComplexArray, spectrum: Spectrum, sgd: SGD
) -> tuple[ComplexArray, Array]:
    """Generating functions of loss, forcing and kernel at ``zeta = exp(-p)`` (model section 5).

    Each is returned in two parts, whose sum it is. The second depends on z+ alone: it is smooth at
    p = 0, where it would drown the first in rounding errors, and adds nothing at large steps. What
    the noise of labels adds has a pole there, and is in the first (model section 10).

    Parameters
    ----------
    p : complex array, shape (..., n)
        Points of contours; the last axis runs over the points that are summed together.

    Returns
    -------
    parts : complex array, shape (2, 3, *p.shape)
        The two parts of P^, F^ and K^.
    magnitude : array, shape (2, *p.shape)
        Magnitudes of the two parts of P^ as rounding errors see them.
    """
    learning_rate, batch = sgd.learning_rate, sgd.batch
    z_minus, z_plus, s = spectral_parameters(p, sgd)
    near_zero = np.abs(z_minus).max(axis=-1, keepdims=True) < 1
    forcing, kernel = spectrum.transforms(np.stack([z_minus, z_plus]), near_zero)
    scale = np.exp(p) / (2 * learning_rate * batch * s)
    f, f_smooth = scale * forcing[0], -scale * forcing[1]
    scale *= learning_rate**2 * batch
    k, k_smooth = scale * kernel[0], -scale * kernel[1]
    zeta = np.exp(-p)
    loss_smooth = f_smooth / (1 - zeta * k_smooth)
    noise = spectrum.noise * zeta * (k + k_smooth) / -np.expm1(-p)
    loss = (f + noise + zeta * k * loss_smooth) / (1 - zeta * (k + k_smooth))
    # Where a denominator cancels, it amplifies errors.
    zeta_k, zeta_k_smooth = np.abs(zeta * k), np.abs(zeta * k_smooth)
    size_smooth = np.abs(loss_smooth) * (1 + zeta_k_smooth) / np.abs(1 - zeta * k_smooth)
    size = (
        (np.abs(f) + np.abs(noise) + zeta_k * size_smooth)
        * (1 + zeta_k + zeta_k_smooth)
        / np.abs(1 - zeta * (k + k_smooth)) ** 2
    )
    parts = np.stack([np.stack([loss, f, k]), np.stack([loss_smooth, f_smooth, k_smooth])])
    return parts, np.stack([size, size_smooth])


def smooth_part_matters(steps: Array, spectrum: Spectrum, sgd: SGD) -> NDArray[np.bool_]:
    """Whether the smooth part of the generating functions adds anything at these steps.

    It decays as exp(p r) with its rightmost singularity p: there z+ reaches the spectrum, or its
    denominator vanishes. It is left out once that is below its own rounding error: if it has no
    singularity right of the p where ``exp(p r) = exp(-40)/r``.
    """
    learning_rate, batch = sgd.learning_rate, sgd.batch
    p = -(40 + np.log(steps)) / steps
    square = 1 + np.expm1(p) * ((batch + 1) / batch)
    s = np.sqrt(np.maximum(square, 0))
    z_plus = (1 + s) / (learning_rate * (batch + 1))
    with np.errstate(invalid="ignore"):  # NaN within the spectrum: the comparison is false
        smooth = 2 * s > -learning_rate * z_plus * spectrum.outer_trace(z_plus)
    return ~((square > 0) & smooth)


def circle(nodes: int) -> ComplexArray:
    """Upper half of the circle for the first steps, in terms of p; ``nodes // 2 + 1`` points."""
    angles = np.linspace(0, np.pi, nodes // 2 + 1)
    return np.asarray(CIRCLE_DAMPING / nodes + 1j * angles, dtype=complex)


@lru_cache
def hyperbola(nodes: int, shape: tuple[float, float]) -> tuple[ComplexArray, ComplexArray]:
    """Upper half of a hyperbolic contour for times up to 1: points p and weights.

    ``sum(Re(weights * exp(p t) * f^(p)))`` inverts f^ at t.
    """
    angle, width = shape
    spacing = width / nodes
    scale = (4 * np.pi * angle - np.pi**2) / width * nodes
    u = spacing * (np.arange(nodes) + 0.5)
    p = scale * (1 + np.sin(1j * u - angle))
    slope = 1j * scale * np.cos(1j * u - angle)
    return p, spacing / (np.pi * 1j) * slope


def _circle_sum(
    steps: Array, nodes: int, parts: ComplexArray, magnitude: Array
) -> tuple[Array, Array]:
    """Loss, forcing and kernel from their generating functions on a circle, and rounding error."""
    # zeta = exp(-p) runs clockwise, so that the inverse transform has the sign of irfft.
    coefficients = np.fft.irfft(parts.sum(axis=0), nodes)
    undamping = np.exp(CIRCLE_DAMPING / nodes * steps)
    rounding = ROUNDING * magnitude.sum(axis=0).mean() * undamping
    return coefficients[:, steps.astype(int)] * undamping, rounding


def _hyperbola_sum(
    times: Array,
    nodes: int,
    parts: ComplexArray,
    magnitude: Array,
    smooth_matters: NDArray[np.bool_],
) -> tuple[Array, Array]:
    """Loss, forcing and kernel from their generating functions on a hyperbola, and rounding error.

    Steps and generating functions are in units of the last step of the decade.
    """
    p, weights = hyperbola(nodes, DECADE_SHAPE)
    factors = weights[:, None] * np.exp(p[:, None] * times)
    rough, smooth = (parts @ factors).real
    rounding, rounding_smooth = ROUNDING * (magnitude @ np.abs(factors))
    return rough + smooth * smooth_matters, rounding + rounding_smooth * smooth_matters


def invert(steps: Array, spectrum: Spectrum, sgd: SGD) -> tuple[Array, Array]:
    """Loss, forcing and kernel by contour inversion (model section 5).

    Parameters
    ----------
    steps : array, shape (n,)
        Non-negative integers, as floats.
    spectrum : Spectrum
        A reduction (given W) or a deterministic equivalent (W averaged out).
    sgd : SGD
        Without a schedule; its learning rate below the stability threshold.

    Returns
    -------
    values : array, shape (3, n)
    error : array, shape (n,)
        Estimated absolute error of the loss: twice the difference to a contour with fewer nodes,
        and rounding.
    """
    results = np.empty((2, 3, steps.size)), np.empty((2, steps.size))
    small = steps < FIRST_HYPERBOLA
    for chosen, method in ((small, _small_steps), (~small, _large_steps)):
        if chosen.any():
            for result, part in zip(results, method(steps[chosen], spectrum, sgd), strict=True):
                result[..., chosen] = part
    (values, check), (rounding, _) = results
    return values, 2 * np.abs(check[0] - values[0]) + rounding


def _small_steps(steps: Array, spectrum: Spectrum, sgd: SGD) -> tuple[Array, Array]:
    """Loss, forcing and kernel with both node counts, and rounding errors, on a circle."""
    halves = [circle(nodes) for nodes in CIRCLE_NODES]
    p: ComplexArray = np.concatenate(halves)
    parts, magnitude = generating_functions(p, spectrum, sgd)
    values, rounding = np.empty((2, 3, steps.size)), np.empty((2, steps.size))
    first = 0
    for i, nodes in enumerate(CIRCLE_NODES):
        own = slice(first, first := first + halves[i].size)
        values[i], rounding[i] = _circle_sum(steps, nodes, parts[..., own], magnitude[..., own])
    return values, rounding


def _large_steps(steps: Array, spectrum: Spectrum, sgd: SGD) -> tuple[Array, Array]:
    """As ``_small_steps``, with a hyperbola for each decade of steps."""
    # The steps of a decade are at most its end.
    decades, decade = np.unique(
        np.floor(np.log10(steps / FIRST_HYPERBOLA) + 1e-12), return_inverse=True
    )
    ends = FIRST_HYPERBOLA * DECADE ** (decades + 1)
    contours: ComplexArray = np.concatenate(
        [hyperbola(nodes, DECADE_SHAPE)[0] for nodes in HYPERBOLA_NODES]
    )
    p = contours / ends[:, None]
    parts, magnitude = generating_functions(p, spectrum, sgd)
    smooth = smooth_part_matters(steps, spectrum, sgd)
    values, rounding = np.empty((2, 3, steps.size)), np.empty((2, steps.size))
    for k, end in enumerate(ends):
        chosen = decade == k
        first = 0
        for i, nodes in enumerate(HYPERBOLA_NODES):
            own = slice(first, first := first + nodes)
            values[i][:, chosen], rounding[i, chosen] = _hyperbola_sum(
                steps[chosen] / end,
                nodes,
                parts[:, :, k, own] / end,
                magnitude[:, k, own] / end,
                smooth[chosen],
            )
    return values, rounding


def invert_at(step: float, spectrum: Spectrum, sgd: SGD) -> tuple[Any, Any]:
    """Loss P(r) and its derivative ``r dP/dr`` at one step, which may be any real number.

    Both are numbers or, of a spectrum with many targets, arrays of one number for each.

    Parameters
    ----------
    step : float
        At least ``FIRST_HYPERBOLA``.
    spectrum : Spectrum
        As for :func:`invert`.
    sgd : SGD
        Without a schedule; its learning rate below the stability threshold.
    """
    p, weights = hyperbola(SINGLE_NODES, SINGLE_SHAPE)
    values, _ = generating_functions(p / step, spectrum, sgd)
    rough, smooth = values[:, 0]
    matters = smooth_part_matters(np.array([step]), spectrum, sgd)
    values = rough + smooth * matters
    terms = values * weights * np.exp(p) / step
    return terms.real.sum(axis=-1), (terms * p).real.sum(axis=-1)
