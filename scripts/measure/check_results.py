"""Tests of the results themselves; the workflow stops if one fails."""

import logging

import numpy as np
import pandas as pd

from plrf.engines.registry import ENGINES
from plrf.measure.agreement import check_agreement, check_exponents, check_same_law
from plrf.measure.plain_rates import with_plain_rates
from plrf.statuses import OK, SOUND
from plrf.study.provenance import provenance
from plrf.study.schemas import algorithms, atlas, data, momentum
from plrf.study.schemas.checks import CHECKS
from plrf.study.schemas.explorer import EXPLORER_FRONTS
from plrf.study.schemas.finite_size import LOCAL_EXPONENTS
from plrf.study.schemas.fits import EXPONENTS
from plrf.study.schemas.grid import GRID
from plrf.study.schemas.losses import ACCURACY, LOSSES
from plrf.study.schemas.plane import PLANE
from plrf.study.store import read_table, write_table
from plrf.study.tasks import spectrum_task
from plrf.training import recorded_steps

CURVE = ["sweep", "alpha", "beta", "d", "engine", "run"]
POINT = ["sweep", "alpha", "beta", "d"]
# What is checked: three tables of any study, and the statuses of the parts that it has.
SCHEMAS = {
    "grid": GRID,
    "losses": LOSSES,
    "exponents": EXPONENTS,
    "plane": PLANE,
    "explorer": EXPLORER_FRONTS,
    "finite_size_traverse": LOCAL_EXPONENTS,
    "finite_size_fronts": LOCAL_EXPONENTS,
    "best_schedules": algorithms.BEST_SCHEDULES,
    "batches": algorithms.BATCHES,
    "critical_batches": algorithms.CRITICAL_BATCHES,
    "label_noise": algorithms.NOISE_FRONTS,
    "momentum_points": momentum.MOMENTUM_FRONTS,
    "momentum_plane": momentum.MOMENTUM_FRONTS,
    **{f"atlas_{name}": schema for name, schema in atlas.TABLES.items()},
    "data_exponents": data.TASK_EXPONENTS,
}


class ResultsError(RuntimeError):
    """A test of the results failed."""


def with_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """0 for alpha and beta of the one point of a spectrum from a file, which NaN would not name."""
    return table.fillna({"alpha": 0.0, "beta": 0.0})


def expected_curves(grid: pd.DataFrame) -> pd.DataFrame:
    """All curves that the grid asks for, with their last step."""
    runs = [list(range(runs)) or [-1] for runs in grid["runs"]]
    curves = grid[[*POINT, "engine", "steps"]].assign(run=runs)
    return curves.explode("run", ignore_index=True).astype({"run": "int64"})


def check_complete(
    grid: pd.DataFrame, losses: pd.DataFrame, steps_per_decade: int
) -> tuple[bool, str]:
    """Each curve of the grid is there with all its recorded steps, and no other."""
    present = losses.groupby(CURVE, as_index=False)["step"].agg(["size", "nunique", "max"])
    expected = expected_curves(grid)
    expected["n"] = [recorded_steps(n, steps_per_decade).size for n in expected["steps"]]
    both = expected.merge(present, on=CURVE, how="outer", indicator=True)
    right = (both["size"] == both["n"]) & (both["nunique"] == both["n"])
    wrong = both[(both["_merge"] != "both") | ~right | (both["max"] != both["steps"])]
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
    solvers = [name for name, engine in ENGINES.items() if not engine.stochastic]
    solved = losses[losses["engine"].isin(solvers) & (losses["status"] == "ok")]
    largest = solved["error"].max(skipna=False) if len(solved) else 0.0
    return bool(largest <= ACCURACY), f"largest relative error of a solver {largest:.1e}"


def check_fronts(fronts: pd.DataFrame) -> tuple[bool, str]:
    """Fronts and tasks have their losses and exponents, or lack them for what the model is like."""
    known = np.isfinite(fronts.filter(["eta", "xi", "value", "loss", "beta"])).all(axis=1)
    wrong = fronts[~fronts["status"].isin(SOUND) | ((fronts["status"] == OK) & ~known)]
    first = f", the first {wrong[['alpha', 'beta']].iloc[0].to_dict()}" if len(wrong) else ""
    counts = [f"{n} {status}" for status, n in fronts["status"].value_counts().items()]
    return wrong.empty, f"{len(wrong)} of {len(fronts)} failed{first}; {', '.join(counts)}"


def check_results(
    grid: pd.DataFrame,
    losses: pd.DataFrame,
    exponents: pd.DataFrame,
    steps_per_decade: int,
    **fronts: pd.DataFrame,
) -> pd.DataFrame:
    """Run all checks: rows of the CHECKS schema."""
    spectra = {path: spectrum_task(path, 0.0) for path in set(grid["spectrum"]) - {""}}
    grid, losses, exponents = map(with_numbers, (grid, losses, exponents))
    plain_grid, plain_losses = with_plain_rates(grid, losses, spectra)
    rows = [
        ("curves are complete", *check_complete(grid, losses, steps_per_decade)),
        ("losses are positive and finite, or flagged", *check_positive(losses)),
        ("solvers are accurate, or flagged", *check_errors(losses)),
        *check_agreement(plain_losses, spectra),
        *check_same_law(losses),
        *check_exponents(plain_grid, exponents, spectra),
        *((f"statuses are sound: {name}", *check_fronts(f)) for name, f in fronts.items()),
    ]
    return pd.DataFrame(rows, columns=CHECKS.names)


def run_job(paths: dict[str, str], steps_per_decade: int, path: str) -> None:
    """Check the results, tables by their names in SCHEMAS, and write the outcome.

    Raises
    ------
    ResultsError
        If a check fails; nothing is written.
    """
    tables = {name: read_table(file, SCHEMAS[name]) for name, file in paths.items()}
    checks = check_results(**tables, steps_per_decade=steps_per_decade)
    for row in checks.itertuples():
        logging.info("%s: %s (%s)", "passed" if row.passed else "FAILED", row.check, row.detail)
    failed = checks[~checks["passed"]]
    if len(failed):
        lines = [f"{row.check}: {row.detail}" for row in failed.itertuples()]
        raise ResultsError("the results fail their tests:\n" + "\n".join(lines))
    source = provenance({}, inputs=list(paths.values()))
    write_table(checks, CHECKS, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    tables = {name: file for name, file in snakemake.input.items() if name in SCHEMAS}
    run_job(tables, snakemake.params.steps_per_decade, snakemake.output[0])
