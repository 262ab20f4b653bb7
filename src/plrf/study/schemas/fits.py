"""Fronts, the losses that they are fitted to, and exponents."""

import pyarrow as pa

from plrf.study.schemas.fields import POINT, schema

TRAINED = [*POINT, ("momentum", pa.string())]  # with the parameters that are not the defaults

ISOFLOP = schema(
    *TRAINED,
    ("engine", pa.string()),
    ("window", pa.int64()),  # place in the sweep's list of windows: 0 is the main one
    ("flops", pa.float64()),
    ("d", pa.int64()),
    ("loss", pa.float64()),  # mean over runs; NaN where the size does not reach the budget
)
FRONTS = schema(
    *TRAINED,
    ("engine", pa.string()),
    ("window", pa.int64()),
    ("method", pa.string()),  # approach0, approach1, approach2, approach2_spline or approach3
    ("flops", pa.float64()),
    ("d_opt", pa.float64()),
    ("loss_opt", pa.float64()),
    ("d_low", pa.float64()),  # sizes that the minimum was interpolated between or fitted to
    ("d_high", pa.float64()),
    # Parabola of Approaches 1 and 2: log loss = curvature x^2 + slope x + intercept, x = log d
    ("curvature", pa.float64()),
    ("slope", pa.float64()),
    ("intercept", pa.float64()),
    ("eta_residual", pa.float64()),  # of log loss_opt from the power law; NaN if not used
    ("xi_residual", pa.float64()),  # of log d_opt
    ("status", pa.string()),
)
# The deviation of an estimate from theory is the sum of three: estimate - expected is noise,
# expected - exact the method's own bias, and exact - theory is due to the finite size.
EXPONENTS = schema(
    *TRAINED,
    ("phase", pa.string()),
    ("engine", pa.string()),
    ("window", pa.int64()),
    ("window_low", pa.float64()),  # flops
    ("window_high", pa.float64()),
    ("method", pa.string()),
    ("quantity", pa.string()),  # eta or xi
    ("estimate", pa.float64()),
    ("std_error", pa.float64()),
    ("dof", pa.float64()),  # degrees of freedom of the t interval; infinite for solver
    ("ci_low", pa.float64()),  # 95% interval
    ("ci_high", pa.float64()),
    ("error_source", pa.string()),  # runs (bootstrap), residuals (of the power law) or solver
    ("used_low", pa.float64()),  # lowest and highest budget used, flops
    ("used_high", pa.float64()),
    ("n_budgets", pa.int64()),  # budgets used
    ("n_dropped", pa.int64()),
    ("rms_residual", pa.float64()),  # of the natural logarithms
    ("expected", pa.float64()),  # the same method, sizes and budgets on volterra losses
    ("exact", pa.float64()),  # slope of the exact front over the same budgets
    ("theory", pa.float64()),  # asymptotic
    ("method_spread", pa.float64()),  # systematic: range over methods, same engine and window
    ("window_spread", pa.float64()),  # systematic: range over windows, same engine and method
    ("status", pa.string()),
)
