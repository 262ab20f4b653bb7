"""Coverage of the exponents of measured tasks: `python -m benchmarks.data_calibration`.

On Gaussian samples of known power laws, how often do 95% intervals cover the truth? The table goes
to results/benchmarks/data_calibration.csv and, between its markers, to docs/data.md.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: small matrices

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from plrf.data.exponents import measure_exponents
from plrf.data.measured import measure_task
from plrf.streams import random_stream
from plrf.task import feature_variances, target_coefficients
from plrf.theory.phases import phase_name
from scripts.maintain.update_readme import replace_block

FEATURES = 100
SAMPLES = 10 * FEATURES
FIRST, LAST = 5, 50
TRIALS = 400
# Points in four phases, each with as much noise as leaves something of its tail sums to measure.
POINTS = [(1.2, 0.8, 1e-3), (0.8, 1.2, 1e-3), (0.8, 0.3, 0.1), (0.4, 1.0, 1e-3)]
NAMES = {"alpha": "α", "beta": "β"}


def trial(alpha: float, beta: float, noise: float, seed: int) -> dict[str, float]:
    """Errors of the estimates, over their stated errors too, on samples that seed draws."""
    rng = random_stream(seed, "calibration", alpha, beta, noise)
    x = rng.standard_normal((SAMPLES, FEATURES)) * np.sqrt(feature_variances(alpha, FEATURES))
    y = x @ target_coefficients(beta, FEATURES) + np.sqrt(noise) * rng.standard_normal(SAMPLES)
    found = measure_exponents(measure_task(x, y, seed=seed), FIRST, LAST, seed=seed)
    off = np.array([found.alpha - alpha, found.beta - beta])
    alone = found.probabilities.get(phase_name(alpha, beta), np.nan)
    names = ("off_alpha", "off_beta", "z_alpha", "z_beta", "raw_alpha", "raw_beta")
    return dict(zip(names, [*off, *off / found.errors, *off + found.bias], strict=True)) | {
        "probability": alone
    }


def coverage(alpha: float, beta: float, noise: float, trials: int) -> pd.DataFrame:
    """Bias, spread and coverage of both exponents at a point; 95% intervals of the coverage."""
    table = pd.DataFrame([trial(alpha, beta, noise, seed) for seed in range(trials)])
    rows = []
    for name in ("alpha", "beta"):
        measured = table[f"z_{name}"].dropna()
        covered = int((measured.abs() < 1.96).sum())
        low, high = stats.binomtest(covered, len(measured)).proportion_ci(0.95)
        off = table[f"off_{name}"]
        rows.append(
            {
                "point": f"({alpha:g}, {beta:g}), {phase_name(alpha, beta)}",
                "noise": noise,
                "exponent": NAMES[name],
                "measured": len(measured),
                "bias before": table[f"raw_{name}"].mean(),
                "bias": off.mean(),
                "spread": off.std(),
                "coverage": covered / len(measured),
                "low": low,
                "high": high,
            }
        )
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """Render the table."""
    lines = [
        "| (α, β), phase | noise | exponent | measured | bias before | bias | spread | coverage |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in table.itertuples():
        cells = [row.point, f"{row.noise:g}", row.exponent, f"{row.measured} of {TRIALS}"]
        cells += [f"{value:.4f}" for value in (row[5], row.bias, row.spread)]
        cells.append(f"{row.coverage:.1%} ({row.low:.1%} to {row.high:.1%})")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    results = pd.concat([coverage(*point, TRIALS) for point in POINTS], ignore_index=True)
    path = Path("results/benchmarks/data_calibration.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    results.to_csv(path, index=False)
    document = Path("docs/data.md")
    text = replace_block(document.read_text(encoding="utf-8"), "calibration", markdown(results))
    document.write_text(text, encoding="utf-8")
    print(results.to_string())
