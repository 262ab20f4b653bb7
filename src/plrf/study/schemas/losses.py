"""Losses: one row per recorded step; and how far a loss may be trusted."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from plrf.study.schemas.fields import POINT, schema

LOSSES = schema(
    *POINT,
    ("d", pa.int64()),
    ("v", pa.int64()),
    ("batch", pa.int64()),
    ("learning_rate", pa.float64()),
    ("noise", pa.float64()),  # variance of the labels' noise; losses are without it
    ("schedule", pa.string()),  # with the parameters that are not the defaults
    ("momentum", pa.string()),  # likewise; "none" without
    ("engine", pa.string()),
    ("run", pa.int64()),  # -1 where W is averaged out
    ("step", pa.int64()),
    ("flops", pa.float64()),  # d times all samples up to the step
    ("loss", pa.float64()),  # NaN from a divergence on
    ("error", pa.float64()),  # the solver's own relative error; NaN for SGD
    ("status", pa.string()),  # ok, diverged, inaccurate or failed
)

# A loss whose solver states a larger relative error is flagged, and left out of fits.
ACCURACY = 1e-6


def loss_status(loss: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.str_]:
    """Status of losses: "ok", "inaccurate" by the solver's own error, "diverged" or "failed".

    A solver that failed has no loss and no error.
    """
    missing = ~np.isfinite(loss)
    conditions = [missing & np.isnan(error), missing, ~(error <= ACCURACY)]
    return np.select(conditions, ["failed", "diverged", "inaccurate"], "ok")
