"""The grid: one row per (sweep, alpha, beta, d, engine).

Imported at every parse of the Snakefile: no scipy here.
"""

import math
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

import pandas as pd

from plrf.engines.registry import ENGINES, WITH_RUNS, Engine
from plrf.exact.best_sizes import optimal_budgets
from plrf.exact.ridge import kernel_mass
from plrf.model import power_law_model
from plrf.scaling import learning_rate
from plrf.schedules import schedule_of
from plrf.study.problems import KeyPath
from plrf.study.schedules import schedule_text
from plrf.study.schemas.grid import GRID
from plrf.theory.phases import phase_name
from plrf.training import SGD, steps_of

SETTINGS = ("v_over_d", "c", "batch", "noise")
"""Keys of a sweep that set its exact front."""


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
    return pd.concat([sweep_grid(*item) for item in config["sweeps"].items()], ignore_index=True)


def sweep_grid(name: str, sweep: Mapping[str, Any]) -> pd.DataFrame:
    """Expand one sweep, completed; see `expand`."""
    dtypes = GRID.empty_table().to_pandas().dtypes
    return pd.DataFrame(list(_rows(name, sweep)), columns=GRID.names).astype(dtypes.to_dict())


def _rows(name: str, sweep: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make the rows of one sweep, which depend on nothing outside it."""
    batch, c, schedule = sweep["batch"], sweep["c"], schedule_of(sweep["schedule"])
    asked = [
        (engine, set(engine_sizes(engine, sweep)))
        for engine in ENGINES.values()
        if engine.name in sweep["engines"]
    ]
    budgets = {alpha: run_budgets(sweep, alpha) for alpha in {a for _, a, _ in points(sweep)}}
    for (_, alpha, beta), d in product(points(sweep), sweep["d"]):
        v = features(sweep, d)
        size = {
            "sweep": name,
            "alpha": alpha,
            "beta": beta,
            "d": d,
            "v": v,
            "batch": batch,
            "c": c,
            "noise": sweep["noise"],
            "schedule": schedule_text(schedule),
            "learning_rate": learning_rate(c, alpha, v, batch),
            "kernel_mass": grid_kernel_mass(c, alpha, d, v, batch),
            "phase": phase_name(alpha, beta),
        }
        for engine, sizes in asked:
            runs, flops = 0, sweep["flops"]
            if engine.runs:
                if d not in sizes or d not in budgets[alpha]:
                    continue
                runs, flops = sweep["runs"], budgets[alpha][d]
            steps = steps_of(schedule, math.ceil(flops / (d * batch)))
            yield {**size, "engine": engine.name, "flops": flops, "steps": steps, "runs": runs}


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


def run_budgets(sweep: Mapping[str, Any], alpha: float) -> dict[int, float]:
    """Budgets in flops of the runs of each size; sizes without one are left out.

    Runs matter around the budget at which their size is best. All betas of an alpha share one
    budget, as they share W. It is rounded to two digits, which last bits hardly ever change.
    """
    flops, factor = sweep["flops"], sweep.get("around_optimum")
    if factor is None:
        return dict.fromkeys(sweep["d"], flops)
    settings = {key: sweep[key] for key in SETTINGS} | {"highest": factor * flops}
    betas = [beta for _, a, beta in points(sweep) if a == alpha]
    best = [optimal_budgets(sweep["d"], alpha=alpha, beta=beta, **settings) for beta in betas]
    budgets = {}
    for d, *of_betas in zip(sweep["d"], *best, strict=True):
        # Where there is no best budget, all of the sweep's may matter.
        near = [budget for budget in of_betas if not budget > factor * flops]
        if near:
            last = max(flops if math.isnan(budget) else factor * budget for budget in near)
            budgets[d] = min(flops, max(float(f"{last:.2g}"), d * sweep["batch"]))
    return budgets


def points(sweep: Mapping[str, Any]) -> list[tuple[KeyPath, float, float]]:
    """List the (alpha, beta) of a sweep, each with the key path to name in an error about it."""
    if "points" in sweep:
        return [(("points", i), a, b) for i, (a, b) in enumerate(sweep["points"])]
    alphas, betas = (sweep["product"][key] for key in ("alpha", "beta"))
    return [
        (("product", "beta", i), alpha, beta) for alpha in alphas for i, beta in enumerate(betas)
    ]


def has_points(sweep: Mapping[str, Any]) -> bool:
    """Whether a sweep says its points in one way."""
    return ("points" in sweep) != ("product" in sweep)


def features(sweep: Mapping[str, Any], d: int) -> int:
    """Number of features v of a size."""
    v_over_d: float = sweep["v_over_d"]
    return round(v_over_d * d)


def needs_runs(sweep: Mapping[str, Any]) -> bool:
    """Whether one of the engines makes runs that differ."""
    return not WITH_RUNS.keys().isdisjoint(sweep["engines"])


@cache
def grid_kernel_mass(c: float, alpha: float, d: int, v: int, batch: int) -> float:
    """Kernel mass of a size, remembered: rows and checks share it."""
    model = power_law_model(alpha, 0.0, d, v)  # whatever the target is
    return kernel_mass(model, SGD(learning_rate(c, alpha, v, batch), batch))
