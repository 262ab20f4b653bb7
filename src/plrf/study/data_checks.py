"""What a schema cannot say of the block of real data."""

import math
from collections.abc import Collection, Iterator, Mapping
from os.path import abspath
from typing import Any

from plrf.data.sets import SETS
from plrf.study.problems import KeyPath, Problem, problem, suggestion
from plrf.study.sweep_checks import repeats

PATH: KeyPath = ("data",)


def data_problems(
    block: Any, sound: Mapping[str, Any], names: Collection[str]
) -> Iterator[Problem]:
    """Find unknown sets, files that are not there, empty windows, and repeated values."""
    yield from repeats((*PATH, "sets"), block["sets"])
    for i, name in enumerate(block["sets"]):
        if unknown := _unknown(name, block):
            yield problem((*PATH, "sets", i), name, unknown)
    for name, source in block["files"].items():
        yield from _file_problems(name, source)
    yield from repeats((*PATH, "windows"), block["windows"])
    for i, (low, high) in enumerate(block["windows"]):
        if low >= high:
            rule = f"must be greater than the lowest rank, {low}"
            yield problem((*PATH, "windows", i, 1), high, rule)
    made = {abspath(f"results/data/{name}/spectrum.parquet") for name in block["sets"]}
    for name, sweep in sound.items():
        if abspath(sweep.get("spectrum", "")) in made:
            rule = "must be a copy elsewhere: jobs are planned before this configuration makes it"
            yield problem(("sweeps", name, "spectrum"), sweep["spectrum"], rule)
    if "training" in block:
        yield from _training_problems((*PATH, "training"), block)


def _unknown(name: str, block: Mapping[str, Any]) -> str:
    """What the name of a set must be, if it is none."""
    known = [*SETS, *block["files"]]
    if name in known:
        return ""
    return f"must be the name of a data set or of files; {suggestion(name, known)}"


def _training_problems(path: KeyPath, block: Mapping[str, Any]) -> Iterator[Problem]:
    """Find unknown sets, sizes beyond the features of ours, and repeated values."""
    yield from repeats((*path, "c"), block["training"]["c"])
    for name, sizes in block["training"]["sizes"].items():
        place = (*path, "sizes", name)
        if unknown := _unknown(name, block):
            yield place, f": {unknown}"
        yield from repeats(place, sizes)
        features = _features(name, block)
        for i, d in enumerate(sizes):
            if d > features:
                rule = f"must be at most {features}, the features of {name}"
                yield problem((*place, i), d, rule)


def _features(name: str, block: Mapping[str, Any]) -> float:
    """Number of features of a set; infinite if it is not known."""
    if name in SETS:
        return SETS[name].features
    try:
        return _samples(block["files"][name])
    except (KeyError, OSError, TypeError, ValueError):
        return math.inf  # told elsewhere


def _samples(source: Mapping[str, str]) -> int:
    """Number of features in a user's files; samples themselves are not read."""
    from plrf.data.batches import samples_of  # where there are files only

    return len(samples_of(source["samples"], target=source["target"]).features)


def _file_problems(name: str, source: Mapping[str, str]) -> Iterator[Problem]:
    """Find files that are missing, or whose columns are none or too few."""
    from plrf.data.windows import LEAST_RANKS

    if name in SETS:
        rule = f"must be another name than that of a set of scikit-learn, {', '.join(SETS)}"
        yield problem((*PATH, "files", name), dict(source), rule)
    place = (*PATH, "files", name, "samples")
    try:
        if _samples(source) < LEAST_RANKS:
            rule = f"must have at least {LEAST_RANKS} features, for exponents"
            yield problem(place, source["samples"], rule)
    except (OSError, TypeError, ValueError) as error:
        yield problem(place, source["samples"], str(error))
