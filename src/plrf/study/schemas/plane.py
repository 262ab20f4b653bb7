"""Exact fronts over the plane of alpha and beta."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

PLANE = schema(  # exact fronts over the plane at one budget: NaN where the status is not ok
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("phase", pa.string()),  # "none" where there is no power law
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("loss_opt", pa.float64()),
    ("eta", pa.float64()),  # local exponents
    ("xi", pa.float64()),
    ("eta_error", pa.float64()),
    ("xi_error", pa.float64()),
    ("eta_theory", pa.float64()),
    ("xi_theory", pa.float64()),
    ("status", pa.string()),  # of plrf.statuses
)
