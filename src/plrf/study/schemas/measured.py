"""Fits of losses that others have measured: the tables of `plrf.fit_losses`.

There d are parameters of a model, n samples (tokens) of its training, and flops = k d n.
"""

import pyarrow as pa

from plrf.study.schemas import fits
from plrf.study.schemas.fields import schema

GROUP = ("group", pa.string())  # empty where the table has none


def _with_limits(*names: str) -> list[tuple[str, pa.DataType]]:
    """Columns of values, each followed by the limits of its 95% interval."""
    return [(name + end, pa.float64()) for name in names for end in ("", "_low", "_high")]


RUNS = schema(
    GROUP,
    ("row", pa.int64()),  # of the file, counted from 1 below the header
    ("parameters", pa.float64()),
    ("samples", pa.float64()),
    ("flops", pa.float64()),
    ("loss", pa.float64()),  # NaN where the run has none
    ("seed", pa.string()),  # empty where the table has none
    ("budget", pa.float64()),  # of the slice that the row is part of, flops; NaN if of none
    ("log_residual", pa.float64()),  # of the free law, natural logarithm
    ("status", pa.string()),  # ok, no_loss, duplicate, outlier; thinned: not in fits of the law
)
# Those of sweeps. Quantities: eta, xi, eta_without_offset (slope of log P*), offset (front's E).
# Window 0 has all budgets, 1 the lower and 2 the upper half of them. Errors are from seeds (runs),
# budgets or sizes left out (residuals), or a bootstrap over rows or sizes.
EXPONENTS = schema(GROUP, *((field.name, field.type) for field in fits.EXPONENTS))
ISOFLOP = schema(
    GROUP,
    ("budget", pa.float64()),  # common to the slice, flops
    ("d", pa.float64()),
    ("flops", pa.float64()),  # the run's own
    ("measured", pa.float64()),  # loss, mean over runs of this size
    ("loss", pa.float64()),  # the same, moved along to the budget
    ("runs", pa.int64()),
)
FRONTS = schema(  # one row for each slice and method, status says why it was dropped
    GROUP,
    ("method", pa.string()),
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("n_opt", pa.float64()),
    ("loss_opt", pa.float64()),
    ("d_low", pa.float64()),  # sizes that the minimum was interpolated between or fitted to
    ("d_high", pa.float64()),
    # Parabola of Approaches 1 and 2: log loss = curvature x^2 + slope x + intercept, x = log d
    ("curvature", pa.float64()),
    ("slope", pa.float64()),
    ("intercept", pa.float64()),
    ("eta_residual", pa.float64()),  # of log loss_opt from E + const f^-eta; NaN if not used
    ("xi_residual", pa.float64()),  # of log d_opt from its power law
    ("status", pa.string()),
)
LAWS = schema(
    GROUP,
    ("form", pa.string()),  # free, equal_exponents or fixed_e
    ("parameter", pa.string()),  # E, A, a, B, b, or the combination of a and b known best
    ("estimate", pa.float64()),
    ("std_error", pa.float64()),
    ("ci_low", pa.float64()),
    ("ci_high", pa.float64()),
    ("profile_low", pa.float64()),  # limits by the objective
    ("profile_high", pa.float64()),
    ("objective", pa.float64()),  # sum of the Huber losses
    ("held_out_loss", pa.float64()),  # mean Huber loss of rows left out
    ("status", pa.string()),
)
OPTIMUM = schema(
    GROUP,
    ("method", pa.string()),
    ("flops", pa.float64()),
    ("factor", pa.float64()),  # of extrapolation: flops over the largest budget; 1 within
    *_with_limits("d_opt", "n_opt", "samples_per_parameter", "loss"),
    ("status", pa.string()),
)
FLATNESS = schema(
    GROUP,
    ("flops", pa.float64()),
    ("factor", pa.float64()),  # of d over the best one
    *_with_limits("cost"),  # loss over the lowest one, less 1
    ("status", pa.string()),
)
HELD_OUT = schema(  # fitted below a budget, predicted above
    GROUP,
    ("form", pa.string()),
    ("limit", pa.float64()),  # largest flops of the fit
    ("row", pa.int64()),
    ("parameters", pa.float64()),
    ("samples", pa.float64()),
    ("flops", pa.float64()),
    ("loss", pa.float64()),
    *_with_limits("predicted"),
    ("log_error", pa.float64()),  # measured minus predicted log loss
    ("status", pa.string()),
)
SENSITIVITY = schema(
    GROUP,
    ("method", pa.string()),
    ("variant", pa.string()),  # none, huber, highest losses or window
    ("value", pa.string()),  # of what is varied
    ("quantity", pa.string()),
    ("estimate", pa.float64()),
    ("status", pa.string()),
)
SUGGESTIONS = schema(  # further runs that would shrink errors of the law
    GROUP,
    ("rank", pa.int64()),  # 1 is the best
    ("parameters", pa.float64()),
    ("samples", pa.float64()),
    ("flops", pa.float64()),
    ("a_error", pa.float64()),  # expected standard errors with this run
    ("b_error", pa.float64()),
    ("a_error_now", pa.float64()),
    ("b_error_now", pa.float64()),
    ("status", pa.string()),
)
AUDIT = schema(  # what methods report on surfaces with known exponents, at the same rows
    GROUP,
    ("surface", pa.string()),
    ("method", pa.string()),
    ("quantity", pa.string()),
    ("reported", pa.float64()),
    ("exact", pa.float64()),  # of the exact front over the same budgets
    ("theory", pa.float64()),  # asymptotic
    ("bias", pa.float64()),  # reported minus exact
    ("status", pa.string()),
)
