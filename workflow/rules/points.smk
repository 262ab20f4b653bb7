"""What jobs cover: points and sizes of the grid, in batches that share work."""

from functools import cache


wildcard_constraints:
    part="[0-9]+",
    set="|".join([*SETS, *config.get("data", {}).get("files", {})]),
    sweep="[A-Za-z][A-Za-z0-9_-]*",
    alphas=r"[0-9.e+-]+(_to_[0-9.e+-]+)?|nan",
    sizes="[0-9]+(_to_[0-9]+)?",


# A sweep's alphas are spread over at most so many jobs.
MOST_BATCHES = 32
# A sweep's points are fitted by so many at a time, or by more where that were too many jobs.
FIT_POINTS = 4
# Sizes of which each takes an engine less than so many seconds share a job.
SMALL_SECONDS = 4


def batch_name(values):
    """A batch of values as part of a path: the only one, or the first and the last."""
    return "_to_".join(map(str, dict.fromkeys([values[0], values[-1]])))


def batches(rows):
    """Split a sweep's rows for one engine into jobs: their names, and the rows of each.

    A job has one alpha, with all its betas, and one size, or all those that are small. Where a sweep
    has more alphas than MOST_BATCHES, a job has several, so that thousands of points are planned in
    seconds. Their number is a power of two, so that points and sizes that are added leave most jobs
    as they are.
    """
    alphas = rows["alpha"].unique().tolist()
    length = 1
    while len(alphas) > MOST_BATCHES * length:
        length *= 2
    for start in range(0, len(alphas), length):
        batch = alphas[start : start + length]
        of_alphas = rows[rows["alpha"].isin(batch)]
        seconds = {
            d: job_seconds(of_size, config) for d, of_size in of_alphas.groupby("d", sort=False)
        }
        small = [d for d in seconds if seconds[d] < SMALL_SECONDS]
        for sizes in filter(None, [small, *([d] for d in seconds if d not in small)]):
            yield batch_name(batch), batch_name(sizes), of_alphas[of_alphas["d"].isin(sizes)]


# The grid is expanded sweep by sweep where it is needed: a job needs that of its own sweep only.
@cache
def grid(sweep):
    """Rows of the grid of one sweep."""
    return sweep_grid(sweep, config["sweeps"][sweep])


@cache
def jobs(sweep):
    """Rows of the grid of one sweep, by what names a job."""
    return {
        (engine, sweep, alphas, sizes): job
        for engine, rows in grid(sweep).groupby("engine", sort=False)
        for alphas, sizes, job in batches(rows)
    }


JOB = "{sweep}/alpha~{alphas}_d~{sizes}"


def job_rows(engine, wildcards):
    """Rows of the grid that one job of an engine covers."""
    names = engine.name, wildcards.sweep, wildcards.alphas, wildcards.sizes
    return jobs(wildcards.sweep)[names]


def job_points(engine, wildcards):
    """Parameters of one job of an engine, with its training as the configuration gives it."""
    keys = ["sweep", "spectrum", "alpha", "beta", "noise", "d", "v", "batch", "c", "learning_rate"]
    training = {k: config["sweeps"][wildcards.sweep][k] for k in ("schedule", "momentum")}
    points = job_rows(engine, wildcards)[[*keys, "steps", "runs"]].to_dict("records")
    return [{**point, **training} for point in points]


def job_files(folder, suffix, names):
    """Files that jobs of engines, given by their names, make in a folder."""
    keys = "sweep", "alphas", "sizes"
    return [f"{folder}/{e}/{JOB.format(**dict(zip(keys, name)))}{suffix}" for e, *name in names]


def engine_files(folder, suffix):
    """Files that the jobs of all engines make in a folder."""
    return job_files(folder, suffix, [names for sweep in config["sweeps"] for names in jobs(sweep)])


def loss_files(wildcards):
    """All files of losses that the grid asks for."""
    return engine_files("results/losses", ".parquet")


def loss_settings():
    """The part of the configuration that losses depend on: windows and figures left out."""
    sweeps = {
        name: {key: value for key, value in sweep.items() if key not in ("windows", "front")}
        for name, sweep in config["sweeps"].items()
    }
    return {
        "seed": config["seed"],
        "steps_per_decade": config["steps_per_decade"],
        "sweeps": sweeps,
    }


def losses_of_part(wildcards):
    """Files of losses that hold the points of one part of a sweep."""
    alphas = [alpha for alpha, _ in part_points(wildcards)]
    every = "spectrum" in config["sweeps"][wildcards.sweep]
    of_sweep = jobs(wildcards.sweep).items()
    kept = [names for names, rows in of_sweep if every or rows["alpha"].isin(alphas).any()]
    return job_files("results/losses", ".parquet", kept)


# What each sweep with windows is fitted to.
FITS = ("exponents", "fronts", "isoflop")


def fit_files():
    """Fits of all parts of sweeps with windows, by the table that they are joined to."""
    parts = [f"{sweep}/part{k}" for sweep in fitted_sweeps() for k in range(len(fit_parts(sweep)))]
    return {name: [f"results/fits/{part}/{name}.parquet" for part in parts] for name in FITS}


def fit_parts(sweep):
    """Points (alpha, beta) of a sweep in parts, each the work of a job."""
    pairs = [[alpha, beta] for _, alpha, beta in sweep_points(config["sweeps"][sweep])]
    length = FIT_POINTS
    while len(pairs) > MOST_BATCHES * length:
        length *= 2
    return [pairs[start : start + length] for start in range(0, len(pairs), length)]


def part_points(wildcards):
    """Points of one part of a sweep."""
    return fit_parts(wildcards.sweep)[int(wildcards.part)]


def fitted_sweeps():
    """Sweeps whose exponents are wanted: their windows, and what sets the exact front."""
    keys = ["windows", "v_over_d", "c", "batch", "noise", "schedule", "momentum"]
    sweeps = config["sweeps"].items()
    return {name: {k: sweep[k] for k in keys} for name, sweep in sweeps if "windows" in sweep}


def spectrum_file(wildcards):
    """The file that the task of a sweep is from, if it is no power law."""
    return config["sweeps"][wildcards.sweep].get("spectrum", [])


def spectrum_files():
    """The files of all sweeps."""
    return sorted({s["spectrum"] for s in config["sweeps"].values() if "spectrum" in s})


def exact_fronts():
    """Exact fronts of the parts that the configuration asks for, by their names in the script."""
    tables = {
        "plane": "plane/exponents",
        "explorer": "explorer/fronts",
        "finite_size_traverse": "finite_size/traverse",
        "finite_size_fronts": "finite_size/fronts",
        "best_schedules": "algorithms/schedules",
        "batches": "algorithms/batches",
        "critical_batches": "algorithms/critical",
        "label_noise": "algorithms/noise",
        "momentum_points": "momentum/points",
        "momentum_plane": "momentum/plane",
        "atlas_convergence": "atlas/convergence",
        "atlas_horizon": "atlas/horizon",
        "atlas_measured": "atlas/measured",
        "atlas_hyperparameters": "atlas/hyperparameters",
        "atlas_critical": "atlas/critical",
        "data_exponents": "data/exponents",
    }
    files = {name: f"results/{table}.parquet" for name, table in tables.items()}
    return {name: file for name, file in files.items() if file.split("/")[1] in config}
