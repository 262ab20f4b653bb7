"""What each method would report on surfaces of known exponents, at the runs of a table.

Source: model section 15 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.arguments import whole_number
from plrf.fitting.audit import LAW_METHODS, Method, audit
from plrf.fitting.curves import are_whole_curves
from plrf.fitting.front_laws import QUANTITIES, FrontLaws
from plrf.fitting.front_tables import NO_OFFSET, dropped_budgets, finders, refusals
from plrf.fitting.groups import Group
from plrf.fitting.law import FittedLaw, fit_table
from plrf.fitting.slices import moved_losses
from plrf.statuses import OK

FloatArray = NDArray[np.float64]


def audit_losses(runs: pd.DataFrame, *, neighbours: int = 2) -> pd.DataFrame:
    """Audit the biases of all methods on the design of a table (model section 15).

    The sizes and budgets of the runs are moved onto surfaces whose exponents are known exactly:
    power-law random features, one point for each phase, and laws of Chinchilla's form, all with an
    irreducible loss. There is no noise, so that reported minus exact is the method's own bias.

    Parameters
    ----------
    runs : DataFrame
        The runs of `plrf.fit_losses`. Those that are in no fit do not count.
    neighbours : int
        Sizes on each side of the lowest loss that a parabola of Approach 2 is fitted to.

    Returns
    -------
    DataFrame
        One row for each group, surface, method and exponent (eta of the loss above the irreducible
        one, and xi); columns are in ``plrf.study.schemas.measured``.

    Raises
    ------
    ValueError
        If `neighbours` is less than 1.
    TypeError
        If it is not a number.
    """
    neighbours = whole_number("neighbours", neighbours, least=1)
    tables = []
    for name, rows in runs[runs["status"] == OK].groupby("group", sort=True):
        d, n, loss = (rows[column].to_numpy() for column in ("parameters", "samples", "loss"))
        fitted = fit_table(d, n, loss)
        law = fitted.parameters if fitted.status == OK else None
        found = audit(d, n, front_methods(rows, neighbours) | LAW_METHODS, parameters=law)
        tables.append(pd.DataFrame([asdict(row) for row in found]).assign(group=name))
    rows = pd.concat(tables, ignore_index=True)
    unknown = rows["status"].str.startswith(OK) & rows["reported"].isna()
    rows["status"] = rows["status"].mask(unknown, NO_OFFSET)
    refused = ~rows["status"].str.startswith(OK)
    rows.loc[refused, ["reported", "bias"]] = np.nan
    bare = refused & ~rows["status"].str.startswith("refused")
    return rows.assign(status=rows["status"].mask(bare, "refused: " + rows["status"]))


def front_methods(runs: pd.DataFrame, neighbours: int) -> dict[str, Method]:
    """Approaches 1 and 2 as functions of the losses at the runs of a table.

    Parameters
    ----------
    runs : DataFrame
        Of one group; columns budget and seed say what belongs together.
    neighbours : int
        Sizes on each side of the lowest loss.
    """
    return {name: partial(_report, runs, name, neighbours) for name in finders(neighbours)}


@lru_cache(maxsize=1)  # the methods see one surface after the other
def _law_of(*columns: bytes) -> FittedLaw:
    """The law of d, n and losses."""
    return fit_table(*(np.frombuffer(column) for column in columns))


def _report(
    runs: pd.DataFrame,
    method: str,
    neighbours: int,
    d: FloatArray,
    n: FloatArray,
    loss: FloatArray,
) -> tuple[float, float, str]:
    """Eta, xi and status by one method, of losses at d and n (m,) instead of those measured."""
    flops = pd.Series(d * n, runs.index)
    rows = runs.assign(parameters=d, samples=n, flops=flops, loss=loss, status=OK)
    rows["budget"] = flops.groupby(runs["budget"]).transform("median")
    law = _law_of(d.tobytes(), n.tobytes(), loss.tobytes())
    rows["moved"] = moved_losses(rows, rows["budget"].to_numpy(), law.parameters)
    unsliced = bool(rows["budget"].isna().all())
    curves = unsliced and are_whole_curves(rows, rows["budget"].to_numpy(), 1.0)
    design = Group("", rows, law, curves).design(method)
    front = design.front(finders(neighbours)[method])
    window = np.full(front.budgets.shape, True)
    laws = FrontLaws.of(front, window)
    why = refusals(laws, int(front.usable.sum()))[QUANTITIES.index("xi")]
    status = f"refused: {why}" if why else OK
    eta, xi = laws.exponents[:2]
    return float(eta), float(xi), "; ".join([status, *dropped_budgets(front, window)])
