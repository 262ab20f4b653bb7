"""Training algorithms beyond a constant rate, W averaged out: best schedules, batches, noise."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

TASK = [("alpha", pa.float64()), ("beta", pa.float64()), ("noise", pa.float64())]

BEST_SCHEDULES = schema(
    *TASK,
    ("flops", pa.float64()),
    ("family", pa.string()),  # free, or the name of a schedule whose parameters are tuned
    ("d", pa.float64()),  # best size
    ("steps", pa.int64()),
    ("loss", pa.float64()),
    ("error", pa.float64()),  # relative error of the loss
    ("largest_c", pa.float64()),  # largest gamma B Tr D
    ("shape", pa.float64()),  # the parameter that is tuned besides; NaN if there is none
    ("status", pa.string()),  # of plrf.statuses
)
RATES = schema(  # learning rates of the best schedules at some steps
    *TASK,
    ("flops", pa.float64()),
    ("family", pa.string()),
    ("step", pa.int64()),
    ("time", pa.float64()),  # step over the number of steps
    ("c", pa.float64()),  # gamma B Tr D
)
BATCHES = schema(  # best learning rate and size for each batch
    *TASK,
    ("flops", pa.float64()),
    ("batch", pa.float64()),
    ("d", pa.float64()),
    ("c", pa.float64()),
    ("loss", pa.float64()),
    ("loss_error", pa.float64()),
    ("status", pa.string()),
)
CRITICAL_BATCHES = schema(
    *TASK,
    ("flops", pa.float64()),
    ("batch", pa.float64()),  # from which on half the steps cost 10% more compute
    ("d", pa.float64()),
    ("steps", pa.float64()),
    ("loss", pa.float64()),
    ("status", pa.string()),
)
NOISE_FRONTS = schema(
    *TASK,
    ("rate", pa.string()),  # given: the configuration's c; optimal: the best at each budget
    ("flops", pa.float64()),
    ("d", pa.float64()),
    ("loss", pa.float64()),
    ("c", pa.float64()),
    ("eta", pa.float64()),  # local exponents
    ("xi", pa.float64()),
    ("c_exponent", pa.float64()),  # d log c / d log f
    ("eta_error", pa.float64()),
    ("xi_error", pa.float64()),
    ("c_exponent_error", pa.float64()),
    ("status", pa.string()),
)
