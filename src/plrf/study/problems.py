"""Problems of a configuration: where they are, and how they are told, all at once."""

import difflib
import json
from collections.abc import Iterable

KeyPath = tuple[str | int, ...]
Problem = tuple[KeyPath, str]


class ConfigError(ValueError):
    """A configuration that is refused; the message has one line per problem."""


def problem(path: KeyPath, value: object, rule: str) -> Problem:
    """Say that a value breaks a rule."""
    text = json.dumps(value, default=str, skipkeys=True, ensure_ascii=False)
    return path, f" = {text if len(text) <= 60 else text[:57] + '...'}: {rule}"


def suggestion(key: object, known: Iterable[object]) -> str:
    """Name the known key that an unknown one resembles, or all of them."""
    names = [str(name) for name in known]
    close = difflib.get_close_matches(str(key), names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names) or 'none'}"


def refuse(problems: Iterable[Problem]) -> None:
    """Raise the first problem of each key path, if any, in one ConfigError sorted by path."""
    first: dict[KeyPath, str] = {}
    for path, text in problems:
        first.setdefault(path, text)
    if first:
        raise ConfigError("\n".join(dotted(p) + first[p] for p in sorted(first, key=_order)))


def _order(path: KeyPath) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (-1, str(part)) for part in path]


def dotted(path: KeyPath) -> str:
    """Write a key path as in ``sweeps.front_III.d[2]``, on one line whatever the keys."""
    parts = [f"[{p}]" if isinstance(p, int) else "." + repr(str(p))[1:-1] for p in path]
    return "".join(parts).removeprefix(".") or "config"
