"""What the parts of a configuration cover that need no losses: the plane, spectra, algorithms."""

import numpy as np

# The plane is measured in so many jobs.
PLANE_PARTS = 4


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


def algorithm_settings(part, key):
    """The settings of one part of the block, with those of all parts and one more."""
    block = config["algorithms"]
    return {name: block[name] for name in ("points", "v_over_d", key)} | block[part]
