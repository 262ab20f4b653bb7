"""What the explorer shows."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

# The explorer: a grid of points, those without a power law included.
EXPLORER_POINTS = schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("phase", pa.string()),  # "none" where there is no power law
    ("eta", pa.float64()),  # theory; NaN on the edge and where there is no power law
    ("xi", pa.float64()),  # theory; NaN also where it jumps
    ("status", pa.string()),  # ok, edge or no power law
)
EXPLORER_LOSSES = schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("d", pa.int64()),
    ("v", pa.int64()),
    ("batch", pa.int64()),
    ("learning_rate", pa.float64()),
    ("step", pa.int64()),
    ("flops", pa.float64()),  # d * step * batch
    ("loss", pa.float64()),
    ("error", pa.float64()),  # the solver's own relative error
    ("f_0", pa.float64()),
    ("f_pp", pa.float64()),  # NaN where it is infinite: no power law, or on the edge
    ("f_ac", pa.float64()),
    ("k_pp", pa.float64()),  # over gamma B, as it enters the loss
    ("status", pa.string()),  # of the loss: ok, inaccurate or failed
)
EXPLORER_FRONTS = schema(
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("loss_opt", pa.float64()),
    ("eta", pa.float64()),  # local exponents
    ("xi", pa.float64()),
    ("d_error", pa.float64()),  # relative
    ("loss_error", pa.float64()),
    ("eta_error", pa.float64()),  # absolute
    ("xi_error", pa.float64()),
    ("status", pa.string()),  # of plrf.statuses: ok, no minimum, not converged or no power law
)
