"""Entries of the catalogue: figures, and tables for readers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from plrf.theory.phases import phase_name

Config = Mapping[str, Any]


def nothing(_: Config) -> dict[str, Any]:
    """No parameters."""
    return {}


def pairs(values: Any) -> list[tuple[float, float]]:
    """Points (alpha, beta) of a configuration."""
    return [(alpha, beta) for alpha, beta in values]


def files(folder: str, *names: str) -> dict[str, str]:
    """Tables of a part of the results, by their names."""
    return {name: f"results/{folder}/{name}.parquet" for name in names}


def asks(config: Config, blocks: tuple[str, ...]) -> bool:
    """Whether a configuration has some blocks, none empty; ``a.b`` is the block b within a."""
    for path in blocks:
        block: Any = config
        for name in path.split("."):
            block = block.get(name)
            if not block:
                return False
    return True


@dataclass(frozen=True)
class Figure:
    """A figure of the study.

    Attributes
    ----------
    name : str
        Of its files and, in the report, of the figure.
    script : str
        In ``scripts``; its caption, in ``workflow/report``, has the script's name.
    category : str
        Part of the report.
    blocks : tuple of str
        Parts of the configuration that ask for it: it is drawn where all of them are.
    inputs : mapping
        Tables that it is drawn from, by the name that the script knows them by.
    params : callable
        From the configuration to the script's parameters.
    shown : callable
        From the configuration to the points (alpha, beta) that it shows, for the report; none if it
        shows other tasks.
    """

    name: str
    script: str
    category: str
    blocks: tuple[str, ...]
    inputs: Mapping[str, str]
    params: Callable[[Config], dict[str, Any]]
    shown: Callable[[Config], list[tuple[float, float]]]

    @property
    def stem(self) -> str:
        """Name of its script, under which logs and measurements lie, and of its caption."""
        return self.script.removesuffix(".py")

    @property
    def rule(self) -> str:
        """Name of its rule, which no other rule has whatever a user calls a figure."""
        return self.name if self.name == self.stem else f"{self.stem}_{self.name}"


@dataclass(frozen=True)
class Table:
    """A table for readers, as CSV and Markdown; attributes as for `Figure`, and others.

    Attributes
    ----------
    parts : mapping
        Further inputs by the block that asks for them: it is made from those whose block is there.
    script : str
        In ``scripts``; by default that of the table's name.
    """

    name: str
    blocks: tuple[str, ...]
    inputs: Mapping[str, str]
    params: Callable[[Config], dict[str, Any]]
    category: str = "Tables"
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    script: str = ""

    @property
    def stem(self) -> str:
        """Name of its script and of its caption."""
        return self.script.removesuffix(".py") or self.name

    def files(self, config: Config) -> dict[str, str]:
        """Tables that it is made from, by the name that the script knows them by."""
        asked = [files for block, files in self.parts.items() if block in config]
        return {**self.inputs, **{name: path for part in asked for name, path in part.items()}}


def labels(figure: Figure, config: Config) -> dict[str, str]:
    """Labels of a figure in the report: its name, and the points that it shows."""
    shown = figure.shown(config)
    if not shown:
        return {"figure": figure.name}
    phases = dict.fromkeys(phase_name(alpha, beta) for alpha, beta in shown)
    return {
        "figure": figure.name,
        "alpha": _label([alpha for alpha, _ in shown]),
        "beta": _label([beta for _, beta in shown]),
        "phase": ", ".join(phases),
    }


def _label(values: list[float]) -> str:
    """Values as a label, which must be text: a few in full, many by their range."""
    texts = [f"{value:g}" for value in sorted(set(values))]
    return ", ".join(texts) if len(texts) < 4 else f"{texts[0]} to {texts[-1]}"
