"""Tasks of data: from samples to eigenvalues, targets and noise, and to the exponents of both."""
