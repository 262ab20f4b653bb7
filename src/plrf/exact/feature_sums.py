"""What groups need of a task's features: sums near their poles, and cells (model section 4).

On the negative axis of kappa the features have poles, ``kappa = -a_j``. Around them runs the curve
on which z is real: ``sum a^2/|a + kappa|^2 = d``, and in gaps of the spectrum the axis itself.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

ComplexArray = NDArray[np.complex128]


class FeatureSums(Protocol):
    """What the groups of a spectrum ask of a task's features."""

    @property
    def least_count(self) -> float:
        """Number of eigenvalues of a group; cells with fewer are joined."""
        ...

    def __call__(self, kappa: NDArray[Any]) -> ComplexArray:
        """Sums of ``s_j = a_j/(a_j + kappa)`` and of ``b_j**2 s_j``, off the poles.

        Parameters
        ----------
        kappa : array, any shape

        Returns
        -------
        complex array, shape (2, *kappa.shape)
        """
        ...

    def cells(self, d: float, step: float) -> tuple[ComplexArray, ComplexArray]:
        """Cells of the spectrum that d parameters see, from its right to its left.

        Parameters
        ----------
        d : float
        step : float
            Their length in the plane of log kappa, where features are dense.

        Returns
        -------
        start, stop : complex arrays, shape (n,)
            Logarithms of the ridges at their ends, on the curve where z is real.
        """
        ...
