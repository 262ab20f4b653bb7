"""Budgets at which optima are told, within a table and beyond it, and their rows.

Source: model section 15 (docs/model.md).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
WithLimits = tuple[FloatArray, FloatArray, FloatArray]
"""Values, and lower and upper limits of their 95% intervals, each of shape (m,)."""

WITHIN = 7
"""Log-spaced budgets within those of a table."""

PER_DECADE = 2
"""Budgets beyond it."""


def asked_budgets(flops: FloatArray, extrapolation: float) -> FloatArray:
    """Budgets of optima: log-spaced between the ends of those of the runs, then beyond.

    Parameters
    ----------
    flops : ndarray, shape (n,)
        Of the runs.
    extrapolation : float
        Largest budget over that of the runs, at least 1.
    """
    low, high = float(flops.min()), float(flops.max())
    within = np.geomspace(low, high, WITHIN) if low < high else np.array([high])
    steps = int(np.ceil(PER_DECADE * np.log10(extrapolation)))
    return np.concatenate([within, high * np.geomspace(1, extrapolation, steps + 1)[1:]])


def optimum_table(
    flops: FloatArray, k: float, *, d: WithLimits, loss: WithLimits, method: str, status: str
) -> pd.DataFrame:
    """Rows of the table of optima, with what follows from the best sizes.

    Parameters
    ----------
    flops : ndarray, shape (m,)
        Budgets.
    k : float
        Flops per parameter and sample: n = flops/(k d).
    d, loss : tuple of ndarray
        Best sizes and their losses with limits.
    method, status : str
    """
    product = flops / k
    n = tuple(product / d[i] for i in (0, 2, 1))
    ratio = tuple(product / d[i] ** 2 for i in (0, 2, 1))
    values = {"d_opt": d, "n_opt": n, "samples_per_parameter": ratio, "loss": loss}
    columns = {
        name + end: limits[i]
        for name, limits in values.items()
        for i, end in enumerate(("", "_low", "_high"))
    }
    return pd.DataFrame({"method": method, "flops": flops} | columns | {"status": status})
