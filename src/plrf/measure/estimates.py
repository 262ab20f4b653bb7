"""Estimates of eta and xi from mean losses, by the methods of model section 8.

A method takes the losses of several sizes at common budgets and gives an `Estimate`: a front, both
exponents, and how to repeat it on other losses, which the errors are computed from. `METHODS` lists
them: a new one is an entry there.

- ``"approach1"``, the envelope of all loss curves at many budgets;
- ``"approach2"``, IsoFLOP parabolas at a few budgets;
- ``"approach2_spline"``, splines instead of the parabolas, whose bias they do not have;
- ``"approach3"``, the parametric law of `plrf.measure.parametric`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from plrf.measure.fronts import Front, parabolas, splines
from plrf.measure.lowest import MIN_SIZES
from plrf.measure.parametric import Law, fit_law, refit_exponents
from plrf.measure.power_law import power_law, slopes

FloatArray = NDArray[np.float64]

MIN_BUDGETS = 4
"""Usable budgets that a fit needs."""


class Estimate(Protocol):
    """Both exponents, by one method on one set of mean losses."""

    @property
    def front(self) -> Front:
        """Optimal sizes and losses at the budgets."""

    @property
    def exponents(self) -> FloatArray:
        """Eta and xi, shape (2,); NaN if refused."""

    @property
    def refusal(self) -> str:
        """Why there are no exponents; empty if there are."""

    @property
    def residuals(self) -> FloatArray:
        """Measured minus fitted log P* and log d*, shape (2, n_f); NaN where not fitted."""

    @property
    def rms_residuals(self) -> FloatArray:
        """Root mean squares of the residuals of what was fitted, shape (2,)."""

    def exponents_over(self, used: NDArray[np.bool_]) -> FloatArray:
        """Exponents over those of some budgets (n_f,) that are usable, shape (2,)."""

    def repeat(self, mean_loss: FloatArray) -> FloatArray:
        """Exponents (2, ...) of other losses (..., n_d, n_f) close to these; NaN where refused."""

    def errors_without_noise(self) -> tuple[FloatArray, FloatArray]:
        """Standard errors of eta and xi, and degrees of freedom, of losses without noise."""


Method = Callable[[FloatArray, FloatArray, FloatArray, int], Estimate]


def front_exponents(front: Front, used: NDArray[np.bool_]) -> FloatArray:
    """Eta and xi of fronts of shape (..., n_f) over the budgets `used`, in shape (2, ...).

    NaN where fewer than `MIN_BUDGETS` are used.
    """
    with np.errstate(invalid="ignore"):
        found = slopes(np.log(front.budgets), _logs(front), used)
    return np.where(used.sum(axis=-1) < MIN_BUDGETS, np.nan, found)


def front_residuals(front: Front, exponents: FloatArray) -> FloatArray:
    """Measured minus fitted log P* and log d* at the usable budgets, shape (2, n_f)."""
    log_f = np.log(front.budgets)
    residuals = _logs(front) - exponents[:, None] * log_f
    residuals[:, ~front.usable] = np.nan
    if np.isfinite(residuals).any():
        residuals -= np.nanmean(residuals, axis=1, keepdims=True)
    residuals[0] *= -1
    return residuals


def root_mean_squares(residuals: FloatArray) -> FloatArray:
    """Root mean square of what is not NaN, for each row."""
    n = np.isfinite(residuals).sum(axis=1)
    with np.errstate(invalid="ignore"):
        rms: FloatArray = np.sqrt(np.nansum(residuals**2, axis=1) / n)
    return rms


def too_few_budgets(front: Front) -> str:
    """Say so, if a front has too few usable budgets."""
    n = front.usable.sum()
    return f"{n} usable budgets, at least {MIN_BUDGETS} needed" if n < MIN_BUDGETS else ""


def _logs(front: Front) -> FloatArray:
    """What falls on a line of slope eta or xi against log f, in shape (2, ..., n_f)."""
    return np.stack([-np.log(front.loss_opt), np.log(front.d_opt)])


@dataclass(frozen=True, eq=False)
class _FrontEstimate:
    """Power laws fitted to the usable budgets of a front."""

    find: Callable[[FloatArray], Front]
    front: Front

    @property
    def exponents(self) -> FloatArray:
        return front_exponents(self.front, self.front.usable)

    @property
    def refusal(self) -> str:
        return too_few_budgets(self.front)

    @property
    def residuals(self) -> FloatArray:
        return front_residuals(self.front, self.exponents)

    @property
    def rms_residuals(self) -> FloatArray:
        return root_mean_squares(self.residuals)

    def exponents_over(self, used: NDArray[np.bool_]) -> FloatArray:
        return front_exponents(self.front, used & self.front.usable)

    def repeat(self, mean_loss: FloatArray) -> FloatArray:
        front = self.find(mean_loss)
        return front_exponents(front, front.usable)

    def errors_without_noise(self) -> tuple[FloatArray, FloatArray]:
        """From the residuals, budgets with the same lowest size forming a cluster."""
        used, best = self.front.usable, self.front.best
        fits = [
            power_law(self.front.budgets[used], y[used], None if best is None else best[used])
            for y in (self.front.loss_opt, self.front.d_opt)
        ]
        return np.array([fit.std_error for fit in fits]), np.array([float(fit.dof) for fit in fits])


@dataclass(frozen=True, eq=False)
class _LawEstimate:
    """The parametric law, fitted to all losses at budgets that enough sizes reach."""

    sizes: FloatArray
    budgets: FloatArray
    mean_loss: FloatArray
    law: Law | None

    @property
    def front(self) -> Front:
        status = np.where(_reached(self.mean_loss), "ok", "few_sizes")
        if self.law is None or not self.law.converged:
            unknown = np.full(self.budgets.size, np.nan)
            return Front(self.budgets, unknown, unknown, status)
        return Front(self.budgets, *self.law.front(self.budgets), status)

    @property
    def exponents(self) -> FloatArray:
        return np.full(2, np.nan) if self.law is None else self.law.exponents

    @property
    def refusal(self) -> str:
        if self.law is None:
            return too_few_budgets(self.front)
        if not self.law.converged:
            return f"the parametric law does not fit, {self.law.status}"
        return ""

    @property
    def residuals(self) -> FloatArray:
        return np.full((2, self.budgets.size), np.nan)

    @property
    def rms_residuals(self) -> FloatArray:
        rms = np.nan if self.law is None else np.sqrt(np.mean(self.law.residuals**2))
        return np.full(2, rms)

    def exponents_over(self, used: NDArray[np.bool_]) -> FloatArray:
        return self.exponents  # the law is fitted to losses, not to a front

    def repeat(self, mean_loss: FloatArray) -> FloatArray:
        if self.law is None or not self.law.converged:
            return np.full((2, *mean_loss.shape[:-2]), np.nan)
        log_loss = np.log(np.where(_reached(mean_loss)[..., None, :], mean_loss, np.nan))
        log_d, log_n = (logs.ravel() for logs in _log_sizes_and_samples(self.sizes, self.budgets))
        flat = log_loss.reshape(*mean_loss.shape[:-2], -1)
        return refit_exponents(self.law, log_d, log_n, flat)

    def errors_without_noise(self) -> tuple[FloatArray, FloatArray]:
        """From leaving out one size at a time."""
        n = self.sizes.size
        means = np.repeat(self.mean_loss[None], n, axis=0)
        means[np.arange(n), np.arange(n)] = np.nan
        return np.sqrt(n - 1) * self.repeat(means).std(axis=1), np.full(2, n - 1.0)


def _reached(mean_loss: FloatArray) -> NDArray[np.bool_]:
    """Budgets that enough sizes reach; (..., n_d, n_f) to (..., n_f)."""
    reached: NDArray[np.bool_] = np.isfinite(mean_loss).sum(axis=-2) >= MIN_SIZES
    return reached


def _log_sizes_and_samples(sizes: FloatArray, budgets: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Logarithms of parameters and samples, shape (n_d, n_f)."""
    log_d, log_f = np.broadcast_arrays(np.log(sizes)[:, None], np.log(budgets))
    return log_d, log_f - log_d


def _from_front(
    find: Callable[..., Front],
    sizes: FloatArray,
    budgets: FloatArray,
    mean_loss: FloatArray,
    neighbours: int,
) -> Estimate:
    front_of = partial(find, sizes, budgets, neighbours=neighbours)
    return _FrontEstimate(front_of, front_of(mean_loss))


def _from_envelope(
    sizes: FloatArray, budgets: FloatArray, mean_loss: FloatArray, neighbours: int
) -> Estimate:
    return _from_front(parabolas, sizes, budgets, mean_loss, 1)


def _from_law(
    sizes: FloatArray, budgets: FloatArray, mean_loss: FloatArray, neighbours: int
) -> Estimate:
    reached, law = _reached(mean_loss), None
    if reached.sum() >= MIN_BUDGETS:
        used = np.isfinite(mean_loss) & reached
        log_d, log_n = _log_sizes_and_samples(sizes, budgets)
        law = fit_law(log_d[used], log_n[used], np.log(mean_loss[used]))
    return _LawEstimate(sizes, budgets, mean_loss, law)


METHODS: dict[str, Method] = {
    "approach1": _from_envelope,
    "approach2": partial(_from_front, parabolas),
    "approach2_spline": partial(_from_front, splines),
    "approach3": _from_law,
}
"""Methods by name: from sizes (n_d,), budgets (n_f,), mean losses (n_d, n_f) and neighbours, the
sizes on each side of the lowest loss that a front needs (Approaches 1 and 3 choose by themselves),
to an estimate."""
