"""Exponents of the compute-optimal front, measured on loss curves, with their errors.

`fit_exponents` measures P* ~ f^-eta and d* ~ f^xi on a `LossTable` of any engine, by

- ``"approach1"``, the envelope of all loss curves at many budgets;
- ``"approach2"``, IsoFLOP parabolas at a few budgets;
- ``"approach2_spline"``, splines instead of the parabolas, whose bias they do not have;
- ``"approach3"``, the parametric law of `plrf.parametric`.

``"approach0"`` is the exact front itself, with d continuous: `fit_exact_front`. All return a
`Measurement`.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from plrf.fronts import MIN_SIZES, Front, LossTable, parabolas, splines
from plrf.parametric import Law, fit_law, refit_exponents

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

METHODS = ("approach1", "approach2", "approach2_spline", "approach3")
"""The methods of `fit_exponents`."""

QUANTITIES = ("eta", "xi")

MIN_BUDGETS = 4
"""Usable budgets that a fit needs."""

MIN_CLUSTERS = 3
"""Clusters that a cluster-robust standard error needs."""

CONFIDENCE = 0.95
"""Level of the confidence intervals."""

REFUSED_SHARE = 0.05
"""Share of refused bootstrap resamples above which the status of a fit tells it."""


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """Least-squares line through log y against log x.

    Attributes
    ----------
    slope, intercept : float
        log y = intercept + slope log x, natural logarithms.
    std_error : float
        Standard error of the slope; NaN where it has no meaning.
    dof : int
        Degrees of freedom of the t distribution of the slope.
    residuals : ndarray, shape (n,)
        Measured minus fitted log y.
    """

    slope: float
    intercept: float
    std_error: float
    dof: int
    residuals: FloatArray


def power_law(x: ArrayLike, y: ArrayLike, clusters: ArrayLike | None = None) -> PowerLaw:
    """Fit a power law by ordinary least squares in log-log coordinates.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positive data, n >= 3, with at least two different x.
    clusters : array_like, shape (n,), optional
        Labels of the groups of points within which residuals may be correlated. Given these, the
        standard error is the cluster-robust one (CR1: Liang-Zeger with small-sample factor) with
        one degree of freedom less than there are clusters, and no more than n - 2; it is NaN with
        fewer than `MIN_CLUSTERS`. Without, residuals count as independent, of one variance.

    Raises
    ------
    ValueError
        If shapes differ, data are not positive and finite, or there are too few points.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must be 1-d and of one length, not {x.shape} and {y.shape}")
    if not all(np.all((v > 0) & np.isfinite(v)) for v in (x, y)):
        raise ValueError("a power law needs positive, finite data")
    if x.size < 3 or np.ptp(x) == 0:
        raise ValueError("a power law needs at least 3 points and two different values of x")
    log_x, log_y = np.log(x), np.log(y)
    slope = float(_slope(log_x, log_y, np.ones(x.shape, bool)))
    intercept = float(log_y.mean() - slope * log_x.mean())
    residuals = log_y - intercept - slope * log_x

    centred = log_x - log_x.mean()
    spread = float(centred @ centred)
    n = x.size
    if clusters is None:
        dof = n - 2
        variance = float(residuals @ residuals) / dof / spread
    else:
        labels = np.unique(clusters, return_inverse=True)[1]
        scores = np.bincount(labels, centred * residuals)
        groups = scores.size
        dof = min(groups - 1, n - 2)
        cr1 = groups / (groups - 1) * (n - 1) / (n - 2) if groups >= MIN_CLUSTERS else np.nan
        variance = cr1 * float(scores @ scores) / spread**2
    return PowerLaw(slope, intercept, float(np.sqrt(variance)), dof, residuals)


def _weights(x: FloatArray, used: BoolArray) -> FloatArray:
    """Weights (..., n) of y in the least-squares slope against x (n,) over the points `used`."""
    n = used.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        centred = np.where(used, x - np.sum(x * used, axis=-1, keepdims=True) / n, 0)
        weights: FloatArray = centred / np.sum(centred**2, axis=-1, keepdims=True)
    return weights


def _slope(x: FloatArray, y: FloatArray, used: BoolArray) -> FloatArray:
    """Least-squares slopes of y (..., n) against x (n,) over the points `used` (..., n)."""
    slopes: FloatArray = np.sum(_weights(x, used) * np.where(used, y, 0), axis=-1)
    return slopes


def front_exponents(front: Front, used: BoolArray) -> FloatArray:
    """Eta and xi of fronts of shape (..., n_f) over the budgets `used`, in shape (2, ...).

    NaN where fewer than `MIN_BUDGETS` are used.
    """
    with np.errstate(invalid="ignore"):
        slopes = _slope(np.log(front.budgets), _logs(front), used)
    return np.where(used.sum(axis=-1) < MIN_BUDGETS, np.nan, slopes)


def _logs(front: Front) -> FloatArray:
    """What falls on a line of slope eta or xi against log f, in shape (2, ..., n_f)."""
    return np.stack([-np.log(front.loss_opt), np.log(front.d_opt)])


@dataclass(frozen=True)
class ExponentFit:
    """A measured exponent; the fields are columns of the table of fits.

    Attributes
    ----------
    method, quantity : str
        The method, and ``"eta"``, from P* ~ f^-eta, or ``"xi"``, from d* ~ f^xi.
    estimate : float
        The exponent; NaN if refused.
    std_error, ci_low, ci_high : float
        Standard error, and limits of the t interval of level `CONFIDENCE`; NaN if refused or
        undefined.
    dof : float
        Degrees of freedom of the t interval.
    error_source : str
        What the standard error measures: ``"runs"``, the noise between independent runs;
        ``"residuals"``, without noise, how far the front is from a power law in the window, by
        its residuals or, for Approach 3, by leaving out one size at a time; ``"solver"``, a bound
        of the numerical error.
    used_low, used_high : float
        Lowest and highest budget used, in flops; if refused, of all budgets.
    n_budgets, n_dropped : int
        Number of usable budgets, and of the others.
    rms_residual : float
        Root mean square of the residuals, of natural logarithms: of P* or d* from its power law,
        for Approach 3 of all losses from the parametric law.
    status : str
        ``"ok"`` or ``"refused: "`` and why, followed by the number of budgets dropped for each
        reason (see `Front`), as in ``"ok; dropped 3 edge_minimum, 1 few_sizes"``.
    """

    method: str
    quantity: str
    estimate: float
    std_error: float
    dof: float
    ci_low: float
    ci_high: float
    error_source: str
    used_low: float
    used_high: float
    n_budgets: int
    n_dropped: int
    rms_residual: float
    status: str


@dataclass(frozen=True, eq=False)
class Measurement:
    """Both exponents, and the front that they were measured on.

    Attributes
    ----------
    eta, xi : ExponentFit
        The exponents.
    front : Front
        Optimal sizes and losses at the budgets.
    residuals : ndarray, shape (2, n_f)
        Measured minus fitted log P* and log d*; NaN at budgets that were not used, and for
        Approach 3, which fits no front.
    """

    eta: ExponentFit
    xi: ExponentFit
    front: Front
    residuals: FloatArray


class Estimator(Protocol):
    """A method: from mean losses (..., n_d, n_f) to exponents (2, ...), and to a front."""

    def exponents(self, mean_loss: FloatArray) -> FloatArray:
        """Eta and xi, NaN where refused."""

    def front(self, mean_loss: FloatArray) -> Front:
        """The front of one mean (n_d, n_f)."""


@dataclass(frozen=True, eq=False)
class _FrontEstimator:
    """Power laws fitted to the usable budgets of a front."""

    sizes: FloatArray
    budgets: FloatArray
    method: str
    neighbours: int

    def front(self, mean_loss: FloatArray) -> Front:
        find = splines if self.method == "approach2_spline" else parabolas
        neighbours = 1 if self.method == "approach1" else self.neighbours
        return find(self.sizes, self.budgets, mean_loss, neighbours)

    def exponents(self, mean_loss: FloatArray) -> FloatArray:
        front = self.front(mean_loss)
        return front_exponents(front, front.usable)


@dataclass(eq=False)
class _LawEstimator:
    """The parametric law, fitted to all losses at budgets that enough sizes reach.

    Fits of resampled losses start from the last fit to a single mean.
    """

    sizes: FloatArray
    budgets: FloatArray
    law: Law | None = field(default=None, init=False)
    fitted: FloatArray | None = field(default=None, init=False)

    def front(self, mean_loss: FloatArray) -> Front:
        enough = np.isfinite(mean_loss).sum(axis=-2) >= MIN_SIZES
        used = np.isfinite(mean_loss) & enough
        d_opt, loss_opt = np.full((2, self.budgets.size), np.nan)
        self.law, self.fitted = None, mean_loss
        if enough.sum() >= MIN_BUDGETS:
            log_d, log_n = self._logs
            self.law = fit_law(log_d[used], log_n[used], np.log(mean_loss[used]))
        if self.law is not None and self.law.converged:
            d_opt, loss_opt = self.law.front(self.budgets)
        return Front(self.budgets, d_opt, loss_opt, np.where(enough, "ok", "few_sizes"))

    @property
    def refusal(self) -> str:
        """Why the last fit to a single mean has no exponents; empty if it has."""
        if self.law is None or self.law.converged:
            return ""
        return f"the parametric law does not fit, {self.law.status}"

    def exponents(self, mean_loss: FloatArray) -> FloatArray:
        if mean_loss.ndim == 2 and mean_loss is not self.fitted:
            self.front(mean_loss)
        if self.law is None or not self.law.converged:
            return np.full((2, *mean_loss.shape[:-2]), np.nan)
        if mean_loss.ndim == 2:
            return self.law.exponents
        enough = np.isfinite(mean_loss).sum(axis=-2, keepdims=True) >= MIN_SIZES
        log_loss = np.log(np.where(enough, mean_loss, np.nan))
        flat = (*mean_loss.shape[:-2], -1)
        log_d, log_n = (logs.ravel() for logs in self._logs)
        return refit_exponents(self.law, log_d, log_n, log_loss.reshape(flat))

    @property
    def _logs(self) -> tuple[FloatArray, FloatArray]:
        """Logarithms of parameters and samples, shape (n_d, n_f)."""
        log_d, log_f = np.broadcast_arrays(np.log(self.sizes)[:, None], np.log(self.budgets))
        return log_d, log_f - log_d


def estimator(sizes: FloatArray, budgets: FloatArray, method: str, neighbours: int) -> Estimator:
    """Choose a method by its name; see `fit_exponents`."""
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: {', '.join(METHODS)}")
    if method == "approach3":
        return _LawEstimator(sizes, budgets)
    return _FrontEstimator(sizes, budgets, method, neighbours)


def fit_exponents(
    table: LossTable,
    method: str,
    *,
    neighbours: int,
    resamples: int,
    rng: np.random.Generator,
) -> Measurement:
    """Measure eta and xi.

    Parameters
    ----------
    table : LossTable
        Losses at the budgets.
    method : str
        One of `METHODS`.
    neighbours : int
        Sizes on each side of the lowest loss that a parabola of Approach 2 is fitted to, and that
        a spline needs there.
    resamples : int
        Number of bootstrap resamples, at least 2, for a table with several runs.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    Measurement
        Refused with fewer than `MIN_BUDGETS` usable budgets, or without a law that fits.

    Raises
    ------
    ValueError
        If the method is unknown, or `neighbours` or `resamples` too small.

    Notes
    -----
    With several runs, the standard error comes from a bootstrap of the whole procedure, from the
    mean over runs on. Runs, each with its W and its data, are the units; they are resampled
    independently for each size. As the variance of a resampled mean of n runs is biased low by
    the factor (n-1)/n, the standard error is multiplied by sqrt(n/(n-1)). The t interval has the
    degrees of freedom of Satterthwaite, between n - 1 and the number of sizes times that: the
    share of each size in the variance comes from the covariances of the resampled counts with
    the estimates (infinitesimal jackknife: Efron 2014). The bias of a method is no part of it.

    With one run there is no noise. The standard error is that of the regression (`power_law`)
    with budgets clustered by the size of lowest loss, because the residuals repeat from one size
    of the grid to the next. It measures how far the front is from a power law.
    """
    method_of = partial(estimator, method=method, neighbours=neighbours)
    estimate = method_of(table.sizes, table.budgets)
    mean_loss = table.mean_loss
    front = estimate.front(mean_loss)
    used = front.usable
    dropped = Counter(front.status[~used].tolist())
    exponents = np.full(2, np.nan)
    std_errors, dof, status = np.full(2, np.nan), np.full(2, np.nan), "ok"
    residuals = np.full((2, table.budgets.size), np.nan)
    if used.sum() < MIN_BUDGETS:
        status = f"refused: {used.sum()} usable budgets, at least {MIN_BUDGETS} needed"
    elif isinstance(estimate, _LawEstimator) and estimate.refusal:
        status = f"refused: {estimate.refusal}"
    else:
        exponents = estimate.exponents(mean_loss)
        if table.n_runs > 1:
            std_errors, dof, refused = _bootstrap(table, estimate, resamples, rng)
            if refused > REFUSED_SHARE:
                status += f"; {refused:.0%} of resamples refused"
        elif isinstance(estimate, _LawEstimator):
            std_errors, dof = _jackknife(table, estimate)
        else:
            std_errors, dof = _regression_errors(front)
    if isinstance(estimate, _LawEstimator):
        rms = np.nan if estimate.law is None else np.sqrt(np.mean(estimate.law.residuals**2))
        rms = np.full(2, rms)
    else:
        residuals = _residuals(front, exponents)
        rms = _rms(residuals)
    if dropped:
        status += "; dropped " + ", ".join(f"{n} {reason}" for reason, n in dropped.items())
    return _measurement(
        method=method,
        front=front,
        estimates=exponents,
        std_errors=std_errors,
        dof=dof,
        error_source="runs" if table.n_runs > 1 else "residuals",
        residuals=residuals,
        rms=rms,
        status=status,
    )


def fit_exact_front(front: Front, d_error: FloatArray, loss_error: FloatArray) -> Measurement:
    """Measure eta and xi on the exact front (Approach 0): its mean slopes over the budgets.

    Parameters
    ----------
    front : Front
        From `plrf.optimum.compute_optimal`.
    d_error, loss_error : ndarray, shape (n_f,)
        Relative errors of its sizes and losses; the standard error is the slope's error if all of
        them add up.
    """
    used = front.usable
    exponents = front_exponents(front, used)
    status = "ok"
    if used.sum() < MIN_BUDGETS:
        status = f"refused: {used.sum()} usable budgets, at least {MIN_BUDGETS} needed"
    dropped = Counter(front.status[~used].tolist())
    if dropped:
        status += "; dropped " + ", ".join(f"{n} {reason}" for reason, n in dropped.items())
    weights = np.abs(_weights(np.log(front.budgets), used))
    errors = np.where(used, [loss_error, d_error], 0) @ weights
    residuals = _residuals(front, exponents)
    return _measurement(
        method="approach0",
        front=front,
        estimates=exponents,
        std_errors=np.where(np.isnan(exponents), np.nan, errors),
        dof=np.full(2, np.inf),
        error_source="solver",
        residuals=residuals,
        rms=_rms(residuals),
        status=status,
    )


def _measurement(
    *,
    method: str,
    front: Front,
    estimates: FloatArray,
    std_errors: FloatArray,
    dof: FloatArray,
    error_source: str,
    residuals: FloatArray,
    rms: FloatArray,
    status: str,
) -> Measurement:
    """Collect both exponents of a front."""
    reach = stdtrit(dof, (1 + CONFIDENCE) / 2) * std_errors
    used = front.usable
    window = front.budgets if np.isnan(estimates[0]) else front.budgets[used]
    fits = [
        ExponentFit(
            method=method,
            quantity=quantity,
            estimate=float(estimates[i]),
            std_error=float(std_errors[i]),
            dof=float(dof[i]),
            ci_low=float(estimates[i] - reach[i]),
            ci_high=float(estimates[i] + reach[i]),
            error_source=error_source,
            used_low=float(window[0]),
            used_high=float(window[-1]),
            n_budgets=int(used.sum()),
            n_dropped=int((~used).sum()),
            rms_residual=float(rms[i]),
            status=status,
        )
        for i, quantity in enumerate(QUANTITIES)
    ]
    return Measurement(fits[0], fits[1], front, residuals)


def _residuals(front: Front, exponents: FloatArray) -> FloatArray:
    """Measured minus fitted log P* and log d* at the usable budgets."""
    log_f = np.log(front.budgets)
    residuals = _logs(front) - exponents[:, None] * log_f
    residuals[:, ~front.usable] = np.nan
    if np.isfinite(residuals).any():
        residuals -= np.nanmean(residuals, axis=1, keepdims=True)
    residuals[0] *= -1
    return residuals


def _rms(residuals: FloatArray) -> FloatArray:
    """Root mean square of what is not NaN, for each row."""
    n = np.isfinite(residuals).sum(axis=1)
    with np.errstate(invalid="ignore"):
        rms: FloatArray = np.sqrt(np.nansum(residuals**2, axis=1) / n)
    return rms


def _regression_errors(front: Front) -> tuple[FloatArray, FloatArray]:
    """Standard errors of eta and xi from the residuals of one front, and their dof."""
    used, best = front.usable, front.best
    fits = [
        power_law(front.budgets[used], y[used], None if best is None else best[used])
        for y in (front.loss_opt, front.d_opt)
    ]
    return np.array([fit.std_error for fit in fits]), np.array([float(fit.dof) for fit in fits])


def _jackknife(table: LossTable, estimate: _LawEstimator) -> tuple[FloatArray, FloatArray]:
    """Standard errors of the exponents from leaving out one size at a time, and their dof."""
    n = table.sizes.size
    means = np.repeat(table.mean_loss[None], n, axis=0)
    means[np.arange(n), np.arange(n)] = np.nan
    exponents = estimate.exponents(means)
    return np.sqrt(n - 1) * exponents.std(axis=1), np.full(2, n - 1.0)


def _bootstrap(
    table: LossTable, estimate: Estimator, resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, float]:
    """Standard errors of eta and xi from resampled runs, dof, and the share of refusals."""
    if resamples < 2:
        raise ValueError(f"a bootstrap needs at least 2 resamples, not {resamples}")
    n_runs = table.n_runs
    shares = np.full(n_runs, 1 / n_runs)
    counts = rng.multinomial(n_runs, shares, size=(table.sizes.size, resamples)).astype(float)
    means = np.swapaxes(counts @ table.losses / n_runs, 0, 1)
    # A size with a missing run stays out, also of the resamples that did not draw this run.
    means = np.where(np.isnan(table.mean_loss), np.nan, means)

    estimates = estimate.exponents(means)
    accepted = np.isfinite(estimates[0])
    n = int(accepted.sum())
    refused = 1 - n / resamples
    if n < 2:
        return np.full(2, np.nan), np.full(2, np.nan), refused
    deviations = estimates[:, accepted]
    deviations = deviations - deviations.mean(axis=1, keepdims=True)
    variance = np.sum(deviations**2, axis=1) / (n - 1)

    # Each size's share of the variance, without what the finite number of resamples adds to it.
    covariances = np.swapaxes(deviations @ (counts[:, accepted] - 1), 0, 1) / n
    shares = np.sum(covariances**2, axis=2) - (n_runs - 1) / n * variance[:, None]
    shares = np.maximum(shares, 0)
    with np.errstate(invalid="ignore"):
        dof = (n_runs - 1) * shares.sum(axis=1) ** 2 / np.sum(shares**2, axis=1)
    dof = np.where(np.isfinite(dof), dof, n_runs - 1)
    return np.sqrt(variance * n_runs / (n_runs - 1)), dof, refused
