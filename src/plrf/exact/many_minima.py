"""Minima of many smooth functions of log d at once, by Chebyshev interpolation (section 16).

As in `plrf.exact.minimise`, for losses of many targets, which share what they are computed from.
Interpolations lie on a lattice, so that targets whose minima are close share them as well.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebfit, chebpts1, chebval, chebvander
from numpy.typing import NDArray

from plrf.exact.minimise import (
    BARRIER,
    HALF_WIDTH,
    MAX_MOVES,
    NEARLY,
    NODES,
    SCAN_POINTS,
    SHARP_HALF_WIDTH,
)
from plrf.exact.ridge import ConvergenceError
from plrf.statuses import NO_MINIMUM, NOT_CONVERGED, OK

Array = NDArray[np.float64]
Minima = tuple[Array, NDArray[np.str_]]

GRID = np.linspace(-1, 1, 33)  # where an interpolant's lowest value is looked for
NEWTON_STEPS = 5
QUANTITIES = ("log_loss", "eta", "log_d", "xi")
LOG_LOSS, LOG_D, XI = (QUANTITIES.index(name) for name in ("log_loss", "log_d", "xi"))
PROBES = 0.25  # steps of log d in which other valleys are looked for


@dataclass(frozen=True, eq=False)
class ManyCurves:
    """Losses of many targets at one budget against log d.

    Attributes
    ----------
    function : callable
        Log P and its slope in log f at a log d, shape (2, k); NaN where a target has none. It
        raises `ConvergenceError` where none has.
    low, high : float
        Bounds of log d.
    sharp : bool
        Whether losses may bend sharply, and have several valleys near each other, of which the
        deepest counts.
    """

    function: Callable[[float], Array]
    low: float
    high: float
    sharp: bool
    _around: dict[float, Array | None] = field(default_factory=dict)

    @property
    def half_width(self) -> float:
        """Half the width of an interpolation, and the distance of their centres."""
        return SHARP_HALF_WIDTH if self.sharp else HALF_WIDTH

    def minima(self, guesses: Array) -> Minima:
        """Minima of all targets, each from a guess on.

        Parameters
        ----------
        guesses : array, shape (k,)
            NaN where the whole range is to be scanned.

        Returns
        -------
        values : array, shape (k, 2, 4)
            ``QUANTITIES`` and their errors; NaN without a minimum.
        status : array of str, shape (k,)
            "ok", "no minimum" or "not converged".
        """
        if not self.low + self.half_width <= self.high - self.half_width:
            return self._none(guesses.size)
        try:
            if np.isnan(guesses).any():
                guesses = np.where(np.isnan(guesses), self._scan(), guesses)
            values, status = self._descend(guesses)
            others = self._others(values[:, 0, LOG_D], values[:, 0, LOG_LOSS])
        except ConvergenceError:
            values, status = self._none(guesses.size)
            return values, np.full(guesses.size, NOT_CONVERGED)
        for starts in others:
            with suppress(ConvergenceError):
                other, found = self._descend(starts)
                deeper = (found == OK) & (other[:, 0, LOG_LOSS] < values[:, 0, LOG_LOSS])
                values[deeper] = other[deeper]
        return values, status

    def _none(self, count: int) -> Minima:
        values = np.full((count, 2, len(QUANTITIES)), np.nan)
        return values, np.full(count, NO_MINIMUM, f"<U{len(NOT_CONVERGED)}")

    def _values(self, points: Array) -> Array:
        """Log P at some points, shape (n, k)."""
        return np.array([self.function(x)[0] for x in points.tolist()])

    def _scan(self) -> Array:
        """Where each target is lowest among a few sizes of the whole range, shape (k,)."""
        points = np.linspace(self.low, self.high, SCAN_POINTS)
        lowest: Array = points[np.argmin(self._values(points), axis=0)]
        return lowest

    def _others(self, log_d: Array, log_loss: Array) -> Array:
        """Where else targets may be lowest, as `plrf.exact.minimise.valleys` finds it one by one.

        Returns
        -------
        array, shape (n, k)
            Log d at the bottom of other valleys than those of the minima; NaN for other targets.

        Raises
        ------
        ConvergenceError
            If a loss was not found.
        """
        if not self.sharp or np.isnan(log_d).all():
            return np.empty((0, log_d.size))
        points = PROBES * np.arange(np.ceil(self.low / PROBES), np.floor(self.high / PROBES) + 1)
        values = np.full((points.size + 2, log_d.size), np.inf)  # with nothing beyond both ends
        inner, lowest = values[1:-1], log_loss.copy()
        for sign in (-1, 1):
            walking = np.isfinite(log_d)
            for i in np.argsort(sign * points).tolist():
                here = walking & (sign * (points[i] - log_d) >= 0)
                if here.any():
                    found = self._values(points[i : i + 1])[0]
                    inner[i, here] = np.where(np.isnan(found), np.inf, found)[here]
                    lowest[here] = np.minimum(lowest, inner[i])[here]
                    walking[here] = (inner[i] <= lowest + BARRIER)[here]
        bottom = (inner <= values[:-2]) & (inner <= values[2:]) & (inner <= lowest + NEARLY)
        bottom &= np.abs(points[:, None] - log_d) > PROBES
        starts: Array = np.where(bottom, points[:, None], np.nan)[bottom.any(axis=1)]
        return starts

    def _centre_at(self, log_d: Array) -> Array:
        """Centre of the interpolation for some log d: on the lattice, if bounds allow."""
        lattice = self.half_width * np.round(log_d / self.half_width)
        return np.clip(lattice, self.low + self.half_width, self.high - self.half_width)

    def _curves(self, centre: float) -> Array:
        """Chebyshev coefficients of log P and its slope around a centre, (NODES, 2, k)."""
        if centre not in self._around:
            self._around[centre] = None
            points = centre + self.half_width * chebpts1(NODES)
            with suppress(ConvergenceError):
                nodes = np.array([self.function(x) for x in points.tolist()])
                fitted = chebfit(chebpts1(NODES), nodes.reshape(NODES, -1), NODES - 1)
                self._around[centre] = fitted.reshape(nodes.shape)
        curves = self._around[centre]
        if curves is None:
            raise ConvergenceError(f"losses around log d = {centre:g}")
        return curves

    def _descend(self, starts: Array) -> Minima:
        """Minima from starts (k,), each in steps of the lattice; none where they are NaN."""
        values, status = self._none(starts.size)
        centres, pending = self._centre_at(starts), np.isfinite(starts)
        for _ in range(MAX_MOVES):
            for centre in np.unique(centres[pending]).tolist():
                here = np.flatnonzero(pending & (centres == centre))
                curves = self._curves(centre)
                known = np.isfinite(curves[:, :, here]).all(axis=(0, 1))
                status[here[~known]], pending[here[~known]] = NOT_CONVERGED, False
                here = here[known]
                rows = _at_minimum(curves[:, :, here], centre, self.half_width)
                coarser = _at_minimum(curves[:-2, :, here], centre, self.half_width)
                errors = np.abs(rows - coarser)
                best = rows[:, LOG_D]
                inside = np.abs(best - centre) < 0.9 * self.half_width
                values[here[inside]] = np.stack([rows, errors], axis=1)[inside]
                status[here[inside]] = OK
                moved = np.where(inside, centre, self._centre_at(best))
                pending[here], centres[here] = moved != centre, moved
            if not pending.any():
                break
        return values, status


def _at_minimum(curves: Array, centre: float, half_width: float) -> Array:
    """``QUANTITIES`` at the lowest points of interpolants (n, 2, k), shape (k, 4).

    As f changes, x follows so that ``d log P/d x`` stays zero (`plrf.exact.search`).
    """
    loss, slope = curves[:, 0], curves[:, 1]
    fall, bend = chebder(loss), chebder(loss, 2)
    lowest = np.argmin(chebvander(GRID, len(loss) - 1) @ loss, axis=0)
    left, right = GRID[np.maximum(lowest - 1, 0)], GRID[np.minimum(lowest + 1, GRID.size - 1)]
    x = GRID[lowest]
    for _ in range(NEWTON_STEPS):
        step = _at(x, fall) / np.abs(_at(x, bend))  # downhill, also where the curve is concave
        x = np.clip(x - step, left, right)
    xi = -half_width * _at(x, chebder(slope)) / _at(x, bend)
    return np.stack([_at(x, loss), -_at(x, slope), centre + half_width * x, xi], axis=1)


def _at(x: Array, coefficients: NDArray[np.floating]) -> Array:
    """Values of Chebyshev series (n, k), each at its own x (k,)."""
    found: Array = chebval(x, coefficients, tensor=False)
    return found
