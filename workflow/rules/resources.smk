"""What jobs ask a scheduler for: estimates from the measurements in docs/hpc.md.

A job that was killed for its memory or its time asks for more at its next attempt.
"""

from functools import cache

import numpy as np

from plrf.study.grid import job_seconds


def memory(megabytes, attempt):
    """Memory to ask for (MB): 1000 for the interpreters, Snakemake's own included, and a half more
    than the estimate for the data."""
    return int(attempt * (1000 + 1.5 * megabytes))


def minutes(seconds, attempt):
    """Time to ask for: 10 minutes, and four times the estimate, since other machines are slower."""
    return int(np.ceil(attempt * (10 + 4 * seconds / 60)))


def number_of_losses(rows):
    """Recorded losses of some rows of the grid."""
    recorded = 1 + config["steps_per_decade"] * np.log10(rows["steps"]).clip(lower=1)
    return float((recorded * rows["runs"].clip(lower=1)).sum())


@cache
def whole_grid(sweep):
    """The grid of a sweep as if all runs went to its budget, which takes no exact fronts."""
    settings = config["sweeps"][sweep]
    return sweep_grid(sweep, {k: v for k, v in settings.items() if k != "around_optimum"})


def all_losses():
    """At most so many recorded losses in all."""
    return sum(number_of_losses(whole_grid(sweep)) for sweep in config["sweeps"])


def job_memory(engine, wildcards, attempt):
    """Memory of an engine's job: of the losses and, where W is drawn, of one alpha at a time."""
    rows = job_rows(engine, wildcards)
    megabytes = 500 * number_of_losses(rows) / 1e6
    if engine.samples:
        d, chains = int(rows["d"].max()), rows["runs"].max() * rows["beta"].nunique()
        matrices = 3 * d**2 + 2 * 2048 * d  # of the reduction: d by d, and blocks of W
        megabytes += 8 * (matrices + 10 * chains * d) / 1e6
    return memory(megabytes, attempt)


def job_runtime(engine, wildcards, attempt):
    """Time of an engine's job."""
    return minutes(job_seconds(job_rows(engine, wildcards), config), attempt)


def fit_memory(wildcards, attempt):
    """Memory of the losses of the points that a job fits."""
    rows, share = whole_grid(wildcards.sweep), 1 / len(fit_parts(wildcards.sweep))
    return memory(500 * share * number_of_losses(rows) / 1e6, attempt)


def fit_runtime(wildcards, attempt):
    """Time of the fits of a job's points in all windows, with their bootstrap over runs."""
    windows = len(fitted_sweeps()[wildcards.sweep]["windows"])
    return minutes(10 * windows * len(part_points(wildcards)), attempt)


def aggregation_memory(wildcards, attempt):
    """Memory of one file of losses, whatever their number."""
    largest = max(number_of_losses(rows) for s in config["sweeps"] for rows in jobs(s).values())
    return memory(300 * largest / 1e6, attempt)


def aggregation_runtime(wildcards, attempt):
    """Time of reading and writing all losses."""
    return minutes(5e-6 * all_losses(), attempt)


def table_memory(wildcards, attempt):
    """Memory of a job that holds the table of all losses."""
    return memory(500 * all_losses() / 1e6, attempt)


def table_runtime(wildcards, attempt):
    """Time of a job that works on the table of all losses."""
    return minutes(2e-5 * all_losses(), attempt)


def spectra_memory(wildcards, attempt):
    """Memory of one reduction, and of the spectra of all samples of an alpha."""
    spectra = config["spectra"]
    d, points = spectra["d"], len(spectra["points"])
    return memory(8 * (3.2 * d**2 + 8 * spectra["samples"] * d * points) / 1e6 + 300, attempt)


def spectra_runtime(wildcards, attempt):
    """Time of the reductions."""
    spectra = config["spectra"]
    model = spectra_model()
    reductions = len(model["points"]) * spectra["samples"]
    return minutes(reductions * (6e-11 * model["v"] * model["d"] ** 2 + 0.02), attempt)


def plane_runtime(wildcards, attempt):
    """Time of the fronts of one part of the plane."""
    points = len(plane_alphas(wildcards)) * len(plane_values("beta"))
    return minutes(0.05 * points, attempt)


def explorer_memory(wildcards, attempt):
    """Memory of the curves of all points and sizes."""
    explorer = config["explorer"]
    low, high = np.log10(explorer["flops"])
    steps = explorer["steps_per_decade"] * (high - low + 4)
    curves = len(explorer["alpha"]) * len(explorer["beta"]) * len(explorer["d"])
    return memory(2000 * curves * steps / 1e6 + 200, attempt)


def explorer_runtime(wildcards, attempt):
    """Time of the curves and the front of each point."""
    explorer = config["explorer"]
    points = len(explorer["alpha"]) * len(explorer["beta"])
    each = 0.02 * (len(explorer["d"]) + explorer["budgets"])
    return minutes(points * each, attempt)


def momentum_runtime(wildcards, attempt):
    """Time of the fronts of one part, seconds each."""
    return minutes(10 * len(momentum_case(wildcards)["points"]), attempt)


def samples_memory(wildcards, attempt):
    """Memory of a few batches, and of matrices of 3000 features."""
    return memory(1500, attempt)


def samples_runtime(wildcards, attempt):
    """Time of the moments and simulated tasks, for large files of a user's."""
    return minutes(600, attempt)


def training_memory(wildcards, attempt):
    """Memory of the samples of the largest set, and of their features and products."""
    return memory(900, attempt)


def training_runtime(wildcards, attempt):
    """Time of the steps, of which each takes longer for large sizes, and of the corrections."""
    plan = config["data"]["training"]
    sizes = np.array(training_sizes(wildcards))
    steps = plan["runs"] * len(plan["c"]) * plan["chains"] * plan["steps"]
    seconds = steps * (1e-7 + 2e-9 * sizes) + 0.5 * plan["runs"] * len(plan["c"])
    return minutes(float(seconds.sum()), attempt)


def other_memory(wildcards, attempt):
    """Memory of a job that does not grow with the grid."""
    return memory(500, attempt)


def other_runtime(wildcards, attempt):
    """Time of a job that does not grow with the grid: minutes on a laptop."""
    return minutes(600, attempt)
