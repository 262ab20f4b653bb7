"""From the config's sweeps to the grid: one row per (sweep, alpha, beta, d).

A config is refused before any job starts if it breaks its JSON Schema or what a schema cannot
say: the edge of the power law (model section 1), the stability of SGD (model section 3), budgets.

Imported at every parse of the Snakefile: no scipy here, and the caller reads the files.
"""

import difflib
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import ROUND_DOWN, Context
from functools import cache
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from plrf.model import learning_rate
from plrf.resolvent import critical_learning_rate, kernel_mass
from plrf.tables import GRID
from plrf.theory import TOLERANCE, phase_name

KeyPath = tuple[str | int, ...]
Problem = tuple[KeyPath, str]

RUN_ENGINES = ("sgd", "recursion")
# Figures with a name of their own, and the part of the config that they draw.
FIXED_FIGURES = {
    "fig01_toy_scaling": "toy_scaling",
    "fig02_phase_diagram": "phase_points",
    "fig04_exponents": "plane",
    "fig05_finite_size": "finite_size",
    "fig06_spectra": "spectra",
    "fig07_contour": "spectra",
    "fig08_xi_exponents": "plane",
    "fig16_window_sensitivity": "traverse",
    "fig17_negative_beta": "negative_beta",
}
# Windows of the traverse: each is a panel of fig16, and four in a row could not be read.
MOST_PANELS = 3
# Sizes at which the stability of a learning rate is checked where d is continuous.
EXTREME_SIZES = (12, 10**6)

TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "number": "a finite number",
    "integer": "a whole number",
}
RULES = {
    "type": "must be {}",
    "enum": "must be one of {}",
    "pattern": "must be a valid name",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be greater than {}",
    "exclusiveMaximum": "must be less than {}",
    "minItems": "must have at least {} item(s)",
    "maxItems": "must have at most {} item(s)",
    "minProperties": "must have at least {} item(s)",
}


class ConfigError(ValueError):
    """A config or grid that is refused; the message has one line per problem."""


def validate_config(config: dict[str, Any], schema: dict[str, Any]) -> None:
    """Check a config against its schema, then what a schema cannot say.

    Parameters
    ----------
    config : dict
        The config as read from YAML.
    schema : dict
        ``workflow/schemas/config.schema.yaml`` as read from YAML.

    Raises
    ------
    ConfigError
        With one line per problem, sorted by key path: path, value and what is allowed.
    """
    problems = list(_schema_problems(config, Validator(schema)))
    flawed = {path[:2] for path, _ in problems}
    if flawed.isdisjoint({(), ("sweeps",)}):
        sweeps = {
            name: sweep
            for name, sweep in config["sweeps"].items()
            if ("sweeps", name) not in flawed
        }
        for name, sweep in sweeps.items():
            problems += _sweep_problems(("sweeps", name), sweep)
        problems += _front_name_problems(sweeps)
        sound = config.keys() - {path[0] for path in flawed}
        if "toy_scaling" in sound:
            problems += _toy_problems(config["toy_scaling"], sweeps, config["sweeps"])
        if "plane" in sound:
            problems += _plane_problems(config["plane"])
        if "traverse" in sound:
            problems += _traverse_problems(config["traverse"], sweeps, config["sweeps"])
        if "phase_points" in sound:
            problems += _phase_point_problems(config["phase_points"])
        if "negative_beta" in sound:
            problems += _negative_beta_problems(config["negative_beta"], sweeps, config["sweeps"])
        if "spectra" in sound:
            problems += _spectra_problems(config["spectra"])
        if "finite_size" in sound:
            problems += _finite_size_problems(config["finite_size"])
        if "explorer" in sound:
            problems += _explorer_problems(config["explorer"])
    _refuse(problems)


def validate_grid(grid: pd.DataFrame, schema: dict[str, Any]) -> None:
    """Check each row of the grid against the row schema.

    Parameters
    ----------
    grid : DataFrame
        The result of `expand`.
    schema : dict
        ``workflow/schemas/grid.schema.yaml`` as read from YAML.

    Raises
    ------
    ConfigError
        With one line per problem, which names the row and the column.
    """
    validator = Validator(schema)
    rows = enumerate(grid.to_dict("records"))
    _refuse(p for i, row in rows for p in _schema_problems(row, validator, ("grid", i)))


def expand(config: Mapping[str, Any]) -> pd.DataFrame:
    """Expand the sweeps to the grid.

    Parameters
    ----------
    config : dict
        A config that `validate_config` accepts.

    Returns
    -------
    DataFrame
        One row per (sweep, alpha, beta, d) in the config's order, with the columns and dtypes of
        ``plrf.tables.GRID``; ``workflow/schemas/grid.schema.yaml`` describes them.
    """
    rows = [row for name, sweep in config["sweeps"].items() for row in _rows(name, sweep)]
    dtypes = GRID.empty_table().to_pandas().dtypes
    return pd.DataFrame(rows, columns=GRID.names).astype(dtypes.to_dict())


def _rows(name: str, sweep: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make the rows of one sweep, which depend on nothing outside it."""
    batch, c, engines = sweep["batch"], sweep["c"], sweep["engines"]
    for _, alpha, beta in _points(sweep):
        for d in sweep["d"]:
            v = _features(sweep, d)
            simulated = _needs_runs(sweep) and d <= sweep.get("largest_simulated_d", d)
            simulated_flops = sweep.get("simulated_flops", sweep["flops"])
            yield {
                "sweep": name,
                "alpha": alpha,
                "beta": beta,
                "d": d,
                "v": v,
                "batch": batch,
                "c": c,
                "learning_rate": learning_rate(c, alpha, v, batch),
                "kernel_mass": _kernel_mass(c, alpha, d, v, batch),
                "flops": sweep["flops"],
                "steps": math.ceil(sweep["flops"] / (d * batch)),
                "simulated_steps": math.ceil(simulated_flops / (d * batch)) if simulated else 0,
                "runs": sweep["runs"] if simulated else 0,
                "sgd": simulated and "sgd" in engines,
                "recursion": simulated and "recursion" in engines,
                "volterra": "volterra" in engines,
                "phase": phase_name(alpha, beta),
            }


def _points(sweep: Mapping[str, Any]) -> list[tuple[KeyPath, float, float]]:
    """List the (alpha, beta) of a sweep, each with the key path to name in an error about it."""
    if "points" in sweep:
        return [(("points", i), a, b) for i, (a, b) in enumerate(sweep["points"])]
    product = sweep["product"]
    return [
        (("product", "beta", i), alpha, beta)
        for alpha in product["alpha"]
        for i, beta in enumerate(product["beta"])
    ]


def _has_points(sweep: Mapping[str, Any]) -> bool:
    return ("points" in sweep) != ("product" in sweep)


def _features(sweep: Mapping[str, Any], d: int) -> int:
    v_over_d: float = sweep["v_over_d"]
    return round(v_over_d * d)


def _needs_runs(sweep: Mapping[str, Any]) -> bool:
    return not set(RUN_ENGINES).isdisjoint(sweep["engines"])


@cache
def _kernel_mass(c: float, alpha: float, d: int, v: int, batch: int) -> float:
    return kernel_mass(alpha, d, v, learning_rate(c, alpha, v, batch), batch)


# What a schema says


def _is_number(_: object, value: object) -> bool:
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


def _is_integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema by default takes NaN for a number and 200.0 for an integer.
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


def _schema_problems(
    instance: object, validator: Draft202012Validator, root: KeyPath = ()
) -> Iterator[Problem]:
    """Find violations of the validator's schema; ``root`` is the instance's own path."""
    for error in validator.iter_errors(instance):
        path = (*root, *error.absolute_path)
        properties = error.schema.get("properties", {})
        if error.validator == "additionalProperties":
            for key in error.instance.keys() - properties.keys():
                yield (*path, key), f": unknown key; {_suggestion(key, properties)}"
        elif error.validator == "required":
            for key in set(error.validator_value) - error.instance.keys():
                yield (*path, key), f": missing{_meaning(properties[key])}"
        elif "propertyNames" in error.absolute_schema_path:
            yield (*path, error.instance), f": the key {_rule(error)}"
        else:
            yield _problem(path, error.instance, _rule(error))


def _rule(error: ValidationError) -> str:
    """Say what is allowed where ``error`` occurred."""
    allowed, hint = error.validator_value, ""
    if error.validator == "type":
        hint = _spelling_hint(error.instance, allowed)
        allowed = TYPE_NAMES[allowed]
    elif error.validator == "enum":
        allowed = ", ".join(allowed)
    return RULES[error.validator].format(allowed) + hint + _meaning(error.schema)


def _spelling_hint(value: object, expected: str) -> str:
    """Say how to write a number that YAML did not read as one: it takes ``1e6`` for text."""
    try:
        number = float(value) if isinstance(value, str | float) else math.nan
    except ValueError:
        return ""
    if expected == "integer" and number.is_integer():
        return f", write {int(number)}"
    if expected == "number" and math.isfinite(number):
        return f", write {np.format_float_scientific(number, trim='0', exp_digits=1)}"
    return ""


def _meaning(schema: Mapping[str, Any]) -> str:
    return f" ({schema['description']})" if "description" in schema else ""


# What a schema cannot say


def _sweep_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the problems of a sweep that its schema accepts."""
    if not _has_points(sweep):
        yield path, ": must have either points or product"
        return
    for key in ("points", "d", "engines", "windows"):
        yield from _repeats((*path, key), sweep.get(key, []))
    for key, values in sweep.get("product", {}).items():
        yield from _repeats((*path, "product", key), values)
    if _needs_runs(sweep) and "runs" not in sweep:
        yield (*path, "runs"), f": missing, the engines {' and '.join(RUN_ENGINES)} need it"
    yield from _size_problems(path, sweep)
    yield from _edge_problems(path, sweep)
    yield from _stability_problems(path, sweep)
    yield from _budget_problems(path, sweep)
    if "front" in sweep and ("windows" not in sweep or len(_points(sweep)) > 1):
        rule = "a front figure needs windows and exactly one point"
        yield _problem((*path, "front"), sweep["front"], rule)
    elif "front" in sweep and set(sweep["engines"]) == {"recursion"}:
        rule = "a front figure draws the engines sgd and volterra, and needs one of them"
        yield _problem((*path, "front"), sweep["front"], rule)
    if "windows" in sweep and _needs_runs(sweep) and sweep.get("runs") == 1:
        rule = "must be at least 2 with windows, where the spread of runs gives the errors"
        yield _problem((*path, "runs"), 1, rule)


def _repeats(path: KeyPath, values: list[Any]) -> Iterator[Problem]:
    """Find values that a list has already had."""
    first: dict[Any, int] = {}
    for i, value in enumerate(values):
        j = first.setdefault(tuple(value) if isinstance(value, list) else value, i)
        if j < i:
            yield _problem((*path, i), value, f"must be unique, but it repeats item [{j}]")


def _size_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find limits of the simulations that leave the run engines, or a size, without work."""
    limits = [key for key in ("largest_simulated_d", "simulated_flops") if key in sweep]
    if not _needs_runs(sweep):
        rule = f"has no effect without the engines {' and '.join(RUN_ENGINES)}"
        yield from (_problem((*path, key), sweep[key], rule) for key in limits)
        return
    sizes = sweep["d"]
    limit = sweep.get("largest_simulated_d", max(sizes))
    if limit < min(sizes):
        rule = f"must be at least the smallest d, {min(sizes)}"
        yield _problem((*path, "largest_simulated_d"), limit, rule)
        return
    if limit < max(sizes) and "volterra" not in sweep["engines"]:
        rule = f"no engine is left for d = {max(sizes)}: add volterra to engines or raise the limit"
        yield _problem((*path, "largest_simulated_d"), limit, rule)
    budget = sweep.get("simulated_flops", sweep["flops"])
    if "simulated_flops" in sweep and not budget <= sweep["flops"]:
        rule = f"must be at most flops = {sweep['flops']}"
        yield _problem((*path, "simulated_flops"), budget, rule)
    step = max(d for d in sizes if d <= limit) * sweep["batch"]
    if "simulated_flops" in sweep and budget < step:
        rule = f"less than one step of the largest simulated d, must be at least {step}"
        yield _problem((*path, "simulated_flops"), budget, rule)


def _edge_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find points below the edge 2(alpha + beta) = 1, where the loss has no power law.

    The smallest alpha comes first: in a product it is the one that limits beta.
    """
    for point, alpha, beta in sorted(_points(sweep), key=itemgetter(1)):
        if 2 * alpha + 2 * beta - 1 < -TOLERANCE:
            yield _problem(
                (*path, *point),
                [alpha, beta] if "points" in sweep else beta,
                f"no power law, 2(alpha + beta) = {2 * (alpha + beta):.10g} must be at least 1; "
                f"allowed at alpha = {alpha}: beta >= {0.5 - alpha:.10g} (model section 1)",
            )


def _stability_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find a learning rate at which the expected loss diverges for some point and d."""
    c, batch = sweep["c"], sweep["batch"]
    alphas = dict.fromkeys(alpha for _, alpha, _ in _points(sweep))
    places = [(alpha, d, _features(sweep, d), batch) for alpha in alphas for d in sweep["d"]]
    unstable = [place for place in places if _kernel_mass(c, *place) >= 1]
    if unstable:
        critical, worst = min((_critical_c(*place), place) for place in unstable)
        limit = Context(prec=3, rounding=ROUND_DOWN).create_decimal(critical)
        yield _problem(
            (*path, "c"),
            c,
            f"SGD diverges, kernel mass |K| = {_kernel_mass(c, *worst):.3g} at alpha = {worst[0]}, "
            f"d = {worst[1]}; allowed: c < {limit} (model section 3)",
        )


def _critical_c(alpha: float, d: int, v: int, batch: int) -> float:
    return critical_learning_rate(alpha, d, v, batch) / learning_rate(1.0, alpha, v, batch)


def _budget_problems(path: KeyPath, sweep: Mapping[str, Any]) -> Iterator[Problem]:
    """Find a budget below one step, and a window that is empty or exceeds the budget."""
    flops, step = sweep["flops"], max(sweep["d"]) * sweep["batch"]
    if flops < step:
        rule = f"less than one step, must be at least max(d) * batch = {step}"
        yield _problem((*path, "flops"), flops, rule)
    for i, (low, high) in enumerate(sweep.get("windows", [])):
        if low >= high:
            rule = f"must be greater than the window's lower end, {low}"
            yield _problem((*path, "windows", i, 1), high, rule)
        if high > flops:
            yield _problem((*path, "windows", i, 1), high, f"must be at most flops = {flops}")


def _front_name_problems(sweeps: Mapping[str, Any]) -> Iterator[Problem]:
    """Find front figures that would overwrite another figure."""
    taken = dict(FIXED_FIGURES)
    for name, sweep in sweeps.items():
        if "front" in sweep:
            owner = taken.setdefault(sweep["front"], f"sweeps.{name}")
            if owner != f"sweeps.{name}":
                rule = f"must be unique, but it is also the figure of {owner}"
                yield _problem(("sweeps", name, "front"), sweep["front"], rule)


def _toy_problems(
    toy: Mapping[str, Any], sound: Mapping[str, Any], names: Collection[str]
) -> Iterator[Problem]:
    """Check that the toy figure's sweep exists and gives one expected loss curve per d."""
    name, path = toy["sweep"], ("toy_scaling", "sweep")
    if name not in names:
        yield _problem(path, name, f"must be the name of a sweep; {_suggestion(name, names)}")
    sweep = sound.get(name)
    if sweep is None or not _has_points(sweep):
        return
    if "volterra" not in sweep["engines"] or len(_points(sweep)) > 1:
        rule = "must be a sweep with the engine volterra and exactly one point"
        yield _problem(path, name, rule)
    step = max(sweep["d"]) * sweep["batch"]
    if toy["budget"] < step:
        rule = f"must be at least one step of every size of sweep {name}, max(d) * batch = {step}"
        yield _problem(("toy_scaling", "budget"), toy["budget"], rule)
    if toy["budget"] > sweep["flops"]:
        rule = f"must be at most the flops of sweep {name}, {sweep['flops']}"
        yield _problem(("toy_scaling", "budget"), toy["budget"], rule)


def _plane_problems(plane: Mapping[str, Any]) -> Iterator[Problem]:
    """Find ranges that do not rise, and a learning rate at which the expected loss diverges."""
    for key in ("alpha", "beta"):
        start, stop = plane[key]["start"], plane[key]["stop"]
        if start >= stop:
            yield _problem(("plane", key, "stop"), stop, f"must be greater than start, {start}")
    # The kernel mass rises with alpha.
    worst = [plane["alpha"]["stop"], plane["beta"]["stop"]]
    sweep = {**plane, "points": [worst], "d": list(EXTREME_SIZES)}
    yield from _stability_problems(("plane",), sweep)


def _traverse_problems(
    name: str, sound: Mapping[str, Any], names: Collection[str]
) -> Iterator[Problem]:
    """Check that the sweep of the traverse figures exists and fits on them."""
    if name not in names:
        rule = f"must be the name of a sweep; {_suggestion(name, names)}"
        yield _problem(("traverse",), name, rule)
    sweep = sound.get(name)
    if sweep is None or not _has_points(sweep):
        return
    alphas = {alpha for _, alpha, _ in _points(sweep)}
    if not 1 <= len(sweep.get("windows", [])) <= MOST_PANELS or len(alphas) > 1:
        rule = f"must be a sweep with one alpha and one to {MOST_PANELS} windows"
        yield _problem(("traverse",), name, rule)


def _phase_point_problems(points: Mapping[str, Any]) -> Iterator[Problem]:
    """Find points that are not inside the phase that they stand for."""
    for name, (alpha, beta) in points.items():
        try:
            found = phase_name(alpha, beta)
        except ValueError:
            found = "no power law"
        if found != name:
            rule = f"must be a point inside phase {name}, it is in: {found} (model section 7)"
            yield _problem(("phase_points", name), [alpha, beta], rule)
        elif abs(4 * alpha - 1) <= TOLERANCE:
            rule = "must be off the line 4 alpha = 1, where K_pp is no power law"
            yield _problem(("phase_points", name), [alpha, beta], rule)


def _negative_beta_problems(
    figure: Mapping[str, Any], sound: Mapping[str, Any], names: Collection[str]
) -> Iterator[Problem]:
    """Check that the figure's sweep exists and has SGD and expected losses along one alpha."""
    path: KeyPath = ("negative_beta",)
    yield from _repeats((*path, "d"), figure["d"])
    name = figure["sweep"]
    if name not in names:
        rule = f"must be the name of a sweep; {_suggestion(name, names)}"
        yield _problem((*path, "sweep"), name, rule)
    sweep = sound.get(name)
    if sweep is None or not _has_points(sweep):
        return
    alphas = {alpha for _, alpha, _ in _points(sweep)}
    if not {"sgd", "volterra"} <= set(sweep["engines"]) or len(alphas) > 1:
        rule = "must be a sweep with the engines sgd and volterra and exactly one alpha"
        yield _problem((*path, "sweep"), name, rule)
    for i, d in enumerate(figure["d"]):
        if d not in sweep["d"]:
            rule = f"must be a size of sweep {name}: {', '.join(map(str, sweep['d']))}"
            yield _problem((*path, "d", i), d, rule)
    if min(figure["d"]) > sweep.get("largest_simulated_d", math.inf):
        rule = f"must include a size that sweep {name} simulates"
        yield _problem((*path, "d"), figure["d"], rule)


def _spectra_problems(spectra: Mapping[str, Any]) -> Iterator[Problem]:
    """Find points without a power law, and a contour point or learning rate that does not fit."""
    path: KeyPath = ("spectra",)
    yield from _repeats((*path, "points"), spectra["points"])
    yield from _edge_problems(path, spectra)
    if spectra["contour"] not in spectra["points"]:
        rule = "must be one of spectra.points"
        yield _problem((*path, "contour"), spectra["contour"], rule)
    model = {**spectra, "points": [spectra["contour"]], "d": [spectra["d"]], "batch": 1}
    yield from _stability_problems(path, model)


def _finite_size_problems(finite: Mapping[str, Any]) -> Iterator[Problem]:
    """Find points without exponents, repeated values, and a learning rate that diverges."""
    path: KeyPath = ("finite_size",)
    ratio, traverse, fronts = (finite[key] for key in ("ratio", "traverse", "fronts"))
    yield from _repeats((*path, "ratio", "d"), ratio["d"])
    yield from _repeats((*path, "traverse", "beta"), traverse["beta"])
    yield from _repeats((*path, "traverse", "flops"), traverse["flops"])
    yield from _repeats((*path, "fronts", "points"), fronts["points"])
    low, high = fronts["flops"]
    if low >= high:
        rule = f"must be greater than the lowest budget, {low}"
        yield _problem((*path, "fronts", "flops", 1), high, rule)
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
            yield _problem((*path, *place), beta if "beta" in place else [alpha, beta], rule)
    points = [point for _, point in places]
    model = {**finite, "points": points, "d": [*EXTREME_SIZES, *ratio["d"]]}
    yield from _stability_problems(path, model)


def _explorer_problems(explorer: Mapping[str, Any]) -> Iterator[Problem]:
    """Find repeated values, a budget range that is empty or too low, and an unstable c."""
    for key in ("alpha", "beta", "d"):
        yield from _repeats(("explorer", key), explorer[key])
    low, high = explorer["flops"]
    if low >= high:
        rule = f"must be greater than the lowest budget, {low}"
        yield _problem(("explorer", "flops", 1), high, rule)
    step = max(explorer["d"]) * explorer["batch"]
    if high < step:
        rule = f"less than one step, must be at least max(d) * batch = {step}"
        yield _problem(("explorer", "flops", 1), high, rule)
    # The front looks at sizes of its own.
    product = {key: explorer[key] for key in ("alpha", "beta")}
    sizes = [*EXTREME_SIZES, *explorer["d"]]
    yield from _stability_problems(("explorer",), {**explorer, "product": product, "d": sizes})


# Messages


def _problem(path: KeyPath, value: object, rule: str) -> Problem:
    text = json.dumps(value, default=str, skipkeys=True, ensure_ascii=False)
    return path, f" = {text if len(text) <= 60 else text[:57] + '...'}: {rule}"


def _suggestion(key: object, known: Iterable[object]) -> str:
    names = [str(name) for name in known]
    close = difflib.get_close_matches(str(key), names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"


def _refuse(problems: Iterable[Problem]) -> None:
    """Raise the first problem of each key path, if any, in one ConfigError sorted by path."""
    first: dict[KeyPath, str] = {}
    for path, text in problems:
        first.setdefault(path, text)
    if first:
        raise ConfigError("\n".join(_dotted(p) + first[p] for p in sorted(first, key=_order)))


def _order(path: KeyPath) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (-1, str(part)) for part in path]


def _dotted(path: KeyPath) -> str:
    """Write a key path as in ``sweeps.front_III.d[2]``, on one line whatever the keys."""
    parts = [f"[{p}]" if isinstance(p, int) else "." + repr(str(p))[1:-1] for p in path]
    return "".join(parts).removeprefix(".") or "config"
