"""Spectra of sampled W, densities, and contours around them."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

# Spectra of K^ = D^1/2 W W^T D^1/2 and its mass as seen by D^1/2 b, zero eigenvalues left out
SPECTRUM = [
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
    ("d", pa.int64()),
    ("v", pa.int64()),
]
SPECTRUM_HISTOGRAM = schema(
    *SPECTRUM,
    ("samples", pa.int64()),
    ("x_low", pa.float64()),  # ends of the bin
    ("x_high", pa.float64()),
    ("count", pa.float64()),  # eigenvalues in the bin, mean over W
    ("mass", pa.float64()),  # sum of c_i**2 in the bin, mean over W
    ("std_error", pa.float64()),  # of the mass
)
EIGENVALUES = schema(
    *SPECTRUM,
    ("sample", pa.int64()),
    ("eigenvalue", pa.float64()),
    ("mass", pa.float64()),  # c_i**2
)
SPECTRUM_DENSITY = schema(
    *SPECTRUM,
    ("band", pa.int64()),  # intervals of the spectrum; 0 is the lowest, the bulk
    ("x", pa.float64()),
    ("weight", pa.float64()),  # quadrature weight: integrals are sums over rows
    ("density", pa.float64()),  # of eigenvalues
    ("mass_density", pa.float64()),  # of the mass seen by D^1/2 b
    ("pure_points", pa.float64()),  # what F_pp takes for the density of the mass
    ("continuous", pa.float64()),  # what F_ac adds to it
    ("status", pa.string()),  # ok or not converged
)
CONTOURS = schema(
    *SPECTRUM,
    ("contour", pa.string()),  # Gamma_0, Gamma_C or Gamma_caps; circle or hyperbola
    ("learning_rate", pa.float64()),  # NaN where the contour does not depend on it
    ("first_step", pa.float64()),  # steps that the contour serves; NaN if any
    ("last_step", pa.float64()),
    ("node", pa.int64()),
    ("real", pa.float64()),
    ("imag", pa.float64()),
)
