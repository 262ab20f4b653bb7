"""What a schema cannot say of optional blocks: one entry of `BLOCK_CHECKS` for each."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from plrf.engines.registry import DRAWN, ENGINES
from plrf.schedules import schedule_of
from plrf.study.algorithm_checks import (
    algorithms_problems,
    momentum_problems,
    schedules_problems,
)
from plrf.study.atlas_checks import atlas_problems
from plrf.study.data_checks import data_problems
from plrf.study.grid import has_points, points, power_laws
from plrf.study.measured_checks import measured_problems
from plrf.study.momenta import momentum_text, remembers
from plrf.study.problems import KeyPath, Problem, problem, suggestion
from plrf.study.schedules import schedule_text, scheduled
from plrf.study.sweep_checks import edge_problems, repeats
from plrf.study.training_checks import stability_problems
from plrf.theory.phases import TOLERANCE, phase_name

Sweeps = Mapping[str, Mapping[str, Any]]
# From a block, the sweeps that their schema accepts, and the names of all sweeps.
Check = Callable[[Any, Sweeps, Collection[str]], Iterator[Problem]]

# Windows of the traverse, panels of fig16, and points at scale, rows: four could not be read.
MOST_PANELS = 3
# Sizes at which the stability of a learning rate is checked where d is continuous.
EXTREME_SIZES = (12, 10**6)


def _unknown_sweep(path: KeyPath, name: str, names: Collection[str]) -> Iterator[Problem]:
    """Find the name of a sweep that is none."""
    if name not in names:
        yield problem(path, name, f"must be the name of a sweep; {suggestion(name, names)}")


def _without_theory(path: KeyPath, name: str, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what the theory is not for in a sweep of a figure that draws what it says."""
    if sweep["noise"]:
        yield problem(path, name, f"must be a sweep without label noise, noise = {sweep['noise']}")
    if "spectrum" in sweep:
        yield problem(path, name, f"must be a sweep of power laws, not of {sweep['spectrum']}")
    if scheduled(sweep):
        schedule = schedule_text(schedule_of(sweep["schedule"]))
        yield problem(path, name, f"must be a sweep with a constant schedule, not {schedule}")
    if remembers(sweep):
        momentum = momentum_text(sweep["momentum"])
        yield problem(path, name, f"must be a sweep without momentum, not {momentum}")


def _falling(path: KeyPath, budgets: list[float]) -> Iterator[Problem]:
    """Find a range of budgets that is empty."""
    low, high = budgets
    if low >= high:
        yield problem((*path, 1), high, f"must be greater than the lowest budget, {low}")


def _toy_problems(toy: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Check that the toy figure's sweep exists and gives one expected loss curve per d."""
    name, path = toy["sweep"], ("toy_scaling", "sweep")
    yield from _unknown_sweep(path, name, names)
    sweep = sound.get(name)
    if sweep is None or not has_points(sweep):
        return
    yield from _without_theory(path, name, sweep)
    if "volterra" not in sweep["engines"] or len(points(sweep)) > 1:
        rule = "must be a sweep with the engine volterra and exactly one point"
        yield problem(path, name, rule)
    step = max(sweep["d"]) * sweep["batch"]
    if toy["budget"] < step:
        rule = f"must be at least one step of every size of sweep {name}, max(d) * batch = {step}"
        yield problem(("toy_scaling", "budget"), toy["budget"], rule)
    if toy["budget"] > sweep["flops"]:
        rule = f"must be at most the flops of sweep {name}, {sweep['flops']}"
        yield problem(("toy_scaling", "budget"), toy["budget"], rule)


def _plane_problems(plane: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Find ranges that do not rise, no power law at all, and an unstable learning rate."""
    for key in ("alpha", "beta"):
        start, stop = plane[key]["start"], plane[key]["stop"]
        if start >= stop:
            yield problem(("plane", key, "stop"), stop, f"must be greater than start, {start}")
    largest = plane["alpha"]["stop"] + plane["beta"]["stop"]
    if 2 * largest - 1 <= TOLERANCE:
        rule = f"no power law in the whole plane, alpha + beta = {largest:.10g} must exceed 0.5"
        yield problem(("plane", "beta", "stop"), plane["beta"]["stop"], rule)
    # The kernel mass rises with alpha.
    worst = [plane["alpha"]["stop"], plane["beta"]["stop"]]
    sweep = {**plane, "points": [worst], "d": list(EXTREME_SIZES)}
    yield from stability_problems(("plane",), sweep)


def _traverse_problems(name: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Check that the sweep of the traverse figures exists and fits on them."""
    yield from _unknown_sweep(("traverse",), name, names)
    sweep = sound.get(name)
    if sweep is None or not has_points(sweep):
        return
    yield from _without_theory(("traverse",), name, sweep)
    alphas = {alpha for _, alpha, _ in points(sweep)}
    if not 1 <= len(sweep.get("windows", [])) <= MOST_PANELS or len(alphas) > 1:
        rule = f"must be a sweep with one alpha and one to {MOST_PANELS} windows"
        yield problem(("traverse",), name, rule)
    if DRAWN.keys().isdisjoint(sweep["engines"]):
        rule = (
            f"must be a sweep with one of the engines {', '.join(DRAWN)}, whose exponents are drawn"
        )
        yield problem(("traverse",), name, rule)
    if all(2 * (alpha + beta) - 1 <= TOLERANCE for _, alpha, beta in power_laws(sweep)):
        rule = (
            "must be a sweep with a point above the edge 2(alpha + beta) = 1, where exponents are"
        )
        yield problem(("traverse",), name, rule)


def _phase_point_problems(phases: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Find points that are not inside the phase that they stand for."""
    for name, (alpha, beta) in phases.items():
        try:
            found = phase_name(alpha, beta)
        except ValueError:
            found = "no power law"
        if found != name:
            rule = f"must be a point inside phase {name}, it is in: {found} (model section 7)"
            yield problem(("phase_points", name), [alpha, beta], rule)
        elif abs(4 * alpha - 1) <= TOLERANCE:
            rule = "must be off the line 4 alpha = 1, where K_pp is no power law"
            yield problem(("phase_points", name), [alpha, beta], rule)


def _negative_beta_problems(
    figure: Any, sound: Sweeps, names: Collection[str]
) -> Iterator[Problem]:
    """Check that the figure's sweep exists and has SGD and expected losses along one alpha."""
    path: KeyPath = ("negative_beta",)
    yield from repeats((*path, "d"), figure["d"])
    name = figure["sweep"]
    yield from _unknown_sweep((*path, "sweep"), name, names)
    sweep = sound.get(name)
    if sweep is None or not has_points(sweep):
        return
    yield from _without_theory((*path, "sweep"), name, sweep)
    alphas = {alpha for _, alpha, _ in points(sweep)}
    if not {"sgd", "volterra"} <= set(sweep["engines"]) or len(alphas) > 1:
        rule = "must be a sweep with the engines sgd and volterra and exactly one alpha"
        yield problem((*path, "sweep"), name, rule)
    for i, d in enumerate(figure["d"]):
        if d not in sweep["d"]:
            rule = f"must be a size of sweep {name}: {', '.join(map(str, sweep['d']))}"
            yield problem((*path, "d", i), d, rule)
    if min(figure["d"]) > sweep.get("largest_sampled_d", math.inf):
        rule = f"must include a size of sweep {name} at which W is sampled"
        yield problem((*path, "d"), figure["d"], rule)


def _spectra_problems(spectra: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Find points without a power law, and a contour point or learning rate that does not fit."""
    path: KeyPath = ("spectra",)
    yield from repeats((*path, "points"), spectra["points"])
    yield from edge_problems(path, spectra)
    if spectra["contour"] not in spectra["points"]:
        rule = "must be one of spectra.points"
        yield problem((*path, "contour"), spectra["contour"], rule)
    model = {**spectra, "points": [spectra["contour"]], "d": [spectra["d"]], "batch": 1}
    yield from stability_problems(path, model)


def _finite_size_problems(finite: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Find points without exponents, repeated values, and a learning rate that diverges."""
    path: KeyPath = ("finite_size",)
    ratio, traverse, fronts = (finite[key] for key in ("ratio", "traverse", "fronts"))
    yield from repeats((*path, "ratio", "d"), ratio["d"])
    yield from repeats((*path, "traverse", "beta"), traverse["beta"])
    yield from repeats((*path, "traverse", "flops"), traverse["flops"])
    yield from repeats((*path, "fronts", "points"), fronts["points"])
    yield from _falling((*path, "fronts", "flops"), fronts["flops"])
    places: list[tuple[KeyPath, Any]] = [(("ratio", "point"), ratio["point"])]
    places += [
        (("traverse", "beta", i), [traverse["alpha"], beta])
        for i, beta in enumerate(traverse["beta"])
    ]
    places += [(("fronts", "points", i), point) for i, point in enumerate(fronts["points"])]
    for place, (alpha, beta) in places:
        if 2 * alpha + 2 * beta - 1 <= TOLERANCE:
            rule = (
                f"no exponents, 2(alpha + beta) = {2 * (alpha + beta):.10g} must be greater than 1 "
                "(model section 1)"
            )
            yield problem((*path, *place), beta if "beta" in place else [alpha, beta], rule)
    model = {**finite, "points": [point for _, point in places], "d": [*EXTREME_SIZES, *ratio["d"]]}
    yield from stability_problems(path, model)


def _explorer_problems(explorer: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Find repeated values, a budget range that is empty or too low, and an unstable c."""
    for key in ("alpha", "beta", "d"):
        yield from repeats(("explorer", key), explorer[key])
    yield from _falling(("explorer", "flops"), explorer["flops"])
    high = explorer["flops"][1]
    step = max(explorer["d"]) * explorer["batch"]
    if high < step:
        rule = f"less than one step, must be at least max(d) * batch = {step}"
        yield problem(("explorer", "flops", 1), high, rule)
    # The front looks at sizes of its own.
    product = {key: explorer[key] for key in ("alpha", "beta")}
    sizes = [*EXTREME_SIZES, *explorer["d"]]
    yield from stability_problems(("explorer",), {**explorer, "product": product, "d": sizes})


def _scale_problems(name: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Check that the sweep of the figure at scale exists, and has runs and windows to compare."""
    yield from _unknown_sweep(("sgd_at_scale",), name, names)
    sweep = sound.get(name)
    if sweep is None or not has_points(sweep):
        return
    yield from _without_theory(("sgd_at_scale",), name, sweep)
    stochastic = [name for name, engine in ENGINES.items() if engine.stochastic]
    if set(stochastic).isdisjoint(sweep["engines"]):
        rule = f"must be a sweep with one of the engines {', '.join(stochastic)}"
        yield problem(("sgd_at_scale",), name, rule)
    if len(sweep.get("windows", [])) < 2 or len(points(sweep)) > MOST_PANELS:
        rule = f"must be a sweep with at least two windows and at most {MOST_PANELS} points"
        yield problem(("sgd_at_scale",), name, rule)
    if any(2 * (alpha + beta) - 1 <= TOLERANCE for _, alpha, beta in power_laws(sweep)):
        rule = "must be a sweep without points on the edge 2(alpha + beta) = 1, without exponents"
        yield problem(("sgd_at_scale",), name, rule)


BLOCK_CHECKS: dict[str, Check] = {
    "toy_scaling": _toy_problems,
    "plane": _plane_problems,
    "traverse": _traverse_problems,
    "phase_points": _phase_point_problems,
    "negative_beta": _negative_beta_problems,
    "spectra": _spectra_problems,
    "finite_size": _finite_size_problems,
    "explorer": _explorer_problems,
    "sgd_at_scale": _scale_problems,
    "schedules": schedules_problems,
    "algorithms": algorithms_problems,
    "momentum": momentum_problems,
    "atlas": atlas_problems,
    "data": data_problems,
    "measured": measured_problems,
}
