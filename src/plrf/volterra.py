"""Expected loss of one-pass SGD at any step, by contour inversion (model sections 3 to 5).

The expected loss P solves a Volterra equation with forcing F and kernel K. Their generating
functions are known in closed form, and inverting them costs the same at any step: hyperbolic
contours, each for a decade of steps, and a circle for the first few steps.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.resolvent import DeterministicEquivalent, critical_learning_rate, kernel_mass

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

# Steps below this are inverted on a circle; from there on each decade has a hyperbola, which
# stays well inside |Im p| < pi.
FIRST_HYPERBOLA = 16
DECADE = 10.0
# Node counts of the contour that gives the values and of the one that checks them.
CIRCLE_NODES = (256, 192)
HYPERBOLA_NODES = (33, 31)
# On the circle |zeta| = exp(-36/nodes): aliasing is exp(-36) = 2e-16 relative to P(0).
CIRCLE_DAMPING = 36.0
# The best hyperbola for a decade (Weideman and Trefethen 2007, equations 3.10 to 3.13 with
# Lambda = 10): asymptotic angle, node spacing times nodes, and the rate of convergence.
HYPERBOLA_ANGLE = 1.0236
HYPERBOLA_WIDTH = 3.374
# Error that both contours may share: rounding, amplified by the contours.
ROUNDING = 1e-13


class DivergenceError(ValueError):
    """The learning rate is at or above the stability threshold (model section 3)."""


class Spectrum(Protocol):
    """What contour inversion needs to know of a spectrum: a given W's, or the average over W."""

    @property
    def edge(self) -> float:
        """Right edge of the support, the largest eigenvalue."""
        ...

    def transforms(self, z: ComplexArray, near_zero: bool) -> tuple[ComplexArray, ComplexArray]:
        """Return the transforms of forcing, h_F(z) up to a constant, and kernel, z df(z)."""
        ...


@dataclass(frozen=True)
class ExpectedLoss:
    """Expected loss at the steps asked for; arrays have their shape.

    Attributes
    ----------
    loss, forcing, kernel : arrays
        P(r), F(r) and K(r) of model section 3.
    error : array
        Estimated relative error of ``loss``, from the difference between two contours.
    limit, capacity, kernel_mass : float
        P(infinity), F_0 and |K|.
    """

    loss: Array
    error: Array
    forcing: Array
    kernel: Array
    limit: float
    capacity: float
    kernel_mass: float


def generating_functions(
    p: ComplexArray, spectrum: Spectrum, learning_rate: float, batch: int
) -> ComplexArray:
    """Generating functions of loss, forcing and kernel at ``zeta = exp(-p)`` (model section 5).

    Each is returned in two parts, whose sum it is. The second depends on z+ alone: it is smooth at
    p = 0, where it would drown the first in rounding errors, and adds nothing at large steps.

    Returns
    -------
    complex array, shape (2, 3, *p.shape)
        The two parts of P^, F^ and K^.
    """
    u = -np.expm1(p)
    s = np.sqrt(1 - u * ((batch + 1) / batch))
    z_minus = u / (learning_rate * batch * (1 + s))
    z_plus = (1 + s) / (learning_rate * (batch + 1))
    near_zero = bool(np.abs(z_minus).max() < 1)
    forcing, kernel = spectrum.transforms(np.stack([z_minus, z_plus]), near_zero)
    scale = np.exp(p) / (2 * learning_rate * batch * s)
    f, f_smooth = scale * forcing[0], -scale * forcing[1]
    scale *= learning_rate**2 * batch
    k, k_smooth = scale * kernel[0], -scale * kernel[1]
    zeta = np.exp(-p)
    loss_smooth = f_smooth / (1 - zeta * k_smooth)
    loss = (f + zeta * k * loss_smooth) / (1 - zeta * (k + k_smooth))
    return np.stack([np.stack([loss, f, k]), np.stack([loss_smooth, f_smooth, k_smooth])])


def smooth_decay(spectrum: Spectrum, learning_rate: float, batch: int) -> float:
    """Rate at which the smooth part of the loss decays, as ``exp(-rate * r)``.

    Its singularity nearest to p = 0 is where z+ reaches the spectrum or, before that, where its
    denominator vanishes.
    """
    centre = 1 / (learning_rate * (batch + 1))
    distance = max(0.0, spectrum.edge / centre - 1)  # of the edge, beyond the minimum of w
    multiplier = (1 + batch * distance**2) / (batch + 1)
    low, high = np.log(multiplier), 0.0
    for _ in range(3):
        p = np.linspace(low, high, 66)[1:-1]
        s = np.sqrt(1 + np.expm1(p) * ((batch + 1) / batch))
        _, kernel = spectrum.transforms(np.asarray((1 + s) * centre, dtype=complex), False)
        unstable = p[1 + learning_rate * kernel.real / (2 * s) <= 0]
        if unstable.size == 0:
            break
        spacing = p[1] - p[0]
        low, high = unstable[-1], unstable[-1] + spacing
    return float(-low)


def hyperbola(nodes: int) -> tuple[ComplexArray, ComplexArray]:
    """Upper half of the hyperbolic contour for times in [1/10, 1]: points p and weights.

    ``sum(Re(weights * exp(p t) * f^(p)))`` inverts f^ at t.
    """
    spacing = HYPERBOLA_WIDTH / nodes
    scale = (4 * np.pi * HYPERBOLA_ANGLE - np.pi**2) / HYPERBOLA_WIDTH * nodes
    u = spacing * (np.arange(nodes) + 0.5)
    p = scale * (1 + np.sin(1j * u - HYPERBOLA_ANGLE))
    slope = 1j * scale * np.cos(1j * u - HYPERBOLA_ANGLE)
    return p, spacing / (np.pi * 1j) * slope


def _invert_decade(
    steps: Array,
    end: float,
    nodes: int,
    decay: float,
    spectrum: Spectrum,
    learning_rate: float,
    batch: int,
) -> Array:
    """Loss, forcing and kernel at steps in [end/10, end]; shape (3, n)."""
    p, weights = hyperbola(nodes)
    values = generating_functions(p / end, spectrum, learning_rate, batch)
    rough, smooth = (values @ (weights[:, None] / end * np.exp(p[:, None] * (steps / end)))).real
    # Leave the smooth part out as soon as it is smaller than its rounding error.
    inverse: Array = rough + smooth * (decay * steps < 40 + np.log(steps))
    return inverse


def _invert_circle(
    steps: Array, nodes: int, spectrum: Spectrum, learning_rate: float, batch: int
) -> Array:
    """Loss, forcing and kernel at steps below ``FIRST_HYPERBOLA``; shape (3, n)."""
    damping = CIRCLE_DAMPING / nodes
    p = np.asarray(damping + 1j * np.linspace(0, np.pi, nodes // 2 + 1), dtype=complex)
    values = generating_functions(p, spectrum, learning_rate, batch).sum(axis=0)
    # zeta = exp(-p) runs clockwise, so that the inverse transform has the sign of irfft.
    coefficients = np.fft.irfft(values, nodes)
    undamped: Array = coefficients[:, steps.astype(int)] * np.exp(damping * steps)
    return undamped


def invert(
    steps: Array, spectrum: Spectrum, learning_rate: float, batch: int
) -> tuple[Array, Array]:
    """Loss, forcing and kernel by contour inversion, from two contours (model section 5).

    Parameters
    ----------
    steps : array, shape (n,)
        Non-negative integers, as floats.
    spectrum : Spectrum
        A reduction (given W) or a deterministic equivalent (W averaged out).
    learning_rate : float
        gamma, below the stability threshold.
    batch : int
        Samples per step.

    Returns
    -------
    values, check : arrays, shape (3, n)
        The values, and the same from fewer nodes.
    """
    decades = np.floor(np.log10(np.maximum(steps, 1) / FIRST_HYPERBOLA) + 1e-12).astype(int)
    decades[steps < FIRST_HYPERBOLA] = -1
    values, check = np.empty((2, 3, steps.size))
    decay = smooth_decay(spectrum, learning_rate, batch)
    model = spectrum, learning_rate, batch
    for decade in np.unique(decades):
        chosen = decades == decade
        few, end = steps[chosen], FIRST_HYPERBOLA * DECADE ** (decade + 1)
        for k, result in enumerate((values, check)):
            if decade < 0:
                result[:, chosen] = _invert_circle(few, CIRCLE_NODES[k], *model)
            else:
                result[:, chosen] = _invert_decade(few, end, HYPERBOLA_NODES[k], decay, *model)
    return values, check


def expected_loss(
    steps: ArrayLike,
    *,
    alpha: float,
    beta: float,
    d: float,
    v: float,
    learning_rate: float,
    batch: int = 1,
) -> ExpectedLoss:
    """Expected loss of one-pass SGD at any steps, W averaged out (model sections 4, 5).

    The cost for one step does not depend on the step, and on d and v only through log v.

    Parameters
    ----------
    steps : array of non-negative integers (int or float), any shape and order
        SGD steps; 0 is the initial loss.
    alpha, beta : float
        Data and target complexity.
    d : float
        Number of parameters.
    v : float
        Number of features, an integer value with ``d <= v <= 2**53``.
    learning_rate : float
        gamma.
    batch : int
        Samples per step.

    Raises
    ------
    DivergenceError
        If the learning rate is not below the stability threshold; the message names it.
    ValueError
        If a step is negative or not an integer, or v < d.
    """
    steps = np.asarray(steps, dtype=float)
    if not np.all((steps >= 0) & (steps == np.floor(steps)) & np.isfinite(steps)):
        raise ValueError("steps must be non-negative integers")
    if not 1 <= d <= v <= 2**53:
        raise ValueError(f"d={d}, v={v}: need 1 <= d <= v <= 2**53")
    mass = kernel_mass(alpha, d, v, learning_rate, batch)
    if mass >= 1:
        critical = critical_learning_rate(alpha, d, v, batch)
        raise DivergenceError(
            f"learning rate {learning_rate:g} diverges at alpha={alpha}, d={d}, v={v}, "
            f"batch={batch}: it must be below {critical:.6g}"
        )
    spectrum = DeterministicEquivalent(alpha, beta, d, v)
    values, check = invert(steps.ravel(), spectrum, learning_rate, batch)
    error = 2 * np.abs(check[0] / values[0] - 1) + ROUNDING
    loss, forcing, kernel = values.reshape(3, *steps.shape)
    capacity = spectrum.capacity
    return ExpectedLoss(
        loss, error.reshape(steps.shape), forcing, kernel, capacity / (1 - mass), capacity, mass
    )
