"""The grid: one row per (sweep, alpha, beta, d, engine).

Imported at every parse of the Snakefile: no scipy here.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from plrf.engines.registry import ENGINES, WITH_RUNS, Engine
from plrf.exact import momentum as with_momentum
from plrf.exact.best_sizes import optimal_budgets
from plrf.exact.ridge import kernel_mass
from plrf.momentum import Momentum
from plrf.scaling import ScalingRule
from plrf.schedules import schedule_of
from plrf.study.momenta import momentum_text, remembers, rule_of
from plrf.study.phases import phase_of
from plrf.study.problems import KeyPath
from plrf.study.schedules import schedule_text
from plrf.study.schemas.grid import GRID
from plrf.study.tasks import task_of
from plrf.task import Task
from plrf.training import steps_of

SETTINGS = ("v_over_d", "c", "batch")
"""Keys of a sweep that, with the task, set its exact front."""


def expand(config: Mapping[str, Any]) -> pd.DataFrame:
    """Expand the sweeps to the grid.

    Parameters
    ----------
    config : dict
        A config that `plrf.study.config.validate` accepts, completed.

    Returns
    -------
    DataFrame
        One row per (sweep, alpha, beta, d, engine) in the config's order, with the columns and
        dtypes of `plrf.study.schemas.grid.GRID`.
    """
    tables = []
    for name, sweep in config["sweeps"].items():
        rows = sweep_grid(name, sweep)
        masses = [kernel_mass_of(sweep, row, row["d"]) for row in rows.to_dict("records")]
        tables.append(rows.assign(kernel_mass=np.array(masses, float))[GRID.names])
    return pd.concat(tables, ignore_index=True)


def sweep_grid(name: str, sweep: Mapping[str, Any]) -> pd.DataFrame:
    """Expand one sweep, completed, without kernel masses, which jobs do not need; see `expand`."""
    dtypes = GRID.empty_table().to_pandas().dtypes.drop("kernel_mass")
    return pd.DataFrame(list(_rows(name, sweep)), columns=dtypes.index).astype(dtypes.to_dict())


def _rows(name: str, sweep: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make the rows of one sweep, which depend on nothing outside it."""
    scaling, schedule = scaling_rule(sweep), schedule_of(sweep["schedule"])
    asked = [
        (engine, set(engine_sizes(engine, sweep)))
        for engine in ENGINES.values()
        if engine.name in sweep["engines"]
    ]
    budgets = {alpha: run_budgets(sweep, alpha) for alpha in {a for _, a, _ in points(sweep)}}
    for (_, alpha, beta), d in product(points(sweep), sweep["d"]):
        point = point_of(sweep, alpha, beta)
        model = scaling.whole_model(task_of(point), d)
        size = {
            **point,
            "sweep": name,
            "d": d,
            "v": model.v,
            "batch": sweep["batch"],
            "c": sweep["c"],
            "schedule": schedule_text(schedule),
            "momentum": momentum_text(sweep["momentum"]),
            "learning_rate": scaling.training(model).learning_rate,
            "phase": phase_of(point),
        }
        for engine, sizes in asked:
            runs, flops = 0, sweep["flops"]
            if engine.runs:
                if d not in sizes or d not in budgets[alpha]:
                    continue
                runs, flops = sweep["runs"], budgets[alpha][d]
            steps = last_step(sweep, d, flops)
            yield {**size, "engine": engine.name, "flops": flops, "steps": steps, "runs": runs}


def last_step(sweep: Mapping[str, Any], d: int, flops: float) -> int:
    """Number of steps that take a size to a budget."""
    return steps_of(schedule_of(sweep["schedule"]), math.ceil(flops / (d * sweep["batch"])))


def job_seconds(rows: pd.DataFrame, config: Mapping[str, Any]) -> float:
    """Time of a job, by its engine's estimate from rows of the grid of one engine and sweep.

    Planned runs make all steps anew for each step that is recorded, a geometric series.
    """
    engine, sweep = ENGINES[rows["engine"].iloc[0]], config["sweeps"][rows["sweep"].iloc[0]]
    planned = schedule_of(sweep["schedule"]).relative
    times = 1 + config["steps_per_decade"] / math.log(10) if planned else 1
    return engine.seconds(rows.assign(steps=times * rows["steps"]))


def engine_sizes(engine: Engine, sweep: Mapping[str, Any]) -> list[int]:
    """Sizes that an engine may be run at, by where W is sampled.

    An engine that continues another one to larger sizes shares two with it, for a comparison.
    """
    sizes = sorted(sweep["d"])
    sampled = [d for d in sizes if d <= sweep.get("largest_sampled_d", d)]
    if engine.samples:
        return sampled
    return [d for d in sizes if d >= min(sampled[-2:])] if engine.continues(sweep) else sizes


def run_budgets(sweep: Mapping[str, Any], alpha: float | None) -> dict[int, float]:
    """Budgets in flops of the runs of each size; sizes without one are left out.

    Runs matter around the budget at which their size is best. All betas of an alpha share one
    budget, as they share W. It is rounded to two digits, which last bits hardly ever change.
    """
    flops, factor = sweep["flops"], sweep.get("around_optimum")
    if factor is None:
        return dict.fromkeys(sweep["d"], flops)
    settings = {key: sweep[key] for key in SETTINGS} | {"highest": factor * flops}
    tasks = [task_of(point_of(sweep, a, beta)) for _, a, beta in points(sweep) if a == alpha]
    best = [optimal_budgets(sweep["d"], task, **settings) for task in tasks]
    budgets = {}
    for d, *of_betas in zip(sweep["d"], *best, strict=True):
        # Where there is no best budget, all of the sweep's may matter.
        near = [budget for budget in of_betas if not budget > factor * flops]
        if near:
            last = max(flops if math.isnan(budget) else factor * budget for budget in near)
            budgets[d] = min(flops, max(float(f"{last:.2g}"), d * sweep["batch"]))
    return budgets


def points(
    sweep: Mapping[str, Any],
) -> list[tuple[KeyPath, float | None, float | None]]:
    """List the (alpha, beta) of a sweep, each with the key path to name in an error about it.

    A spectrum from a file is one point, without alpha and beta.
    """
    if "spectrum" in sweep:
        return [(("spectrum",), None, None)]
    if "points" in sweep:
        return [(("points", i), a, b) for i, (a, b) in enumerate(sweep["points"])]
    alphas, betas = (sweep["product"][key] for key in ("alpha", "beta"))
    return [
        (("product", "beta", i), alpha, beta) for alpha in alphas for i, beta in enumerate(betas)
    ]


def power_laws(sweep: Mapping[str, Any]) -> list[tuple[KeyPath, float, float]]:
    """The points of a sweep that are power laws: all, or none."""
    return [(path, a, b) for path, a, b in points(sweep) if a is not None and b is not None]


def point_of(sweep: Mapping[str, Any], alpha: float | None, beta: float | None) -> dict[str, Any]:
    """A point of a sweep by the columns that say what its task is."""
    task = {"spectrum": sweep.get("spectrum", ""), "alpha": alpha, "beta": beta}
    return task | {"noise": sweep.get("noise", 0.0)}


def variances_of(point: Mapping[str, Any]) -> Task:
    """The task of a point whatever its target is, which points of one alpha share."""
    return task_of({**point, "beta": 0.0})


def has_points(sweep: Mapping[str, Any]) -> bool:
    """Whether a sweep says its points in one way."""
    return sum(key in sweep for key in ("points", "product", "spectrum")) == 1


def scaling_rule(sweep: Mapping[str, Any]) -> ScalingRule:
    """How features and training of a sweep follow the size."""
    return ScalingRule(**{key: sweep[key] for key in SETTINGS})


def features(sweep: Mapping[str, Any], d: int) -> int:
    """Number of features v of a size."""
    _, alpha, beta = points(sweep)[0]
    return int(scaling_rule(sweep).whole_model(task_of(point_of(sweep, alpha, beta)), d).v)


def needs_runs(sweep: Mapping[str, Any]) -> bool:
    """Whether one of the engines makes runs that differ."""
    return not WITH_RUNS.keys().isdisjoint(sweep["engines"])


def kernel_mass_of(sweep: Mapping[str, Any], point: Mapping[str, Any], d: int) -> float:
    """Kernel mass of a size at a point of a sweep, with momentum the largest of all steps.

    Learning rate and batch are those of step 0: no factor of a schedule exceeds 1.
    """
    scaling, variances = scaling_rule(sweep), variances_of(point)
    if not remembers(sweep):
        return grid_kernel_mass(scaling, variances, d)
    rule = rule_of(sweep["momentum"], scaling.whole_model(task_of(point), d), sweep["batch"])
    return grid_kernel_mass(scaling, variances, d, rule, last_step(sweep, d, sweep["flops"]))


@cache
def grid_kernel_mass(
    scaling: ScalingRule, task: Task, d: int, momentum: Momentum | None = None, last: int = 0
) -> float:
    """Kernel mass of a size, whatever the target is; remembered: rows and checks share it.

    With momentum it is the largest of steps up to a last one.
    """
    model = scaling.whole_model(task, d)
    sgd = scaling.training(model)
    if momentum is None:
        return kernel_mass(model, sgd)
    return with_momentum.kernel_mass(model, replace(sgd, momentum=momentum), last)
