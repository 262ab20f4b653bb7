"""Tests of the results themselves; the workflow stops if one fails."""

import logging

import numpy as np
import pandas as pd
from scipy.special import stdtr

from plrf.tables import CHECKS, GRID, LOSSES, provenance, read_table, write_table

CURVE = ["sweep", "alpha", "beta", "d", "engine", "run"]
FRACTIONS = [0.1, 1.0]  # of the last step, where SGD is compared with its expectation
FALSE_ALARM = 1e-4  # probability that a correct workflow fails the comparison
# Deviation allowed beyond the scatter of runs. Losses of SGD have a heavy tail: without a rare
# large one among them, runs lie below their expectation, and too close to each other for a t-test.
MARGIN = 0.2


class ResultsError(RuntimeError):
    """A test of the results failed."""


def expected_curves(grid: pd.DataFrame) -> pd.DataFrame:
    """All curves that the grid asks for, with their last step."""
    parts = []
    for engine in ("sgd", "recursion", "volterra"):
        rows = grid[grid[engine]][["sweep", "alpha", "beta", "d", "runs", "steps"]]
        runs = [[-1] if engine == "volterra" else list(range(n)) for n in rows["runs"]]
        parts.append(rows.assign(engine=engine, run=runs).explode("run", ignore_index=True))
    return pd.concat(parts).astype({"run": "int64"})


def check_complete(grid: pd.DataFrame, losses: pd.DataFrame) -> tuple[bool, str]:
    """Each curve of the grid is there, from step 0 to its last step, and no other."""
    present = losses.groupby(CURVE, as_index=False)["step"].agg(["min", "max"])
    both = expected_curves(grid).merge(present, on=CURVE, how="outer", indicator=True)
    wrong = both[(both["_merge"] != "both") | (both["min"] != 0) | (both["max"] != both["steps"])]
    first = f", the first {wrong[CURVE].iloc[0].to_dict()}" if len(wrong) else ""
    return wrong.empty, f"{len(both) - len(wrong)} curves complete, {len(wrong)} not{first}"


def check_positive(losses: pd.DataFrame) -> tuple[bool, str]:
    """Losses are positive and finite, or flagged."""
    sound = np.isfinite(losses["loss"]) & (losses["loss"] > 0)
    flagged = losses["status"] != "ok"
    wrong = int((~sound & ~flagged).sum())
    return wrong == 0, f"{wrong} unsound losses unflagged, {int(flagged.sum())} flagged"


def check_errors(losses: pd.DataFrame) -> tuple[bool, str]:
    """Solvers state an error, and those that say "ok" a small one."""
    solved = losses[(losses["engine"] != "sgd") & (losses["status"] == "ok")]
    largest = solved["error"].max(skipna=False) if len(solved) else 0.0
    return bool(largest <= 1e-6), f"largest relative error of a solver {largest:.1e}"


def check_sgd(losses: pd.DataFrame) -> list[tuple[str, bool, str]]:
    """SGD agrees with the expected loss of each run's own W.

    The ratio of the two has mean 1 for each run, size and point; it is averaged over all of them
    in a sweep, at a few steps, and compared by a t-test that allows for the margin.
    """
    keys = ["sweep", "alpha", "beta", "d", "run", "step"]
    columns = [*keys, "loss"]
    sgd = losses[(losses["engine"] == "sgd") & (losses["status"] == "ok")][columns]
    expected = losses[losses["engine"] == "recursion"][columns]
    both = sgd.merge(expected, on=keys, suffixes=("", "_expected"))
    both["ratio"] = both["loss"] / both["loss_expected"]
    last = both.groupby(["sweep", "alpha", "beta", "d"])["step"].transform("max")
    level = FALSE_ALARM / (len(FRACTIONS) * max(1, both["sweep"].nunique()))
    results = []
    for sweep, curves in both.groupby("sweep"):
        for fraction in FRACTIONS:
            # Without step 0, where both are the same.
            at = curves[(curves["step"] > 0) & (curves["step"] <= fraction * last[curves.index])]
            ratio = at.sort_values("step").groupby(keys[:-1])["ratio"].last()
            name = f"sgd agrees with its expectation: {sweep}, {fraction:g} of the steps"
            if len(ratio) < 2:
                results.append((name, True, f"not compared: {len(ratio)} run(s)"))
                continue
            error = ratio.std() / np.sqrt(len(ratio))
            t = max(abs(ratio.mean() - 1) - MARGIN, 0) / error
            probability = 2 * stdtr(len(ratio) - 1, -t)
            detail = f"mean ratio {ratio.mean():.4f} +- {error:.4f} over {len(ratio)} runs"
            results.append((name, bool(probability > level), detail))
    return results


def check_results(grid: pd.DataFrame, losses: pd.DataFrame) -> pd.DataFrame:
    """Run all checks: rows of the CHECKS schema."""
    rows = [
        ("curves are complete", *check_complete(grid, losses)),
        ("losses are positive and finite, or flagged", *check_positive(losses)),
        ("solvers are accurate, or flagged", *check_errors(losses)),
        *check_sgd(losses),
    ]
    return pd.DataFrame(rows, columns=CHECKS.names)


def run_job(grid_path: str, losses_path: str, seed: int, path: str) -> None:
    """Check the results and write the outcome.

    Raises
    ------
    ResultsError
        If a check fails; nothing is written.
    """
    checks = check_results(read_table(grid_path, GRID), read_table(losses_path, LOSSES))
    for row in checks.itertuples():
        logging.info("%s: %s (%s)", "passed" if row.passed else "FAILED", row.check, row.detail)
    failed = checks[~checks["passed"]]
    if len(failed):
        lines = [f"{row.check}: {row.detail}" for row in failed.itertuples()]
        raise ResultsError("the results fail their tests:\n" + "\n".join(lines))
    write_table(checks, CHECKS, path, provenance({}, seed))


if __name__ == "__main__":
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.input.grid,
        snakemake.input.losses,
        snakemake.params.seed,
        snakemake.output[0],
    )
