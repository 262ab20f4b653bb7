"""Write the numbers of the atlas into docs/atlas.md, between its markers: `make readme`.

Not a job of the workflow, because it changes a tracked file.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from plrf.atlas.convergence import Correction, Horizon, horizon, leading_correction
from plrf.draw.cells import markdown_table, number
from plrf.statuses import BEYOND, FROM_THE_START, OK
from plrf.study.atlas import QUANTITIES
from plrf.study.schemas.atlas import TABLES
from plrf.study.store import read_table
from scripts.figures.atlas_measured import with_biases
from scripts.maintain.atlas_summary import critical, summary
from scripts.maintain.update_readme import replace_block

SYMBOLS = {"eta": "η", "xi": "ξ"}
APPROACHES = {"approach1": "Approach 1", "approach2": "Approach 2", "approach3": "Approach 3"}
SHARES = (1e6, 1e8, 1e12, 1e16, 1e24)  # budgets at which shares of the plane are told


def horizon_text(found: Horizon) -> str:
    """A horizon with its error in decades."""
    if found.status == OK:
        return f"10^{np.log10(found.flops):.2f} ± {found.error:.2f}"
    return f"{found.status} ({found.deviation:+.1%})" if found.status == BEYOND else found.status


def rate_text(found: Correction) -> str:
    """A correction's exponent with its error, or why there is none."""
    drifts = "" if found.status == OK else f" {found.status}"
    return f"{found.rate:.3f} ± {found.error:.3f}{drifts}" if found.rate > 0 else found.status


def points(table: pd.DataFrame, tolerance: float) -> str:
    """Convergence at each point."""
    rows = []
    for (alpha, beta), own in table.groupby(["alpha", "beta"], sort=False):
        own = own.sort_values("flops")
        for name in QUANTITIES:
            theory = float(own[f"{name}_theory"].iloc[0])
            exponent, error = own[name], own[f"{name}_error"]
            found = horizon(own["flops"], exponent, error, theory, tolerance)
            correction = leading_correction(own["flops"], exponent, error, theory)
            last = f"{exponent.iloc[-1]:.4f} ± {error.iloc[-1]:.0e}"
            place = [own["phase"].iloc[0], f"{alpha:g}, {beta:g}", SYMBOLS[name], number(theory)]
            rows.append([*place, last, horizon_text(found), rate_text(correction)])
    last = f"at {table['flops'].max():.0e} flops"
    head = ("phase", "α, β", "exponent", "theory", last, f"within {tolerance:.0%} from", "rate")
    return markdown_table(head, rows)


def horizons(table: pd.DataFrame) -> str:
    """Shares of the points of each phase that are within the tolerance for good."""
    rows = []
    for name in QUANTITIES:
        reached = table["status"].isin([OK, FROM_THE_START, BEYOND])
        phases = dict(list(table[reached & (table["quantity"] == name)].groupby("phase")))
        for phase in sorted(phases, key=lambda phase: ("/" in phase, phase.lower())):
            known = phases[phase]
            shares = [f"{(known['flops'] <= budget).mean():.0%}" for budget in SHARES]
            error = f"{known['flops_error'].median():.2f}"
            away = str(int((known["trend"] > 0).sum()))
            rows.append([phase, SYMBOLS[name], str(len(known)), *shares, error, away])
    head = ["phase", "exponent", "points", *(f"at {budget:.0e}" for budget in SHARES)]
    return markdown_table([*head, "error (decades, median)", "still moving away"], rows)


def measured(table: pd.DataFrame) -> str:
    """Biases over the plane: that of finite size, and those of the methods by number of sizes."""
    known = with_biases(table[table["status"] == OK])
    known["honest"] = known["method"].abs() <= 2 * known["std_error"]
    rows = [["finite size", "–", *_spread(known, "finite"), "–"]]
    for approach, label in APPROACHES.items():
        for sizes, own in known[known["approach"] == approach].groupby("sizes"):
            rows.append([label, f"{sizes}", *_spread(own, "method"), f"{own['honest'].mean():.0%}"])
    head = ["bias of", "sizes"]
    for symbol in SYMBOLS.values():
        head += [f"{symbol}: {what}" for what in ("median", "5 to 95%", "largest")]
    return markdown_table([*head, "within two stated errors"], rows)


def _spread(table: pd.DataFrame, column: str) -> list[str]:
    """Median, range and largest magnitude over the plane, of both exponents."""
    cells = []
    for name in QUANTITIES:
        values = table.loc[table["quantity"] == name, column].dropna()
        low, middle, high = values.quantile([0.05, 0.5, 0.95])
        cells += [f"{middle:+.4f}", f"{low:+.3f} to {high:+.3f}", f"{values.abs().max():.3f}"]
    return cells


def hyperparameters(table: pd.DataFrame) -> str:
    """Best c, and how much batch and features change eta at a budget, at each point."""
    rows = []
    last = table.loc[table["c_is_best"] & (table["varied"] == "batch"), "flops"].max()
    flops = table.loc[table["varied"] == "c", "flops"].dropna()
    fixed = flops.iloc[np.abs(np.log(flops / last)).argmin()]  # the closest one of those of all c
    for (alpha, beta), own in table[table["status"] == OK].groupby(["alpha", "beta"]):
        best = own[own["c_is_best"] & (own["varied"] == "c")].set_index("flops")
        last = best.index.max()
        row = [own["phase"].iloc[0], f"{alpha:g}, {beta:g}", number(own["eta_theory"].iloc[0])]
        row.append(f"{best.loc[fixed, 'c']:.3f} ± {best.loc[fixed, 'c_error']:.0e}")
        row.append(f"{best.loc[last, 'c_exponent']:+.3f}")
        row.append(f"{best.loc[last, 'eta']:.4f} ± {best.loc[last, 'eta_error']:.0e}")
        given = own[~own["c_is_best"] & (own["flops"] == fixed)]
        for varied in ("c", "batch", "v_over_d"):
            values = given[given["varied"] == varied].sort_values(varied)
            ends = [f"{values['eta'].iloc[i]:.3f} at {values[varied].iloc[i]:g}" for i in (0, -1)]
            row.append(" to ".join(ends).replace("inf", "∞"))
        rows.append(row)
    head = ["phase", "α, β", "η in theory", f"best c at {fixed:.0e}", "its exponent at the end"]
    head += ["η with the best c there", *(f"η at {fixed:.0e}, by {x}" for x in ("c", "B", "v/d"))]
    return markdown_table(head, rows)


def update_atlas(results: Path, document: Path, tolerance: float) -> None:
    """Fill all blocks of the document."""
    tables = {k: read_table(results / "atlas" / f"{k}.parquet", v) for k, v in TABLES.items()}
    text = document.read_text(encoding="utf-8")
    findings = summary(tables["horizon"], tables["measured"], tables["hyperparameters"])
    text = replace_block(text, "summary", findings)
    text = replace_block(text, "points", points(tables["convergence"], tolerance))
    text = replace_block(text, "horizons", horizons(tables["horizon"]))
    text = replace_block(text, "measured", measured(tables["measured"]))
    text = replace_block(text, "hyperparameters", hyperparameters(tables["hyperparameters"]))
    text = replace_block(text, "critical", critical(tables["critical"]))
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    import yaml

    block = yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))["atlas"]
    update_atlas(Path("results"), Path("docs/atlas.md"), block["tolerance"])
