"""What a schema cannot say of the training of a sweep: schedules, momentum, and what diverges."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_DOWN, Context
from itertools import product
from typing import Any

from plrf.engines.registry import EXACT
from plrf.exact import momentum as with_momentum
from plrf.exact.loss import MOST_STEPS
from plrf.exact.modes import single_steps
from plrf.exact.ridge import ConvergenceError, critical_learning_rate
from plrf.scaling import ScalingRule
from plrf.schedules import schedule_of
from plrf.study.grid import (
    features,
    grid_kernel_mass,
    kernel_mass_of,
    last_step,
    point_of,
    points,
    power_laws,
    scaling_rule,
    variances_of,
)
from plrf.study.momenta import momentum_text, remembers, rule_of
from plrf.study.problems import KeyPath, Problem, problem
from plrf.study.schedules import scheduled
from plrf.study.tasks import task_of
from plrf.task import Task
from plrf.training import SGD

Point = tuple[float | None, float | None]

SMALL = 200  # sizes from which on real nodes are right, however close v is


def training_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what the schedule or momentum of a sweep do not go with, and what diverges."""
    yield from _rule_problems(path, sweep)
    if remembers(sweep):
        yield from _momentum_problems(path, sweep)
    else:
        yield from stability_problems(path, sweep)


def _rule_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what neither a schedule nor momentum go with."""
    kinds = {"a schedule": scheduled(sweep), "momentum": remembers(sweep)}
    what = " and ".join(kind for kind, there in kinds.items() if there)
    if not what:
        return
    if "around_optimum" in sweep:
        rule = f"must be left out with {what}: best budgets are those of a constant rate"
        yield problem((*path, "around_optimum"), sweep["around_optimum"], rule)
    if EXACT not in sweep["engines"]:
        return
    yield from feature_problems(path, sweep, f"with the engine {EXACT} and {what}")
    least, most = min(sweep["d"]), with_momentum.MOST_STEPS if remembers(sweep) else MOST_STEPS
    last = last_step(sweep, least, sweep["flops"])
    schedule = schedule_of(sweep["schedule"])
    if single_steps(SGD(1.0, sweep["batch"], schedule, last), last) > most:
        rule = (
            f"{last} steps at d = {least}, at most {most} can be made one by one by the engine "
            f"{EXACT} with this schedule{' and momentum' if remembers(sweep) else ''}"
        )
        yield problem((*path, "flops"), sweep["flops"], rule)


def feature_problems(path: KeyPath, sweep: Mapping[str, Any], where: str) -> Iterator[Problem]:
    """Find sizes that have as many parameters as features."""
    if any(features(sweep, d) == d for d in sweep["d"]):
        key = "spectrum" if "spectrum" in sweep else "v_over_d"
        yield problem((*path, key), sweep[key], f"v must exceed every d {where}")


def _momentum_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find sizes without a kernel mass, a rule that a task does not set, and one that diverges.

    Masses rise or fall all along alpha, beta and d, but for some thousandths: they are looked at
    where these are least and largest; and wherever v may be too close to d for real nodes.
    """
    if any(features(sweep, d) == d for d in sweep["d"]):
        yield from feature_problems(path, sweep, "with momentum")
        return
    close = [d for d in sweep["d"] if d < SMALL and features(sweep, d) < 2 * d]
    places = dict.fromkeys(product(_outer_points(sweep), (min(sweep["d"]), max(sweep["d"]))))
    places |= dict.fromkeys(product([(a, b) for _, a, b in points(sweep)], close))
    masses: dict[tuple[Point, int], float] = {}
    for pair, d in places:
        try:
            masses[pair, d] = kernel_mass_of(sweep, point_of(sweep, *pair), d)
        except ValueError as error:  # of a rule with defaults that are those of power laws
            yield problem((*path, "momentum"), sweep["momentum"], str(error))
            return
        except ConvergenceError as error:
            rule = f"v is too close to d = {d} with momentum: {error}"
            key = "spectrum" if "spectrum" in sweep else "v_over_d"
            yield problem((*path, key), sweep[key], rule)
            return
    limits = {
        place: _critical_c_with_momentum(sweep, point_of(sweep, *place[0]), place[1])
        for place, mass in masses.items()
        if mass >= 1
    }
    if limits:
        (alpha, _), d = worst = min(limits, key=lambda place: limits[place])
        what = f"SGD with {momentum_text(sweep['momentum'])}"
        yield _diverges(path, sweep, what, masses[worst], limits[worst], (alpha, d), 14)


def _outer_points(sweep: Mapping[str, Any]) -> list[Point]:
    """Points with the least and the largest alpha and, there, beta; all of a spectrum."""
    laws = [(alpha, beta) for _, alpha, beta in power_laws(sweep)]
    if not laws:
        return [(None, None)]
    ends = [choose(alpha for alpha, _ in laws) for choose in (min, max)]
    betas = {end: [beta for alpha, beta in laws if alpha == end] for end in ends}
    return [(end, choose(betas[end])) for end in ends for choose in (min, max)]


def stability_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find a learning rate at which the expected loss diverges for some point and d.

    Where a constant rate is stable, each step of a schedule is: no factor of the rate exceeds 1,
    and where the batch B grows, gamma B stays and the kernel mass falls (section 10).
    """
    tasks = {alpha: variances_of(point_of(sweep, alpha, beta)) for _, alpha, beta in points(sweep)}
    scaling = scaling_rule(sweep)
    masses = {
        (alpha, d): grid_kernel_mass(scaling, task, d)
        for alpha, task in tasks.items()
        for d in sweep["d"]
    }
    unstable = [place for place, mass in masses.items() if mass >= 1]
    if unstable:
        limits = {(alpha, d): _critical_c(scaling, tasks[alpha], d) for alpha, d in unstable}
        worst = min(limits, key=lambda place: (limits[place], place))
        yield _diverges(path, sweep, "SGD", masses[worst], limits[worst], worst, 3)


def _diverges(
    path: KeyPath,
    sweep: Mapping[str, Any],
    what: str,
    mass: float,
    limit: float,
    place: tuple[float | None, int],
    section: int,
) -> Problem:
    """Say that a training diverges at an alpha and d, and below which c it does not."""
    alpha, d = place
    where = f"d = {d}" if alpha is None else f"alpha = {alpha}, d = {d}"
    rounded = Context(prec=3, rounding=ROUND_DOWN).create_decimal(limit)
    return problem(
        (*path, "c"),
        sweep["c"],
        f"{what} diverges, kernel mass |K| = {mass:.3g} at {where}; "
        f"allowed: c < {rounded} (model section {section})",
    )


def _critical_c(scaling: ScalingRule, task: Task, d: int) -> float:
    """The constant of the learning rate at the threshold of a size."""
    model = scaling.whole_model(task, d)
    unit = replace(scaling, c=1.0).training(model)
    return critical_learning_rate(model, unit.batch) / unit.learning_rate


def _critical_c_with_momentum(sweep: Mapping[str, Any], point: Mapping[str, Any], d: int) -> float:
    """The same with momentum, at one point."""
    scaling = scaling_rule(sweep)
    model = scaling.whole_model(task_of(point), d)
    sgd = replace(
        scaling.training(model), momentum=rule_of(sweep["momentum"], model, sweep["batch"])
    )
    last = last_step(sweep, d, sweep["flops"])
    limit = with_momentum.critical_learning_rate(model, sgd, last)
    return float(sweep["c"] * limit / sgd.learning_rate)
