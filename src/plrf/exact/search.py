"""Minima of the loss on a budget over sizes, learning rates and batches (sections 7 and 10)."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from plrf.exact.budgets import BudgetLosses
from plrf.exact.inversion import FIRST_HYPERBOLA
from plrf.exact.loss import DivergenceError
from plrf.exact.minimise import (
    HALF_WIDTH,
    NODES,
    SHARP_HALF_WIDTH,
    Minimum,
    NoMinimumError,
    downhill,
    minimise,
    valleys,
    value_at,
)
from plrf.exact.ridge import ConvergenceError
from plrf.scaling import ScalingRule
from plrf.schedules import CONSTANT

Array = NDArray[np.float64]
Found = tuple[Array, Array]

LEAST_SIZE = 12.0
LEAST_FEATURES = 49.0  # from 48 on v may be any real number
LARGEST_POWER = 1e280  # of v**(2 alpha), so that nothing overflows
LARGEST_SIZE = 1e12  # where a learning rate is unstable, it is so at all sizes
ROUGH_NODES = 3  # with momentum, to find out where to look
LEAST_C, LARGEST_C = 1e-9, 0.99  # over its threshold, of those among which the best is sought


def size_range(alpha: float, v_over_d: float) -> tuple[float, float]:
    """Least and largest log d at which losses are smooth functions of d and nothing overflows.

    Parameters
    ----------
    alpha : float
        Data complexity.
    v_over_d : float
        Number of features over number of parameters; may be infinite.
    """
    least = max(LEAST_SIZE, LEAST_FEATURES / v_over_d)
    features = v_over_d if v_over_d < np.inf else 1.0
    return float(np.log(least)), float(np.log(LARGEST_POWER) / (2 * alpha) - np.log(features))


def _at_minimum(minimum: Minimum) -> Array:
    """Components of a function of x and the budget where the first is least over x.

    They are log P, its slope in log f at fixed x, then pairs of a coordinate and its slope; the
    last pair is the difference to a check. As f changes x follows, so that ``d log P/d x`` stays
    zero: log P changes through its own slope only, coordinates also through x.
    """
    x, (log_loss, slope, *pairs) = minimum.x, minimum.curves
    moved = -slope.deriv()(x) / log_loss.deriv(2)(x)
    row = [log_loss(x), slope(x)]
    for value, own in zip(pairs[::2], pairs[1::2], strict=True):
        row += [value(x), own(x) + value.deriv()(x) * moved]
    return np.array(row)


@dataclass
class Search:
    """Minima over log d and, if they are free, over c and over batches.

    Minima return log P, its slope in log f, log d, log c and log B, each with its slope, and how
    far the first two are from a check; and the errors of these, from the minimum of the check and
    from coarser interpolants.

    Attributes
    ----------
    losses : BudgetLosses
        Their rule says what is not free.
    bounds : tuple of float
        Least and largest log d.
    free : collection of str
        "c", "batch", both or none.
    guesses : dict of str to float
        Where minima were last found: a search nearby begins there.
    nodes : int
        Of the interpolation in log d.
    """

    losses: BudgetLosses
    bounds: tuple[float, float]
    free: Collection[str] = ()
    guesses: dict[str, float] = field(default_factory=dict)
    nodes: int = NODES

    def at(self, flops: float) -> Found:
        """Minimum at a budget.

        Raises
        ------
        NoMinimumError
            If the loss falls towards a bound.
        ConvergenceError, DivergenceError, ValueError
            As of the losses.
        """
        if self.losses.momentum is not None:
            self.guesses.setdefault("d", self._at_constant_rate(flops))
            return self._remembering(flops)
        if "d" not in self.guesses and self.losses.schedule != CONSTANT:
            self.guesses["d"] = self._at_constant_rate(flops)
        of_batch = self._over_c if "c" in self.free else self._over_sizes
        if "batch" in self.free:
            return self._over_batches(of_batch, flops, self.losses.rule)
        return of_batch(flops, self.losses.rule)

    def _at_constant_rate(self, flops: float) -> float:
        """Where to begin: the best size of plain SGD, without noise, costs little."""
        rule = replace(self.losses.rule, c=self.losses.critical_c(self.bounds[0]) / 2)
        plain = Search(BudgetLosses(self.losses.task.silent(), rule), self.bounds)
        with suppress(ArithmeticError):
            plain.at(flops)
        # Else at the largest size, with the fewest steps.
        return plain.guesses.get("d", float(np.log(flops / (rule.batch * FIRST_HYPERBOLA))))

    def _least(
        self,
        name: str,
        function: Callable[[float], Array],
        low: float,
        high: float,
        start: float | None = None,
        half_width: float = HALF_WIDTH,
    ) -> Found:
        """Minimum over one coordinate; from its start it walks to where it may be."""
        if start is not None and not np.isfinite(
            value_at(function, self.guesses.get(name, np.inf))
        ):
            self.guesses[name] = downhill(function, start, low, high)
        nodes = self.nodes if name == "d" else NODES
        found = minimise(function, low, high, self.guesses.get(name), nodes, half_width)
        if found is None:
            raise NoMinimumError(name)
        self.guesses[name] = found.x
        row = _at_minimum(found)
        errors: Array = np.abs(row - _at_minimum(found.coarser()))
        errors += np.abs(row - _at_minimum(found.check()))
        return row, errors

    def _over_sizes(self, flops: float, rule: ScalingRule) -> Found:
        """Over sizes at which the learning rate is stable."""
        losses = replace(self.losses, rule=rule)
        low, overflow = self.bounds
        low = losses.least_stable(low, max(low, min(np.log(LARGEST_SIZE), overflow)))
        high = min(np.log(flops / (rule.batch * FIRST_HYPERBOLA)), overflow)
        fixed = [np.log(rule.c), 0.0, np.log(rule.batch), 0.0]

        def function(log_d: float) -> Array:
            log_loss, slope, *apart = losses.log_loss(log_d, flops)
            return np.array([log_loss, slope, log_d, 0.0, *fixed, *apart])

        if self.losses.task.decay >= 1:
            return self._least("d", function, low, high)
        # Losses may bend sharply, and have two valleys, of which the deeper one counts. With a
        # schedule that may be another one than at a constant rate.
        found = self._least("d", function, low, high, half_width=SHARP_HALF_WIDTH)
        if self._moved(function, low, high):
            return self._least("d", function, low, high, half_width=SHARP_HALF_WIDTH)
        return found

    def _moved(self, function: Callable[[float], Array], low: float, high: float) -> bool:
        """Begin in another valley where that is deeper than the one that was found."""
        start = self.guesses["d"]
        starts = valleys(function, start, low, high, HALF_WIDTH)
        minima = [minimise(function, low, high, x, self.nodes) for x in starts if x != start]
        others = [minimum for minimum in minima if minimum is not None]
        if others:
            best = min(others, key=lambda minimum: minimum.curves[0](minimum.x))
            if best.curves[0](best.x) < value_at(function, start):
                self.guesses["d"] = best.x
        return self.guesses["d"] != start

    def _remembering(self, flops: float) -> Found:
        """Over sizes with momentum; where there is no minimum, it may be unstable."""
        try:
            row, errors = self._from_rough(flops)
        except (NoMinimumError, ConvergenceError):
            low, high = self.bounds
            self.losses.check(min(max(self.guesses["d"], low), high), flops)
            raise
        self.losses.check(row[2], flops)
        return row, errors

    def _from_rough(self, flops: float) -> Found:
        """Minimum over sizes with momentum, of which there may be two: the lower one."""
        rule, (low, high) = self.losses.rule, self.bounds
        high = min(np.log(flops / (rule.batch * FIRST_HYPERBOLA)), high)
        fixed = [np.log(rule.c), 0.0, np.log(rule.batch), 0.0]

        def rough(log_d: float) -> Array:
            return np.array([self.losses.rough(log_d, flops)])

        def function(log_d: float) -> Array:
            log_loss, slope, *apart = self.losses.log_loss(log_d, flops)
            return np.array([log_loss, slope, log_d, 0.0, *fixed, *apart])

        if low > high:
            raise NoMinimumError("d")
        starts = valleys(rough, min(max(self.guesses["d"], low), high), low, high)
        minima = [minimise(rough, low, high, start, ROUGH_NODES) for start in starts]
        found = [minimum for minimum in minima if minimum is not None]
        if not found:
            raise NoMinimumError("d")
        self.guesses["d"] = min(found, key=lambda minimum: minimum.curves[0](minimum.x)).x
        return self._least("d", function, low, high)

    def _over_c(self, flops: float, rule: ScalingRule) -> Found:
        """Over learning rates that are stable at all sizes, in the logarithm of the odds."""
        critical = replace(self.losses, rule=rule).critical_c(self.bounds[0])

        def function(log_odds: float) -> Array:
            c = critical / (1 + np.exp(-log_odds))
            return self._over_sizes(flops, replace(rule, c=c))[0]

        largest = -np.log(1 / LARGEST_C - 1)
        try:
            return self._least("c", function, np.log(LEAST_C), largest, start=0.0)
        except NoMinimumError as error:
            lower = value_at(function, largest - 2 * HALF_WIDTH)
            if error.args != ("c",) or not value_at(function, largest) <= lower:
                raise
            self.guesses["c"] = largest
            return self._over_sizes(flops, replace(rule, c=LARGEST_C * critical))

    def _over_batches(
        self, of_batch: Callable[[float, ScalingRule], Found], flops: float, rule: ScalingRule
    ) -> Found:
        """Over batches from 1 on, any real numbers; those below tell the slope at 1."""

        def function(log_batch: float) -> Array:
            try:
                return of_batch(flops, replace(rule, batch=float(np.exp(log_batch))))[0]
            except DivergenceError as error:
                raise NoMinimumError("d") from error

        largest = np.log(flops / (FIRST_HYPERBOLA * LEAST_SIZE))
        try:
            found = self._least("batch", function, -2 * HALF_WIDTH, largest, start=HALF_WIDTH)
            if self.guesses["batch"] > 0:
                return found
        except NoMinimumError as error:
            above = value_at(function, HALF_WIDTH)
            if error.args != ("batch",) or not value_at(function, 0.0) <= above:
                raise
        self.guesses["batch"] = 0.0
        return of_batch(flops, replace(rule, batch=1))
