"""What a schema cannot say of the block of the atlas."""

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

from plrf.study.problems import KeyPath, Problem, problem
from plrf.study.sweep_checks import repeats
from plrf.study.training_checks import stability_problems
from plrf.theory.phases import TOLERANCE

Sweeps = Mapping[str, Mapping[str, Any]]

LEAST_RANGE, LEAST_WINDOW = 100, 10  # highest budget over lowest, of fronts and of experiments
EXTREME_SIZES = (12, 10**6)  # at which the stability of a learning rate is checked
PATH: KeyPath = ("atlas",)


def atlas_problems(block: Any, sound: Sweeps, names: Collection[str]) -> Iterator[Problem]:
    """Find points without exponents, what repeats or does not rise, and rates that diverge."""
    varied = block["hyperparameters"]
    for path, points in (
        (("points",), block["points"]),
        (
            ("hyperparameters", "points"),
            varied["points"],
        ),
    ):
        yield from repeats((*PATH, *path), points)
        yield from _without_exponents((*PATH, *path), points)
    yield from _not_rising((*PATH, "flops"), block["flops"])
    yield from _too_narrow((*PATH, "flops"), block["flops"], LEAST_RANGE)
    window = block["measured"]["window"]
    yield from _not_rising((*PATH, "measured", "window"), window)
    yield from _too_narrow((*PATH, "measured", "window"), window, LEAST_WINDOW)
    for key in ("flops", "flops_of_best_c"):
        yield from _not_rising((*PATH, "hyperparameters", key), varied[key])
    for key in ("c", "batch", "v_over_d"):
        yield from repeats((*PATH, "hyperparameters", key), varied[key])
    yield from repeats((*PATH, "measured", "sizes"), block["measured"]["sizes"])
    if block["budgets"] % 2 == 0:
        yield problem((*PATH, "budgets"), block["budgets"], "must be odd")
    for name in ("plane", "measured", "critical"):
        yield from _empty_plane((*PATH, name), block[name])
    # The kernel mass rises with alpha.
    planes = block["plane"], block["measured"]
    corner = [max(plane[key]["stop"] for plane in planes) for key in ("alpha", "beta")]
    worst = {**block, "points": [*block["points"], corner], "d": list(EXTREME_SIZES)}
    yield from stability_problems(PATH, worst)


def _without_exponents(path: KeyPath, points: list[list[float]]) -> Iterator[Problem]:
    """Find points on the edge 2(alpha + beta) = 1 and below it."""
    for i, (alpha, beta) in enumerate(points):
        if 2 * alpha + 2 * beta - 1 <= TOLERANCE:
            rule = "no exponents, 2(alpha + beta) must be greater than 1 (model section 1)"
            yield problem((*path, i), [alpha, beta], rule)


def _not_rising(path: KeyPath, budgets: list[float]) -> Iterator[Problem]:
    """Find budgets that are not above those before them."""
    for i, (before, value) in enumerate(pairwise(budgets), 1):
        if value <= before:
            rule = f"must be greater than the budget before it, {before}"
            yield problem((*path, i), value, rule)


def _too_narrow(path: KeyPath, budgets: list[float], least: float) -> Iterator[Problem]:
    """Find a highest budget that is above the lowest, but too close to it."""
    low, high = budgets
    if low < high < least * low:
        rule = f"must be at least {least} times the lowest budget, {low}"
        yield problem((*path, 1), high, rule)


def _empty_plane(path: KeyPath, plane: Mapping[str, Any]) -> Iterator[Problem]:
    """Find ranges that do not rise, and a plane without a power law."""
    for key in ("alpha", "beta"):
        start, stop = plane[key]["start"], plane[key]["stop"]
        if start >= stop:
            yield problem((*path, key, "stop"), stop, f"must be greater than start, {start}")
    largest = plane["alpha"]["stop"] + plane["beta"]["stop"]
    if 2 * largest - 1 <= TOLERANCE:
        rule = f"no power law in the whole plane, alpha + beta = {largest:.10g} must exceed 0.5"
        yield problem((*path, "beta", "stop"), plane["beta"]["stop"], rule)
