"""The engines: one entry for each way to compute losses.

A new engine is a module with its runner, an entry here, its name in the configuration's schema and
a test. Rules, requests for resources, the grid, checks, fits and figures go through this list.

Imported at every parse of the Snakefile: no scipy here.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from plrf.draw.palette import BLUE, PURPLE, SKY, VERMILION
from plrf.exact.modes import HANDOVER, LAST_SINGLE


@dataclass(frozen=True)
class Engine:
    """A way to compute losses.

    Attributes
    ----------
    name : str
        Of the engine in configurations and tables, and of its rule.
    label : str
        In figures.
    runner : str
        Function that computes losses, as "module:function". It takes a spectrum for each run or,
        without runs, a `Model`; an `SGD`; the steps; and a stream for each run.
    samples : bool
        Whether it draws W anew for each run; otherwise W is averaged out.
    stochastic : bool
        Whether it draws data too; otherwise losses are expectations with a solver's error.
    references : tuple of str
        Engines whose losses are the mean of its own; the first that a sweep has is compared.
    smaller : str
        The engine that does the same at smaller sizes, if any: in fits the two are one series of
        sizes, under the name of that one.
    seconds : callable
        From the rows of the grid that a job covers to the time that it takes, with all steps that
        are made as ``steps``.
    color : str
        In figures.
    marker : str
        Of its fits in figures; empty if they are not drawn.
    """

    name: str
    label: str
    runner: str
    samples: bool
    stochastic: bool
    references: tuple[str, ...]
    smaller: str
    seconds: Callable[[pd.DataFrame], float]
    color: str
    marker: str

    @property
    def runs(self) -> bool:
        """Whether it makes runs that differ."""
        return self.samples or self.stochastic

    def continues(self, sweep: Mapping[str, Any]) -> bool:
        """Whether it takes larger sizes than another engine of a sweep, which does the same."""
        return self.smaller in sweep["engines"]

    @property
    def script(self) -> str:
        """Script of its jobs, in ``scripts/losses``."""
        return "runs.py" if self.runs else "averaged.py"

    @property
    def module(self) -> str:
        """Module of the runner."""
        return self.runner.partition(":")[0]


def _reduction_seconds(rows: pd.DataFrame) -> float:
    """Time of drawing and reducing W, which the betas of an alpha share."""
    shared = rows.drop_duplicates(["alpha", "d"])
    return float(6e-11 * (shared["runs"] * shared["v"] * shared["d"] ** 2).sum())


def _sgd_seconds(rows: pd.DataFrame) -> float:
    """Time of the reductions, of drawing numbers, which betas share, and of all chains."""
    numbers = rows["runs"] * rows["steps"] * rows["d"]
    shared = (1.5e-5 * rows["steps"] + 1.2e-8 * numbers)[~rows.duplicated(["alpha", "d"])]
    steps = float(shared.sum() + 3e-9 * numbers.sum())
    return _reduction_seconds(rows) + _slower(rows, 1.3) * steps


def _slower(rows: pd.DataFrame, factor: float) -> float:
    """How much longer steps take, by a factor with momentum."""
    return 1.0 if rows["momentum"].eq("none").all() else factor


def _averaged_sgd_seconds(rows: pd.DataFrame) -> float:
    """As for SGD; groups are made for each beta, and their number grows like log d."""
    groups = 110 * rows["d"].map(math.log10) - 50
    numbers = groups * rows["runs"] * rows["steps"]
    shared = (2e-5 * rows["steps"] + 3.2e-8 * numbers)[~rows.duplicated(["alpha", "d"])]
    return float(0.3 * len(rows) + _slower(rows, 1.9) * (shared.sum() + 8e-9 * numbers.sum()))


def _recursion_seconds(rows: pd.DataFrame) -> float:
    """As for SGD, without random numbers."""
    steps = 1e-5 * rows.drop_duplicates(["alpha", "d"])["steps"].sum()
    chains = 2e-9 * (rows["runs"] * rows["steps"] * rows["d"]).sum()
    return _reduction_seconds(rows) + float(steps + chains)


def _volterra_seconds(rows: pd.DataFrame) -> float:
    """Time of the curves; with a schedule or momentum steps are made one by one.

    With momentum and a constant rate it is logarithmic from some step on.
    """
    scheduled, remembers = rows["schedule"] != "constant", rows["momentum"] != "none"
    steps = rows.loc[scheduled & ~remembers, "steps"]
    one_by_one = scheduled | (rows["steps"] <= LAST_SINGLE)
    single = rows["steps"].where(one_by_one, HANDOVER)[remembers]
    later = (rows["steps"] / HANDOVER)[remembers & ~one_by_one].map(math.log10)
    seconds = (1 + 6e-7 * steps).sum() + (1 + 1e-5 * single).sum() + 2 * later.sum()
    return 0.1 * len(rows) + float(seconds)


ENGINES = {
    engine.name: engine
    for engine in (
        Engine(
            name="sgd",
            label="SGD",
            runner="plrf.engines.sgd:simulate",
            samples=True,
            stochastic=True,
            references=("recursion", "volterra"),
            smaller="",
            seconds=_sgd_seconds,
            color=VERMILION,
            marker="o",
        ),
        Engine(
            name="recursion",
            label="recursion",
            runner="plrf.engines.recursion:run",
            samples=True,
            stochastic=False,
            references=("volterra",),
            smaller="",
            seconds=_recursion_seconds,
            color=SKY,
            marker="",
        ),
        Engine(
            name="sgd_averaged",
            label="SGD (groups)",
            runner="plrf.engines.sgd:simulate",
            samples=False,
            stochastic=True,
            references=("volterra",),
            smaller="sgd",
            seconds=_averaged_sgd_seconds,
            color=PURPLE,
            marker="s",
        ),
        Engine(
            name="volterra",
            label="Volterra",
            runner="plrf.engines.volterra:run",
            samples=False,
            stochastic=False,
            references=(),
            smaller="",
            seconds=_volterra_seconds,
            color=BLUE,
            marker="D",
        ),
    )
}
"""All engines by name; figures draw them in this order."""

EXACT = "volterra"
"""The engine without noise and without random W, which fits of others are held against."""

DRAWN = {name: engine for name, engine in ENGINES.items() if engine.marker}
"""Engines whose fits are drawn."""

WITH_RUNS = {name: engine for name, engine in ENGINES.items() if engine.runs}
"""Engines of which a sweep says how many runs they make."""
