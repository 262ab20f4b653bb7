"""The model: features, target, learning rate, recorded steps and random streams.

Power-law random features (model section 1): data ``x_j = j**-alpha z_j`` with Gaussian z, target
``<x, b>`` with ``b_j = j**-beta``, random features W with entries N(0, 1/d), d parameters.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import number, whole_number
from plrf.exact.power_sums import power_sum

Array = NDArray[np.float64]


def feature_variances(alpha: float, v: int) -> Array:
    """Diagonal of the data covariance D, ``a_j = j**(-2 alpha)``; shape (v,) (model section 1)."""
    return np.arange(1, v + 1, dtype=float) ** (-2 * alpha)


def target_coefficients(beta: float, v: int) -> Array:
    """Target vector ``b_j = j**-beta``; shape (v,) (model section 1)."""
    return np.arange(1, v + 1, dtype=float) ** -beta


def learning_rate(c: float, alpha: float, v: float, batch: int) -> float:
    """Learning rate ``gamma = c / (batch Tr D)`` (model section 3).

    Parameters
    ----------
    c : float
        Learning-rate constant; the kernel mass is close to ``c / 2`` when it is small.
    alpha : float
        Data complexity.
    v : float
        Number of features.
    batch : int
        Samples per step.

    Raises
    ------
    ValueError
        If an argument is not positive, or infinitely many features have no trace.
    TypeError
        If an argument is not a number.
    """
    c, alpha = number("c", c, above=0), number("alpha", alpha, above=0)
    v, batch = number("v", v, least=1, infinite=True), whole_number("batch", batch, least=1)
    if v == np.inf and 2 * alpha <= 1:
        raise ValueError(f"alpha = {alpha:.12g}: must be above 0.5 where v is infinite")
    return c / (batch * power_sum(2 * alpha, v))


def recorded_steps(steps: int, per_decade: int) -> NDArray[np.int64]:
    """Log-spaced steps at which losses are recorded: 0, 1, ..., ``steps``, without repetition.

    Parameters
    ----------
    steps : int
        The last step, at least 1.
    per_decade : int
        Steps per decade where the spacing exceeds one step.
    """
    count = int(np.ceil(np.log10(steps) * per_decade)) + 1
    grid = np.rint(np.geomspace(1, steps, count)).astype(np.int64)
    grid[-1] = steps  # exactly, where floats are coarser than integers
    return np.unique(np.concatenate([[0], grid]))


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
