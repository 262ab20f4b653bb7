"""What the parts of a configuration cover that need no losses of sweeps."""

import numpy as np

from plrf.study.measured_checks import COLUMNS, OPTIONS

# Parts with rules of their own, that a configuration asks for by a block of the same name.
PARTS = (
    *("plane", "spectra", "finite_size", "explorer", "algorithms", "momentum"),
    *("atlas", "data", "measured"),
)
# The plane is measured in so many jobs.
PLANE_PARTS = 4


def even_values(values):
    """Evenly spaced values, free of rounding: 0.7 is 0.7."""
    return [round(value, 12) for value in np.linspace(**values).tolist()]


def plane_values(name):
    """Values of alpha or beta over the plane."""
    return even_values(config["plane"][name])


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


def algorithm_settings(part, key):
    """The settings of one part of the block, with those of all parts and one more."""
    block = config["algorithms"]
    return {name: block[name] for name in ("points", "v_over_d", key)} | block[part]


def momentum_cases(kind):
    """Parts of the fronts with momentum, each a job: points and a budget."""
    block = config["momentum"]
    if kind == "points":
        return [{"points": block["points"], "flops": flops} for flops in block["flops"]]
    alphas, betas = (even_values(block["plane"][name]) for name in ("alpha", "beta"))
    return [
        {"points": [[alpha, beta] for beta in betas], "flops": flops}
        for flops in block["plane"]["flops"]
        for alpha in alphas
    ]


def momentum_case(wildcards):
    """One of the parts."""
    return momentum_cases(wildcards.kind)[int(wildcards.part)]


def momentum_parts(kind):
    """Files of all parts."""
    parts = range(len(momentum_cases(kind)))
    return expand("results/momentum/parts/{kind}_{part}.parquet", kind=kind, part=parts)


def momentum_files(wildcards):
    """Files of the parts of a table."""
    return momentum_parts(wildcards.kind)


def momentum_settings(*more):
    """What all fronts with momentum are measured with, and more keys of the block."""
    keys = ("v_over_d", "batch", "c", "kept", "c3", *more)
    return {key: config["momentum"][key] for key in keys}


def measured_file(wildcards):
    """The file of a table of measured losses."""
    return config["measured"][wildcards.name]["file"]


def fit_settings(wildcards):
    """Its columns, and how it is fitted."""
    return {k: v for k, v in config["measured"][wildcards.name].items() if k != "file"}


def measured_columns(wildcards):
    """Its columns, and how they belong together."""
    keys = (*COLUMNS, *OPTIONS)
    return {k: v for k, v in config["measured"][wildcards.name].items() if k in keys}


def measured_setting(key):
    """One key of it."""

    def setting(wildcards):
        return config["measured"][wildcards.name][key]

    return setting


# Tables of the atlas, and values of alpha in each job where they cover a plane; a job takes half a minute.
ATLAS = ("convergence", "horizon", "measured", "hyperparameters", "critical")
ATLAS_ALPHAS = {"horizon": 7, "measured": 2, "critical": 1}


def atlas_parts(kind):
    """Points of a table of the atlas, in parts, each the work of a job."""
    block = config["atlas"]
    if kind == "convergence":
        return [block["points"]]
    if kind == "hyperparameters":
        return [[point] for point in block["hyperparameters"]["points"]]
    plane = block["plane" if kind == "horizon" else kind]
    alphas, betas = (even_values(plane[name]) for name in ("alpha", "beta"))
    count = -(-len(alphas) // ATLAS_ALPHAS[kind])
    # Every few values, so that parts cost the same.
    return [[[alpha, beta] for alpha in alphas[k::count] for beta in betas] for k in range(count)]


def atlas_part(kind, wildcards):
    """Points of one part."""
    return atlas_parts(kind)[int(wildcards.part)]


def atlas_files(kind):
    """Files of all parts of a table of the atlas."""
    return [f"results/atlas/parts/{kind}_{part}.parquet" for part in range(len(atlas_parts(kind)))]


def atlas_settings(kind):
    """What a table of the atlas is computed with, besides its points."""
    block = config["atlas"]
    common = {key: block[key] for key in ("v_over_d", "batch", "c")}
    fronts = {key: block[key] for key in ("flops", "budgets")}
    own = block.get(kind, {})
    if kind == "convergence":
        return common | fronts
    if kind == "horizon":
        return common | fronts | {"tolerance": block["tolerance"]}
    if kind == "measured":
        fits = {key: config["fits"][key] for key in ("isoflop_budgets", "envelope_budgets")}
        fits["neighbours"] = config["fits"]["parabola_neighbours"]
        return common | fits | {key: own[key] for key in ("window", "sizes")}
    if kind == "hyperparameters":
        values = {key: own[key] for key in common}
        return common | {key: own[key] for key in ("flops", "flops_of_best_c")} | {"values": values}
    return {"v_over_d": block["v_over_d"], "flops": own["flops"]}
