"""How the tables for readers write fits to measured losses."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plrf.draw.cells import number
from plrf.draw.methods import FORMS, METHODS, NOT_SEPARATED

Columns = Mapping[str, Callable[[Any], str]]

QUANTITIES = {
    "eta": "η",
    "xi": "ξ",
    "eta_without_offset": "slope of log L\\*, E not removed",
    "offset": "E of the front",
}
PREFERRED = ("approach3", "approach2", "approach2_spline", "approach1", "variable_projection")
MOST_ROWS = 8  # that are named
PARAMETERS = ("E", "A", "a", "B", "b")
OPTIMA = ("d_opt", "n_opt", "samples_per_parameter", "loss")


def method_of(row: Any) -> str:
    """Name of a method, or of what else is compared."""
    return METHODS[row.method].label if row.method in METHODS else str(row.method)


def form_of(row: Any) -> str:
    """Name of a form of the law."""
    return FORMS[row.form].replace("$", "")


def separated(row: Any, text: str) -> str:
    """A text, unless the value that it tells is not determined by the table."""
    return NOT_SEPARATED if NOT_SEPARATED in row.status else text


def limits(low: float, high: float, pattern: str = "{:.3g}") -> str:
    """An interval; one number if it is a point."""
    first, last = (number(end, pattern) for end in (low, high))
    return first if first == last else f"{first} to {last}"


def with_limits(name: str, pattern: str = "{:.3g}") -> Callable[[Any], str]:
    """A cell of a value and its interval."""

    def cell(row: Any) -> str:
        value = number(getattr(row, name), pattern)
        ends = limits(getattr(row, f"{name}_low"), getattr(row, f"{name}_high"), pattern)
        return value if value == ends else f"{value} ({ends})"

    return cell


def known_best(row: Any) -> str:
    """The combination of both exponents that a table determines best, with its standard error."""
    if not np.isfinite(getattr(row, "known_value", np.nan)):
        return "–"
    return f"{row.known} = {row.known_value:.4f} ± {number(row.known_error, '{:.2g}')}"


def exponent_of_law(name: str) -> Callable[[Any], str]:
    """A cell of an exponent of the law: not its value where the table does not determine it."""
    cell = with_limits(name, "{:.3f}")

    def of_row(row: Any) -> str:
        return NOT_SEPARATED if NOT_SEPARATED in getattr(row, f"{name}_status") else cell(row)

    return of_row


def profile_of(name: str) -> Callable[[Any], str]:
    """A cell of the limits that the objective sets to an exponent."""
    return lambda row: limits(
        getattr(row, f"{name}_profile_low"), getattr(row, f"{name}_profile_high"), "{:.3f}"
    )


def first_rows(row: Any) -> str:
    """Numbers of some rows of the user's file."""
    shown = ", ".join(map(str, row.rows[:MOST_ROWS]))
    return shown if len(row.rows) <= MOST_ROWS else f"{shown}, ..."


RUNS: Columns = {
    "status": lambda row: row.status,
    "runs": lambda row: str(len(row.rows)),
    "rows of the file": first_rows,
}
EXPONENTS: Columns = {
    "quantity": lambda row: QUANTITIES[row.quantity],
    "method": method_of,
    "estimate": lambda row: separated(row, number(row.estimate, "{:.3f}")),
    "95% interval": lambda row: limits(row.ci_low, row.ci_high, "{:.3f}"),
    "spread of methods": lambda row: number(row.method_spread, "{:.3f}"),
    "spread of windows": lambda row: number(row.window_spread, "{:.3f}"),
    "budgets used": lambda row: str(row.n_budgets),
    "dropped": lambda row: str(row.n_dropped),
    "status": lambda row: row.status,
}
LAWS: Columns = {
    "form": form_of,
    **{name: with_limits(name, "{:.4g}") for name in ("E", "A", "B")},
    **{name: exponent_of_law(name) for name in ("a", "b")},
    **{f"{name} by the objective": profile_of(name) for name in ("a", "b")},
    "known best": known_best,
    "objective": lambda row: number(row.objective, "{:.4g}"),
    "held-out loss": lambda row: number(row.held_out_loss, "{:.3g}"),
    "status": lambda row: row.a_status,
}
OPTIMUM: Columns = {
    "flops": lambda row: f"{row.flops:.3g}",
    "beyond the table": lambda row: "–" if row.factor <= 1 else f"{row.factor:.3g} times",
    "d\\*": with_limits("d_opt"),
    "d\\* by Approaches 1 to 3": lambda row: limits(row.least, row.greatest),
    "n\\*": with_limits("n_opt"),
    "samples per parameter": with_limits("samples_per_parameter"),
    "loss": with_limits("loss", "{:.4g}"),
    "status": lambda row: row.status,
}
FLATNESS: Columns = {
    "size over the best": lambda row: f"{row.factor:g}",
    "loss above the lowest": with_limits("cost", "{:.2%}"),
}
HELD_OUT: Columns = {
    "form": form_of,
    "fitted up to (flops)": lambda row: f"{row.limit:.3g}",
    "runs above": lambda row: str(row.runs),
    "mean error of log loss": lambda row: number(row.mean),
    "rms": lambda row: number(row.rms),
    "inside the 95% interval": lambda row: f"{row.inside:.0%}",
}
SENSITIVITY: Columns = {
    "what is varied": lambda row: row.variant.replace("_", " "),
    "value": lambda row: row.value,
    "method": method_of,
    "η": lambda row: number(row.eta, "{:.4f}"),
    "ξ": lambda row: number(row.xi, "{:.4f}"),
}
SUGGESTIONS: Columns = {
    "rank": lambda row: str(row.rank),
    "parameters": lambda row: f"{row.parameters:.3g}",
    "samples": lambda row: f"{row.samples:.3g}",
    "flops": lambda row: f"{row.flops:.3g}",
    "std. error of a, now and with it": lambda row: (
        f"{number(row.a_error_now, '{:.3g}')}, {number(row.a_error, '{:.3g}')}"
    ),
    "std. error of b, now and with it": lambda row: (
        f"{number(row.b_error_now, '{:.3g}')}, {number(row.b_error, '{:.3g}')}"
    ),
}


def bias_columns(methods: list[str]) -> Columns:
    """Columns of biases, one for each method."""
    return {
        "surface": lambda row: row.surface,
        "quantity": lambda row: QUANTITIES.get(row.quantity, row.quantity),
        "theory": lambda row: number(row.theory, "{:.3f}"),
        "exact": lambda row: limits(row.least, row.greatest, "{:.3f}"),
        **{METHODS[name].label: _bias_of(name) for name in METHODS if name in methods},
    }


def _bias_of(method: str) -> Callable[[Any], str]:
    return lambda row: number(getattr(row, method), "{:+.4f}")
