"""SGD on random features of real samples, beside what is predicted from their moments."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

TRAINING = schema(
    ("set", pa.string()),
    ("d", pa.int64()),
    ("c", pa.float64()),  # gamma Tr D
    ("learning_rate", pa.float64()),
    ("step", pa.int64()),
    ("runs", pa.int64()),  # number of W
    ("chains", pa.int64()),  # trainings of each W
    ("loss", pa.float64()),  # measured: mean over runs and chains, without the labels' noise
    ("loss_error", pa.float64()),  # standard errors, over runs
    ("predicted", pa.float64()),  # recursion for the same W, mean over runs
    ("ratio", pa.float64()),  # measured over predicted, paired by W
    ("ratio_error", pa.float64()),
    ("corrected", pa.float64()),  # with fourth moments, for the same W
    ("corrected_ratio", pa.float64()),
    ("corrected_ratio_error", pa.float64()),
    ("growing", pa.int64()),  # number of W whose corrected loss has no limit; NaN above if any
    ("averaged", pa.float64()),  # predicted, W averaged out
    ("averaged_error", pa.float64()),  # relative error of the solver
    ("averaged_ratio", pa.float64()),
    ("averaged_ratio_error", pa.float64()),
    ("status", pa.string()),  # of plrf.statuses
)
