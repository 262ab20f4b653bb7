"""The grid: one row per point and size."""

import pyarrow as pa

from plrf.study.schemas.fields import POINT, schema

GRID = schema(
    *POINT,
    ("d", pa.int64()),
    ("v", pa.int64()),
    ("batch", pa.int64()),
    ("c", pa.float64()),
    ("learning_rate", pa.float64()),
    ("kernel_mass", pa.float64()),
    ("flops", pa.float64()),  # budget of one run
    ("steps", pa.int64()),
    ("simulated_steps", pa.int64()),  # of sgd and recursion
    ("runs", pa.int64()),
    ("sgd", pa.bool_()),
    ("recursion", pa.bool_()),
    ("volterra", pa.bool_()),
    ("phase", pa.string()),
)
