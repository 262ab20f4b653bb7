"""The training algorithm: one-pass SGD, and the steps at which its losses are recorded."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SGD:
    """One-pass SGD with a constant learning rate (model sections 1 and 3).

    Attributes
    ----------
    learning_rate : float
        gamma.
    batch : int
        Samples per step, whose gradients are summed.
    """

    learning_rate: float
    batch: int = 1

    def decay(self, eigenvalues: Any) -> Any:
        """Factor ``1 - 2 gamma B lam + gamma^2 B (B+1) lam^2`` of a mode's loss in a step."""
        gamma, batch = self.learning_rate, self.batch
        return 1 - 2 * gamma * batch * eigenvalues + gamma**2 * batch * (batch + 1) * eigenvalues**2

    def gain(self, eigenvalues: Any) -> Any:
        """What a mode gains in a step from the noise of gradients, in units of the loss."""
        return self.learning_rate**2 * self.batch * eigenvalues**2

    @property
    def parameters(self) -> dict[str, Any]:
        """What tells the algorithm from others, by the names of the columns of tables."""
        return asdict(self)


def recorded_steps(steps: int, per_decade: int) -> NDArray[np.int64]:
    """Log-spaced steps at which losses are recorded: 0, 1, ..., ``steps``, without repetition.

    Parameters
    ----------
    steps : int
        The last step, at least 1.
    per_decade : int
        Steps per decade where the spacing exceeds one step.
    """
    count = int(np.ceil(np.log10(steps) * per_decade)) + 1
    grid = np.rint(np.geomspace(1, steps, count)).astype(np.int64)
    grid[-1] = steps  # exactly, where floats are coarser than integers
    return np.unique(np.concatenate([[0], grid]))
