"""The data sets of the page: points, loss curves, ranges of the largest term, and fronts."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from plrf.draw.explorer.texts import cautions, failures, summary
from plrf.statuses import NO_POWER_LAW

LOSS = "loss P"
TERMS = {"F_pp": "f_pp", "F_ac": "f_ac", "K_pp": "k_pp", "F_0": "f_0"}
VISIBLE = 0.01  # terms smaller than this part of the loss are not drawn


def page_data(
    points: pd.DataFrame, losses: pd.DataFrame, fronts: pd.DataFrame
) -> dict[str, list[dict[str, Any]]]:
    """Rows of the page's data sets; those of curves and fronts hold lists.

    Parameters
    ----------
    points, losses, fronts : DataFrame
        Of the EXPLORER schemas.

    Returns
    -------
    dict
        ``points`` and ``fronts``, a row per point; ``curves``, a row per point and size;
        ``dominating``, a row per range of compute. Numbers have five digits, enough for the
        screen; None is no number.

    Raises
    ------
    KeyError
        If a point has no losses or no front.
    """
    data: dict[str, list[dict[str, Any]]]
    data = {"points": [], "curves": [], "dominating": [], "fronts": []}
    front_of = dict(iter(fronts.groupby(["alpha", "beta"])))
    losses_of = dict(iter(losses.groupby(["alpha", "beta"])))
    for row in points.itertuples(index=False):
        at = {"alpha": row.alpha, "beta": row.beta}
        front, curves = front_of[row.alpha, row.beta], losses_of[row.alpha, row.beta]
        found = front[front["status"] == "ok"]
        failed = failures(front, curves)
        said = {"summary": summary(row, found), "note": " ".join([*cautions(row), *failed])}
        data["points"].append({**at, **_point_values(row), **said, "failed": len(failed) > 0})
        data["fronts"].append({**at, **_front_values(found, row.eta)})
        for d, curve in curves.groupby("d"):
            optimal = _number(_optimal_budget(found, d))
            data["curves"].append({**at, "d": d, **_curve_values(curve), "optimal": optimal})
            data["dominating"] += [{**at, "d": d, **piece} for piece in _largest_terms(curve)]
    return data


def _number(value: float) -> float | None:
    return float(f"{value:.4e}") if math.isfinite(value) else None


def _numbers(values: ArrayLike) -> list[float | None]:
    return [_number(value) for value in np.asarray(values, float)]


def _point_values(row: Any) -> dict[str, Any]:
    """Theory at a point, and how it is marked in the phase diagram."""
    kind = "on a boundary" if "/" in row.phase else "in a phase"
    kind = {NO_POWER_LAW: NO_POWER_LAW, "edge": "on the edge"}.get(row.status, kind)
    return {"phase": row.phase, "kind": kind, "eta": _number(row.eta), "xi": _number(row.xi)}


def _front_values(found: pd.DataFrame, eta: float) -> dict[str, list[float | None]]:
    """The front of one point, with theory's power law through its last budget."""
    values = {name: _numbers(found[name]) for name in ("flops", "d_opt", "loss_opt", "eta", "xi")}
    for name in ("eta", "xi"):
        error = found[f"{name}_error"]
        values[f"{name}_error"] = _numbers(error)
        values[f"{name}_low"] = _numbers(found[name] - error)
        values[f"{name}_high"] = _numbers(found[name] + error)
    flops, loss = found["flops"].to_numpy(), found["loss_opt"].to_numpy()
    values["law"] = _numbers(loss[-1:] * (flops / flops[-1:]) ** -eta)
    return values


def _optimal_budget(found: pd.DataFrame, d: int) -> float:
    """Compute at which a size is the optimal one; NaN if the front does not reach it."""
    if found.empty:
        return math.nan
    sizes, budgets = np.log(found[["d_opt", "flops"]].to_numpy()).T
    return math.exp(np.interp(math.log(d), sizes, budgets, math.nan, math.nan))


def _curve_values(curve: pd.DataFrame) -> dict[str, Any]:
    """One loss curve and its visible parts."""
    terms = {
        name: _numbers(curve[column].where(curve[column] >= VISIBLE * curve["loss"]))
        for name, column in TERMS.items()
    }
    return {
        "flops": _numbers(curve["flops"]),
        "step": _numbers(curve["step"]),
        LOSS: _numbers(curve["loss"]),
        **terms,
        "error": _number(curve["error"].max()),
        "status": "ok" if (curve["status"] == "ok").all() else "inaccurate or diverged",
    }


def _largest_terms(curve: pd.DataFrame) -> list[dict[str, Any]]:
    """Ranges of compute in which one term is the largest; none if one is infinite."""
    if curve["f_pp"].isna().any():
        return []
    flops = curve["flops"].to_numpy()
    largest = curve[list(TERMS.values())].to_numpy().argmax(axis=1)
    changes = np.flatnonzero(np.diff(largest)) + 1
    ends = [flops[0], *np.sqrt(flops[changes - 1] * flops[changes]), flops[-1]]
    terms = np.array(list(TERMS))[largest[[0, *changes]]].tolist()
    return [
        {"term": term, "start": _number(start), "stop": _number(stop)}
        for term, (start, stop) in zip(terms, pairwise(ends), strict=True)
    ]
