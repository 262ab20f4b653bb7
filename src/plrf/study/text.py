"""What the text of a config says otherwise than it looks: traps of YAML 1.1, with their lines.

Snakemake reads JSON, then YAML 1.1, where 020 is 16, 12:30 is 750, ``no`` is false, and the last of
two equal keys counts. A schema sees what came of it; here is what was written.

Imported at every parse of the Snakefile: no scipy here.
"""

import json
import math
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from yaml.constructor import SafeConstructor

from plrf.study.problems import ConfigError

OCTAL = re.compile(r"[-+]?0[0-7_]+")
KINDS = {"bool": "true or false", "int": "a number", "float": "a number", "null": "no value"}
KINDS["timestamp"] = "a date"
# Values of a config with all aliases written out; a large study has some ten thousand.
MOST_VALUES = 10**6


def check_text(content: bytes, name: str) -> None:
    """Refuse a config file that cannot be read, or that is read otherwise than it looks.

    Parameters
    ----------
    content : bytes
        The file's content: JSON or YAML.
    name : str
        Its name, for the message.

    Raises
    ------
    ConfigError
        With one line per problem, in the order of the file's lines: what stands there, how it is
        read, and what to write instead.
    """
    root = _compose(content, name)
    if root is not None and _size(root, {}) > MOST_VALUES:
        text = f"aliases repeat values without end, or more than {MOST_VALUES} times; write fewer"
        _refuse([(1, text)], name)
    _refuse(_problems(root), name)


def _refuse(problems: Iterable[tuple[int, str]], name: str) -> None:
    if lines := sorted(set(problems)):
        raise ConfigError("\n".join(f"{name}, line {line}: {text}" for line, text in lines))


def _compose(content: bytes, name: str) -> yaml.Node | None:
    """Parse a file into nodes, which know their text and their line."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"the byte 0x{content[error.start]:02x}"
        _refuse([(line, f"{byte} is not UTF-8; save the file with the encoding UTF-8")], name)
    if _is_json(text):
        text = text.replace("\t", " ")  # that indent: YAML refuses them, and strings have none
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        _refuse([(line, f"the character {chr(error.character)!a} is not allowed; remove it")], name)
    except yaml.MarkedYAMLError as error:
        hint = "; indent with spaces, not with tabs" if r"'\t'" in str(error.problem) else ""
        line = error.problem_mark.line + 1
        _refuse([(line, f"neither YAML nor JSON: {error.problem}{hint}")], name)
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _children(node: yaml.Node) -> list[yaml.Node]:
    """List the values of a mapping or the items of a sequence."""
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _size(node: yaml.Node, sizes: dict[int, float]) -> float:
    """Count a node and all below it, again for each alias; without end if it contains itself."""
    if id(node) not in sizes:
        sizes[id(node)] = math.inf
        sizes[id(node)] = 1 + sum(_size(child, sizes) for child in _children(node))
    return sizes[id(node)]


def _problems(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Find what is misread, with line numbers, each node once whatever its aliases."""
    new = [node] if node else []
    seen = set()
    while new:
        node = new.pop()
        if id(node) not in seen:
            seen.add(id(node))
            new += _children(node)
            if isinstance(node, yaml.MappingNode):
                yield from _key_problems(node)
            if problem := _misread(node):
                yield node.start_mark.line + 1, problem


def _key_problems(node: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    """Find keys that a mapping already has, and keys that are no text."""
    keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    seen = set()
    for key in keys:
        line = key.start_mark.line + 1
        if key.value in seen:
            yield line, f"{key.value} stands twice; rename or remove one"
        seen.add(key.value)
        if _tag(key) not in ("str", "merge"):
            yield line, f"the key {_in_quotes(key)}"


def _misread(node: yaml.Node) -> str | None:
    """Say how a value is read, if that is not what it looks like."""
    tag = _tag(node)
    if not isinstance(node, yaml.ScalarNode):
        return None if tag in ("map", "seq") else f"the tag {tag} cannot be used here; remove it"
    if tag in ("int", "float"):
        return _misread_number(node, tag)
    if tag in ("str", "null", "merge") or node.value.lower() in ("true", "false"):
        return None
    return _in_quotes(node)


def _misread_number(node: yaml.ScalarNode, tag: str) -> str | None:
    text: str = node.value
    if ":" not in text and not (tag == "int" and OCTAL.fullmatch(text)):
        return None
    number = SafeConstructor().construct_object(node)
    if ":" in text:
        return f'{text} is read as {number}, to the base 60; write that, or "{text}" for a text'
    decimal = int(text.replace("_", ""))
    if decimal == number:
        return None
    return f"{text} is read as octal {number}; write {decimal} or {number}"


def _in_quotes(node: yaml.ScalarNode) -> str:
    kind = KINDS.get(_tag(node), _tag(node))
    text = node.value or "~"
    return f'{text} is read as {kind}; write "{text}" for a text'


def _tag(node: yaml.Node) -> str:
    tag: str = node.tag
    return tag.removeprefix("tag:yaml.org,2002:")


def main(path: str) -> None:
    """Check a configuration file from a command line; what is wrong is told on its way out."""
    if not Path(path).is_file():
        sys.exit(f"There is no configuration file {path}")
    try:
        check_text(Path(path).read_bytes(), path)
    except ConfigError as error:
        sys.exit(f"Configuration refused, nothing was run.\n{error}")


if __name__ == "__main__":
    main(sys.argv[1])
