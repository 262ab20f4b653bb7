"""What a schema cannot say of the blocks of training algorithms."""

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

from plrf.engines.registry import ENGINES, EXACT
from plrf.schedules import schedule_of
from plrf.study.grid import has_points, power_laws
from plrf.study.momenta import momentum_text, remembers
from plrf.study.problems import KeyPath, Problem, problem, suggestion
from plrf.study.sweep_checks import edge_problems, repeats
from plrf.study.training_checks import stability_problems
from plrf.theory.phases import TOLERANCE

Sweeps = Mapping[str, Mapping[str, Any]]

MOST_POINTS = 3  # columns of the figures
EXTREME_SIZES = (12, 10**6)  # at which the stability of a learning rate is checked


def schedules_problems(block: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Check that the sweeps of the figure exist, can be compared, and have what it draws."""
    stochastic = [name for name, engine in ENGINES.items() if engine.stochastic]
    of_schedule: dict[Any, str] = {}
    first: list[tuple[float, float]] = []
    yield from repeats(("schedules", "sweeps"), block["sweeps"])
    for i, name in enumerate(block["sweeps"]):
        path: KeyPath = ("schedules", "sweeps", i)
        if name not in names:
            yield problem(path, name, f"must be the name of a sweep; {suggestion(name, names)}")
        sweep = sound.get(name)
        if sweep is None or not has_points(sweep):
            continue
        if "spectrum" in sweep:
            yield problem(path, name, f"must be a sweep of power laws, not of {sweep['spectrum']}")
            continue
        if remembers(sweep):
            momentum = momentum_text(sweep["momentum"])
            yield problem(path, name, f"must be a sweep without momentum, not {momentum}")
        here = [(alpha, beta) for _, alpha, beta in power_laws(sweep)]
        first = first or here
        if here != first or len(here) > MOST_POINTS:
            rule = (
                f"must have the points of the first sweep, in the same order, at most {MOST_POINTS}"
            )
            yield problem(path, name, rule)
        if any(2 * (alpha + beta) - 1 <= TOLERANCE for alpha, beta in here):
            rule = "must be a sweep without points on the edge 2(alpha + beta) = 1"
            yield problem(path, name, rule)
        if EXACT not in sweep["engines"] or set(stochastic).isdisjoint(sweep["engines"]):
            rule = f"must be a sweep with {EXACT} and one of the engines {', '.join(stochastic)}"
            yield problem(path, name, rule)
        if "windows" not in sweep:
            yield problem(path, name, "must be a sweep with windows, for its exponents")
        if block["d"] not in sweep["d"]:
            rule = f"must be a size of sweep {name}, one of {', '.join(map(str, sweep['d']))}"
            yield problem(("schedules", "d"), block["d"], rule)
        other = of_schedule.setdefault(schedule_of(sweep["schedule"]), name)
        if other != name:
            yield problem(path, name, f"must have another schedule than sweep {other}")


def algorithms_problems(block: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Find points without exponents, repeated values, and a learning rate that diverges."""
    path: KeyPath = ("algorithms",)
    yield from repeats((*path, "points"), block["points"])
    yield from edge_problems(path, block)
    for i, (alpha, beta) in enumerate(block["points"]):
        if abs(2 * alpha + 2 * beta - 1) <= TOLERANCE:
            rule = "no exponents on the edge 2(alpha + beta) = 1 (model section 1)"
            yield problem((*path, "points", i), [alpha, beta], rule)
    yield from repeats((*path, "best_schedules", "flops"), block["best_schedules"]["flops"])
    for key in ("flops", "critical_flops"):
        yield from repeats((*path, "batches", key), block["batches"][key])
    yield from repeats((*path, "label_noise", "variances"), block["label_noise"]["variances"])
    low, high = block["label_noise"]["flops"]
    if low >= high:
        rule = f"must be greater than the lowest budget, {low}"
        yield problem((*path, "label_noise", "flops", 1), high, rule)
    yield from stability_problems(path, {**block, "batch": 1, "d": list(EXTREME_SIZES)})


def momentum_problems(block: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Find repeated or falling values, points without exponents, and rates that diverge.

    Whether momentum diverges is known only where its modes are: fronts say so themselves.
    """
    path: KeyPath = ("momentum",)
    plane = block["plane"]
    yield from repeats((*path, "points"), block["points"])
    for i, (alpha, beta) in enumerate(block["points"]):
        if 2 * alpha + 2 * beta - 1 <= TOLERANCE:
            rule = "no exponents, 2(alpha + beta) must be greater than 1 (model section 1)"
            yield problem((*path, "points", i), [alpha, beta], rule)
    for place, values in (("flops",), block["flops"]), (("plane", "flops"), plane["flops"]):
        for i, (before, value) in enumerate(pairwise(values), 1):
            if value <= before:
                rule = f"must be greater than the budget before it, {before}"
                yield problem((*path, *place, i), value, rule)
    for key in ("alpha", "beta"):
        start, stop = plane[key]["start"], plane[key]["stop"]
        if start >= stop:
            rule = f"must be greater than start, {start}"
            yield problem((*path, "plane", key, "stop"), stop, rule)
    last, runs = block["curves"]["steps"], block["curves"]["run_steps"]
    if runs > last:
        rule = f"must be at most the steps of the expected losses, {last}"
        yield problem((*path, "curves", "run_steps"), runs, rule)
    yield from stability_problems(path, {**block, "d": list(EXTREME_SIZES)})
