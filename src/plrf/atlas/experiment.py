"""What an IsoFLOP experiment without noise would report, and how far off it is (section 16)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import numbers, whole_number
from plrf.exact.budgets import BudgetLosses
from plrf.exact.inversion import FIRST_HYPERBOLA, invert
from plrf.exact.loss import DivergenceError
from plrf.exact.ridge import DeterministicEquivalent
from plrf.exact.search import LEAST_FEATURES, LEAST_SIZE
from plrf.measure.coverage import window_ends
from plrf.measure.estimates import METHODS, MIN_BUDGETS
from plrf.measure.lowest import MIN_SIZES
from plrf.scaling import ScalingRule
from plrf.task import Task

Array = NDArray[np.float64]

APPROACHES = ("approach1", "approach2", "approach3")
MARGIN = 4.0  # of the sizes beyond the best ones at the ends of the window


@dataclass(frozen=True)
class Experiment:
    """Sizes and budgets of an IsoFLOP experiment.

    Attributes
    ----------
    window : tuple of float
        Lowest and highest budget, in flops.
    sizes : int
        Number of sizes, log-spaced from a fourth of the smallest best size in the window, but at
        least 12 parameters and 49 features and a stable learning rate, to four times the largest
        one.
    isoflop_budgets, envelope_budgets : int
        Log-spaced budgets in it, of Approaches 2 and 3, and of Approach 1.
    neighbours : int
        Sizes on each side of the lowest loss in a parabola of Approach 2, at most; a fourth of the
        sizes where those are fewer.

    Raises
    ------
    ValueError
        If the window is none, or a number is too small.
    TypeError
        If an argument is not a number.
    """

    window: tuple[float, float]
    sizes: int = 12
    isoflop_budgets: int = 17
    envelope_budgets: int = 61
    neighbours: int = 2

    def __post_init__(self) -> None:
        window_ends(self.window)
        whole_number("sizes", self.sizes, least=MIN_SIZES)
        for name in ("isoflop_budgets", "envelope_budgets"):
            whole_number(name, getattr(self, name), least=MIN_BUDGETS)
        whole_number("neighbours", self.neighbours, least=1)

    def budgets(self, approach: str) -> Array:
        """Budgets that an approach is applied at, in flops."""
        envelope = approach == "approach1"
        return np.geomspace(
            *self.window, self.envelope_budgets if envelope else self.isoflop_budgets
        )


@dataclass(frozen=True, eq=False)
class Reported:
    """Exponents that an approach reports.

    Attributes
    ----------
    approach : str
        Of ``APPROACHES``.
    exponents, errors : arrays, shape (2,)
        Eta and xi, and the standard errors that a fit states of them: how far losses are from the
        law that is fitted. NaN if refused.
    budgets : int
        Number of budgets that were used.
    refusal : str
        Why there are none; empty if there are.
    """

    approach: str
    exponents: Array
    errors: Array
    budgets: int
    refusal: str


def exact_losses(sizes: ArrayLike, flops: ArrayLike, task: Task, rule: ScalingRule) -> Array:
    """Exact losses of sizes at budgets, both any real numbers; shape (n_d, n_f).

    Parameters
    ----------
    sizes : array, shape (n_d,)
        Numbers of parameters.
    flops : array, shape (n_f,)
        Budgets.
    task : Task
        What there is to learn.
    rule : ScalingRule
        With a stable learning rate at all sizes.

    Returns
    -------
    array, shape (n_d, n_f)
        NaN where a size makes fewer than 16 steps.

    Raises
    ------
    DivergenceError
        If the learning rate is unstable at a size; the message names size and threshold.
    ValueError, TypeError
        If a size or budget is not positive, or not a number.
    """
    sizes, flops = numbers("sizes", sizes, above=0), numbers("flops", flops, above=0)
    at_sizes = BudgetLosses(task, rule)
    losses = np.full((sizes.size, flops.size), np.nan)
    for k, d in enumerate(sizes.tolist()):
        log_d = float(np.log(d))
        if not at_sizes.stable(log_d):
            limit = at_sizes.critical_c(log_d)
            raise DivergenceError(
                f"c = {rule.c:g}: SGD diverges at d = {d:g} for {task}: c must be below {limit:.6g}"
            )
        model = rule.model(task, d)
        steps = flops / (d * rule.batch)
        made = steps >= FIRST_HYPERBOLA
        if made.any():
            curves, _ = invert(steps[made], DeterministicEquivalent(model), rule.training(model))
            losses[k, made] = curves[0]
    return losses


def reported_exponents(
    experiment: Experiment, best: ArrayLike, task: Task, rule: ScalingRule
) -> list[Reported]:
    """Exponents that each approach reports of losses without noise.

    Parameters
    ----------
    experiment : Experiment
    best : array
        Exact best sizes in the window, which set the range of sizes: as if a first try had found
        about where they are.
    task : Task
        What there is to learn.
    rule : ScalingRule
        How features and training follow the size.

    Returns
    -------
    list of Reported
        One for each of ``APPROACHES``.

    Raises
    ------
    ValueError, TypeError
        If a best size is not positive, or not a number.
    DivergenceError
        If the learning rate is unstable at all sizes; the message names the threshold of c.
    """
    best = numbers("best", best, above=0)
    known = max(best.min() / MARGIN, LEAST_SIZE, LEAST_FEATURES / rule.v_over_d)
    largest = np.log(best.max() * MARGIN)
    least = BudgetLosses(task, rule).least_stable(float(np.log(known)), float(largest))
    sizes = np.exp(np.linspace(least, largest, experiment.sizes))
    neighbours = min(experiment.neighbours, experiment.sizes // 4)
    budgets = [experiment.budgets(approach) for approach in APPROACHES]
    every = np.unique(np.concatenate(budgets))
    losses = exact_losses(sizes, every, task, rule)
    found = []
    for approach, flops in zip(APPROACHES, budgets, strict=True):
        own = losses[:, np.searchsorted(every, flops)]
        estimate = METHODS[approach](sizes, flops, own, neighbours)
        errors = np.full(2, np.nan)
        if not estimate.refusal:
            errors, _ = estimate.errors_without_noise()
        used = int(estimate.front.usable.sum())
        found.append(Reported(approach, estimate.exponents, errors, used, estimate.refusal))
    return found
