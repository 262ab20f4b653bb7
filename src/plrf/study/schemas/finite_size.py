"""How far finite sizes are from the asymptotic theory."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

LOSS_RATIOS = schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("d", pa.int64()),
    ("v", pa.int64()),
    ("batch", pa.int64()),
    ("learning_rate", pa.float64()),
    ("step", pa.float64()),
    ("loss", pa.float64()),
    ("error", pa.float64()),  # relative error of the loss
    ("estimate", pa.float64()),  # F_0 + F_pp + F_ac + K_pp/(gamma B)
    ("status", pa.string()),
)
LOCAL_EXPONENTS = schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("phase", pa.string()),
    ("source", pa.string()),  # exact, or the estimate
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("quantity", pa.string()),  # eta or xi
    ("value", pa.float64()),  # local exponent at this budget
    ("error", pa.float64()),  # absolute
    ("theory", pa.float64()),
    ("status", pa.string()),  # of plrf.statuses: ok, no minimum or not converged
)
