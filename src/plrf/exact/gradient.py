"""The last loss of a training and its derivatives by all learning rates (section 10)."""

import numpy as np
from numpy.typing import NDArray

from plrf.exact.modes import ComplexModes, real_parts
from plrf.exact.ridge import DeterministicEquivalent
from plrf.exact.steps import march, march_back

Array = NDArray[np.float64]

SEGMENT = 256  # steps whose modes are kept; between segments they are computed again


def loss_and_gradient(
    rates: Array, batch: float, modes: ComplexModes, spectrum: DeterministicEquivalent
) -> tuple[float, Array]:
    """Expected loss after some steps, and its derivatives by their learning rates.

    Parameters
    ----------
    rates : array, shape (steps,)
        gamma_t, each below what the contour of the modes allows for.
    batch : float
        Samples per step.
    modes : ComplexModes
        Of one contour.
    spectrum : DeterministicEquivalent

    Returns
    -------
    loss : float
    gradient : array, shape (steps,)
    """
    arrays = modes.points, modes.points**2, modes.trace * modes.points, modes.signal
    points, squares, source, state = (real_parts(array) for array in arrays)
    batches, losses = np.full(rates.size, float(batch)), np.empty((rates.size, 1))
    floor, noise = spectrum.capacity, spectrum.noise
    parts = [slice(k, k + SEGMENT) for k in range(0, rates.size, SEGMENT)]
    kept = np.empty((len(parts), *state.shape))

    def forward(state: Array, part: slice, states: Array) -> None:
        fixed = points, squares, source, rates[part], batches[part], floor, noise
        march(state, *fixed, losses[part], np.empty_like(losses[part]), states)

    for k, part in enumerate(parts):
        kept[k] = state
        forward(state, part, state[:0, None])
    loss, gradient = floor + state[0, 0].sum(), np.empty_like(rates)
    adjoint = np.zeros_like(state[0])
    adjoint[0] = 1
    for k in range(len(parts) - 1, -1, -1):
        part = parts[k]
        states = np.empty((rates[part].size, *state.shape))
        forward(kept[k], part, states)
        given = rates[part], batches[part], losses[part, 0].copy(), noise
        march_back(adjoint, states[:, 0], points[0], squares[0], source[0], *given, gradient[part])
    return float(loss), gradient
