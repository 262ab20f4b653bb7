"""Figures of the atlas, as entries of the catalogue."""

from typing import Any

from plrf.study.entries import Config, Figure, files, pairs


def _convergence(config: Config) -> dict[str, Any]:
    return {key: config["atlas"][key] for key in ("points", "tolerance")}


def _horizon(config: Config) -> dict[str, Any]:
    return {key: config["atlas"][key] for key in ("tolerance", "flops")}


def _experiment(config: Config) -> dict[str, Any]:
    measured = config["atlas"]["measured"]
    return {"window": measured["window"], "sizes": measured["sizes"][0]}


def _atlas(name: str, params: Any, *more: str) -> Figure:
    return Figure(
        f"atlas_{name}",
        f"atlas_{name}.py",
        "Atlas",
        ("atlas",),
        files("atlas", name, *more),
        params,
        lambda config: pairs(config["atlas"]["points"]),
    )


ATLAS_FIGURES = (
    _atlas("convergence", _convergence),
    _atlas("horizon", _horizon),
    _atlas("measured", _experiment),
    _atlas("hyperparameters", lambda config: {}, "critical"),
)
"""In the order in which they are told of."""
