"""Complex modes in logarithmic time, where a schedule is a power of the step (model section 10).

From some step on, all that changes is a smooth function of the logarithm of the step. The recursion
of the modes becomes a differential equation, right to the square of one over the step, which an
implicit Runge-Kutta method solves in equal steps of log time: modes that decay fast are no
obstacle, and they act on each other through the loss alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.training import SGD

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

# Radau IIA of three stages: order 5, stiffly accurate.
ROOT = 6**0.5
MATRIX = np.array(
    [
        [(88 - 7 * ROOT) / 360, (296 - 169 * ROOT) / 1800, (-2 + 3 * ROOT) / 225],
        [(296 + 169 * ROOT) / 1800, (88 + 7 * ROOT) / 360, (-2 - 3 * ROOT) / 225],
        [(16 - ROOT) / 36, (16 + ROOT) / 36, 1 / 9],
    ]
)
NODES = MATRIX.sum(axis=1)
STAGES = 3
LEAST = 1e-150
SMALL = 0.05  # logarithms below it have a delay by series: its two terms cancel


def _logarithm(loss: ComplexArray) -> ComplexArray:
    """``log(1 - loss)``; NumPy's log1p of complex numbers loses what is small."""
    x, y = loss.real, loss.imag
    logarithm: ComplexArray = np.log1p(x**2 + y**2 - 2 * x) / 2 - 1j * np.arctan2(y, 1 - x)
    return logarithm


def _coefficients(
    time: float, points: ComplexArray, source: ComplexArray, sgd: SGD
) -> tuple[ComplexArray, ...]:
    """Coefficients of ``q' = rate q + gain (P + s2) - lag P'`` at a time (model section 10)."""
    batch = sgd.batch
    before, now, after = sgd.learning_rate * sgd.factors(np.array([time - 0.5, time, time + 0.5]))
    relative = (after - before) / now if now > 0 else 0.0

    def lost(rate: Any) -> ComplexArray:
        part: ComplexArray = 2 * rate * batch * points - rate**2 * batch * (batch + 1) * points**2
        return part

    loss = lost(now)
    loss = np.where(np.abs(loss) < LEAST, LEAST, loss)  # limits, where a rate is no more
    logarithm = _logarithm(loss)
    small = np.abs(logarithm) < SMALL
    series = 0.5 - logarithm / 12 + logarithm**3 / 720
    delay = np.where(small, series, 1 / loss + 1 / np.where(small, 1, logarithm))
    slope = 2 * now**2 * batch * (batch + 1) * points**2 - 2 * now * batch * points
    drift = 1 / (2 * (1 - loss) * logarithm) + delay / loss
    gain = -(now**2) * batch * source * logarithm / loss
    rate = _logarithm(lost(before))
    return rate, gain * (1 - relative * (slope * drift + 2 * delay)), gain * delay


def _stride(
    state: ComplexArray,
    coefficients: list[tuple[ComplexArray, ...]],
    weights: Array,
    constant: float,
) -> ComplexArray:
    """One step of the method; ``constant`` is F0 and the noise, ``weights`` are (3, 3)."""
    rate, gain, lag = (np.stack(parts, axis=1) for parts in zip(*coefficients, strict=True))
    # Stages of all modes as linear functions of P + s2 and P' at the three nodes.
    right = np.concatenate(
        [
            np.broadcast_to(state[:, None, None], (state.size, STAGES, 1)),
            weights * gain[:, None, :],
            -weights * lag[:, None, :],
        ],
        axis=2,
    )
    stages = np.linalg.solve(np.eye(STAGES) - weights * rate[:, None, :], right)
    losses = stages.sum(axis=0).real
    slopes = (rate[:, :, None] * stages).sum(axis=0).real
    # P + s2 = constant + sum q and P' = sum q' at the nodes: six equations.
    given = np.concatenate([constant + losses[:, 0], slopes[:, 0]])
    matrix = np.eye(2 * STAGES) - np.concatenate([losses[:, 1:], slopes[:, 1:]])
    nodes = np.arange(STAGES)
    matrix[STAGES + nodes, nodes] -= gain.sum(axis=0).real
    matrix[STAGES + nodes, STAGES + nodes] += lag.sum(axis=0).real
    last: ComplexArray = stages[:, -1, 0] + stages[:, -1, 1:] @ np.linalg.solve(matrix, given)
    return last


def coast(
    steps: NDArray[np.int64],
    start: int,
    state: ComplexArray,
    points: ComplexArray,
    source: ComplexArray,
    floor: float,
    noise: float,
    sgd: SGD,
    per_decade: int,
) -> Array:
    """Expected loss at large steps, in logarithmic time (model section 10).

    Parameters
    ----------
    steps : int array, shape (n,)
        Steps to record, increasing, from ``start`` on.
    start : int
        The step of the state.
    state, points, source : complex arrays, shape (m,)
        The modes q, their eigenvalues z and ``z W_K``.
    floor, noise : float
        F0 and s2.
    sgd : SGD
        With a schedule that is a power of the step from ``start`` on.
    per_decade : int
        Steps of the method per decade, at least.

    Returns
    -------
    array, shape (n,)
    """
    loss, now = np.empty(steps.size), float(np.log(start))
    for k, end in enumerate(np.log(steps)):
        count = max(1, int(np.ceil((end - now) / np.log(10) * per_decade)))
        length = (end - now) / count
        for _ in range(count):
            times = np.exp(now + length * NODES)
            each = [_coefficients(float(time), points, source, sgd) for time in times]
            state = _stride(state, each, length * MATRIX * times, floor + noise)
            now += length
        now = end
        loss[k] = floor + state.real.sum()
    return loss
