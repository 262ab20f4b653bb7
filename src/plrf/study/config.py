"""The configuration: what it leaves out is completed, and what cannot run is refused.

Imported at every parse of the Snakefile: no scipy here, and the caller reads the files.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from plrf.study.block_checks import BLOCK_CHECKS
from plrf.study.problems import KeyPath, Problem, dotted, refuse
from plrf.study.schema import schema_problems
from plrf.study.sweep_checks import front_name_problems, sweep_problems


def complete(config: Any, schema: Mapping[str, Any]) -> Any:
    """Fill in what a configuration leaves out.

    Keys of its block ``defaults`` are those of each sweep and each block that has a key of this
    name in the schema; other keys have defaults in the schema itself.

    Parameters
    ----------
    config : dict
        The configuration as read from YAML, whatever is wrong with it.
    schema : dict
        ``workflow/schemas/config.schema.yaml`` as read from YAML.

    Returns
    -------
    dict
        A copy without the block ``defaults``.
    """
    if not isinstance(config, dict):
        return config  # the schema says so
    full = copy.deepcopy(config)
    properties = schema["properties"]
    _fill(full, properties)
    defaults = full.pop("defaults", None)
    if isinstance(defaults, dict):
        sweeps = full.get("sweeps")
        of_sweep = schema["$defs"]["sweep"]
        blocks = [(full.get(name), entry) for name, entry in properties.items()]
        blocks += [(x, of_sweep) for x in (sweeps.values() if isinstance(sweeps, dict) else ())]
        for block, entry in blocks:
            if isinstance(block, dict):
                # In the schema's order: Snakemake compares parameters by their text.
                for key in entry.get("properties", {}):
                    if key in defaults:
                        block.setdefault(key, defaults[key])
    for sweep in full["sweeps"].values() if isinstance(full.get("sweeps"), dict) else ():
        if isinstance(sweep, dict):
            _fill(sweep, schema["$defs"]["sweep"]["properties"])
    return full


def validate(config: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a configuration, and check it: by its schema, then what a schema cannot say.

    Parameters
    ----------
    config : dict
        The configuration as read from YAML.
    schema : dict
        ``workflow/schemas/config.schema.yaml`` as read from YAML.

    Returns
    -------
    dict
        The configuration, completed.

    Raises
    ------
    ConfigError
        With one line per problem, sorted by key path: path, value and what is allowed.
    """
    full = complete(config, schema)
    given = config if isinstance(config, dict) else {}
    written = full | {"defaults": given["defaults"]} if "defaults" in given else full
    problems = list(schema_problems(written, schema))
    flawed = {path[:2] for path, _ in problems}
    if flawed.isdisjoint({(), ("sweeps",)}):
        sound = {
            name: sweep for name, sweep in full["sweeps"].items() if ("sweeps", name) not in flawed
        }
        for name, sweep in sound.items():
            problems += sweep_problems(("sweeps", name), sweep)
        problems += front_name_problems(sound)
        for name in full.keys() & BLOCK_CHECKS.keys() - {path[0] for path in flawed}:
            problems += BLOCK_CHECKS[name](full[name], sound, full["sweeps"])
        if not problems:
            problems += _nothing_to_do(full, schema["properties"])
    refuse(_as_written(path, text, config) for path, text in problems)
    accepted: dict[str, Any] = full
    return accepted


def _nothing_to_do(config: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Problem]:
    """Find that no block asks for a result: those without a default do, and sweeps."""
    blocks = [name for name, entry in properties.items() if "default" not in entry]
    blocks.remove("defaults")
    if not config["sweeps"] and config.keys().isdisjoint(blocks):
        rule = f"missing, and there is no other block that asks for results: {', '.join(blocks)}"
        yield ("sweeps",), f": {rule}"


def _fill(block: dict[str, Any], properties: Mapping[str, Any]) -> None:
    """Add the schema's own defaults to a block and the blocks in it."""
    for key, entry in properties.items():
        if "default" in entry:
            block.setdefault(key, copy.deepcopy(entry["default"]))
        if isinstance(block.get(key), dict):
            _fill(block[key], entry.get("properties", {}))
            named = entry.get("additionalProperties") or {}
            for value in (x for x in block[key].values() if isinstance(x, dict)):
                _fill(value, named.get("properties", {}))


def _as_written(path: KeyPath, text: str, config: Any) -> Problem:
    """Name a value where the user wrote it: in the block ``defaults`` if it came from there."""
    if len(path) < 2:
        return path, text
    block = config
    for part in path[:-1]:
        if not (isinstance(block, dict) and part in block):
            return path, text
        block = block[part]
    defaults = config.get("defaults")
    inherited = (
        isinstance(block, dict)
        and isinstance(defaults, dict)
        and path[-1] not in block
        and path[-1] in defaults
    )
    if inherited:
        return ("defaults", path[-1]), f"{text}, in {dotted(path[:-1])}"
    return path, text
