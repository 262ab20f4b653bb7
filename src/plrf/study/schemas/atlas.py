"""The atlas: convergence to the theory over the plane, and what experiments measure."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

PLACE = [
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("phase", pa.string()),  # "none" where there is no power law
]
CONVERGENCE = schema(  # exact fronts at many budgets: NaN where the status is not ok
    *PLACE,
    ("flops", pa.float64()),
    ("d", pa.float64()),  # best size
    ("loss", pa.float64()),
    ("eta", pa.float64()),  # local exponents
    ("xi", pa.float64()),
    ("d_error", pa.float64()),  # relative
    ("loss_error", pa.float64()),
    ("eta_error", pa.float64()),
    ("xi_error", pa.float64()),
    ("eta_theory", pa.float64()),
    ("xi_theory", pa.float64()),
    ("status", pa.string()),  # of plrf.statuses
)
HORIZON = schema(
    *PLACE,
    ("quantity", pa.string()),  # "eta" or "xi"
    ("theory", pa.float64()),
    ("flops", pa.float64()),  # the horizon: inf if it is beyond the last budget, NaN if unknown
    ("flops_error", pa.float64()),  # in decades
    ("deviation", pa.float64()),  # at the last budget, over the theory
    ("trend", pa.float64()),  # change of its magnitude there, per decade
    ("rate", pa.float64()),  # exponent of the leading correction, NaN if there is none
    ("rate_error", pa.float64()),
    ("rate_status", pa.string()),  # of plrf.atlas.convergence
    ("status", pa.string()),  # of plrf.statuses
)
MEASURED = schema(
    *PLACE,
    ("quantity", pa.string()),
    ("sizes", pa.int64()),  # number of sizes of the experiment
    ("approach", pa.string()),
    ("theory", pa.float64()),
    ("exact", pa.float64()),  # slope of the exact front over the window
    ("exact_error", pa.float64()),
    ("reported", pa.float64()),
    ("std_error", pa.float64()),  # that the fit states
    ("budgets", pa.int64()),  # that were used
    ("reason", pa.string()),  # why it was refused
    ("status", pa.string()),  # of plrf.statuses
)
HYPERPARAMETERS = schema(  # exact fronts: NaN where the status is not ok
    *PLACE,
    ("varied", pa.string()),  # "c", "batch" or "v_over_d"
    ("c_is_best", pa.bool_()),  # else given
    ("c", pa.float64()),
    ("batch", pa.float64()),
    ("v_over_d", pa.float64()),
    ("flops", pa.float64()),
    ("d", pa.float64()),
    ("loss", pa.float64()),
    ("eta", pa.float64()),
    ("xi", pa.float64()),
    ("c_exponent", pa.float64()),
    ("eta_error", pa.float64()),
    ("xi_error", pa.float64()),
    ("c_error", pa.float64()),  # relative
    ("eta_theory", pa.float64()),
    ("xi_theory", pa.float64()),
    ("status", pa.string()),
)
CRITICAL = schema(
    *PLACE,
    ("flops", pa.float64()),
    ("batch", pa.float64()),  # critical one, with the best c of each batch
    ("d", pa.float64()),
    ("steps", pa.float64()),
    ("loss", pa.float64()),
    ("status", pa.string()),
)
TABLES = {
    "convergence": CONVERGENCE,
    "horizon": HORIZON,
    "measured": MEASURED,
    "hyperparameters": HYPERPARAMETERS,
    "critical": CRITICAL,
}
"""Tables of the atlas by name."""
