"""Streams of random numbers that depend on what they are for and on nothing else."""

import hashlib

import numpy as np


def random_stream(seed: int, purpose: str, *values: float) -> np.random.Generator:
    """Random generator that depends on nothing but its arguments.

    The stream of a point is the same whatever other points exist and in whatever order jobs run.

    Parameters
    ----------
    seed : int
        The config's seed.
    purpose : str
        What is drawn ("features", "samples", ...); different purposes are independent.
    values : float
        The point's own values.
    """
    label = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    bits = np.array(values, dtype=np.float64).view(np.uint64)
    # SFC64 is NumPy's fastest generator; drawing normals is most of the time of SGD.
    return np.random.Generator(np.random.SFC64([seed, label, *map(int, bits)]))
