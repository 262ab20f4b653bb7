"""Whether a table separates the exponents a and b, and which further runs would.

Sizes or numbers of samples that vary little leave some of E, A d^-a and B n^-b alike: then only a
combination of the exponents is known. It is told instead of quoting them.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.fitting.law import FittedLaw
from plrf.fitting.profiles import Profile
from plrf.fitting.resampling import ResampledLaw

FloatArray = NDArray[np.float64]

NOT_SEPARATED = "not separated"
ON_A_LINE = f"{NOT_SEPARATED}: samples are a power of parameters"
"""Then A d^-a and B n^-b may change places, and no size but those of the table has a loss."""

MOST_SPREAD = 2.0
"""Upper over lower end of an interval from which on an exponent is not known."""

BEYOND = (3.0, 10.0)
"""Factors by which further runs lie beyond the table."""

ALIKE = 0.2
"""Difference of log areas of ellipses within which the cheaper run is better."""


@dataclass(frozen=True, eq=False)
class Separation:
    """What a table says of (a, b) together.

    Attributes
    ----------
    correlations : ndarray, shape (3, 3)
        Of the resampled E, a and b.
    determined, undetermined : ndarray, shape (2,)
        Unit vectors (u, v): u a + v b varies least over the resamples, and most.
    values, errors : ndarray, shape (2,)
        These two combinations, and their standard errors.
    status : str
        "ok"; "not separated" if the profile interval of a or b is open, or spans more than a factor
        of `MOST_SPREAD`; `ON_A_LINE`; or why there is no law.
    """

    correlations: FloatArray
    determined: FloatArray
    undetermined: FloatArray
    values: FloatArray
    errors: FloatArray
    status: str


@dataclass(frozen=True, eq=False)
class FurtherRuns:
    """Candidates for one more run each, the most helpful first; arrays of shape (r,).

    Attributes
    ----------
    d, n : ndarray
        Parameters and samples.
    cost : ndarray
        Compute over that of all runs of the table together.
    a_error, b_error : ndarray
        Standard errors of a and b with this run over those without.
    area : ndarray
        The same of the area of the confidence ellipse of (a, b).
    """

    d: FloatArray
    n: FloatArray
    cost: FloatArray
    a_error: FloatArray
    b_error: FloatArray
    area: FloatArray


def separation(sample: ResampledLaw, a: Profile, b: Profile) -> Separation:
    """Say which combination of the exponents is known.

    Parameters
    ----------
    sample : ResampledLaw
        Of a law whose a and b are both free.
    a, b : Profile
        Their profile intervals.

    Returns
    -------
    Separation
        NaN with fewer than three resamples.
    """
    fitted = sample.fitted
    if fitted.status != "ok" or len(sample.parameters) < 3:
        unknown = np.full(2, np.nan)
        status = sample.status if fitted.status != "ok" else "too few resamples"
        return Separation(np.full((3, 3), np.nan), unknown, unknown, unknown, unknown, status)
    exponents = sample.parameters[:, [2, 4]]
    variances, axes = np.linalg.eigh(np.cov(exponents.T))
    axes = axes * np.where(axes[0] < 0, -1, 1)
    values = fitted.parameters[[2, 4]] @ axes
    e = np.exp(sample.parameters[:, 0])
    with np.errstate(invalid="ignore", divide="ignore"):  # E may be fixed
        correlations = np.corrcoef(np.column_stack([e, exponents]).T)
    wide = any(p.status == "open" or p.high > MOST_SPREAD * p.low for p in (a, b))
    errors = np.sqrt(np.maximum(variances, 0))
    status = ON_A_LINE if _on_a_line(fitted) else NOT_SEPARATED if wide else "ok"
    return Separation(correlations, axes[:, 0], axes[:, 1], values, errors, status)


def _on_a_line(fitted: FittedLaw) -> bool:
    """Whether log d and log n are collinear, as of runs with 20 samples per parameter each."""
    logs = np.stack([fitted.log_d, fitted.log_n])
    centred = logs - logs.mean(axis=1, keepdims=True)
    return bool(np.linalg.matrix_rank(centred, rtol=1e-6) < 2)


def further_runs(fitted: FittedLaw) -> FurtherRuns:
    """Say which runs would shrink the errors of a and b most, by the law's Fisher information.

    Candidates are runs at the centre of the table, and at sizes and samples 3 and 10 times below
    the least and above the largest ones, but for those that cost more than the table. One of slopes
    j changes the covariance C (in units of the noise's variance) to
    ``C - C j j^T C / (1 + j^T C j)``: the noise itself does not matter. Of runs that help about
    alike, to within `ALIKE`, the cheaper one comes first.

    Parameters
    ----------
    fitted : FittedLaw
        With a and b both free.

    Returns
    -------
    FurtherRuns
        Empty if there is no law.

    Raises
    ------
    ValueError
        If a and b are not both free.
    """
    chosen = fitted.law.form.matrix[[2, 4]]
    if np.linalg.matrix_rank(chosen) < 2:
        raise ValueError(f"form = {fitted.law.form.name!r}: a and b must both be free")
    if fitted.status != "ok":
        return FurtherRuns(*np.empty((6, 0)))
    log_d, log_n = (
        candidates.ravel()
        for candidates in np.meshgrid(_levels(fitted.log_d), _levels(fitted.log_n), indexing="ij")
    )
    runs = FittedLaw(log_d, log_n, np.zeros(log_d.shape), fitted.law).slopes
    columns = np.linalg.pinv(fitted.slopes)
    before = chosen @ columns @ columns.T @ chosen.T
    through = chosen @ columns @ columns.T @ runs.T  # shape (2, r)
    spread = 1 + np.sum((columns.T @ runs.T) ** 2, axis=0)
    after = before - np.einsum("ir,jr->rij", through, through / spread)
    a_error, b_error = np.sqrt(np.diagonal(after, axis1=1, axis2=2) / np.diag(before)).T
    area = np.sqrt(np.linalg.det(after) / np.linalg.det(before))
    cost = np.exp(log_d + log_n) / np.sum(np.exp(fitted.log_d + fitted.log_n))
    order = np.lexsort([cost, np.round(np.log(area) / ALIKE)])
    order = order[cost[order] <= 1]
    found = (np.exp(log_d), np.exp(log_n), cost, a_error, b_error, area)
    return FurtherRuns(*(values[order] for values in found))


def _levels(logs: FloatArray) -> FloatArray:
    """Levels below, in the middle of and above values, in logarithms."""
    beyond = np.log(BEYOND)
    middle = (logs.min() + logs.max()) / 2
    return np.concatenate([logs.min() - beyond[::-1], [middle], logs.max() + beyond])
