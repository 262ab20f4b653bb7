"""Tables of fits to measured losses, made up from a known law."""

import numpy as np
import pandas as pd

from plrf.study.schemas import measured as schemas
from tests.made_up import write

E, A, SIZE_EXPONENT, B, SAMPLE_EXPONENT = 1.7, 420.0, 0.34, 900.0, 0.30
K = 6.0
ETA = SIZE_EXPONENT * SAMPLE_EXPONENT / (SIZE_EXPONENT + SAMPLE_EXPONENT)
XI = SAMPLE_EXPONENT / (SIZE_EXPONENT + SAMPLE_EXPONENT)
BUDGETS = np.geomspace(1e18, 3e21, 9)
METHODS = ("approach1", "approach2", "approach2_spline", "approach3", "variable_projection")
SURFACES = ("Ia", "Ib", "Ic", "II", "III", "IVa", "IVb", "fitted law", "a = 0.3, b = 0.4")
NAN = float("nan")


def law(d, n):
    """The loss of a size and a number of samples."""
    return E + A * d**-SIZE_EXPONENT + B * n**-SAMPLE_EXPONENT


def best_size(flops):
    """The size with the lowest loss at a budget."""
    ratio = SIZE_EXPONENT * A / (SAMPLE_EXPONENT * B)
    power = 1 / (SIZE_EXPONENT + SAMPLE_EXPONENT)
    return (ratio * (flops / K) ** SAMPLE_EXPONENT) ** power


def with_limits(name, values, width):
    """A column with its interval, of some relative width."""
    return {name: values, f"{name}_low": values * (1 - width), f"{name}_high": values * (1 + width)}


def slices(group):
    """Losses of nine sizes at each budget, and fronts of three methods; the first is dropped."""
    isoflop, fronts = [], []
    for i, flops in enumerate(BUDGETS):
        d = best_size(flops) * np.geomspace(0.12, 8, 9)
        loss = law(d, flops / (K * d))
        row = {"group": group, "budget": flops, "flops": flops, "runs": 1}
        isoflop.append(pd.DataFrame(row | {"d": d, "measured": loss, "loss": loss}))
        near = slice(2, 7)
        parabola = np.polyfit(np.log(d[near]), np.log(loss[near]), 2)
        d_opt = best_size(flops)
        for method in METHODS[:3]:
            status = "ok" if i else ("edge_minimum" if method == "approach1" else "few_sizes")
            front = {"group": group, "method": method, "flops": flops, "status": status}
            front |= dict.fromkeys(schemas.FRONTS.names[3:-1], NAN)
            if i:
                front |= {"d_opt": d_opt, "n_opt": flops / (K * d_opt)}
                front |= {"loss_opt": law(d_opt, flops / (K * d_opt))}
                front |= {"d_low": d[near][0], "d_high": d[near][-1]}
                front |= dict(zip(("curvature", "slope", "intercept"), parabola, strict=True))
                front |= {"eta_residual": 1e-3, "xi_residual": 1e-2}
            fronts.append(front)
    return pd.concat(isoflop), pd.DataFrame(fronts)


def runs(group):
    """Runs of all slices, with residuals; one failed, and one is far above the others."""
    isoflop, _ = slices(group)
    rng = np.random.default_rng(1)
    rows = isoflop[["d", "flops", "loss", "budget"]].rename(columns={"d": "parameters"})
    rows["samples"] = rows["flops"] / (K * rows["parameters"])
    rows["log_residual"] = 0.005 * rng.standard_normal(len(rows))
    rows = rows.assign(group=group, row=np.arange(1, len(rows) + 1), seed="", status="ok")
    rows = rows.reset_index(drop=True)
    rows.loc[3, ["loss", "log_residual", "status"]] = [NAN, NAN, "no_loss"]
    rows.loc[[20, 40], ["loss", "status"]] = [10.8, "outlier"]
    rows.loc[[20, 40], "log_residual"] = [1.2, 0.04]
    return rows


def exponents(group, separated=True):
    """Exponents of all methods, in all budgets and in their halves; slopes of log P* besides."""
    known = {"eta": ETA, "xi": XI, "eta_without_offset": 0.05, "offset": E}
    rows = []
    for method in METHODS:
        for window, (low, high) in enumerate(((0, -1), (0, 4), (4, -1))):
            for k, (quantity, value) in enumerate(known.items()):
                if k > 1 and method not in METHODS[:3]:
                    continue
                row = {"group": group, "method": method, "quantity": quantity, "window": window}
                row |= {"sweep": "", "spectrum": "", "momentum": "none", "phase": "none"}
                row |= {"engine": "measured", "error_source": "rows", "status": "ok"}
                row |= {"estimate": value * (1 + 0.01 * window), "std_error": 0.02 * value}
                row |= {"ci_low": 0.95 * value, "ci_high": 1.06 * value, "dof": 8.0}
                row |= {"window_low": BUDGETS[low], "window_high": BUDGETS[high]}
                row |= {"used_low": BUDGETS[low], "used_high": BUDGETS[high]}
                row |= {"n_budgets": 8, "n_dropped": 1, "rms_residual": 0.01}
                row |= dict.fromkeys(("alpha", "beta", "expected", "exact", "theory"), NAN)
                row |= {"method_spread": 0.02, "window_spread": 0.03}
                if not separated and quantity == "eta":
                    row |= {"estimate": NAN, "status": "refused: not separated"}
                rows.append(row)
    return pd.DataFrame(rows)


def optimum(group):
    """Optima within the budgets and beyond, with intervals that grow."""
    factors = np.array([1.0, 1.0, 1.0, 1.0, 3.0, 10.0])
    flops = np.r_[np.geomspace(BUDGETS[0], BUDGETS[-1], 4), 3 * BUDGETS[-1], 10 * BUDGETS[-1]]
    width = 0.02 * np.array([2, 1, 1, 2, 4, 8])
    d = best_size(flops)
    parts = []
    for k, method in enumerate(METHODS):
        size = d * 1.03**k
        values = {"d_opt": size, "n_opt": flops / (K * size)}
        values["samples_per_parameter"] = values["n_opt"] / size
        values["loss"] = law(size, values["n_opt"])
        columns = {"group": group, "method": method, "flops": flops, "factor": factors}
        for name, column in values.items():
            columns |= with_limits(name, column, width / (20 if name == "loss" else 1))
        parts.append(pd.DataFrame(columns | {"status": "ok"}))
    return pd.concat(parts)


def laws(group, separated=True):
    """The law in three forms."""
    known = {"E": E, "A": A, "a": SIZE_EXPONENT, "B": B, "b": SAMPLE_EXPONENT}
    rows = []
    for form, objective in (("free", 1e-3), ("equal_exponents", 1.2e-3), ("fixed_e", 1.1e-3)):
        for parameter, value in known.items():
            row = {"group": group, "form": form, "parameter": parameter, "estimate": value}
            row |= {"std_error": 0.03 * value, "objective": objective, "held_out_loss": 1e-5}
            row |= {"ci_low": 0.94 * value, "ci_high": 1.07 * value, "status": "ok"}
            row |= {"profile_low": 0.92 * value, "profile_high": 1.08 * value}
            if not separated and parameter in ("a", "b"):
                row |= {"status": "not separated", "profile_high": np.inf}
            rows.append(row)
    known = {"parameter": "0.60 a -0.80 b", "estimate": -0.036, "std_error": 0.004}
    return pd.DataFrame([*rows, rows[0] | known])


def flatness(group):
    """What sizes off the best one cost."""
    factor = np.array([0.25, 0.5, 2.0, 4.0])
    cost = 0.01 * np.log2(factor) ** 2
    columns = {"group": group, "flops": BUDGETS[-1], "factor": factor, "status": "ok"}
    return pd.DataFrame(columns | with_limits("cost", cost, 0.2))


def held_out(group):
    """Runs above the limit, predicted from those below."""
    rows = runs(group).query("status == 'ok' and budget > 1e21")
    columns = {name: rows[name] for name in ("group", "row", "parameters", "samples", "flops")}
    columns |= {"loss": rows["loss"], "log_error": 0.004, "status": "ok", "limit": 1e21}
    frame = pd.DataFrame(columns | with_limits("predicted", rows["loss"] * 0.996, 0.01))
    return pd.concat(frame.assign(form=form) for form in ("free", "equal_exponents"))


def sensitivity(group):
    """Exponents for other scales, without the highest losses, and in windows."""
    variants = {"huber": ("0.0001", "0.001", "0.01", "inf"), "highest_dropped": ("0", "5")}
    variants["window"] = ("all", "lower", "upper")
    rows = [
        {"group": group, "method": "approach3", "variant": variant, "value": value}
        | {"quantity": quantity, "estimate": exact * (1 + 0.01 * k), "status": "ok"}
        for variant, values in variants.items()
        for k, value in enumerate(values)
        for quantity, exact in (("eta", ETA), ("xi", XI))
    ]
    return pd.DataFrame(rows)


def suggestions(group):
    """Runs that would shrink errors most."""
    d = np.array([1e7, 1e10, 3e9])
    columns = {"group": group, "rank": [1, 2, 3], "parameters": d, "samples": 1e11}
    columns |= {"flops": K * d * 1e11, "a_error": 0.01, "b_error": [0.02, 0.021, 0.022]}
    return pd.DataFrame(columns | {"a_error_now": 0.02, "b_error_now": 0.03, "status": "ok"})


def audit(group):
    """What methods report on surfaces with known exponents; on one, all budgets are dropped."""
    rows = []
    for i, surface in enumerate(SURFACES):
        for k, method in enumerate(METHODS):
            for quantity, exact in (("eta", ETA), ("xi", XI)):
                bias = 0.004 * (k - 2) * (1 + i % 3)
                row = {"group": group, "surface": surface, "method": method, "quantity": quantity}
                row |= {"reported": exact + bias, "exact": exact, "theory": exact + 0.01}
                row |= {"bias": bias, "status": "ok"}
                if surface == "Ic" and method == "approach2":
                    row |= {"reported": NAN, "bias": NAN, "status": "refused: edge_minimum"}
                rows.append(row)
    return pd.DataFrame(rows)


TABLES = {
    "runs": runs,
    "isoflop": lambda group: slices(group)[0],
    "fronts": lambda group: slices(group)[1],
    "exponents": exponents,
    "optimum": optimum,
    "laws": laws,
    "flatness": flatness,
    "held_out": held_out,
    "sensitivity": sensitivity,
    "suggestions": suggestions,
    "audit": audit,
}


def tables(groups=("",)):
    """All tables, of some groups, with the columns of their schemas in order."""
    return {
        name: pd.concat([made(group) for group in groups], ignore_index=True)[
            getattr(schemas, name.upper()).names
        ]
        for name, made in TABLES.items()
    }


def write_tables(folder, groups=("",)):
    """Write all tables; return their paths by name."""
    return {
        name: write(table, getattr(schemas, name.upper()), folder / f"{name}.parquet")
        for name, table in tables(groups).items()
    }
