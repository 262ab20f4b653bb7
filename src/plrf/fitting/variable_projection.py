"""The parametric law by variable projection: a cross-check that needs no initial points.

For given exponents (a, b) the law E + A d^-a + B n^-b is linear in (E, A, B): non-negative least
squares of the relative residuals (fitted - measured)/measured. What remains is a function of two
variables, minimised from the best point of a grid that covers all exponents.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares, nnls

from plrf.fitting.law import FittedLaw, checked_table
from plrf.measure.law_forms import FREE
from plrf.measure.parametric import Law, law_status
from plrf.measure.refits import LARGEST_EXPONENT, LEAST_SQUARES, bounds, centred, log_terms, moved

FloatArray = NDArray[np.float64]

_GRID = np.geomspace(0.03, 3, 16)  # of either exponent, ratio 1.36


def variable_projection(d: ArrayLike, n: ArrayLike, loss: ArrayLike) -> FittedLaw:
    """Fit the law by non-negative least squares inside a search over (a, b) (model section 8).

    To second order in the residuals this is `plrf.fitting.law.fit_table` with least squares. It
    gives outliers their full weight.

    Parameters
    ----------
    d, n, loss : array_like, shape (m,)
        Parameters, samples and loss of each run, in any units.

    Returns
    -------
    FittedLaw
        With residuals of log L, and a status if the law has no exponents, or there are not more
        than 5 rows.

    Raises
    ------
    ValueError
        If something is not positive and finite, or the arrays are not of one length.
    TypeError
        If something is not a number.
    """
    log_d, log_n, log_loss = checked_table(d, n, loss)
    least = FREE.size + 1
    if log_d.size < least:
        status = f"{log_d.size} losses, at least {least} needed"
        return FittedLaw.unknown(log_d, log_n, log_loss, status, FREE, LEAST_SQUARES)
    x, y, centre = centred(log_d, log_n)

    def residuals(exponents: FloatArray) -> FloatArray:
        return _projected(exponents, x, y, log_loss)[1]

    grid = np.array(list(product(_GRID, _GRID)))
    best = min(grid, key=lambda exponents: float(np.sum(residuals(exponents) ** 2)))
    found = least_squares(
        residuals,
        best,
        jac="3-point",
        bounds=(0, LARGEST_EXPONENT),
        xtol=1e-10,
        ftol=1e-14,
        gtol=1e-14,
    )
    coefficients = _projected(found.x, x, y, log_loss)[0]
    with np.errstate(divide="ignore"):
        log_e, log_a, log_b = np.log(coefficients)
    log_e = max(log_e, bounds(log_loss)[0][0])  # an E of 0 has no logarithm
    parameters = np.array([log_e, log_a, found.x[0], log_b, found.x[1]])
    log_law = np.logaddexp.reduce(log_terms(parameters, x, y))
    status = law_status(parameters, x, y)
    law = Law(moved(parameters, -centre), log_loss - log_law, status, FREE, LEAST_SQUARES)
    return FittedLaw(log_d, log_n, log_loss, law)


def _projected(
    exponents: FloatArray, x: FloatArray, y: FloatArray, log_loss: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """E, A and B of the best law with these exponents, and its relative residuals (m,)."""
    a, b = exponents
    columns = np.exp(np.stack([-log_loss, -a * x - log_loss, -b * y - log_loss], axis=1))
    scales = np.linalg.norm(columns, axis=0)
    scaled = columns / scales
    solution, _ = nnls(scaled, np.ones(log_loss.shape))
    return solution / scales, scaled @ solution - 1
