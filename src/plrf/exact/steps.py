"""Single steps of complex modes, and of their adjoint (model section 10)."""

import numpy as np
from numpy.typing import NDArray

from plrf.compiled import compiled

Array = NDArray[np.float64]


@compiled
def march(
    state: Array,
    points: Array,
    squares: Array,
    source: Array,
    rates: Array,
    batches: Array,
    floor: float,
    noise: float,
    losses: Array,
    sizes: Array,
    states: Array,
) -> None:
    """Make some steps of the modes ``q <- w_t(z) q + gamma_t^2 B_t z W_K (P + s2)``.

    Parameters
    ----------
    state : array, shape (contours, 2, n)
        The modes q, real and imaginary parts; changed.
    points, squares, source : arrays, shape (contours, 2, n)
        z, its square and ``z W_K``.
    rates, batches : arrays, shape (steps,)
        gamma_t and B_t.
    floor, noise : float
        F0 and s2.
    losses : array, shape (steps, contours)
        P before each step; written.
    sizes : array, shape (steps, contours)
        Sums of ``|Re q|`` there, which rounding is relative to; written.
    states : array, shape (steps or 0, contours, 2, n)
        The modes before each step; written unless it is empty.
    """
    for t in range(rates.size):
        linear = 2 * rates[t] * batches[t]
        gain = rates[t] ** 2 * batches[t]
        square = gain * (batches[t] + 1)
        if states.size:
            states[t] = state
        for c in range(state.shape[0]):
            loss = 0.0
            size = 0.0
            for i in range(state.shape[2]):
                loss += state[c, 0, i]
                size += abs(state[c, 0, i])
            loss += floor
            losses[t, c], sizes[t, c] = loss, size
            gained = gain * (loss + noise)
            for i in range(state.shape[2]):
                decay = 1 - linear * points[c, 0, i] + square * squares[c, 0, i]
                turn = square * squares[c, 1, i] - linear * points[c, 1, i]
                real, imaginary = state[c, 0, i], state[c, 1, i]
                state[c, 0, i] = decay * real - turn * imaginary + gained * source[c, 0, i]
                state[c, 1, i] = decay * imaginary + turn * real + gained * source[c, 1, i]


@compiled
def march_back(
    adjoint: Array,
    states: Array,
    points: Array,
    squares: Array,
    source: Array,
    rates: Array,
    batches: Array,
    losses: Array,
    noise: float,
    gradient: Array,
) -> None:
    """Carry the derivatives of a last loss back over some steps.

    With ``a`` the derivative of that loss by the modes after a step, that by the rate is ``Re sum a
    (q dw_t/dgamma + 2 gamma B z W_K (P + s2))``, and before the step it is ``w_t a + gamma^2 B
    Re sum a z W_K``.

    Parameters
    ----------
    adjoint : array, shape (2, n)
        a, real and imaginary parts; changed.
    states : array, shape (steps, 2, n)
        The modes before each step.
    points, squares, source : arrays, shape (2, n)
        z, its square and ``z W_K``.
    rates, batches, losses : arrays, shape (steps,)
        gamma_t, B_t and P before each step.
    noise : float
        s2.
    gradient : array, shape (steps,)
        Derivatives by gamma_t; written.
    """
    for t in range(rates.size - 1, -1, -1):
        linear = 2 * rates[t] * batches[t]
        gain = rates[t] ** 2 * batches[t]
        square = gain * (batches[t] + 1)
        seen = 0.0
        by_point = 0.0
        by_square = 0.0
        for i in range(adjoint.shape[1]):
            a, b = adjoint[0, i], adjoint[1, i]
            seen += a * source[0, i] - b * source[1, i]
            real = a * states[t, 0, i] - b * states[t, 1, i]
            imaginary = a * states[t, 1, i] + b * states[t, 0, i]
            by_point += real * points[0, i] - imaginary * points[1, i]
            by_square += real * squares[0, i] - imaginary * squares[1, i]
        gradient[t] = -2 * batches[t] * by_point
        gradient[t] += 2 * rates[t] * batches[t] * (batches[t] + 1) * by_square
        gradient[t] += 2 * rates[t] * batches[t] * (losses[t] + noise) * seen
        for i in range(adjoint.shape[1]):
            decay = 1 - linear * points[0, i] + square * squares[0, i]
            turn = square * squares[1, i] - linear * points[1, i]
            a, b = adjoint[0, i], adjoint[1, i]
            adjoint[0, i] = decay * a - turn * b + gain * seen
            adjoint[1, i] = decay * b + turn * a
