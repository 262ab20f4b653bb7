"""Write config/measured_example.csv, the table of made-up losses that docs/measured.md fits.

Not a job of the workflow, because it writes a tracked file: run it by
`python -m scripts.maintain.measured_example`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from plrf.streams import random_stream

SEED = 20240515
# L = E + A d^-a + B n^-b, and the loss of an untrained model.
LAWS = {
    "text": {"E": 1.7, "A": 420.0, "a": 0.34, "B": 900.0, "b": 0.30},
    "code": {"E": 0.9, "A": 260.0, "a": 0.34, "B": 420.0, "b": 0.30},
}
LARGEST = {"text": np.inf, "code": 2.0e9}  # sizes: the last optima of code are beyond
BUDGETS = np.geomspace(1e18, 3e21, 11)
FACTORS = np.geomspace(0.12, 8.0, 9)  # of sizes over the best one of their budget
NOISE = 0.005  # standard deviation of log losses
UNTRAINED = 10.8
FAILED, DIVERGED = 3, 2  # rows of each group without a loss, and with one far above the others


def best_size(law: dict[str, float], flops: float) -> float:
    """Number of parameters that minimises the loss at a budget of 6 d n flops."""
    a, b = law["a"], law["b"]
    ratio = (a * law["A"]) / (b * law["B"])
    return float((ratio * (flops / 6) ** b) ** (1 / (a + b)))


def table() -> pd.DataFrame:
    """All rows: a group for each law."""
    groups = []
    for group, law in LAWS.items():
        rng = random_stream(SEED, f"measured losses of {group}")
        rows = pd.DataFrame(
            {
                "group": group,
                "parameters": float(f"{best_size(law, flops) * factor:.3g}"),
                "flops": flops * np.exp(0.02 * rng.standard_normal()),
            }
            for flops in BUDGETS
            for factor in FACTORS
        )
        rows = rows[rows["parameters"] <= LARGEST[group]].copy()
        rows["tokens"] = rows["flops"] / (6 * rows["parameters"])
        loss = law["E"] + law["A"] * rows["parameters"] ** -law["a"]
        loss += law["B"] * rows["tokens"] ** -law["b"]
        loss *= np.exp(NOISE * rng.standard_normal(len(rows)))
        bad = rng.choice(len(rows), FAILED + DIVERGED, replace=False)
        loss.iloc[bad[:FAILED]] = np.nan
        loss.iloc[bad[FAILED:]] = UNTRAINED
        groups.append(rows.assign(loss=loss))
    return pd.concat(groups)


def write(path: Path) -> None:
    """Write the table with as many digits as people report."""
    rows = table()
    rows["parameters"] = rows["parameters"].astype(np.int64)
    for name in ("tokens", "flops"):
        rows[name] = rows[name].map("{:.4g}".format)
    rows["loss"] = rows["loss"].round(4)
    rows.to_csv(path, index=False)


if __name__ == "__main__":
    write(Path("config/measured_example.csv"))
