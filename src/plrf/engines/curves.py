"""Losses as engines return them, and when a run has diverged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIVERGENCE_FACTOR = 1e6
"""Growth of the loss over the initial one from which a run counts as diverged."""


@dataclass(frozen=True, eq=False)
class LossCurves:
    """Recorded losses of several runs.

    Attributes
    ----------
    loss : array, shape (n_steps, ...)
        Loss of each run at the recorded steps; NaN from its divergence on.
    error : array, shape (n_steps,), optional
        Relative error of the solver; None where there is none, as for SGD, which is exact in law.
    diverged_at : int array, shape (...)
        First step whose loss exceeds ``DIVERGENCE_FACTOR`` times the initial one; -1 if none.
    """

    loss: NDArray[np.float64]
    error: NDArray[np.float64] | None
    diverged_at: NDArray[np.int64]
