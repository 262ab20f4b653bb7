"""Data sets that come with scikit-learn, as samples (x, y) of real tasks; nothing is downloaded."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.streams import random_stream

Array = NDArray[np.float64]

PATCH = 20  # pixels along a side
PATCHES = 10_000  # of each photograph


@dataclass(frozen=True, eq=False)
class DataSet:
    """Samples of a real task.

    Attributes
    ----------
    label : str
        Its name in figures and tables.
    description : str
        What is predicted from what, in one line.
    features : int
        Number of its features p.
    load : callable
        Gives x, shape (n, p), of which no column is constant, and y, shape (n,).
    """

    label: str
    description: str
    features: int
    load: Callable[[], tuple[Array, Array]]


def digits() -> tuple[Array, Array]:
    """Is a handwritten digit a 3, from its pixels, without those that are always white."""
    from sklearn.datasets import load_digits
    from sklearn.feature_selection import VarianceThreshold

    data = load_digits()
    return VarianceThreshold().fit_transform(data.data), (data.target == 3).astype(float)


def patches() -> tuple[Array, Array]:
    """Grey patches of two photographs, at random places, and the pixel to the right of each.

    Places are the same at each call. Grey values are from 0 to 1.
    """
    from sklearn.datasets import load_sample_images

    rng = random_stream(0, "places of patches")
    x, y = [], []
    for image in load_sample_images().images:
        grey = image.mean(axis=2) / 255
        windows = np.lib.stride_tricks.sliding_window_view(grey, (PATCH, PATCH + 1))
        rows, columns = (rng.integers(size, size=PATCHES) for size in windows.shape[:2])
        chosen = windows[rows, columns]
        x.append(chosen[:, :, :PATCH].reshape(PATCHES, -1))
        y.append(chosen[:, PATCH // 2, PATCH])
    return np.concatenate(x), np.concatenate(y)


def breast_cancer() -> tuple[Array, Array]:
    """Is a tumour benign, from measurements of its cells, each of mean 0 and variance 1."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import StandardScaler

    data = load_breast_cancer()
    return StandardScaler().fit_transform(data.data), data.target.astype(float)


SETS = {
    "digits": DataSet("digits", "is a handwritten digit a 3, from its pixels", 61, digits),
    "patches": DataSet("image patches", "the pixel beside a patch of a photograph", 400, patches),
    "breast_cancer": DataSet(
        "breast cancer", "is a tumour benign, from measurements of its cells", 30, breast_cancer
    ),
}
"""All sets, by the names that configurations know them by."""


def label_of(name: str) -> str:
    """The label of one of our sets, or the name of a user's files."""
    return SETS[name].label if name in SETS else name
