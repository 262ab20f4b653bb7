"""What the page says of a point: a line of results, and what must not be overlooked."""

import math
from typing import Any

import pandas as pd

from plrf.statuses import NO_MINIMUM, NO_POWER_LAW, NOT_CONVERGED

LOST = {NO_MINIMUM: "No minimum over d", NOT_CONVERGED: "No converged loss"}
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def summary(row: Any, found: pd.DataFrame) -> str:
    """What is known about a point, in one line.

    Parameters
    ----------
    row : named tuple
        Of the EXPLORER_POINTS schema.
    found : DataFrame
        Rows of the EXPLORER_FRONTS schema at the point, those with an optimal size; may be empty.
    """
    place = f"α = {row.alpha:g}, β = {row.beta:g}"
    if row.status == NO_POWER_LAW:
        return f"{place}: no power law."
    text = f"{place}: {'edge' if row.status == 'edge' else 'phase ' + row.phase}."
    if row.status == "ok":
        xi = f"ξ = {row.xi:.4f}" if math.isfinite(row.xi) else "ξ jumps here"
        text += f"  Theory: η = {row.eta:.4f}, {xi}."
    if len(found):
        text += f"  Exact front at {_scientific(found['flops'].iloc[-1])} flops: "
        text += f"η = {_with_error('eta', found)}, ξ = {_with_error('xi', found)}."
    return text


def cautions(row: Any) -> list[str]:
    """What a point is, if it is not within one phase.

    Parameters
    ----------
    row : named tuple
        Of the EXPLORER_POINTS schema.
    """
    if row.status == NO_POWER_LAW:
        return [
            "2(α+β) < 1: the loss is set by the number of features v and does not fall as a power "
            "of compute, so there is no front. F_pp is infinite."
        ]
    if row.status == "edge":
        return [
            "On the edge 2(α+β) = 1: losses and a front exist, but no exponents. The local slopes "
            "have no power law to settle on. F_pp is infinite."
        ]
    if "/" in row.phase:
        shared = "η and ξ" if math.isfinite(row.xi) else "η but not ξ, which jumps here"
        return [f"On a boundary between phases, which share {shared}."]
    return []


def failures(front: pd.DataFrame, losses: pd.DataFrame) -> list[str]:
    """Budgets without an optimal size, and losses that are not accurate.

    Parameters
    ----------
    front, losses : DataFrame
        Rows of the EXPLORER schemas at one point.
    """
    texts = []
    for status, reason in LOST.items():
        if lost := int((front["status"] == status).sum()):
            texts.append(f"{reason} at {lost} of {len(front)} budgets: left out.")
    poor = int((losses["status"] != "ok").sum())
    if poor:
        texts.append(f"{poor} of {len(losses)} losses are inaccurate or diverged: see tooltips.")
    return texts


def _with_error(name: str, front: pd.DataFrame) -> str:
    """An exponent at the largest budget with its error."""
    last = front.iloc[-1]
    error = last[f"{name}_error"]
    if not math.isfinite(error):
        return f"{last[name]:.4f} (of unknown error)"
    digits = min(max(2, math.ceil(-math.log10(error))), 4) if error > 0 else 4
    return f"{last[name]:.{digits}f} ± {_scientific(error)}"


def _scientific(value: float) -> str:
    """A number with one digit: 2·10⁻⁷."""
    digit, exponent = f"{value:.0e}".split("e")
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return power if digit == "1" else f"{digit}·{power}"
