"""The grid: one row per point, size and engine."""

import pyarrow as pa

from plrf.study.schemas.fields import POINT, schema

GRID = schema(
    *POINT,
    ("d", pa.int64()),
    ("engine", pa.string()),
    ("v", pa.int64()),
    ("batch", pa.int64()),
    ("c", pa.float64()),
    ("noise", pa.float64()),  # variance of the labels' noise
    ("schedule", pa.string()),  # with the parameters that are not the defaults
    ("momentum", pa.string()),  # likewise; "none" without
    ("learning_rate", pa.float64()),
    ("kernel_mass", pa.float64()),  # with momentum the largest of all steps
    ("flops", pa.float64()),  # budget of one run
    ("steps", pa.int64()),
    ("runs", pa.int64()),  # 0 for engines that average W out
    ("phase", pa.string()),
)
