"""Coverage of intervals of fitted laws: `python -m benchmarks.law_coverage`.

On tables of a known law, how often do 95% intervals cover the truth? Those of resampled rows, of
all quantities, and profiles of a, b and E. The table goes to results/benchmarks/law_coverage.csv;
docstrings of `plrf.fitting.resampling` and `plrf.fitting.profiles` sum it up. It takes a quarter of
an hour or more.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: small matrices

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import huber as huber_loss

from plrf.fitting import quantities
from plrf.fitting.law import FittedLaw
from plrf.fitting.profiles import covariance
from plrf.fitting.resampling import resample
from plrf.measure.law_forms import FREE, PARAMETERS
from plrf.measure.refits import HUBER, LEAST_SQUARES, log_law_and_slopes, refit
from plrf.streams import random_stream
from tests.law_designs import DESIGNS, HIGH, NOISE, TRUTH, fits, table

TRIALS = 400
RESAMPLES = 300
FLOPS = {"middle": 1e20, "10 times the largest": 10 * HIGH}


def everything(parameters: np.ndarray) -> np.ndarray:
    """All quantities, and optima at the budgets; (..., 5) to (..., q)."""
    single = [quantity(parameters) for quantity in quantities.QUANTITIES.values()]
    flops = np.array(list(FLOPS.values()))
    optima = (quantities.best_d(parameters, flops), quantities.best_loss(parameters, flops))
    return np.concatenate([np.stack(single, axis=-1), *optima], axis=-1)


NAMES = [*quantities.QUANTITIES, *(f"{q}, {f}" for q, f in product(("d*", "P*"), FLOPS))]


def by_rows(fitted: list[FittedLaw], rng: np.random.Generator) -> dict[str, float]:
    """Coverage of the intervals of resampled rows."""
    truth = everything(TRUTH)
    intervals = [resample(law, RESAMPLES, rng).interval(everything) for law in fitted]
    covered = [(found.low <= truth) & (truth <= found.high) for found in intervals]
    return dict(zip(NAMES, np.mean(covered, axis=0), strict=True))


def by_profile(fitted: list[FittedLaw], huber: float) -> dict[str, float]:
    """Coverage of the profiles: whether the truth is below the threshold."""
    log_d, log_n = fitted[0].log_d, fitted[0].log_n
    log_losses = np.array([law.log_loss for law in fitted])
    least = np.array([float(law.objective(law.parameters)) for law in fitted])
    ratios = np.array([np.divide(*map(np.diag, covariance(law))) for law in fitted])
    found = {}
    for parameter in ("log_e", "a", "b"):
        k = PARAMETERS.index(parameter)
        starts = np.array([law.parameters for law in fitted])
        starts[:, k] = TRUTH[k]
        form = FREE.fixing(parameter, TRUTH[k])
        others = refit(starts, log_d, log_n, log_losses, form=form, huber=huber)
        residuals = log_law_and_slopes(others, log_d, log_n)[0] - log_losses
        excess = huber_loss(huber, residuals).sum(axis=1) - least
        threshold = ratios[:, k] / 2 * stats.f.ppf(0.95, 1, log_d.size - 5)
        found["E" if parameter == "log_e" else parameter] = float(np.mean(excess <= threshold))
    return found


def coverage(design: str, noise: str, huber: float, trials: int) -> pd.DataFrame:
    """Coverage of all intervals on one design with one kind of noise."""
    seed = [*DESIGNS].index(design), [*NOISE].index(noise)
    fitted = fits(*table(design, noise, seed, trials), huber=huber)
    rng = random_stream(0, f"rows {design} {noise}", huber)
    intervals = {"rows": by_rows(fitted, rng), "profile": by_profile(fitted, huber)}
    cells = {"design": design, "noise": noise, "huber": huber}
    return pd.DataFrame(
        [
            cells | {"interval": interval, "quantity": quantity, "coverage": share}
            for interval, shares in intervals.items()
            for quantity, share in shares.items()
        ]
    )


if __name__ == "__main__":
    cases = product(DESIGNS, NOISE, (HUBER, LEAST_SQUARES))
    results = pd.concat([coverage(*case, TRIALS) for case in cases], ignore_index=True)
    path = Path("results/benchmarks/law_coverage.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    results.to_csv(path, index=False)
    keys = ["design", "noise", "huber", "interval"]
    print(results.groupby(keys, sort=False)["coverage"].agg(["min", "mean", "max"]).to_string())
