"""Contours around a spectrum: the paper's Gamma, and those of this project's solver (section 5)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plrf.exact import inversion
from plrf.training import SGD

NODES = 201  # of each piece of Gamma
MARGIN = 2.0  # between the spectrum and the ends of Gamma_C, and between those and Gamma_0


def gamma_height(u: NDArray[Any], alpha: float, d: float) -> NDArray[Any]:
    """Height of Gamma_C above the real axis at u: this project's choice, with the paper's scales.

    Above ``d**-alpha`` it is the distance of neighbouring ``a_j``, which keeps the contour away
    from distinct outliers; below, the imaginary part of the effective ridge, within which the
    spectrum looks continuous. The two are equal at ``d**-alpha``.
    """
    return np.maximum(u ** (1 + 1 / (2 * alpha)), u ** (1 - 1 / (2 * alpha)) / d)


def gamma(eigenvalues: NDArray[Any], alpha: float, d: float) -> dict[str, NDArray[Any]]:
    """Pieces of the contour Gamma around nonzero eigenvalues, counterclockwise.

    Gamma_C runs above and below the spectrum, Gamma_caps closes it at both ends, and Gamma_0 is a
    circle around 0, where the mass of the d missing directions sits.
    """
    left, right = eigenvalues.min() / MARGIN, eigenvalues.max() * MARGIN
    u = np.geomspace(left, right, NODES)
    lower = u - 1j * gamma_height(u, alpha, d)
    height = np.linspace(-1, 1, NODES)
    ends = 1j * gamma_height(np.array([left, right]), alpha, d)
    circle = left / MARGIN * np.exp(1j * np.linspace(0, 2 * np.pi, NODES))
    return {
        "Gamma_C, below": lower,
        "Gamma_caps, right": right + ends[1] * height,
        "Gamma_C, above": lower[::-1].conj(),
        "Gamma_caps, left": left - ends[0] * height,
        "Gamma_0": circle,
    }


def solver_contours(sgd: SGD, last_step: float) -> list[tuple[str, float, float, NDArray[Any]]]:
    """Nodes z- of the solver's contours: name, first and last step, upper half (model section 5).

    The circle serves the first steps, then each decade of steps has a hyperbola.
    """
    first = float(inversion.FIRST_HYPERBOLA)
    contours = [("circle", 0.0, first - 1, inversion.circle(inversion.CIRCLE_NODES[0]))]
    shape, _ = inversion.hyperbola(inversion.HYPERBOLA_NODES[0], inversion.DECADE_SHAPE)
    while first < last_step:
        end = first * inversion.DECADE
        contours.append(("hyperbola", first, end - 1, shape / end))
        first = end
    return [
        (name, start, end, inversion.spectral_parameters(p, sgd)[0])
        for name, start, end, p in contours
    ]
