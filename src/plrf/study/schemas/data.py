"""Tasks of real data: their spectra, what else is measured of them, and exponents."""

import pyarrow as pa

from plrf.study.schemas.fields import schema
from plrf.theory.phases import PHASES

SPECTRA = schema(  # a sweep can have one as its spectrum
    ("set", pa.string()),
    ("rank", pa.int64()),
    ("eigenvalue", pa.float64()),  # a_j
    ("eigenvalue_error", pa.float64()),  # standard errors
    ("target", pa.float64()),  # b_j
    ("target_error", pa.float64()),
    ("tail", pa.float64()),  # sum over k >= j of a_k b_k^2, less what the noise adds
    ("tail_error", pa.float64()),
)
TASKS = schema(
    ("set", pa.string()),
    ("n", pa.int64()),  # samples
    ("v", pa.int64()),  # features, directions of x that vary
    ("left_out", pa.int64()),  # directions that do not
    ("noise", pa.float64()),  # variance of y that no linear function explains
    ("noise_error", pa.float64()),
    ("noise_share", pa.float64()),  # of the variance of y
    ("inflation", pa.float64()),  # what estimation adds to the explained variance
    ("held_out", pa.int64()),  # samples on which a fit to the others is tested
    ("held_out_loss", pa.float64()),
    ("held_out_error", pa.float64()),
    ("held_out_expected", pa.float64()),
    ("status", pa.string()),  # "ok", or what is doubtful
)
TASK_EXPONENTS = schema(
    ("set", pa.string()),
    ("kind", pa.string()),  # window: of the configuration; local: along the spectrum
    ("window", pa.int64()),  # number of the window, 0 the main one
    ("first", pa.int64()),  # ranks
    ("last", pa.int64()),
    ("last_tail", pa.int64()),  # last rank whose tail sum counts
    ("alpha", pa.float64()),
    ("alpha_error", pa.float64()),  # standard errors
    ("beta", pa.float64()),
    ("beta_error", pa.float64()),
    ("correlation", pa.float64()),  # of both errors
    ("alpha_bias", pa.float64()),  # what was subtracted
    ("beta_bias", pa.float64()),
    ("phase", pa.string()),
    *((f"probability_{row.name}", pa.float64()) for row in PHASES),
    ("probability_none", pa.float64()),  # of no power law
    ("status", pa.string()),  # of plrf.statuses
)
