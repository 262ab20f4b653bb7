"""Sizes, runs and their cost for a wanted standard error, before anything is run.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number, numbers, whole_number
from plrf.engines.registry import ENGINES
from plrf.exact.best_sizes import optimal_budgets
from plrf.exact.front import compute_optimal
from plrf.exact.loss import expected_loss
from plrf.measure.coverage import SizeGrid, round_up, window_ends
from plrf.measure.estimates import METHODS, MIN_BUDGETS
from plrf.measure.fluctuations import relative_second_moment, typical_modes
from plrf.scaling import ScalingRule
from plrf.statuses import OK
from plrf.task import PowerLawTask, Task
from plrf.theory.phases import phase_name

FloatArray = NDArray[np.float64]

RATIO = 2**0.5  # of the sizes that are proposed
MARGIN = 1.5  # of a grid beyond the neighbours, in sizes: noise moves the lowest loss
SAMPLED = 1000  # W is sampled up to it; it leaves two sizes above 500 to both engines
LARGEST_SPREAD = 1.0  # of one run's loss, relative: so much where its variance is infinite
CORRELATED = 0.2  # decades of compute over which the noise of a run forgets itself
DRAWS = 300
SEED = 20240515  # of the draws: an estimate is the same at each call
MOST_REFUSED = 0.5  # of the draws
FIRST_RUNS = (10, 100, 1000, 10000)  # tried until few draws are refused
LEAST_RUNS, MOST_RUNS = 4, 100_000  # fewer say nothing of their own spread


@dataclass(frozen=True)
class Advice:
    """What to run for a wanted standard error of xi.

    Attributes
    ----------
    alpha, beta, v_over_d, c, batch
        What was asked about.
    window : tuple of float
        Lowest and highest budget of the fit, in flops.
    budgets : int
        Number of log-spaced IsoFLOP budgets in it.
    sizes : tuple of int
        Numbers of parameters d.
    engines : tuple of str
        Names of the engines that make the runs.
    largest_sampled_d : int, optional
        Size up to which W is sampled; None if one engine runs all sizes.
    around_optimum : float
        A size is run until so many times the budget at which it is best.
    runs : int
        Independent runs of each size.
    eta_error, xi_error : float
        Expected standard errors of eta and xi with so many runs.
    seconds : float
        Expected processor time on a laptop.
    """

    alpha: float
    beta: float
    v_over_d: float
    c: float
    batch: int
    window: tuple[float, float]
    budgets: int
    sizes: tuple[int, ...]
    engines: tuple[str, ...]
    largest_sampled_d: int | None
    around_optimum: float
    runs: int
    eta_error: float
    xi_error: float
    seconds: float


def advise(
    window: ArrayLike,
    *,
    alpha: float,
    beta: float,
    v_over_d: float = 4.0,
    c: float = 0.5,
    batch: int = 1,
    std_error: float = 0.01,
    budgets: int = 17,
    neighbours: int = 2,
) -> Advice:
    """Propose sizes and runs of SGD that measure xi to a standard error (section 8).

    Sizes are a factor sqrt(2) apart, with neighbours and a margin beyond the best sizes at both
    ends of the window. Errors are those of IsoFLOP parabolas, estimated: about right within a
    factor 2 (`plrf.measure.advice.Noise`).

    Parameters
    ----------
    window : array_like, shape (2,)
        Lowest and highest budget, in flops.
    alpha, beta : float
        Data and target complexity.
    v_over_d : float
        Number of features over number of parameters; above 1 and finite.
    c : float
        Learning-rate constant, ``gamma = c/(batch Tr D)``.
    batch : int
        Samples per step.
    std_error : float
        Wanted standard error of xi; that of eta follows.
    budgets : int
        Number of IsoFLOP budgets, at least 4 (``fits.isoflop_budgets`` of a configuration).
    neighbours : int
        Sizes on each side of the lowest loss in a parabola (``fits.parabola_neighbours``).

    Returns
    -------
    Advice

    Raises
    ------
    ValueError
        If an argument is out of range, the point has no exponents, the front has no best size at an
        end of the window, or so many runs as are allowed do not suffice.
    TypeError
        If an argument is not a number.
    DivergenceError
        If the learning rate is unstable at a size that is needed; the message names the threshold.
    """
    low, high = window_ends(window)
    v_over_d = number("v_over_d", v_over_d, above=1)
    std_error = number("std_error", std_error, above=0)
    budgets = whole_number("budgets", budgets, least=MIN_BUDGETS)
    neighbours = whole_number("neighbours", neighbours, least=1)
    optimum = partial(compute_optimal, alpha=alpha, beta=beta, v_over_d=v_over_d, c=c, batch=batch)
    front = optimum([low, high])
    if phase_name(alpha, beta) == "edge":
        raise ValueError(f"({alpha:g}, {beta:g}): no exponents on the edge 2(alpha+beta) = 1")
    for flops, status in zip((low, high), front.status, strict=True):
        if status != OK:
            raise ValueError(f"window = {window!r}: no best size at {flops:g} flops, {status}")
    beyond = RATIO ** (neighbours + MARGIN)
    sizes = _sizes(front.d[0] / beyond, front.d[1] * beyond)
    # The smaller neighbours of the best size run on until it is the best, where the front is flat.
    around = round_up(float(beyond ** (1 / front.xi.min())))
    task = PowerLawTask(alpha, beta)
    best = optimal_budgets(sizes, task, v_over_d=v_over_d, c=c, batch=batch)
    grid = SizeGrid(sizes, np.maximum(np.minimum(high, around * best), sizes * batch), batch)
    rule, asked = ScalingRule(v_over_d, c, batch), np.geomspace(low, high, budgets)
    noise = Noise.of(grid, asked, neighbours, task=task, rule=rule)
    runs, errors = _enough_runs(noise, std_error)
    parts = _parts(sizes)
    rows = _rows(grid, runs, v_over_d).assign(alpha=alpha)
    return Advice(
        alpha,
        beta,
        v_over_d,
        c,
        batch,
        window=(low, high),
        budgets=budgets,
        sizes=tuple(map(int, sizes)),
        engines=tuple(parts),
        largest_sampled_d=int(sizes[parts["sgd"]][-1]) if len(parts) > 1 else None,
        around_optimum=around,
        runs=runs,
        eta_error=float(errors[0]),
        xi_error=float(errors[1]),
        seconds=float(sum(ENGINES[name].seconds(rows[part]) for name, part in parts.items())),
    )


@dataclass(frozen=True, eq=False)
class Noise:
    """Expected standard errors of exponents by IsoFLOP parabolas, without running anything.

    Exact losses times lognormal noise, independent between sizes and, along a run, with the
    correlation exp(-|decades of compute| / 0.2). Of one run its spread is that of the loss in its
    limit (`plrf.measure.fluctuations`), or 1 where that is larger or infinite; the spread of W
    between runs is not in it. An estimate: against bootstraps of real runs at (0.7, 0.7),
    (1.25, 0.75) and (0.2, 0.7) it was right within a factor 2, too small where the loss is mostly
    that of W (alpha < 1/2) and too large where its variance is infinite.

    Attributes
    ----------
    sizes, budgets : ndarray, shape (n_d,) and (n_f,)
        Sizes, and budgets in flops.
    loss : ndarray, shape (n_d, n_f)
        Exact losses; NaN where a size has none.
    spread : ndarray, shape (n_d,)
        Relative spread of the loss between runs.
    neighbours : int
        Sizes on each side of the lowest loss in a parabola.
    """

    sizes: FloatArray
    budgets: FloatArray
    loss: FloatArray
    spread: FloatArray
    neighbours: int

    @classmethod
    def of(
        cls,
        grid: SizeGrid,
        budgets: ArrayLike,
        neighbours: int,
        *,
        task: Task,
        rule: ScalingRule,
    ) -> Noise:
        """Compute losses and spreads.

        Parameters
        ----------
        grid : SizeGrid
            Whole sizes, with the ends of their runs.
        budgets : array_like, shape (n_f,)
            Budgets in flops; increasing.
        neighbours : int
            Sizes on each side of the lowest loss in a parabola.
        task : Task
            What there is to learn, with labels without noise.
        rule : ScalingRule
            How features and training follow the size.

        Raises
        ------
        ValueError, TypeError
            If an argument is out of range or not a number, or SGD diverges at a size.
        """
        flops = numbers("budgets", budgets, above=0)
        neighbours = whole_number("neighbours", neighbours, least=1)
        models = [rule.whole_model(task, int(d)) for d in grid.sizes]
        trained = [(model, rule.training(model)) for model in models]
        steps = np.maximum(np.round(flops / (grid.sizes[:, None] * rule.batch)), 1)
        exact = expected_loss(
            steps,
            **task.parameters,
            d=grid.sizes[:, None],
            v=np.array([[model.v] for model in models]),
            learning_rate=np.array([[sgd.learning_rate] for _, sgd in trained]),
            batch=int(rule.batch),
        )
        moments = [relative_second_moment(typical_modes(model), sgd) for model, sgd in trained]
        spread = np.minimum(np.sqrt(np.maximum(np.array(moments) - 1, 0)), LARGEST_SPREAD)
        loss = np.where(grid.reaches(flops), exact.loss, np.nan)
        return cls(grid.sizes, flops, loss, spread, neighbours)

    def errors(self, runs: int) -> FloatArray:
        """Standard errors of eta and xi, shape (2,); NaN where most fits would be refused."""
        runs = whole_number("runs", runs, least=1)
        fit = METHODS["approach2"](self.sizes, self.budgets, self.loss, self.neighbours)
        if fit.refusal:
            return np.full(2, np.nan)
        decades = np.log10(self.budgets)
        correlation = np.exp(-np.abs(decades[:, None] - decades) / CORRELATED)
        rng = np.random.default_rng(SEED)
        normal = rng.standard_normal((DRAWS, *self.loss.shape)) @ np.linalg.cholesky(correlation).T
        # Lognormal of the wanted relative spread, and of mean 1.
        width = np.sqrt(np.log1p(self.spread**2 / runs))[:, None]
        found = fit.repeat(self.loss * np.exp(width * normal - width**2 / 2))
        accepted = np.isfinite(found[0])
        if accepted.mean() < 1 - MOST_REFUSED:
            return np.full(2, np.nan)
        errors: FloatArray = found[:, accepted].std(axis=1, ddof=1)
        return errors


def _sizes(low: float, high: float) -> FloatArray:
    """Whole sizes a factor sqrt(2) apart that cover a range."""
    steps = np.arange(np.ceil(np.log(high / low) / np.log(RATIO)) + 1)
    return np.unique(np.maximum(np.round(low * RATIO**steps), 1))


def _parts(sizes: FloatArray) -> dict[str, NDArray[np.bool_]]:
    """Which sizes an engine runs: two of those at which W is sampled are run by both."""
    sampled = sizes <= SAMPLED
    parts = {"sgd": sampled, "sgd_averaged": sizes >= sizes[sampled][-2:].min(initial=sizes[-1])}
    if sampled.all() or not sampled.any():
        return {"sgd" if sampled.all() else "sgd_averaged": np.full(sizes.shape, True)}
    return parts


def _enough_runs(noise: Noise, std_error: float) -> tuple[int, FloatArray]:
    """The number of runs for a standard error of xi, and the errors with it."""
    tried = ((runs, noise.errors(runs)) for runs in FIRST_RUNS)
    runs, errors = next((found for found in tried if np.isfinite(found[1][0])), (0, np.empty(0)))
    for _ in range(3):  # errors fall like runs**-0.5 but for large ones
        if runs:
            runs = max(LEAST_RUNS, int(np.ceil(runs * (errors[1] / std_error) ** 2)))
        if not 0 < runs <= MOST_RUNS:
            raise ValueError(f"std_error = {std_error:g}: more than {MOST_RUNS} runs are needed")
        errors = noise.errors(runs)
    return runs, errors


def _rows(grid: SizeGrid, runs: int, v_over_d: float) -> pd.DataFrame:
    """What engines estimate their time from."""
    steps = np.ceil(grid.last / (grid.sizes * grid.batch))
    v = np.round(v_over_d * grid.sizes)
    columns = {"d": grid.sizes, "v": v, "steps": steps, "runs": runs}
    return pd.DataFrame(columns).assign(schedule="constant", momentum="none")
