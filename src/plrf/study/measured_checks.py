"""What a schema cannot say of tables of measured losses: their files, columns and values."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from plrf.files import FileError, read_file
from plrf.fitting.runs import RunsError, read_runs
from plrf.study.measured import measured_figures
from plrf.study.problems import KeyPath, Problem, problem, suggestion

COLUMNS = ("parameters", "samples", "flops", "loss", "seed", "group")
OPTIONS = ("flops_per_parameter_and_sample", "flops_factor")
BIAS = "_bias"  # how the name of a second table for readers ends


def measured_problems(
    block: Any, sound: Mapping[str, Any], names: Collection[str]
) -> Iterator[Problem]:
    """Find files that cannot be read, columns that are missing, and values that are wrong."""
    for name, entry in block.items():
        path: KeyPath = ("measured", name)
        if name.endswith(BIAS) and name.removesuffix(BIAS) in block:
            yield path, f": must be another name, since {name.removesuffix(BIAS)} is one as well"
        if "samples" not in entry and "flops" not in entry:
            yield path, ": must have samples or flops, or both"
        else:
            yield from _file_problems(path, entry)
    drawn = [figure.name for figure in measured_figures({"measured": block})]
    for name, sweep in sound.items():
        if sweep.get("front") in drawn:
            rule = "must be unique, but it is also a figure of measured"
            yield problem(("sweeps", name, "front"), sweep["front"], rule)


def _file_problems(path: KeyPath, entry: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what is wrong in the file of a table: first the columns, then their values."""
    if set("{}") & set(entry["file"]):
        yield problem((*path, "file"), entry["file"], "must have no braces, wildcards of rules")
        return
    try:
        table = read_file(entry["file"])
    except FileError as error:
        yield (*path, "file"), f": {error}"
        return
    columns = {key: entry[key] for key in COLUMNS if key in entry}
    owners: dict[str, str] = {}
    wrong = []
    for key, name in columns.items():
        owner = owners.setdefault(name, key)
        if name not in table:
            rule = f"must be a column of {entry['file']}; {suggestion(name, table)}"
            wrong.append(problem((*path, key), name, rule))
        elif owner != key:
            wrong.append(problem((*path, key), name, f"must be another column than {owner}"))
    yield from wrong
    if not wrong:
        try:
            runs = read_runs(table, **columns, **{key: entry[key] for key in OPTIONS})
        except RunsError as error:
            yield (*path, "file"), f" = {entry['file']}: {error}"
            return
        if entry.get("fixed_e", 0) >= (least := runs["loss"].min()):
            rule = f"must be below all losses, of which the least is {least:g}"
            yield problem((*path, "fixed_e"), entry["fixed_e"], rule)
