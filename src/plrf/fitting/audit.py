"""Bias audit: what methods report on surfaces of known exponents, on the rows of a user's table.

There is no noise: what a method reports apart from the exact exponents is its own bias on this
design. The rest of the distance from the theory is one of finite size, which no method can see.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number, numbers
from plrf.fitting.law import fit_table
from plrf.fitting.quantities import best_loss, eta, xi
from plrf.fitting.surfaces import POINTS, Design, Surface, law, random_features
from plrf.fitting.variable_projection import variable_projection
from plrf.statuses import OK
from plrf.theory.phases import phase_name

FloatArray = NDArray[np.float64]
Method = Callable[[FloatArray, FloatArray, FloatArray], tuple[float, float, str]]
"""From d, n and losses (m,) to eta of P* - E, xi, and a status; NaN where a method has none."""

QUANTITIES = ("eta", "xi")
USUAL_SHARE = 0.5
"""Share of E in the loss where no law says another one."""


def _parametric(d: FloatArray, n: FloatArray, loss: FloatArray) -> tuple[float, float, str]:
    fitted = fit_table(d, n, loss)
    return float(eta(fitted.parameters)), float(xi(fitted.parameters)), fitted.status


def _projected(d: FloatArray, n: FloatArray, loss: FloatArray) -> tuple[float, float, str]:
    fitted = variable_projection(d, n, loss)
    return float(eta(fitted.parameters)), float(xi(fitted.parameters)), fitted.status


LAW_METHODS: dict[str, Method] = {"approach3": _parametric, "variable_projection": _projected}
"""Methods that fit the parametric law, by name."""

LAWS = ((0.35, 0.35), (0.3, 0.6), (0.6, 0.3))
"""Exponents (a, b) of further surfaces of the law's own form."""


@dataclass(frozen=True)
class AuditRow:
    """What one method reports of one exponent on one surface.

    Attributes
    ----------
    surface : str
        "phase Ia, (0.75, 0.25)", "fitted law", or the exponents of another law.
    method, quantity : str
        Name, and "eta" or "xi".
    reported, exact, theory : float
        By the method; of the surface over the design's budgets; at infinite size.
    bias : float
        Reported less exact.
    status : str
        "ok", or why the surface has no losses or the method no exponents.
    """

    surface: str
    method: str
    quantity: str
    reported: float
    exact: float
    theory: float
    bias: float
    status: str


def audit(
    d: ArrayLike,
    n: ArrayLike,
    methods: Mapping[str, Method] = LAW_METHODS,
    *,
    parameters: FloatArray | None = None,
    share: float | None = None,
) -> list[AuditRow]:
    """Say what methods would report on surfaces of known exponents (model section 8).

    Parameters
    ----------
    d, n : array_like, shape (m,)
        Parameters and samples of the runs of a table.
    methods : mapping
        From names to methods.
    parameters : ndarray, shape (5,), optional
        Of the law fitted to the table. It sets the centre of the design and the share of E, and is
        one of the surfaces.
    share : float, optional
        Share of E in the loss at the centre; that of the law, or 0.5.

    Returns
    -------
    list of AuditRow
        Two for each surface and method. Surfaces are those of random features in seven phases, of
        the fitted law and of three other laws; see `plrf.fitting.surfaces`.

    Raises
    ------
    ValueError
        If sizes, samples or the share are out of range, not of one length, or parameters are not
        those of a law.
    TypeError
        If something is not a number.
    """
    sizes, samples = numbers("d", d, above=0), numbers("n", n, above=0)
    if sizes.shape != samples.shape or sizes.ndim != 1 or not sizes.size:
        shapes = f"{sizes.shape} and {samples.shape}"
        raise ValueError(f"d and n: must be 1-d, not empty and of one length, not {shapes}")
    if parameters is not None and not np.isfinite(parameters[[2, 4]]).all():
        raise ValueError(f"parameters = {parameters}: must be those of a law with exponents")
    design = Design.of(sizes, samples, parameters)
    share = _share(design, parameters) if share is None else number("share", share, least=0)
    if share >= 1:
        raise ValueError(f"share = {share:g}: must be below 1")
    return [
        row
        for name, surface in _surfaces(parameters).items()
        for row in _rows(name, surface, design, share, methods)
    ]


def _share(design: Design, parameters: FloatArray | None) -> float:
    """Share of E in the loss of a law at the centre of a design."""
    if parameters is None:
        return USUAL_SHARE
    compute = np.array([design.d_centre * design.n_centre])
    return float(np.exp(parameters[0]) / best_loss(parameters, compute, 1.0)[0])


def _surfaces(parameters: FloatArray | None) -> dict[str, Surface]:
    surfaces = {
        f"phase {phase_name(alpha, beta)}, ({alpha:g}, {beta:g})": random_features(alpha, beta)
        for alpha, beta in POINTS
    }
    if parameters is not None:
        surfaces["fitted law"] = law(float(parameters[2]), float(parameters[4]))
    return surfaces | {f"a = {a:g}, b = {b:g}": law(a, b) for a, b in LAWS}


def _rows(
    name: str, surface: Surface, design: Design, share: float, methods: Mapping[str, Method]
) -> list[AuditRow]:
    """Both exponents by all methods on one surface."""
    on = surface(design, share)
    rows = []
    for method, find in methods.items():
        found = find(on.d, on.n, on.loss) if on.status == OK else (np.nan, np.nan, on.status)
        for k, quantity in enumerate(QUANTITIES):
            reported, exact, theory = float(found[k]), float(on.exact[k]), float(on.theory[k])
            rows.append(
                AuditRow(
                    surface=name,
                    method=method,
                    quantity=quantity,
                    reported=reported,
                    exact=exact,
                    theory=theory,
                    bias=reported - exact,
                    status=found[2],
                )
            )
    return rows
