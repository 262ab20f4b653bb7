"""Algorithms that are compared in the block momentum: names, and what `plrf` is asked for them."""

from collections.abc import Mapping
from typing import Any

HEAVY_BALL = "heavy_ball"
ALGORITHMS = ("sgd", HEAVY_BALL, "dana_constant", "dana_decaying")


def training(algorithm: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """Learning-rate constant and momentum of an algorithm.

    A heavy ball that keeps mu moves 1/(1 - mu) times as far as a step: its rate is smaller by that.

    Parameters
    ----------
    algorithm : str
        Of ``ALGORITHMS``.
    block : mapping
        ``c``, ``kept`` (mu of the heavy ball) and ``c3`` (of DANA).

    Returns
    -------
    dict
        c and momentum, for `plrf.compute_optimal`.
    """
    if algorithm == "sgd":
        return {"c": block["c"], "momentum": None}
    if algorithm == HEAVY_BALL:
        kept = block["kept"]
        momentum = {"name": HEAVY_BALL, "momentum": kept}
        return {"c": block["c"] * (1 - kept), "momentum": momentum}
    return {"c": block["c"], "momentum": {"name": algorithm, "c3": block["c3"]}}
