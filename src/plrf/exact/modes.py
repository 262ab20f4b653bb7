"""Expected loss of SGD with a schedule, W averaged out: complex modes (model section 10).

Sums over the eigenvalues of polynomials, such as products of the factors of all steps, are contour
integrals around the spectrum. The nodes of a contour are modes with complex eigenvalues, a few
hundred at any size, and obey the recursion of a given W.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from plrf.exact.inversion import ROUNDING
from plrf.exact.log_time import coast
from plrf.exact.ridge import DeterministicEquivalent
from plrf.exact.steps import march
from plrf.progress import track
from plrf.training import BLOCK, SGD, trainings

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

# Of the contour in the plane of log(z/(top - z)): its distance from the spectrum, and those of its
# nodes, of the contour that gives the values and of the one that checks them.
ANGLE = 0.8
SPACINGS = (0.13, 0.15)
# Between the ends of the spectrum and the ellipse's focal points, in that plane.
LEFT_MARGIN, RIGHT_MARGIN = 0.36, 0.1
# Up to here all steps are made one by one. Beyond, where the schedule is a power of the step, log
# time begins earlier, and for the contour that checks so by another factor, with fewer steps.
LAST_SINGLE = 2**20
HANDOVER, EARLIER = 2**18, 4
PER_DECADE = (80, 40)
PROBES = 4  # steps at which log time is held against single steps


@dataclass(frozen=True, eq=False)
class ComplexModes:
    """Nodes of two contours around a spectrum; the second checks the first.

    Attributes
    ----------
    points : complex array, shape (contours, n)
        Complex eigenvalues z.
    signal, trace : complex arrays, shape (contours, n)
        Weights: the real part of ``sum signal phi(z)`` is ``sum c_i**2 phi(lam_i)``, and that of
        ``sum trace phi(z)`` is ``sum lam_i phi(lam_i)``, for polynomials phi.
    """

    points: ComplexArray
    signal: ComplexArray
    trace: ComplexArray

    def contour(self, which: int) -> "ComplexModes":
        """One contour alone."""
        one = slice(which, which + 1)
        return ComplexModes(self.points[one], self.signal[one], self.trace[one])


@lru_cache(maxsize=4)  # trainings of many lengths have the same largest rate
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


class Walk:
    """Modes of a model under SGD, step by step.

    Attributes
    ----------
    points, squares, source : arrays, shape (2, 2, n)
        Of both contours, real and imaginary parts of z, its square and what modes gain from the
        loss, ``z W_K``.
    state : array, shape (2, 2, n)
        The modes q.
    step : int
        How many steps were made.
    difference : float
        Largest relative difference of the two losses so far.
    """

    def __init__(self, modes: ComplexModes, spectrum: DeterministicEquivalent, sgd: SGD) -> None:
        self.points, self.squares = real_parts(modes.points), real_parts(modes.points**2)
        self.source, self.state = real_parts(modes.trace * modes.points), real_parts(modes.signal)
        self.step, self.difference, self._sgd = 0, 0.0, sgd
        self.floor, self.noise, self._d = spectrum.capacity, spectrum.noise, spectrum.d

    def to(self, stop: int, steps: NDArray[np.int64]) -> tuple[Array, Array]:
        """Make all steps before ``stop``.

        Parameters
        ----------
        stop : int
        steps : int array, shape (n,)
            Steps to record, among those.

        Returns
        -------
        loss, error : arrays, shape (n,)
        """
        loss, error = np.empty(steps.size), np.empty(steps.size)
        fixed = self.points, self.squares, self.source
        blocks = self._sgd.blocks(stop, start=self.step)
        what = f"complex modes, d={self._d:g}, {stop} steps"
        for rates, batches in track(blocks, what, -(-(stop - self.step) // BLOCK)):
            done, sizes = np.empty((2, rates.size, 2))
            samples = np.asarray(batches, dtype=float)
            arrays, numbers = (*fixed, rates, samples), (self.floor, self.noise)
            march(self.state, *arrays, *numbers, done, sizes, self.state[:0, None])
            # The two may cross by chance at a step, but not at all of them.
            apart = np.maximum.accumulate(np.abs(done[:, 1] / done[:, 0] - 1))
            apart = np.maximum(apart, self.difference)
            recorded = (steps >= self.step) & (steps < self.step + rates.size)
            at = steps[recorded] - self.step
            loss[recorded] = done[at, 0]
            rounding = ROUNDING * (self.floor + sizes[at, 0])
            error[recorded] = 2 * apart[at] * loss[recorded] + rounding
            self.step, self.difference = self.step + rates.size, float(apart[-1])
        return loss, error

    def coast(self, contour: int, steps: NDArray[np.int64]) -> Array:
        """Losses of one contour at later steps, in logarithmic time."""
        arrays = (array[contour] for array in (self.state, self.points, self.source))
        state, points, source = (real + 1j * imaginary for real, imaginary in arrays)
        pace = PER_DECADE[contour]
        return coast(
            steps, self.step, state, points, source, self.floor, self.noise, self._sgd, pace
        )


def real_parts(values: ComplexArray) -> Array:
    """Real and imaginary parts, on the last axis but one."""
    return np.stack([values.real, values.imag], axis=-2)


def _top(sgd: SGD, steps: int) -> float:
    """Right end of where all factors of some steps are below 1, right of the spectrum."""
    return 2 / max(float((rates * (sizes + 1)).max()) for rates, sizes in sgd.blocks(steps))


def single_steps(sgd: SGD, last: int) -> int:
    """How many steps are made one by one on the way to a last one."""
    power_from = sgd.schedule.power_from
    if last <= LAST_SINGLE or power_from is None:
        return last
    return min(last, max(HANDOVER, power_from * EARLIER))


def stepped(
    steps: NDArray[np.int64], spectrum: DeterministicEquivalent, sgd: SGD
) -> tuple[Array, Array]:
    """Expected loss with a schedule (model section 10).

    Steps are made one by one, or from some step on in logarithmic time (`single_steps`).

    Parameters
    ----------
    steps : int array, shape (n,)
        Steps to record, increasing.
    spectrum : DeterministicEquivalent
        With v > d.
    sgd : SGD
        Stable at each step before the last one, step 0 included.

    Returns
    -------
    loss : array, shape (n,)
    error : array, shape (n,)
        Estimated absolute error: twice the largest difference so far, relative to the loss, to a
        contour with fewer nodes, and rounding. In logarithmic time that contour began with it
        earlier and has larger steps, and it is held against single steps as well.

    Raises
    ------
    ConvergenceError
        If the effective ridge was not found at some node.
    """
    last = int(steps[-1])
    single = single_steps(sgd, last)
    walk = Walk(complex_modes(spectrum, _top(sgd, max(single, 1))), spectrum, sgd)
    if single == last:
        return walk.to(last + 1, steps)
    quarter = single // EARLIER
    early, far = steps < quarter, steps >= single
    middle = ~(early | far)
    loss, error = np.empty(steps.size), np.empty(steps.size)
    loss[early], error[early] = walk.to(quarter, steps[early])
    # What the equation itself misses is the same for both contours: it shows where the losses of
    # single steps are known too.
    probes = quarter + (single - 1 - quarter) * np.arange(1, PROBES + 1) // PROBES
    check = walk.coast(1, np.append(probes, steps[far]))
    known, known_error = walk.to(single, np.append(steps[middle], probes))
    loss[middle], error[middle] = known[:-PROBES], known_error[:-PROBES]
    loss[far] = walk.coast(0, steps[far])
    apart = np.abs(check / np.append(known[-PROBES:], loss[far]) - 1)
    apart = np.maximum(np.maximum.accumulate(apart)[PROBES:], walk.difference)
    error[far] = 2 * apart * loss[far]
    return loss, error


def planned(
    steps: NDArray[np.int64], spectrum: DeterministicEquivalent, sgd: SGD
) -> tuple[Array, Array]:
    """Expected losses at the ends of trainings that are planned for so many steps (section 10).

    Parameters
    ----------
    steps : int array, shape (n,)
        The horizons, increasing; at 0 nothing is trained.
    spectrum, sgd
        As for `stepped`, whatever the horizon.

    Returns
    -------
    loss, error : arrays, shape (n,)
        As of `stepped`.
    """
    ends = [stepped(own, spectrum, plan) for plan, own in trainings(sgd, steps)]
    loss, error = (np.concatenate(parts) for parts in zip(*ends, strict=True))
    return loss, error
