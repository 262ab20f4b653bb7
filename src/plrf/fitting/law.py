"""The parametric law L = E + A d^-a + B n^-b, fitted to a table of losses: one row per run.

Unlike `plrf.measure.parametric`, which it uses, this takes rows at any d and n, checks them, and
keeps them beside the law, since errors, profiles and predictions are made from both.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import huber as huber_loss

from plrf.arguments import number, numbers
from plrf.measure.law_forms import FREE, LawForm
from plrf.measure.parametric import Law, fit_law
from plrf.measure.refits import HUBER, log_law_and_slopes, refit

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedLaw:
    """A law and the losses that it was fitted to.

    Attributes
    ----------
    log_d, log_n, log_loss : ndarray, shape (m,)
        Natural logarithms of the parameters, samples and losses of m runs.
    law : Law
        Its parameters belong to d in parameters, n in samples, and losses in the table's unit.
    """

    log_d: FloatArray
    log_n: FloatArray
    log_loss: FloatArray
    law: Law

    @classmethod
    def unknown(
        cls,
        log_d: FloatArray,
        log_n: FloatArray,
        log_loss: FloatArray,
        status: str,
        form: LawForm,
        huber: float,
    ) -> FittedLaw:
        """No law, and why: parameters are NaN."""
        law = Law(np.full(5, np.nan), np.full(log_d.shape, np.nan), status, form, huber)
        return cls(log_d, log_n, log_loss, law)

    @property
    def parameters(self) -> FloatArray:
        """Log E, log A, a, log B, b; shape (5,)."""
        return self.law.parameters

    @property
    def status(self) -> str:
        """Why the law has no exponents, or "ok"."""
        return self.law.status

    @property
    def slopes(self) -> FloatArray:
        """Derivatives of the fitted log losses by the free parameters, shape (m, k)."""
        slopes = log_law_and_slopes(self.parameters, self.log_d, self.log_n)[1]
        free: FloatArray = slopes.T @ self.law.form.matrix
        return free

    def objective(self, parameters: FloatArray) -> FloatArray:
        """Sum of the Huber losses of log L at parameters; (..., 5) to (...)."""
        log_law = log_law_and_slopes(parameters, self.log_d, self.log_n)[0]
        total: FloatArray = huber_loss(self.law.huber, log_law - self.log_loss).sum(axis=-1)
        return total

    def refit(self, weights: FloatArray) -> FloatArray:
        """Parameters (..., 5) with weights (..., m) of the rows; NaN where refused."""
        return refit(
            self.parameters,
            self.log_d,
            self.log_n,
            self.log_loss,
            weights=weights,
            form=self.law.form,
            huber=self.law.huber,
        )


def fit_table(
    d: ArrayLike,
    n: ArrayLike,
    loss: ArrayLike,
    *,
    form: LawForm = FREE,
    huber: float = HUBER,
) -> FittedLaw:
    """Fit the law to the losses of runs (model section 8).

    Parameters
    ----------
    d, n, loss : array_like, shape (m,)
        Parameters, samples and loss of each run, in any units.
    form : LawForm
        Which parameters are free (`plrf.measure.law_forms`).
    huber : float
        Residual of log L from which the loss function grows linearly, 1e-3 by default;
        `plrf.measure.refits.LEAST_SQUARES` for squares.

    Returns
    -------
    FittedLaw
        With a status and NaN as parameters if there are not more rows than free parameters.

    Raises
    ------
    ValueError
        If something is not positive and finite, or the arrays are not of one length.
    TypeError
        If something is not a number.
    """
    log_d, log_n, log_loss = checked_table(d, n, loss)
    huber = number("huber", huber, above=0)
    least = form.size + 1
    if log_d.size < least:
        status = f"{log_d.size} losses, at least {least} needed"
        return FittedLaw.unknown(log_d, log_n, log_loss, status, form, huber)
    law = fit_law(log_d, log_n, log_loss, form=form, huber=huber)
    fitted = FittedLaw(log_d, log_n, log_loss, law)
    return _polished(fitted) if law.converged else fitted


def checked_table(
    d: ArrayLike, n: ArrayLike, loss: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Natural logarithms of the columns of a table, checked as `fit_table` says."""
    columns = [numbers(*pair, above=0) for pair in (("d", d), ("n", n), ("loss", loss))]
    shapes = [column.shape for column in columns]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1:
        raise ValueError(f"d, n and loss: must be 1-d and of one length, not of shapes {shapes}")
    log_d, log_n, log_loss = map(np.log, columns)
    return log_d, log_n, log_loss


def _polished(fitted: FittedLaw) -> FittedLaw:
    """The same fit with its last digits, which L-BFGS-B leaves open."""
    parameters = fitted.refit(np.ones(fitted.log_d.shape))
    if np.isnan(parameters).any():
        return fitted
    log_law = log_law_and_slopes(parameters, fitted.log_d, fitted.log_n)[0]
    law = replace(fitted.law, parameters=parameters, residuals=fitted.log_loss - log_law)
    return replace(fitted, law=law)
