"""Fronts and loss curves with momentum, W averaged out."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

MOMENTUM_FRONTS = schema(  # NaN where the status is not ok
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("phase", pa.string()),  # "none" where there is no power law
    ("algorithm", pa.string()),  # of plrf.study.momentum
    ("flops", pa.float64()),
    ("d", pa.float64()),  # best size
    ("loss", pa.float64()),
    ("eta", pa.float64()),  # local exponents
    ("xi", pa.float64()),
    ("d_error", pa.float64()),  # relative
    ("loss_error", pa.float64()),
    ("eta_error", pa.float64()),
    ("xi_error", pa.float64()),
    ("eta_heuristic", pa.float64()),  # NaN where there is none
    ("xi_heuristic", pa.float64()),
    ("status", pa.string()),  # of plrf.statuses
)
MOMENTUM_CURVES = schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("algorithm", pa.string()),
    ("d", pa.int64()),
    ("run", pa.int64()),  # -1: the expected loss
    ("step", pa.int64()),
    ("loss", pa.float64()),
    ("error", pa.float64()),  # relative; 0 of a run
)
