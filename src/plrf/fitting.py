"""Exponents of the compute-optimal front, measured on loss curves.

Curves of any engine, SGD runs or deterministic losses, are brought to common flops budgets
(`losses_at_budgets`) and collected in a `LossTable`. A method turns the table into a `Front`, the
lowest loss P* and the size d* reaching it at each budget:

- `envelope`, Approach 1 of Hoffmann et al. (2022): the lowest of the mean losses;
- `isoflop`, Approach 2: the vertex of a parabola in log d through the lowest mean losses.

`fit_exponents` fits P* ~ f^-eta and d* ~ f^xi to the usable budgets of the front.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import stdtrit

FloatArray = NDArray[np.float64]
Method = Literal["approach1", "approach2"]

MIN_SIZES = 5
"""Sizes that must reach a budget for its minimum to be used."""

MIN_BUDGETS = 4
"""Usable budgets that a fit needs."""

MIN_CLUSTERS = 3
"""Clusters that a cluster-robust standard error needs."""

CONFIDENCE = 0.95
"""Level of the confidence intervals."""

REFUSED_SHARE = 0.05
"""Share of refused bootstrap resamples above which the status of a fit tells it."""


def losses_at_budgets(flops: ArrayLike, loss: ArrayLike, budgets: ArrayLike) -> FloatArray:
    """Interpolate one recorded loss curve to flops budgets.

    The interpolant is piecewise cubic and monotone (PCHIP) in log loss against log flops. Records
    at 0 flops are left out, and so is everything from the first non-finite loss on: a run that
    diverged has no later losses.

    Parameters
    ----------
    flops : array_like, shape (n,)
        Compute at the records, in flops; increasing.
    loss : array_like, shape (n,)
        Recorded losses; positive where finite.
    budgets : array_like, shape (n_f,)
        Budgets, in flops.

    Returns
    -------
    ndarray, shape (n_f,)
        Losses at the budgets; NaN outside the recorded range.

    Raises
    ------
    ValueError
        If the shapes differ, `flops` does not increase, or a loss is not positive.
    """
    flops, loss = np.asarray(flops, float), np.asarray(loss, float)
    budgets = np.asarray(budgets, float)
    if flops.ndim != 1 or flops.shape != loss.shape:
        raise ValueError(
            f"flops and loss must be 1-d and of one length, not {flops.shape} and {loss.shape}"
        )
    if not np.all(np.diff(flops) > 0):
        raise ValueError("flops must be increasing")
    recorded = (flops > 0) & np.logical_and.accumulate(np.isfinite(loss))
    if np.any(loss[recorded] <= 0):
        raise ValueError(f"losses must be positive, not {loss[recorded].min():g}")
    if recorded.sum() < 2:
        return np.full(budgets.shape, np.nan)
    curve = PchipInterpolator(np.log(flops[recorded]), np.log(loss[recorded]), extrapolate=False)
    log_loss: FloatArray = curve(np.log(budgets))
    return np.exp(log_loss)


@dataclass(frozen=True, eq=False)
class LossTable:
    """Losses of several sizes at common flops budgets.

    Attributes
    ----------
    sizes : ndarray, shape (n_d,)
        Model-parameter counts d; increasing.
    budgets : ndarray, shape (n_f,)
        Compute, in flops; increasing.
    losses : ndarray, shape (n_d, n_runs, n_f)
        Loss of each independent run (1 for a deterministic engine); NaN where the curve does not
        reach the budget or the run has diverged.

    Raises
    ------
    ValueError
        If sizes or budgets are not positive and increasing, shapes do not fit, or a loss is
        neither positive and finite nor NaN.
    """

    sizes: FloatArray
    budgets: FloatArray
    losses: FloatArray

    def __post_init__(self) -> None:
        for name, values in (("sizes", self.sizes), ("budgets", self.budgets)):
            increasing = np.all(values > 0) and np.all(np.diff(values) > 0)
            if values.ndim != 1 or values.size == 0 or not increasing:
                raise ValueError(f"{name} must be 1-d, positive and increasing")
        n_d, n_f = self.sizes.size, self.budgets.size
        if self.losses.ndim != 3 or self.losses.shape[::2] != (n_d, n_f) or not self.n_runs:
            raise ValueError(
                f"losses must have shape ({n_d}, number of runs, {n_f}), not {self.losses.shape}"
            )
        if np.any(self.losses <= 0) or np.any(np.isinf(self.losses)):
            raise ValueError("losses must be positive and finite, or NaN")

    @property
    def n_runs(self) -> int:
        """Number of independent runs of each size."""
        return int(self.losses.shape[1])

    @property
    def mean_loss(self) -> FloatArray:
        """Estimate of the expected loss, shape (n_d, n_f).

        NaN where any run is missing: the mean over the runs that survived would be biased.
        """
        mean: FloatArray = self.losses.mean(axis=1)
        return mean


@dataclass(frozen=True, eq=False)
class Front:
    """The compute-optimal front: lowest loss and optimal size at each budget.

    Attributes
    ----------
    budgets : ndarray, shape (n_f,)
        Compute, in flops.
    d_opt, loss_opt : ndarray, shape (..., n_f)
        Optimal size and its loss; NaN where no size has a loss, or the parabola has no minimum
        within the sizes that it was fitted to.
    best : ndarray of int, shape (..., n_f)
        Index of the size with the lowest mean loss.
    status : ndarray of str, shape (..., n_f)
        ``"ok"``, or why the budget must not be used:
        ``"few_sizes"``, fewer than `MIN_SIZES` sizes have a loss there;
        ``"edge_minimum"``, the lowest loss is that of the smallest or largest size with a loss
        there, or of a neighbour of a size without one;
        ``"not_convex"``, the parabola has no minimum;
        ``"vertex_outside"``, its minimum is not within the sizes that it was fitted to.
    parabola : ndarray, shape (..., n_f, 3), optional
        For Approach 2: coefficients of log loss against log d (natural logarithms), highest power
        first, as for `numpy.polyval`; NaN where there are few sizes.
    """

    budgets: FloatArray
    d_opt: FloatArray
    loss_opt: FloatArray
    best: NDArray[np.intp]
    status: NDArray[np.str_]
    parabola: FloatArray | None = None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Whether each budget may be used in a fit."""
        usable: NDArray[np.bool_] = self.status == "ok"
        return usable


def envelope(table: LossTable) -> Front:
    """Compute-optimal front by Approach 1: the lower envelope of the mean loss curves."""
    return _envelope(table.sizes, table.budgets, table.mean_loss)


def isoflop(table: LossTable, parabola_sizes: int) -> Front:
    """Compute-optimal front by Approach 2: IsoFLOP parabolas.

    Parameters
    ----------
    table : LossTable
        Losses at the budgets.
    parabola_sizes : int
        How many sizes, those with the lowest mean losses, the parabola in log d is fitted to by
        least squares; at least 3. Where fewer have a loss, all are used.

    Raises
    ------
    ValueError
        If `parabola_sizes` is less than 3.
    """
    return _isoflop(table.sizes, table.budgets, table.mean_loss, parabola_sizes)


def _envelope(sizes: FloatArray, budgets: FloatArray, mean_loss: FloatArray) -> Front:
    """`envelope` of mean losses of shape (..., n_d, n_f)."""
    best, status = _lowest(mean_loss)
    loss_opt = np.take_along_axis(mean_loss, best[..., None, :], axis=-2)[..., 0, :]
    d_opt = np.where(np.isnan(loss_opt), np.nan, sizes[best])
    return Front(budgets, d_opt, loss_opt, best, status)


def _isoflop(
    sizes: FloatArray, budgets: FloatArray, mean_loss: FloatArray, parabola_sizes: int
) -> Front:
    """`isoflop` of mean losses of shape (..., n_d, n_f)."""
    if parabola_sizes < 3:
        raise ValueError(f"a parabola needs at least 3 sizes, not {parabola_sizes}")
    best, status = _lowest(mean_loss)
    enough = status != "few_sizes"

    # NaN sorts last, so any that are selected lie beyond the sizes with a loss: they get weight 0.
    selected = np.argsort(mean_loss, axis=-2)[..., :parabola_sizes, :]
    log_loss = np.log(np.take_along_axis(mean_loss, selected, axis=-2))
    weight = np.isfinite(log_loss)
    origin = np.log(sizes)[best]
    x = np.where(weight, np.log(sizes)[selected] - origin[..., None, :], 0)

    # Normal equations of log_loss = a x^2 + b x + c, with x measured from the best size.
    basis = weight[..., None] * x[..., None] ** np.array([2, 1, 0])
    gram = np.einsum("...kfi,...kfj->...fij", basis, basis)
    moment = np.einsum("...kfi,...kf->...fi", basis, np.where(weight, log_loss, 0))
    gram[~enough] = np.eye(3)
    moment[~enough] = np.nan
    a, b, c = np.moveaxis(np.linalg.solve(gram, moment[..., None])[..., 0], -1, 0)

    convex = a > 0
    # The vertex is within the sizes if the slope changes sign between the smallest and largest.
    inside = convex & (2 * a * x.min(axis=-2) + b <= 0) & (2 * a * x.max(axis=-2) + b >= 0)
    vertex = np.divide(-b, 2 * a, out=np.full(a.shape, np.nan), where=inside)
    status = np.select(
        [status != "ok", ~convex, ~inside], [status, "not_convex", "vertex_outside"], "ok"
    )
    return Front(
        budgets,
        d_opt=np.exp(origin + vertex),
        loss_opt=np.exp(c + b * vertex / 2),
        best=best,
        status=status,
        parabola=np.stack([a, b - 2 * a * origin, c - b * origin + a * origin**2], axis=-1),
    )


def _lowest(mean_loss: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.str_]]:
    """Index of the size with the lowest loss, and status; (..., n_d, n_f) to (..., n_f)."""
    present = np.isfinite(mean_loss)
    best = np.argmin(np.where(present, mean_loss, np.inf), axis=-2)
    interior = np.zeros_like(present)
    interior[..., 1:-1, :] = present[..., :-2, :] & present[..., 2:, :]
    at_edge = ~np.take_along_axis(interior, best[..., None, :], axis=-2)[..., 0, :]
    few = present.sum(axis=-2) < MIN_SIZES
    return best, np.select([few, at_edge], ["few_sizes", "edge_minimum"], "ok")


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


def _slope(x: FloatArray, y: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
    """Least-squares slopes of y (..., n) against x (n,) over the points `used` (..., n)."""
    n = used.sum(axis=-1, keepdims=True)
    centred = np.where(used, x - np.sum(x * used, axis=-1, keepdims=True) / n, 0)
    slopes: FloatArray = np.sum(centred * np.where(used, y, 0), axis=-1)
    slopes /= np.sum(centred**2, axis=-1)
    return slopes


@dataclass(frozen=True)
class ExponentFit:
    """A measured exponent; the fields are columns of the table of fits.

    Attributes
    ----------
    quantity : str
        ``"eta"``, from P* ~ f^-eta, or ``"xi"``, from d* ~ f^xi.
    method : str
        ``"approach1"`` or ``"approach2"``.
    estimate : float
        The exponent; NaN if refused.
    std_error, ci_low, ci_high : float
        Standard error, and limits of the t interval of level `CONFIDENCE`; NaN if refused or
        undefined.
    window_low, window_high : float
        Lowest and highest budget used, in flops; if refused, of all budgets.
    n_budgets, n_dropped : int
        Number of usable budgets, and of the others.
    status : str
        ``"ok"`` or ``"refused: "`` and why, followed by the number of budgets dropped for each
        reason (see `Front`), as in ``"ok; dropped 3 edge_minimum, 1 few_sizes"``.
    """

    quantity: str
    method: str
    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    window_low: float
    window_high: float
    n_budgets: int
    n_dropped: int
    status: str


def fit_exponents(
    table: LossTable,
    method: Method,
    *,
    parabola_sizes: int,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[ExponentFit, ExponentFit]:
    """Measure eta and xi.

    Parameters
    ----------
    table : LossTable
        Losses at the budgets.
    method : str
        ``"approach1"`` (`envelope`) or ``"approach2"`` (`isoflop`).
    parabola_sizes : int
        Sizes in a parabola of Approach 2, see `isoflop`.
    resamples : int
        Number of bootstrap resamples, at least 2, for a table with several runs.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    eta, xi : ExponentFit
        Refused with fewer than `MIN_BUDGETS` usable budgets.

    Raises
    ------
    ValueError
        If the method is unknown, or `parabola_sizes` or `resamples` too small.

    Notes
    -----
    With several runs, the standard error comes from a bootstrap of the whole procedure, from the
    mean over runs on. Runs are resampled independently for each size. As the variance of a
    resampled mean of n runs is biased low by the factor (n-1)/n, the standard error is multiplied
    by sqrt(n/(n-1)), and the t interval has n - 1 degrees of freedom. The bias of a method is not
    part of it: on a coarse grid of sizes with little noise, the staircase of Approach 1 can exceed
    its interval.

    With one run, the standard error is that of the regression (`power_law`) with budgets
    clustered by the size of lowest loss, because the residuals repeat from one size of the grid
    to the next. It measures how far the front is from a power law, not the noise between runs.
    """

    def find_front(mean_loss: FloatArray) -> Front:
        if method == "approach1":
            return _envelope(table.sizes, table.budgets, mean_loss)
        if method == "approach2":
            return _isoflop(table.sizes, table.budgets, mean_loss, parabola_sizes)
        raise ValueError(f"unknown method {method!r}: approach1 or approach2")

    front = find_front(table.mean_loss)
    estimates = _exponents(front)
    n_usable = int(front.usable.sum())
    std_errors, dof, status = np.full(2, np.nan), 0, "ok"
    if n_usable < MIN_BUDGETS:
        status = f"refused: {n_usable} usable budgets, at least {MIN_BUDGETS} needed"
    elif table.n_runs == 1:
        std_errors, dof = _regression_errors(front)
    else:
        std_errors, refused = _bootstrap_errors(table, find_front, resamples, rng)
        dof = table.n_runs - 1
        if refused > REFUSED_SHARE:
            status += f"; {refused:.0%} of resamples refused"
    dropped = Counter(front.status[~front.usable].tolist())
    if dropped:
        status += "; dropped " + ", ".join(f"{n} {reason}" for reason, n in dropped.items())

    reach = stdtrit(dof, (1 + CONFIDENCE) / 2) * std_errors
    window = table.budgets[front.usable] if n_usable >= MIN_BUDGETS else table.budgets
    eta, xi = (
        ExponentFit(
            quantity=quantity,
            method=method,
            estimate=float(estimates[i]),
            std_error=float(std_errors[i]),
            ci_low=float(estimates[i] - reach[i]),
            ci_high=float(estimates[i] + reach[i]),
            window_low=float(window[0]),
            window_high=float(window[-1]),
            n_budgets=n_usable,
            n_dropped=table.budgets.size - n_usable,
            status=status,
        )
        for i, quantity in enumerate(("eta", "xi"))
    )
    return eta, xi


def _exponents(front: Front) -> FloatArray:
    """Eta and xi of fronts of shape (..., n_f), in shape (2, ...); NaN with too few budgets."""
    usable = front.usable
    logs = np.stack([-np.log(front.loss_opt), np.log(front.d_opt)])
    with np.errstate(invalid="ignore"):
        slopes = _slope(np.log(front.budgets), logs, usable)
    return np.where(usable.sum(axis=-1) < MIN_BUDGETS, np.nan, slopes)


def _regression_errors(front: Front) -> tuple[FloatArray, int]:
    """Standard errors of eta and xi from the residuals of one front, and their dof."""
    usable = front.usable
    eta, xi = (
        power_law(front.budgets[usable], y[usable], clusters=front.best[usable])
        for y in (front.loss_opt, front.d_opt)
    )
    return np.array([eta.std_error, xi.std_error]), eta.dof


def _bootstrap_errors(
    table: LossTable,
    find_front: Callable[[FloatArray], Front],
    resamples: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, float]:
    """Standard errors of eta and xi from resampled runs, and the share of resamples refused."""
    if resamples < 2:
        raise ValueError(f"a bootstrap needs at least 2 resamples, not {resamples}")
    n_runs = table.n_runs
    shares = np.full(n_runs, 1 / n_runs)
    counts = rng.multinomial(n_runs, shares, size=(table.sizes.size, resamples))
    means = np.swapaxes(counts @ table.losses / n_runs, 0, 1)
    # A size with a missing run stays out, also of the resamples that did not draw this run.
    means = np.where(np.isnan(table.mean_loss), np.nan, means)

    estimates = _exponents(find_front(means))
    accepted = estimates[:, np.isfinite(estimates[0])]
    refused = 1 - accepted.shape[1] / resamples
    if accepted.shape[1] < 2:
        return np.full(2, np.nan), refused
    return accepted.std(axis=1, ddof=1) * np.sqrt(n_runs / (n_runs - 1)), refused
