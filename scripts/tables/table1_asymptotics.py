"""Table 1: the power laws of the parts of the loss, and how well the parts obey them."""

from functools import partial

import numpy as np
import pandas as pd

from plrf.draw.cells import number
from plrf.scaling import learning_rate
from plrf.study.store import write_rendered
from plrf.theory.limits import power_laws
from plrf.theory.parts import f_0, f_ac, f_pp, k_pp
from plrf.theory.phases import greek

# The laws hold for 1 << T << d^(2 alpha): at T = 30 the upper end adds exp(-30), so that what is
# left is the effect of finite d. Slopes are taken over a factor of 1.01.
SIZE, TIME, FACTOR = 1e12, 30.0, 1.01
V_OVER_D, C = 4.0, 0.5
SMALLEST = np.finfo(float).tiny  # below it digits are lost
MEASURED = [
    *("measured_d_exponent", "measured_t_exponent"),
    *("measured_constant", "deviation_percent"),
]


def part(name: str, alpha: float, beta: float, d: float, time: float) -> float:
    """Value of a part at ``2 gamma r = time``; K_pp in units of gamma^2 (batch 1)."""
    v = V_OVER_D * d
    gamma = learning_rate(C, alpha, v, 1)
    steps = time / (2 * gamma)
    if name == "F_0":
        return f_0(alpha=alpha, beta=beta, d=d, v=v)
    if name == "F_pp":
        return float(f_pp(steps, alpha=alpha, beta=beta, learning_rate=gamma))
    if name == "F_ac":
        return float(f_ac(steps, alpha=alpha, beta=beta, d=d, v=v, learning_rate=gamma))
    return float(k_pp(steps, alpha=alpha, d=d, learning_rate=gamma)) / gamma**2


def asymptotics(points: dict[str, list[float]]) -> pd.DataFrame:
    """Compare each part at each phase's point with its power law (model section 6).

    Parameters
    ----------
    points : dict
        The point (alpha, beta) that stands for each phase.

    Returns
    -------
    DataFrame
        One row per part and phase: the law with its exponents and constant, and the same measured
        at d = SIZE, T = TIME; NaN where there is no such part, or it is too small for a number.
    """
    rows = []
    for phase, (alpha, beta) in points.items():
        for name, law in power_laws(alpha, beta, V_OVER_D).items():
            at = partial(part, name, alpha, beta)
            row = {"part": name, "phase": phase, "alpha": alpha, "beta": beta}
            row |= {"region": law.region, "formula": law.formula, "d": SIZE, "T": TIME}
            row |= {"d_exponent": law.d_exponent, "t_exponent": law.t_exponent}
            row |= {"constant": law.constant} | dict.fromkeys(MEASURED, np.nan)
            power = SIZE**law.d_exponent * TIME**law.t_exponent
            values = at(SIZE, TIME), at(SIZE * FACTOR, TIME), at(SIZE, TIME * FACTOR)
            if min(*values, power, law.constant) > SMALLEST:
                slopes = (np.log(values[1:]) - np.log(values[0])) / np.log(FACTOR)
                constant = values[0] / power
                deviation = 100 * (constant / law.constant - 1)
                row |= dict(zip(MEASURED, [*slopes, constant, deviation], strict=True))
            rows.append(row)
    order = ["F_0", "F_pp", "F_ac", "K_pp"]
    return pd.DataFrame(rows).sort_values("part", key=lambda x: x.map(order.index), kind="stable")


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading."""
    lines = [
        f"Measured at d = {SIZE:.0e} and T = 2γBr = {TIME:g}, with v = {V_OVER_D:g} d. K_pp is in "
        "units of γ²B in the columns of constants. κ solves ∫ κ dx/(κ + x^(2α)) = 1 over "
        "0 < x < v/d. The deviation of the constant is the effect of finite d.",
        "",
        "| part | phase | α | β | where | law | slope in d | measured | slope in T | measured "
        "| constant | measured | deviation (%) |",
        "|" + " --- |" * 13,
    ]
    for row in table.itertuples():
        cells = [row.part, row.phase, f"{row.alpha:g}", f"{row.beta:g}", greek(row.region)]
        if row.constant == 0:
            cells += ["0", *["–"] * 7]
        else:
            cells += [
                f"`{greek(row.formula)}`",
                number(row.d_exponent),
                number(row.measured_d_exponent),
                number(row.t_exponent),
                number(row.measured_t_exponent),
                number(row.constant, "{:.4g}"),
                number(row.measured_constant, "{:.4g}"),
                number(row.deviation_percent, "{:.2f}"),
            ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write_tables(points: dict[str, list[float]], csv_path: str, markdown_path: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    table = asymptotics(points)
    write_rendered(table, markdown(table), csv_path, markdown_path)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(snakemake.params.points, snakemake.output.csv, snakemake.output.md)
