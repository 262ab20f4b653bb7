"""What the parts of a configuration cover that need no losses: the plane, spectra, algorithms."""

import numpy as np

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
