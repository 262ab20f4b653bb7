"""Expected loss of one-pass SGD: mode recursion and contour inversion (model sections 3, 5).

The expected loss P solves a Volterra equation with forcing F and kernel K. For a given W the
equivalent recursion over modes is exact, step by step. With generating functions the loss at any
step costs the same: a Talbot contour for many steps, a circle for few.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.resolvent import DeterministicEquivalent, critical_learning_rate, kernel_mass

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

# From this step on Talbot's contour stays well inside |Im p| < pi; before it, the circle.
CIRCLE_STEPS = 64
CIRCLE_NODES = (512, 384)
TALBOT_NODES = (32, 28)
# On the circle |zeta| = exp(-36/nodes): aliasing is exp(-36) = 2e-16 relative to P(0).
CIRCLE_DAMPING = 36.0
# Error that both contours may share: rounding, amplified by the contours.
ROUNDING = 1e-13


class DivergenceError(ValueError):
    """The learning rate is at or above the stability threshold (model section 3)."""


class Spectrum(Protocol):
    """What contour inversion needs to know of a spectrum: a given W's, or the average over W."""

    def transforms(self, z: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
        """Return the transforms of forcing and kernel, h_F(z) and z df(z)."""
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


def recursion(
    eigenvalues: Array,
    signal: Array,
    floor: ArrayLike,
    learning_rate: float,
    batch: int,
    steps: NDArray[np.int64],
) -> Array:
    """Expected loss for given W by the exact mode recursion (model section 3).

    Parameters
    ----------
    eigenvalues, signal : arrays, shape (..., d)
        lam_i and c_i**2 of the reduction (model section 2); leading axes broadcast.
    floor : array, shape (...)
        F0, the least loss of each W.
    learning_rate : float
        gamma.
    batch : int
        Samples per step.
    steps : int array, shape (n,)
        Steps to record, increasing.

    Returns
    -------
    array, shape (n, ...)
    """
    gain = learning_rate**2 * batch * eigenvalues**2
    decay = (
        1
        - 2 * learning_rate * batch * eigenvalues
        + learning_rate**2 * batch * (batch + 1) * eigenvalues**2
    )
    floor = np.asarray(floor)
    modes = np.array(np.broadcast_to(signal, np.broadcast_shapes(signal.shape, gain.shape)))
    recorded = np.empty((len(steps), *modes.shape[:-1]))
    now = 0
    loss = floor + modes.sum(axis=-1)
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable W grows; callers flag it
        for k, step in enumerate(steps):
            for _ in range(now, step):
                modes *= decay
                modes += gain * loss[..., None]
                loss = floor + modes.sum(axis=-1)
            now = step
            recorded[k] = loss
    return recorded


def generating_functions(
    p: ComplexArray, spectrum: Spectrum, learning_rate: float, batch: int
) -> ComplexArray:
    """Generating functions of loss, forcing and kernel at ``zeta = exp(-p)`` (model section 5).

    Returns
    -------
    complex array, shape (3, *p.shape)
        P^, F^ and K^.
    """
    u = -np.expm1(p)
    s = np.sqrt(1 - u * ((batch + 1) / batch))
    z_minus = u / (learning_rate * batch * (1 + s))
    z_plus = (1 + s) / (learning_rate * (batch + 1))
    forcing, kernel = spectrum.transforms(np.stack([z_minus, z_plus]))
    scale = np.exp(p) / (2 * learning_rate * batch * s)
    f = scale * (forcing[0] - forcing[1])
    k = scale * learning_rate**2 * batch * (kernel[0] - kernel[1])
    return np.stack([f / (1 - np.exp(-p) * k), f, k])


def talbot(nodes: int) -> tuple[ComplexArray, ComplexArray]:
    """Upper half of Talbot's cotangent contour for r = 1: points p and weights.

    ``sum(Re(weights * f^(p / r))) / r`` inverts f^ at r. The parameters are optimal for the
    midpoint rule (Trefethen, Weideman and Schmelzer 2006): error 3.89**-nodes.
    """
    theta = (2 * np.arange(nodes // 2) + 1) * np.pi / nodes
    cot = 1 / np.tan(0.6407 * theta)
    p = nodes * (0.5017 * theta * cot - 0.6122 + 0.2645j * theta)
    slope = nodes * (0.5017 * cot - 0.5017 * 0.6407 * theta * (1 + cot**2) + 0.2645j)
    return p, 2 / (1j * nodes) * np.exp(p) * slope


def _invert_talbot(
    steps: Array, nodes: int, spectrum: Spectrum, learning_rate: float, batch: int
) -> Array:
    """Loss, forcing and kernel at steps of at least ``CIRCLE_STEPS``; shape (3, n)."""
    p, weights = talbot(nodes)
    points = p / steps[:, None]
    values = generating_functions(points, spectrum, learning_rate, batch)
    inverse: Array = (values @ weights).real / steps
    return inverse


def _invert_circle(nodes: int, spectrum: Spectrum, learning_rate: float, batch: int) -> Array:
    """Loss, forcing and kernel at steps 0, ..., ``CIRCLE_STEPS`` - 1; shape (3, CIRCLE_STEPS)."""
    damping = CIRCLE_DAMPING / nodes
    p = np.asarray(damping + 1j * np.linspace(0, np.pi, nodes // 2 + 1), dtype=complex)
    values = generating_functions(p, spectrum, learning_rate, batch)
    # zeta = exp(-p) runs clockwise, so that the inverse transform has the sign of irfft.
    coefficients = np.fft.irfft(values, nodes)[:, :CIRCLE_STEPS]
    undamped: Array = coefficients * np.exp(damping * np.arange(CIRCLE_STEPS))
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
    results = []
    few = steps < CIRCLE_STEPS
    for circle_nodes, talbot_nodes in zip(CIRCLE_NODES, TALBOT_NODES, strict=True):
        values = np.empty((3, steps.size))
        if few.any():
            table = _invert_circle(circle_nodes, spectrum, learning_rate, batch)
            values[:, few] = table[:, steps[few].astype(int)]
        values[:, ~few] = _invert_talbot(steps[~few], talbot_nodes, spectrum, learning_rate, batch)
        results.append(values)
    return results[0], results[1]


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
