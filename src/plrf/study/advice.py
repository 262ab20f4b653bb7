"""Advice on a configuration before any job: windows whose best sizes a sweep does not have.

Imported at every parse of the Snakefile: no scipy here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from plrf.engines.registry import DRAWN, ENGINES
from plrf.exact.best_sizes import optimal_sizes
from plrf.exact.groups import LEAST_SIZE
from plrf.measure.coverage import Shortage, SizeGrid, shortage
from plrf.study.grid import SETTINGS, engine_sizes, features, point_of, power_laws, run_budgets
from plrf.study.momenta import remembers
from plrf.study.schedules import scheduled
from plrf.study.tasks import task_of
from plrf.theory.phases import phase_name

MOST_POINTS = 9  # of a sweep that are looked at
MOST_LISTED = 8  # sizes in a line
MOST_LINES = 8  # where there is a plan to read as well

Series = tuple[str, ...]  # names of the engines of one series of sizes in fits
Point = tuple[float | None, float | None]  # alpha and beta, none of a spectrum from a file


@dataclass(frozen=True)
class Finding:
    """What a window of a sweep lacks for one series of sizes.

    Attributes
    ----------
    series : tuple of str
        The engines whose sizes are one series in fits.
    sizes : tuple of int
        The smallest and the largest size of the series.
    point : tuple
        Alpha and beta of the worst point.
    affected : int
        Number of points that lack something.
    shortage : Shortage
        Of the worst point.
    """

    series: Series
    sizes: tuple[int, int]
    point: Point
    affected: int
    shortage: Shortage


def advice(config: Mapping[str, Any]) -> Iterator[str]:
    """Say what windows lack, one line for each sweep and window, before anything is computed.

    Parameters
    ----------
    config : dict
        A config that `plrf.study.config.validate` accepts, completed.

    Yields
    ------
    str
        The budgets that fits will drop, why, and which sizes or window would do.
    """
    for name, sweep in config["sweeps"].items():
        # Best sizes are known for a constant rate without momentum.
        known = min(features(sweep, d) - d for d in sweep["d"]) > 0
        known &= not (scheduled(sweep) or remembers(sweep))
        for window in sweep.get("windows", []) if known else []:
            found = [findings(sweep, window, series, config["fits"]) for series in fitted(sweep)]
            told: dict[str, Finding] = {}
            for finding in filter(None, found):
                told.setdefault(sentence(sweep, window, finding), finding)
            # A line is of all engines, unless they have different sizes.
            common = len(told) == 1 and all(found)
            for text, finding in told.items():
                of_engine = "" if common else f" of {finding.series[0]}"
                yield f"sweeps.{name}, window {window[0]:.2g} to {window[1]:.2g}{of_engine} {text}"


def brief(lines: Iterable[str]) -> list[str]:
    """The first lines of advice, and how many there are besides."""
    given = list(lines)
    hidden = len(given) - MOST_LINES
    if hidden <= 0:
        return given
    return [*given[:MOST_LINES], f"{hidden} more windows lack sizes: `make advice` lists all."]


def fitted(sweep: Mapping[str, Any]) -> list[Series]:
    """Series of sizes whose fits are drawn: an engine, and the one that continues it, if any."""
    names = [name for name in DRAWN if name in sweep["engines"]]
    continued = {DRAWN[name].smaller: name for name in names if DRAWN[name].continues(sweep)}
    return [
        (name, continued[name]) if name in continued else (name,)
        for name in names
        if name not in continued.values()
    ]


def size_grid(sweep: Mapping[str, Any], series: Series, alpha: float | None) -> SizeGrid:
    """Sizes of a series at one alpha, with the budgets at which its runs end."""
    sizes = sorted({d for name in series for d in engine_sizes(ENGINES[name], sweep)})
    last = dict.fromkeys(sizes, float(sweep["flops"]))
    if ENGINES[series[0]].runs:
        budgets = run_budgets(sweep, alpha)
        # A size without runs is there for a larger around_optimum: it has its first step only.
        last = {d: budgets.get(d, float(d * sweep["batch"])) for d in sizes}
    return SizeGrid(np.array(list(last), float), np.array(list(last.values())), sweep["batch"])


def points_with_exponents(sweep: Mapping[str, Any]) -> list[Point]:
    """Points of a sweep that are not on the edge; a spectrum from a file may have exponents."""
    if "spectrum" in sweep:
        return [(None, None)]
    return [(a, b) for _, a, b in power_laws(sweep) if phase_name(a, b) != "edge"]


def looked_at(sweep: Mapping[str, Any], most: int = MOST_POINTS) -> list[Point]:
    """Points with exponents; of many, some that are evenly chosen."""
    pairs = points_with_exponents(sweep)
    chosen = np.linspace(0, len(pairs) - 1, min(most, len(pairs))).round().astype(int)
    return [pairs[i] for i in chosen]


def findings(
    sweep: Mapping[str, Any], window: list[float], series: Series, fits: Mapping[str, int]
) -> Finding | None:
    """Look for what a window lacks at the points of a sweep, and keep the worst."""
    settings = {key: sweep[key] for key in SETTINGS}
    settings["highest"] = sweep.get("around_optimum", 1) * sweep["flops"]
    grouped = ENGINES[series[0]].stochastic and not ENGINES[series[0]].samples
    found = []
    for alpha, beta in looked_at(sweep):
        largest = max(sweep["d"])
        task = task_of(point_of(sweep, alpha, beta))
        best = partial(optimal_sizes, task=task, largest=largest, **settings)
        grid = size_grid(sweep, series, alpha)
        lacks = shortage(
            grid,
            window,
            best,
            budgets=fits["isoflop_budgets"],
            neighbours=fits["parabola_neighbours"],
            least_size=LEAST_SIZE if grouped else 1,
            spare=tuple(d for d in sorted(sweep["d"]) if d > grid.sizes[-1]),
        )
        if lacks is not None:
            ends = int(grid.sizes[0]), int(grid.sizes[-1])
            found.append((lacks, ends, (alpha, beta)))
    if not found:
        return None
    worst, ends, point = max(found, key=lambda item: item[0].dropped)
    return Finding(series, ends, point, len(found), worst)


def sentence(sweep: Mapping[str, Any], window: list[float], finding: Finding) -> str:
    """What one window lacks, without the names of sweep and engine."""
    lacks = finding.shortage
    dropped = f"{lacks.dropped} of {lacks.budgets} budgets will be dropped"
    text = f"at {named(sweep, finding.point)}{_others(sweep, finding)}: "
    text += _reason(sweep, window, finding)
    remedies = [" and ".join(_changes(sweep, finding)), _narrowing(window, lacks)]
    return f"{text}: {dropped}; {' or '.join(filter(None, remedies)) or 'take another window'}."


def named(sweep: Mapping[str, Any], point: Point) -> str:
    """A point in words."""
    alpha, beta = point
    return f"({alpha:g}, {beta:g})" if alpha is not None else str(sweep["spectrum"])


def _others(sweep: Mapping[str, Any], finding: Finding) -> str:
    """How many points are affected, if there are several, of those that were looked at."""
    there, looked = len(points_with_exponents(sweep)), len(looked_at(sweep))
    if there == 1:
        return ""
    if there == looked:
        return f", the worst of {finding.affected} of {there} points"
    return f", the worst of {finding.affected} of {looked} points out of {there}"


def _reason(sweep: Mapping[str, Any], window: list[float], finding: Finding) -> str:
    """Why budgets will be dropped."""
    lacks = finding.shortage
    reasons = []
    ends = zip(window, lacks.best, lacks.short, finding.sizes, ("smallest", "largest"), strict=True)
    for flops, best, short, size, which in ends:
        if short:
            beyond = best < size if which == "smallest" else best > size
            limit = _limit(sweep, finding) if which == "largest" else ""
            near = "" if beyond else ", too near to the best"
            reasons.append(
                f"the best size at {flops:.2g} is {best:.0f}, the {which}{limit} is {size}{near}"
            )
    if lacks.ends_early:
        factor = sweep["around_optimum"]
        reasons.append(f"runs of sizes next to the best end, by around_optimum = {factor:g}")
    return ", and ".join(reasons) or "too few sizes"


def _limit(sweep: Mapping[str, Any], finding: Finding) -> str:
    """The key that leaves a series without the sweep's largest size, if one does."""
    return " up to largest_sampled_d" if finding.sizes[1] < max(sweep["d"]) else ""


def _changes(sweep: Mapping[str, Any], finding: Finding) -> list[str]:
    """What would have to be added or raised for all budgets of the window."""
    lacks = finding.shortage
    if any(lacks.short) and not (lacks.below or lacks.above):
        return []  # no sizes would do
    if any(d >= features(sweep, d) for d in lacks.above):
        return []  # nor would those that a spectrum has too few features for
    changes = []
    if lacks.below:
        changes.append(f"add sizes from {lacks.below[0]} on{_listed(lacks.below)}")
    here = [d for d in lacks.above if d in sweep["d"]]
    new = tuple(d for d in lacks.above if d not in sweep["d"])
    if here:
        changes.append(f"raise largest_sampled_d to {here[-1]}{_or_average(sweep, finding)}")
    if new:
        changes.append(f"add sizes up to {new[-1]}{_listed(new)}")
    if lacks.ends_early:
        changes.append(f"raise around_optimum to {lacks.run_factor:g}")
    return changes


def _or_average(sweep: Mapping[str, Any], finding: Finding) -> str:
    """The engine that would take the larger sizes, where it can share two with this one."""
    sampled = engine_sizes(ENGINES[finding.series[0]], sweep)
    names = [name for name, engine in ENGINES.items() if engine.smaller == finding.series[0]]
    return f" (or add {names[0]} to engines)" if names and min(sampled[-2:]) >= LEAST_SIZE else ""


def _listed(sizes: tuple[int, ...]) -> str:
    """Sizes in parentheses, unless they are only the one that was named."""
    shown = [str(d) for d in sizes]
    if len(shown) > MOST_LISTED:
        shown[3:-2] = ["..."]
    return f" ({', '.join(shown)})" if len(shown) > 1 else ""


def _narrowing(window: list[float], lacks: Shortage) -> str:
    """The part of the window that would do, if one would."""
    if lacks.window is None:
        return ""
    low, high = lacks.window
    words = [f"start at {low:.2g}"] if low > window[0] else []
    words += [f"end at {high:.2g}"] if high < window[1] else []
    return " and ".join(words)
