"""Write config/README.md, the reference of all configuration keys, from the schema.

Not a job of the workflow, because it writes a tracked file: run it by `make readme`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HEAD = """\
# Configuration

`config.yaml` is the default study, `quick.yaml` the same at toy size, and `full.yaml` at the scale
of the paper, for a cluster ([what it takes](../docs/hpc.md#the-papers-scale)); `measured.yaml` only
fits losses of trained models ([how](../docs/measured.md)). Another file than
the default one is run by `make figures CONFIG=my.yaml` or `snakemake --cores N --configfile
my.yaml`, and replaces it.

Sweeps are enough, or any block that needs none, such as `data` or `measured`: a figure whose block
is missing is not drawn, and the block `defaults` says once what sweeps and figures share. This is a
whole study:

```yaml
seed: 1
defaults: {v_over_d: 4, batch: 1, c: 0.5}
sweeps:
  mine:
    points: [[0.9, 0.6]]
    d: [20, 28, 40, 57, 80, 113, 160]
    flops: 1.0e+5
    engines: [volterra]
    windows: [[1.0e+3, 1.0e+4]]
    front: my_front
```

A file is YAML or JSON, in UTF-8, and is checked before any job starts: keys that are not listed
here are refused, and so is what YAML 1.1 reads otherwise than it looks (`020`, `12:30`, `no`).

To change some values only, write them to a second file, `over.yaml`, say `fits: {resamples: 50}`,
and name it after the first: `snakemake --cores N --configfile config/config.yaml over.yaml`. It is
merged over the first, mappings key by key; lists and values replace those that were there. A key of
the first level can be set by `--config seed=3` as well, but nothing below it. Files to be made are
named before `--configfile` or after another option; right after it, they are taken for more
configurations.

This page is made from [the schema](../workflow/schemas/config.schema.yaml) by `make readme`.

| key | value | meaning |
| --- | --- | --- |
"""


def resolve(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Follow the reference of a schema, if it is one; its own entries take precedence."""
    if "$ref" not in schema:
        return schema
    target = root
    for name in schema["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return {**resolve(target, root), **schema}


def allowed(schema: dict[str, Any], root: dict[str, Any]) -> str:
    """What values a key takes, in words."""
    schema = resolve(schema, root)
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kinds = schema.get("type", "any")
    words = [kinds if isinstance(kinds, str) else " or ".join(kinds)]
    if words == ["array"]:
        each = "; ".join(allowed(item, root) for item in schema.get("prefixItems", []))
        items = schema.get("items")
        words = [f"[{each}]" if each else f"list of {allowed(items, root)}" if items else "list"]
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    words += [f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema]
    return ", ".join(words).replace("object", "mapping")


def examples(schema: dict[str, Any]) -> str:
    """Examples of a key, if its schema has some."""
    lines = [
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False).splitlines()[0]
        for value in schema.get("examples", [])
    ]
    return f", as `{'` or `'.join(lines)}`" if lines else ""


def keys(
    schema: dict[str, Any], root: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, str]]:
    """Key, allowed values and meaning of all keys below a schema, depth first."""
    required = schema.get("required", [])
    named = dict(schema.get("properties", {}))
    if isinstance(schema.get("additionalProperties"), dict):
        named["NAME"] = schema["additionalProperties"]
    for name, entry in named.items():
        child = resolve(entry, root)
        own = (*path, name)
        values = allowed(child, root)
        if name not in required and name != "NAME":
            default = child.get("default")
            values += f", default {default}" if default else ", optional"
        yield ".".join(own), values, child.get("description", "") + examples(child)
        yield from keys(child, root, own)


def document(schema: dict[str, Any]) -> str:
    """The whole page, in Markdown."""
    rows = (
        f"| `{key}` | {values} | {meaning} |".replace("\n", " ")
        for key, values, meaning in keys(schema, schema)
    )
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    schema = yaml.safe_load(Path("workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    Path("config/README.md").write_text(document(schema), encoding="utf-8")
