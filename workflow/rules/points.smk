"""What jobs cover: points and sizes of the grid, in batches that share work; parts of the plane."""

import numpy as np


wildcard_constraints:
    part="[0-9]+",
    sweep="[A-Za-z][A-Za-z0-9_-]*",
    alphas=r"[0-9.e+-]+(_to_[0-9.e+-]+)?",
    d=r"[0-9]+",


# The plane is measured in so many jobs.
PLANE_PARTS = 4
# A sweep's alphas are spread over at most so many jobs for each size.
MOST_BATCHES = 32


def batches():
    """Rows of the grid by sweep and by the wildcard `alphas`: what the jobs of one size share.

    A job has one alpha, with all its betas; where a sweep has more alphas than MOST_BATCHES, a job
    has several, so that thousands of points are planned in seconds. Their number is a power of two
    and they follow the configuration, so that points added at the end leave most jobs as they are.
    """
    found = {}
    for sweep, rows in GRID.groupby("sweep", sort=False):
        alphas = rows["alpha"].unique().tolist()
        length = 1
        while len(alphas) > MOST_BATCHES * length:
            length *= 2
        for start in range(0, len(alphas), length):
            batch = alphas[start : start + length]
            name = "_to_".join(map(str, dict.fromkeys([batch[0], batch[-1]])))
            found[sweep, name] = rows[rows["alpha"].isin(batch)]
    return found


BATCHES = batches()


def simulation_rows(wildcards):
    """Rows of the grid that one simulation job covers: a batch of alphas, all betas, one d."""
    rows = BATCHES[wildcards.sweep, wildcards.alphas]
    rows = rows[rows["d"] == int(wildcards.d)]
    return rows.assign(steps=rows["simulated_steps"])


def simulation_points(wildcards):
    """Parameters of one simulation job: for each alpha, the betas that share W."""
    keys = ["sweep", "alpha", "d", "v", "batch", "c", "learning_rate", "steps", "runs"]
    keys += ["sgd", "recursion"]
    rows = simulation_rows(wildcards)
    betas = rows.groupby("alpha")["beta"].agg(list)
    points = rows.drop_duplicates("alpha")[keys].to_dict("records")
    return [point | {"betas": betas[point["alpha"]]} for point in points]


def volterra_rows(wildcards):
    """Rows of the grid that one Volterra job covers: a batch of alphas, all betas and sizes."""
    rows = BATCHES[wildcards.sweep, wildcards.alphas]
    return rows[rows["volterra"]]


def volterra_points(wildcards):
    """Parameters of one Volterra job."""
    keys = ["sweep", "alpha", "beta", "d", "v", "batch", "learning_rate", "steps"]
    return volterra_rows(wildcards)[keys].to_dict("records")


def loss_files():
    """All files of losses that the grid asks for."""
    files = []
    for (sweep, alphas), rows in BATCHES.items():
        sizes = rows.loc[rows["sgd"] | rows["recursion"], "d"].unique()
        files += [f"results/losses/simulation/{sweep}/alpha~{alphas}_d~{d}.parquet" for d in sizes]
        if rows["volterra"].any():
            files.append(f"results/losses/volterra/{sweep}/alpha~{alphas}.parquet")
    return files


def measured():
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


def fitted_sweeps():
    """Sweeps whose exponents are wanted: their windows, and what sets the exact front."""
    keys = ["windows", "v_over_d", "c", "batch"]
    sweeps = config["sweeps"].items()
    return {name: {k: sweep[k] for k in keys} for name, sweep in sweeps if "windows" in sweep}


def plane_values(name):
    """Values of alpha or beta over the plane, free of rounding: 0.7 is 0.7."""
    values = np.linspace(**config["plane"][name])
    return [round(value, 12) for value in values.tolist()]


def plane_alphas(wildcards):
    """Values of alpha of one part of the plane: every few, so that parts cost the same."""
    return plane_values("alpha")[int(wildcards.part) :: PLANE_PARTS]


def plane_front():
    """What the fronts over the plane are measured with."""
    return {key: config["plane"][key] for key in ("flops", "v_over_d", "c", "batch")}


def spectra_model():
    """What spectra are sampled of and computed for."""
    spectra = config["spectra"]
    v = round(spectra["v_over_d"] * spectra["d"])
    return {"points": spectra["points"], "d": spectra["d"], "v": v}
