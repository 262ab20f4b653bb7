"""Momentum in logarithmic time: steps by the million, where rules are powers of the step.

As in `log_time`: the recursion of the modes becomes a differential equation, right to the square of
one over the step, which an implicit Runge-Kutta method solves in equal steps of log time. Modes are
three numbers each, and act on each other through the loss alone (model section 14).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.exact.log_time import MATRIX, NODES, STAGES
from plrf.exact.step_matrices import StepMatrices, units
from plrf.training import SGD

Array = NDArray[np.float64]

TERMS = 49  # of series, a square
LARGEST = 0.5  # change in a step of which they are made


def _generators(step: StepMatrices) -> tuple[Array, Array, Array]:
    """Matrices L, vectors k and g of ``S' = L S + k (P + s2) - g P'`` whose steps are given.

    With ``M = 1 + X``: ``L = log M``, ``k = L X^-1 n``, ``g = (X^-1 - L X^-2) n``, by series. Modes
    that change a lot in a step have long decayed, and follow the loss: ``L = X`` and ``k = n``.
    """
    change, source = step.change, step.source[..., None]
    fast = np.sqrt(np.square(change).sum(axis=(1, 2))) > LARGEST
    x = np.where(fast[:, None, None], 0.0, change)
    # Sums of (-x)^k/(k+1) and of (-x)^k/(k+2).
    quotient, lag = _series(-x, 1 / np.arange(1, TERMS + 1), 1 / np.arange(2, TERMS + 2))
    generator = np.where(fast[:, None, None], change, x @ quotient)
    gain = np.where(fast[:, None, None], source, quotient @ source)
    late = np.where(fast[:, None, None], 0.0, lag @ source)
    return generator, gain[..., 0], late[..., 0]


def _series(x: Array, *coefficients: Array) -> list[Array]:
    """Power series of matrices by few products: Horner's scheme in a power, 7 terms at a time."""
    root = round(TERMS**0.5)
    powers = [np.broadcast_to(np.eye(3), x.shape)]
    for _ in range(root):
        powers.append(powers[-1] @ x)
    low = np.stack(powers[:root]).reshape(root, -1)
    sums = []
    for terms in coefficients:
        blocks = (terms.reshape(root, root) @ low).reshape(root, *x.shape)
        total = blocks[-1]
        for block in blocks[-2::-1]:
            total = block + powers[-1] @ total
        sums.append(total)
    return sums


def _stride(
    state: Array, stages: list[tuple[Array, Array, Array]], weights: Array, constant: float
) -> Array:
    """One step of the method.

    Parameters
    ----------
    state : array, shape (n, 3)
        The three numbers of each mode.
    stages : list of tuple
        Generators, gains and lags at the three nodes.
    weights : array, shape (3, 3)
        Of the method, times the times and the length of the step.
    constant : float
        F0 and the noise.
    """
    generators, gains, lags = (np.stack(parts, axis=1) for parts in zip(*stages, strict=True))
    n, nodes = state.shape[0], np.arange(STAGES)
    blocks = np.einsum("ij,njab->niajb", weights, generators)
    # Stages of all modes as linear functions of P + s2 and P' at the three nodes.
    right = np.empty((n, STAGES, 3, 1 + 2 * STAGES))
    right[..., 0] = state[:, None]
    right[..., 1 : 1 + STAGES] = np.einsum("ij,nja->niaj", weights, gains)
    right[..., 1 + STAGES :] = -np.einsum("ij,nja->niaj", weights, lags)
    size = 3 * STAGES
    matrices = np.eye(size) - blocks.reshape(n, size, size)
    solved = np.linalg.solve(matrices, right.reshape(n, size, -1)).reshape(right.shape)
    losses = solved[:, :, 0].sum(axis=0)
    slopes = np.einsum("nib,nibc->ic", generators[:, :, 0], solved)
    # P + s2 = constant + sum q and P' = sum q' at the nodes: six equations.
    given = np.concatenate([constant + losses[:, 0], slopes[:, 0]])
    matrix = np.eye(2 * STAGES) - np.concatenate([losses[:, 1:], slopes[:, 1:]])
    matrix[STAGES + nodes, nodes] -= gains[:, :, 0].sum(axis=0)
    matrix[STAGES + nodes, STAGES + nodes] += lags[:, :, 0].sum(axis=0)
    last: Array = solved[:, -1, :, 0] + solved[:, -1, :, 1:] @ np.linalg.solve(matrix, given)
    return last


def coast(
    steps: NDArray[Any],
    start: int,
    state: Array,
    points: Array,
    multiplicities: Array,
    floor: float,
    noise: float,
    sgd: SGD,
    per_decade: int,
) -> Array:
    """Expected loss at large steps, in logarithmic time (model section 14).

    Parameters
    ----------
    steps : array, shape (n,)
        Steps to record, increasing, from ``start`` on; any real numbers.
    start : int
        The step of the state.
    state : array, shape (3, m)
        The three numbers of each mode.
    points, multiplicities : arrays, shape (m,)
        Eigenvalues, and how many of them feel the noise of gradients.
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

    def settings(time: float) -> tuple[float, float, float, float]:
        # Of a step from t - 1/2 to t + 1/2, whose map is known in its middle.
        rate, batch, weight, forgetting, _ = sgd.remembered_at(np.array(time - 0.5))
        return float(rate), float(batch), float(weight), float(forgetting)

    direct = sgd.remembered_at(np.array(0))[-1]
    loss, now = np.empty(steps.size), float(np.log(start))
    for k, end in enumerate(np.log(steps)):
        count = max(1, int(np.ceil((end - now) / np.log(10) * per_decade)))
        length = (end - now) / count
        for _ in range(count):
            unit = units(points, *settings(np.exp(now)))
            powers = np.stack([np.ones(unit.size), unit, unit**2])
            times = np.exp(now + length * NODES)
            stages = []
            for time in times.tolist():
                step = StepMatrices.of(points, *settings(time), direct, unit)
                generator, gain, lag = _generators(step)
                stages.append(
                    (generator, gain * multiplicities[:, None], lag * multiplicities[:, None])
                )
            moved = _stride((state * powers).T, stages, length * MATRIX * times, floor + noise)
            state = moved.T / powers
            now += length
        now = end
        loss[k] = floor + state[0].sum()
    return loss
