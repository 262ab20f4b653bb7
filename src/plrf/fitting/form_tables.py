"""Rows of the tables that compare forms of the law: parameters, losses held out, other choices.

Source: model sections 8 and 15 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.fitting.groups import Group
from plrf.fitting.held_out import FormScore, compare_forms, largest_budgets, predict_held_out
from plrf.fitting.law import FittedLaw, fit_table
from plrf.fitting.law_tables import EXPONENTS, LawFit, affordable
from plrf.fitting.profiles import profile
from plrf.fitting.quantities import QUANTITIES
from plrf.fitting.resampling import Quantity
from plrf.fitting.sensitivity import vary
from plrf.fitting.separation import NOT_SEPARATED, ON_A_LINE
from plrf.measure.law_forms import EQUAL_EXPONENTS, FREE, LawForm, fixed_offset
from plrf.measure.refits import NEGLIGIBLE
from plrf.statuses import OK
from plrf.streams import random_stream

FloatArray = NDArray[np.float64]

PARAMETERS = ("E", "A", "a", "B", "b")


def forms_of(fixed_e: float | None) -> dict[str, LawForm]:
    """Forms of the law by name; one with E fixed if a value is given."""
    forms = {"free": FREE, "equal_exponents": EQUAL_EXPONENTS}
    return forms if fixed_e is None else forms | {"fixed_e": fixed_offset(fixed_e)}


def law_rows(
    group: Group, free: LawFit, forms: dict[str, LawForm], *, resamples: int, seed: int
) -> pd.DataFrame:
    """Parameters of all forms, with intervals, and the loss of rows that were left out.

    Of the free law there is also the combination of a and b that is known best.

    Parameters
    ----------
    group : Group
    free : LawFit
        Of the free form.
    forms : dict
        From `forms_of`.
    resamples, seed : int
        Of the other forms.
    """
    rows = group.fitted
    d, n, loss = (rows[name].to_numpy() for name in ("parameters", "samples", "loss"))
    scores = compare_forms(d, n, loss, split="largest_budgets", forms=forms.values())
    tables = []
    for (name, form), score in zip(forms.items(), scores, strict=True):
        fit = free
        if name != "free":
            rng = random_stream(seed, f"rows {group.name} {name}")
            fit = LawFit.of(group, rows, partial(fit_table, form=form), resamples, rng)
        tables.append(_parameter_rows(fit, name, score))
    return pd.concat([*tables, _combination_row(free, tables[0])], ignore_index=True)


def held_out_rows(
    group: Group, forms: dict[str, LawForm], *, resamples: int, seed: int
) -> pd.DataFrame:
    """Losses of the largest budgets, a quarter of the rows, predicted from those below."""
    rows = group.fitted
    d, n, loss = (rows[name].to_numpy() for name in ("parameters", "samples", "loss"))
    kept = ~largest_budgets(np.log(d), np.log(n))[0]
    limit = rows["flops"][kept].max()
    tables = []
    for name, form in forms.items():
        rng = random_stream(seed, f"held out {group.name} {name}")
        few = affordable(resamples, len(rows))
        found = predict_held_out(d, n, loss, kept, resamples=few, rng=rng, form=form)
        predicted = {
            "form": name,
            "limit": limit,
            "predicted": found.predicted,
            "predicted_low": found.low,
            "predicted_high": found.high,
            "log_error": np.log1p(found.error),
            "status": found.status if found.status.startswith(OK) else f"refused: {found.status}",
        }
        told = rows.iloc[found.rows][["row", "parameters", "samples", "flops", "loss"]]
        tables.append(told.assign(**predicted))
    return pd.concat(tables, ignore_index=True)


def sensitivity_rows(group: Group) -> pd.DataFrame:
    """Exponents of Approach 3 with other choices that no noise explains."""
    rows = group.fitted
    found = vary(rows["parameters"], rows["samples"], rows["loss"])
    return pd.DataFrame(
        [
            {
                "method": "approach3",
                "variant": one.variant.choice,
                "value": one.variant.name,
                "quantity": quantity,
                "estimate": float(QUANTITIES[quantity](one.fitted.parameters)),
                "status": one.fitted.status,
            }
            for one in found
            for quantity in EXPONENTS
        ]
    )


def _parameter_rows(fit: LawFit, name: str, score: FormScore) -> pd.DataFrame:
    """Rows of one form."""
    law, rows = fit.laws.fitted, []
    matrix, profiles = law.law.form.matrix, fit.profiles
    if matrix[0].any():  # E is free
        log_e = profile(law, "log_e")
        limits = {"low": np.exp(log_e.low), "high": np.exp(log_e.high)}
        profiles = profiles | {"E": replace(log_e, **limits)}
    unknown = _not_separated(fit)
    for parameter in PARAMETERS:
        found = fit.laws.interval(_offset(law) if parameter == "E" else QUANTITIES[parameter])
        ends = profiles.get(parameter)
        rows.append(
            {
                "parameter": parameter,
                "estimate": float(found.estimate),
                "std_error": float(found.std_error),
                "ci_low": float(found.low),
                "ci_high": float(found.high),
                "profile_low": ends.low if ends else np.nan,
                "profile_high": ends.high if ends else np.nan,
                "status": fit.separation.status if parameter in unknown else found.status,
            }
        )
    objective = score.fitted * len(fit.rows)
    return pd.DataFrame(rows).assign(form=name, objective=objective, held_out_loss=score.held_out)


def _not_separated(fit: LawFit) -> set[str]:
    """Parameters that the table leaves open."""
    matrix, status = fit.laws.fitted.law.form.matrix, fit.separation.status
    one = np.any(matrix[2] * matrix[4])  # exponents that are one need not be separated
    exponents = {"a", "b"} if status.startswith(NOT_SEPARATED) and not one else set()
    return exponents | ({"A", "B"} if status == ON_A_LINE else set())


def _offset(law: FittedLaw) -> Quantity:
    """E, and 0 where it is no more than the bound of fits to any of the rows."""
    bound = np.exp(law.log_loss.max() - NEGLIGIBLE)

    def offset(parameters: FloatArray) -> FloatArray:
        e = QUANTITIES["E"](parameters)
        return np.where(e > bound * (1 + 1e-9), e, 0.0)

    return offset


def _combination_row(free: LawFit, rows: pd.DataFrame) -> pd.DataFrame:
    """The combination of a and b that is known best, as a row like those of the free law."""
    weights = free.separation.determined
    found = free.laws.interval(lambda parameters: parameters[..., [2, 4]] @ weights)
    return rows.head(1).assign(
        parameter=f"{weights[0]:.2f} a {weights[1]:+.2f} b",
        estimate=float(found.estimate),
        std_error=float(found.std_error),
        ci_low=float(found.low),
        ci_high=float(found.high),
        profile_low=np.nan,
        profile_high=np.nan,
        status=ON_A_LINE if free.separation.status == ON_A_LINE else found.status,
    )
