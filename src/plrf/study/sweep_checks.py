"""What a schema cannot say of a sweep: the edge of the power law, sizes, budgets, names."""

import math
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

from plrf.engines.registry import DRAWN, ENGINES, WITH_RUNS
from plrf.exact.groups import LEAST_SIZE
from plrf.study.catalogue import FIGURES
from plrf.study.grid import (
    engine_sizes,
    features,
    has_points,
    needs_runs,
    points,
    power_laws,
    run_budgets,
)
from plrf.study.problems import KeyPath, Problem, problem
from plrf.study.tasks import SpectrumError
from plrf.study.training_checks import feature_problems, training_problems
from plrf.theory.phases import TOLERANCE

# Budgets of a narrower window could not be told apart.
NARROWEST_WINDOW = 1.01


def sweep_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the problems of a sweep that its schema accepts."""
    if not has_points(sweep):
        yield path, ": must have points, product or spectrum, and one of them only"
        return
    if "spectrum" in sweep:
        unread = list(_spectrum_problems(path, sweep))
        yield from unread
        if unread:
            return
    for key in ("points", "d", "engines", "windows"):
        yield from repeats((*path, key), sweep.get(key, []))
    for key, values in sweep.get("product", {}).items():
        yield from repeats((*path, "product", key), values)
    if needs_runs(sweep) and "runs" not in sweep:
        yield (*path, "runs"), f": missing, the engines {', '.join(WITH_RUNS)} need it"
    first = [
        *_size_problems(path, sweep),
        *_group_problems(path, sweep),
        *training_problems(path, sweep),
        *edge_problems(path, sweep),
        *_budget_problems(path, sweep),
    ]
    yield from first or _run_problems(path, sweep)
    if "front" in sweep and ("windows" not in sweep or len(points(sweep)) > 1):
        rule = "a front figure needs windows and exactly one point"
        yield problem((*path, "front"), sweep["front"], rule)
    elif "front" in sweep and DRAWN.keys().isdisjoint(sweep["engines"]):
        rule = f"a front figure draws the engines {', '.join(DRAWN)}, and needs one of them"
        yield problem((*path, "front"), sweep["front"], rule)
    if "windows" in sweep and needs_runs(sweep) and sweep.get("runs") == 1:
        rule = "must be at least 2 with windows, where the spread of runs gives the errors"
        yield problem((*path, "runs"), 1, rule)


def _spectrum_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find a file that gives no spectrum, or too few features for a size."""
    try:
        v = features(sweep, 1)
    except SpectrumError as error:
        yield (*path, "spectrum"), f": {error}"
        return
    for i, d in enumerate(sweep["d"]):
        if d > v:
            rule = f"must be at most the number of rows of {sweep['spectrum']}, {v}"
            yield problem((*path, "d", i), d, rule)


def repeats(path: KeyPath, values: list[Any]) -> Iterator[Problem]:
    """Find values that a list has already had."""
    first: dict[Any, int] = {}
    for i, value in enumerate(values):
        j = first.setdefault(tuple(value) if isinstance(value, list) else value, i)
        if j < i:
            yield problem((*path, i), value, f"must be unique, but it repeats item [{j}]")


def _size_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find limits of the simulations that leave engines, or a size, without work."""
    sampling = [name for name, engine in ENGINES.items() if engine.samples]
    without = {"largest_sampled_d": sampling, "around_optimum": list(WITH_RUNS)}
    for key in without.keys() & sweep.keys():
        if set(without[key]).isdisjoint(sweep["engines"]):
            rule = f"has no effect without the engines {', '.join(without[key])}"
            yield problem((*path, key), sweep[key], rule)
    if "around_optimum" in sweep and sweep["v_over_d"] == 1 and "spectrum" not in sweep:
        yield problem((*path, "v_over_d"), 1, "must exceed 1 with around_optimum")
    sizes, limit = sweep["d"], sweep.get("largest_sampled_d", math.inf)
    if limit < min(sizes):
        rule = f"must be at least the smallest d, {min(sizes)}"
        yield problem((*path, "largest_sampled_d"), limit, rule)
    elif limit < max(sizes) and set(sampling) >= set(sweep["engines"]):
        others = " or ".join(name for name in ENGINES if name not in sampling)
        rule = f"no engine is left for d = {max(sizes)}: add {others} to engines or raise the limit"
        yield problem((*path, "largest_sampled_d"), limit, rule)


def _group_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find sizes at which a spectrum cannot be grouped with W averaged out."""
    for engine in (engine for name, engine in ENGINES.items() if name in sweep["engines"]):
        if engine.samples or not engine.stochastic:
            continue
        yield from feature_problems(path, sweep, f"with the engine {engine.name}")
        if min(sweep["d"]) > sweep.get("largest_sampled_d", math.inf):
            return
        small = [d for d in engine_sizes(engine, sweep) if d < LEAST_SIZE]
        if small and engine.continues(sweep):
            rule = (
                f"must leave the two largest sizes up to it, of at least {LEAST_SIZE}, to both "
                f"{engine.smaller} and {engine.name}; they are {', '.join(map(str, small))}"
            )
            limit = sweep.get("largest_sampled_d", max(sweep["d"]))
            yield problem((*path, "largest_sampled_d"), limit, rule)
        elif small:
            rule = f"must be at least {LEAST_SIZE} with the engine {engine.name}"
            for d in small:
                yield problem((*path, "d", sweep["d"].index(d)), d, rule)


def _run_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find an engine that around_optimum leaves without any run at some alpha."""
    if "around_optimum" not in sweep:
        return
    for alpha in dict.fromkeys(alpha for _, alpha, _ in points(sweep)):
        budgets = run_budgets(sweep, alpha)
        for engine in (engine for name, engine in WITH_RUNS.items() if name in sweep["engines"]):
            if budgets.keys().isdisjoint(engine_sizes(engine, sweep)):
                where = "" if alpha is None else f" at alpha = {alpha}"
                rule = (
                    f"leaves the engine {engine.name} without a run{where}: none of "
                    f"its sizes is best below around_optimum * flops; raise either or add sizes"
                )
                yield problem((*path, "around_optimum"), sweep["around_optimum"], rule)


def edge_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find points below the edge 2(alpha + beta) = 1, where the loss has no power law.

    The smallest alpha comes first: in a product it is the one that limits beta.
    """
    for point, alpha, beta in sorted(power_laws(sweep), key=itemgetter(1)):
        if 2 * alpha + 2 * beta - 1 < -TOLERANCE:
            yield problem(
                (*path, *point),
                [alpha, beta] if "points" in sweep else beta,
                f"no power law, 2(alpha + beta) = {2 * (alpha + beta):.10g} must be at least 1; "
                f"allowed at alpha = {alpha}: beta >= {0.5 - alpha:.10g} (model section 1)",
            )


def _budget_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find a budget below one step, and a window that is empty or exceeds the budget."""
    flops, step = sweep["flops"], max(sweep["d"]) * sweep["batch"]
    if flops < step:
        rule = f"less than one step, must be at least max(d) * batch = {step}"
        yield problem((*path, "flops"), flops, rule)
    for i, (low, high) in enumerate(sweep.get("windows", [])):
        if high < NARROWEST_WINDOW * low:
            rule = f"must be at least {NARROWEST_WINDOW} times the window's lower end, {low}"
            yield problem((*path, "windows", i, 1), high, rule)
        if high > flops:
            yield problem((*path, "windows", i, 1), high, f"must be at most flops = {flops}")


def front_name_problems(sweeps: Mapping[str, Any]) -> Iterator[Problem]:
    """Find front figures that would overwrite another figure."""
    taken = {figure.name: " and ".join(figure.blocks) for figure in FIGURES}
    for name, sweep in sweeps.items():
        if "front" in sweep:
            owner = taken.setdefault(sweep["front"], f"sweeps.{name}")
            if owner != f"sweeps.{name}":
                rule = f"must be unique, but it is also the figure of {owner}"
                yield problem(("sweeps", name, "front"), sweep["front"], rule)
