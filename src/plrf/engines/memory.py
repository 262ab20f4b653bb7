"""What stochastic runs remember of gradients: momentum, exact in law (model section 14)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plrf.training import SGD

Array = NDArray[np.float64]
Steps = NDArray[np.int64]


class Memory:
    """The vectors y of several chains, in the coordinates of their states.

    In the space of a group of equal eigenvalues only the lengths of w and y and their angle matter:
    y has a part along w, as the state has, and one aside. A batch adds to both and, across the
    plane of the two, a third part of chi-squared squared length.

    Parameters
    ----------
    sgd : SGD
        With momentum.
    state : array, shape (..., n)
        Coordinates of the chains.
    groups : slice
        Those of them that are lengths in groups of several eigenvalues.
    freedom : array, shape (m,)
        Multiplicities of the groups less one.
    streams : sequence of Generator
        For the directions across.
    """

    def __init__(
        self,
        sgd: SGD,
        state: Array,
        groups: slice,
        freedom: Array,
        streams: Sequence[np.random.Generator],
    ) -> None:
        assert sgd.momentum is not None
        self._sgd, self._momentum, self._groups = sgd, sgd.momentum, groups
        self._streams = [stream.spawn(2) for stream in streams]
        self._along, self._aside = np.zeros_like(state), np.zeros_like(state[..., groups])
        # Where there is less than one direction aside, it is as much shorter.
        self._second, self._others = np.sqrt(np.minimum(freedom, 1)), np.maximum(freedom - 1, 0) / 2

    def look_ahead(self, steps: Steps) -> None:
        """Get ready for some steps: shape (n, 1)."""
        self._factors = self._sgd.factors(steps)
        self._kept = 1 - self._momentum.forgettings(steps)
        self._weights = self._momentum.weights(steps)
        if self._second.size:
            shape = steps.size, 1, self._second.size
            normal = [stream.standard_normal(shape) for stream, _ in self._streams]
            gamma = [stream.standard_gamma(self._others, shape) for _, stream in self._streams]
            self._turns = self._second * np.stack(normal, axis=1)
            self._across = np.sqrt(2 * np.stack(gamma, axis=1))

    def move(self, k: int, state: Array, update: Array, kick: Array) -> None:
        """Make a step of those ahead.

        Parameters
        ----------
        k : int
            Which one.
        state : array, shape (..., n)
            Changed.
        update : array, shape (..., n)
            Learning rate times the gradient, in groups its part along the state.
        kick : array, shape (..., m)
            What it is across, in each direction, per unit of a normal variate.
        """
        factor, kept, weight = self._factors[k], self._kept[k], self._weights[k]
        self._along *= kept
        self._along += update
        state -= factor * (self._momentum.direct * update + weight * self._along)
        if not self._second.size:
            return
        own = state[..., self._groups], self._along[..., self._groups]
        gradient = 0.0, kick * self._turns[k], kick * self._across[k]
        y = own[1], kept * self._aside + gradient[1], gradient[2]
        moved = [
            -factor * (self._momentum.direct * g + weight * r)
            for g, r in zip(gradient, y, strict=True)
        ]
        w = own[0], moved[1], moved[2]
        length = np.sqrt(w[0] ** 2 + w[1] ** 2 + w[2] ** 2)
        safe = np.maximum(length, np.finfo(float).tiny)
        cross = (
            y[1] * w[2] - y[2] * w[1],
            y[2] * w[0] - y[0] * w[2],
            y[0] * w[1] - y[1] * w[0],
        )
        along = (y[0] * w[0] + y[1] * w[1] + y[2] * w[2]) / safe
        self._aside = np.sqrt(cross[0] ** 2 + cross[1] ** 2 + cross[2] ** 2) / safe
        own[0][...], own[1][...] = length, along
