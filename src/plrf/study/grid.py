"""The grid: one row per (sweep, alpha, beta, d).

Imported at every parse of the Snakefile: no scipy here.
"""

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pandas as pd

from plrf.exact.ridge import kernel_mass
from plrf.model import learning_rate
from plrf.study.problems import KeyPath
from plrf.study.schemas.grid import GRID
from plrf.theory.phases import phase_name

RUN_ENGINES = ("sgd", "recursion")


def expand(config: Mapping[str, Any]) -> pd.DataFrame:
    """Expand the sweeps to the grid.

    Parameters
    ----------
    config : dict
        A config that `plrf.study.config.validate` accepts, completed.

    Returns
    -------
    DataFrame
        One row per (sweep, alpha, beta, d) in the config's order, with the columns and dtypes of
        `plrf.study.schemas.grid.GRID`.
    """
    rows = [row for name, sweep in config["sweeps"].items() for row in _rows(name, sweep)]
    dtypes = GRID.empty_table().to_pandas().dtypes
    return pd.DataFrame(rows, columns=GRID.names).astype(dtypes.to_dict())


def _rows(name: str, sweep: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make the rows of one sweep, which depend on nothing outside it."""
    batch, c, engines = sweep["batch"], sweep["c"], sweep["engines"]
    for _, alpha, beta in points(sweep):
        for d in sweep["d"]:
            v = features(sweep, d)
            simulated = needs_runs(sweep) and d <= sweep.get("largest_simulated_d", d)
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
                "kernel_mass": grid_kernel_mass(c, alpha, d, v, batch),
                "flops": sweep["flops"],
                "steps": math.ceil(sweep["flops"] / (d * batch)),
                "simulated_steps": math.ceil(simulated_flops / (d * batch)) if simulated else 0,
                "runs": sweep["runs"] if simulated else 0,
                "sgd": simulated and "sgd" in engines,
                "recursion": simulated and "recursion" in engines,
                "volterra": "volterra" in engines,
                "phase": phase_name(alpha, beta),
            }


def points(sweep: Mapping[str, Any]) -> list[tuple[KeyPath, float, float]]:
    """List the (alpha, beta) of a sweep, each with the key path to name in an error about it."""
    if "points" in sweep:
        return [(("points", i), a, b) for i, (a, b) in enumerate(sweep["points"])]
    product = sweep["product"]
    return [
        (("product", "beta", i), alpha, beta)
        for alpha in product["alpha"]
        for i, beta in enumerate(product["beta"])
    ]


def has_points(sweep: Mapping[str, Any]) -> bool:
    """Whether a sweep says its points in one way."""
    return ("points" in sweep) != ("product" in sweep)


def features(sweep: Mapping[str, Any], d: int) -> int:
    """Number of features v of a size."""
    v_over_d: float = sweep["v_over_d"]
    return round(v_over_d * d)


def needs_runs(sweep: Mapping[str, Any]) -> bool:
    """Whether one of the engines makes runs."""
    return not set(RUN_ENGINES).isdisjoint(sweep["engines"])


@cache
def grid_kernel_mass(c: float, alpha: float, d: int, v: int, batch: int) -> float:
    """Kernel mass of a size, remembered: rows and checks share it."""
    return kernel_mass(alpha, d, v, learning_rate(c, alpha, v, batch), batch)
