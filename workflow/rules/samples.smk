"""Samples of real data: where they are, and what they are measured and trained with."""

block = config.get("data", {"sets": []})
if workflow.is_main_process and not SETS.keys().isdisjoint(
    [*block["sets"], *block.get("training", {}).get("sizes", [])]
):
    check_environment("data")


def sample_files(wildcards):
    """A user's files of samples; none for the sets that come with scikit-learn."""
    files = config["data"]["files"]
    return paths(files[wildcards.set]["samples"]) if wildcards.set in files else []


def sample_source(wildcards):
    """Where the samples of a set are, if they are a user's."""
    return config["data"]["files"].get(wildcards.set)


def measurement():
    """What tasks are measured with."""
    block = config["data"]
    keys = ("windows", "resamples", "simulations")
    return {**{key: block[key] for key in keys}, "seed": config["seed"]}


def training_sizes(wildcards):
    """Sizes of the random features of a data set."""
    return config["data"]["training"]["sizes"][wildcards.set]
