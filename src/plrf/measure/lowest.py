"""The size of lowest loss at each budget, and whether it has the neighbours that a fit needs.

Imported at every parse of the Snakefile: no scipy here.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MIN_SIZES = 5
"""Sizes that must reach a budget for its minimum to be used."""


def lowest(mean_loss: FloatArray, neighbours: int) -> tuple[NDArray[np.intp], NDArray[np.str_]]:
    """Index of the size with the lowest loss, and status; (..., n_d, n_f) to (..., n_f).

    Parameters
    ----------
    mean_loss : ndarray, shape (..., n_d, n_f)
        Mean losses, or what grows with them; NaN where there is none.
    neighbours : int
        Sizes that it must have on each side.

    Returns
    -------
    best : ndarray of int
        0 where no size has a loss.
    status : ndarray of str
        ``"ok"``, ``"few_sizes"`` or ``"edge_minimum"``, see `plrf.measure.fronts.Front`.
    """
    present = np.isfinite(mean_loss)
    best = np.argmin(np.where(present, mean_loss, np.inf), axis=-2)
    n_d = mean_loss.shape[-2]
    interior = present.copy()
    for shift in range(1, neighbours + 1):
        interior[..., :shift, :] = interior[..., max(n_d - shift, 0) :, :] = False
        interior[..., shift:, :] &= present[..., :-shift, :]
        interior[..., :-shift, :] &= present[..., shift:, :]
    at_edge = ~np.take_along_axis(interior, best[..., None, :], axis=-2)[..., 0, :]
    few = present.sum(axis=-2) < MIN_SIZES
    return best, np.select([few, at_edge], ["few_sizes", "edge_minimum"], "ok")
