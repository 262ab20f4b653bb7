"""Expected loss of SGD with a schedule, W averaged out: complex modes (model section 10).

Sums over the eigenvalues of polynomials, such as products of the factors of all steps, are contour
integrals around the spectrum. The nodes of a contour are modes with complex eigenvalues, a few
hundred at any size, and obey the recursion of a given W.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.exact.inversion import ROUNDING
from plrf.exact.ridge import DeterministicEquivalent
from plrf.progress import track
from plrf.training import SGD

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

# Of the contour in the plane of log(z/(top - z)): its distance from the spectrum, and those of its
# nodes, of the contour that gives the values and of the one that checks them.
ANGLE = 0.8
SPACINGS = (0.13, 0.15)
# Between the ends of the spectrum and the ellipse's focal points, in that plane.
LEFT_MARGIN, RIGHT_MARGIN = 0.36, 0.1
BLOCK = 64  # steps whose factors are computed at a time, within a cache


@dataclass(frozen=True, eq=False)
class ComplexModes:
    """Nodes of two contours around a spectrum; the second checks the first.

    Attributes
    ----------
    points : complex array, shape (2, n)
        Complex eigenvalues z.
    signal, trace : complex arrays, shape (2, n)
        Weights: the real part of ``sum signal phi(z)`` is ``sum c_i**2 phi(lam_i)``, and that of
        ``sum trace phi(z)`` is ``sum lam_i phi(lam_i)``, for polynomials phi.
    """

    points: ComplexArray
    signal: ComplexArray
    trace: ComplexArray


def complex_modes(spectrum: DeterministicEquivalent, top: float) -> ComplexModes:
    """Contours around a spectrum on which no step's factor exceeds 1 (model section 10).

    They are ellipses around the spectrum in the plane of ``log(z/(top - z))``: there both ends of
    the interval in which factors are below 1 are at infinity, and lenses between them are strips.

    Parameters
    ----------
    spectrum : DeterministicEquivalent
        With v > d.
    top : float
        Right of the spectrum; at most ``2/(gamma_t (B_t + 1))`` for each step t.

    Raises
    ------
    ConvergenceError
        If the effective ridge was not found at some node.
    """
    least, largest = spectrum.edges
    left = np.log(least / (top - least)) - LEFT_MARGIN
    right = np.log(largest / (top - largest)) + RIGHT_MARGIN
    contours = [_ellipse(left, right, top, spacing) for spacing in SPACINGS]
    length = max(points.size for points, _ in contours)
    points, weights = np.zeros((2, 2, length), dtype=complex)
    for k, (nodes, of_nodes) in enumerate(contours):
        points[k] = nodes[0]  # again, with no weight, where there are fewer
        points[k, : nodes.size], weights[k, : nodes.size] = nodes, of_nodes
    # A constant in the transform adds nothing, polynomials having no poles: without |b|^2 it does
    # not cancel at small z.
    forcing, kernel = spectrum.transforms(points, near_zero=True)
    return ComplexModes(points, forcing * weights, kernel / points * weights)


def _ellipse(left: float, right: float, top: float, spacing: float) -> tuple[ComplexArray, ...]:
    """Upper half of a contour: nodes z, and weights ``-dz/(pi i)``, which count both halves."""
    centre, half = (left + right) / 2, (right - left) / 2
    height = np.arcsinh(ANGLE / half)
    count = int(np.ceil(np.pi * half * np.cosh(height) / spacing))
    angle = height + 1j * np.pi * (np.arange(count) + 0.5) / count
    log_odds = centre + half * np.cosh(angle)
    z = top / (1 + np.exp(-log_odds))
    slope = z / (1 + np.exp(log_odds)) * half * np.sinh(angle)
    return z, -slope / count


def stepped(
    steps: NDArray[np.int64], spectrum: DeterministicEquivalent, sgd: SGD
) -> tuple[Array, Array]:
    """Expected loss with a schedule, step by step (model section 10).

    Parameters
    ----------
    steps : int array, shape (n,)
        Steps to record, increasing.
    spectrum : DeterministicEquivalent
        With v > d.
    sgd : SGD
        Stable at each step before the last one.

    Returns
    -------
    loss : array, shape (n,)
    error : array, shape (n,)
        Estimated absolute error: twice the largest difference so far, relative to the loss, to a
        contour with fewer nodes, and rounding.

    Raises
    ------
    ConvergenceError
        If the effective ridge was not found at some node.
    """
    stop = int(steps[-1]) + 1
    steepest = max(float((rates * (batches + 1)).max()) for rates, batches in sgd.blocks(stop))
    modes = complex_modes(spectrum, 2 / steepest)
    points, source, state = modes.points, modes.trace * modes.points, modes.signal.copy()
    # Real and imaginary parts of all factors of a block are one product of real matrices.
    powers = np.stack([np.ones_like(points), -points, points**2]).view(float).reshape(3, -1)
    real, history = state.real, np.empty((BLOCK, 2))
    floor, noise = spectrum.capacity, spectrum.noise
    loss, error, difference = np.empty(steps.size), np.empty(steps.size), 0.0
    what = f"complex modes, d={spectrum.d:g}, {stop - 1} steps"
    blocks = track(sgd.blocks(stop, BLOCK), what, -(-stop // BLOCK))
    for number, (rates, batches) in enumerate(blocks):
        size = float(np.abs(state).sum(axis=1).max())
        gains = rates**2 * batches
        factors = np.stack([np.ones_like(rates), 2 * rates * batches, gains * (batches + 1)])
        decays = (factors.T @ powers).view(complex).reshape(-1, *points.shape)
        for k, gain in enumerate(gains):
            now = floor + real.sum(axis=1)
            history[k] = now
            state *= decays[k]
            state += source * (gain * (now + noise))[:, None]
        done = history[: gains.size]
        # The two may cross by chance at a step, but not at all of them.
        difference = max(difference, float(np.abs(done[:, 1] / done[:, 0] - 1).max()))
        recorded = steps // BLOCK == number
        loss[recorded] = history[steps[recorded] % BLOCK, 0]
        error[recorded] = 2 * difference * loss[recorded] + ROUNDING * (floor + size)
    return loss, error
