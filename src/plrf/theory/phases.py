"""Phases of the (alpha, beta) plane and their compute-optimal exponents.

Each row of the paper's Table 2 is a :class:`Phase`: a region bounded by straight lines, the terms
of the loss visible there, the two terms whose balance fixes the compute-optimal size, and the
exponents of the compute-optimal front

    P*(f) ~ f^-eta        d*(f) ~ f^xi        f = d * steps * batch in flops.

Source: model section 7 (docs/model.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number

# A point closer than this to a boundary is on it: in floats, 0.7 + -0.2 is not 0.5.
TOLERANCE = 1e-9
NO_PHASE = "none"  # of a task that is no power law

IV_BOUNDARY = 1 - 1 / math.sqrt(2)
"""The alpha of the line between phases IVa and IVb, the only one across which xi jumps."""

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "Gamma": "Γ", "kappa": "κ", "zeta": "ζ"}


@dataclass(frozen=True)
class HalfPlane:
    """The open half-plane ``alpha_weight * alpha + beta_weight * beta > bound``.

    ``text`` is the same inequality in words, for tables and messages.
    """

    text: str
    alpha_weight: float
    beta_weight: float
    bound: float

    def margin(self, alpha: Any, beta: Any) -> Any:
        """Left side minus right side of the inequality: positive inside, 0 on the line."""
        return self.alpha_weight * alpha + self.beta_weight * beta - self.bound


@dataclass(frozen=True)
class Phase:
    """One phase of compute-optimal scaling.

    Attributes
    ----------
    name : str
        The paper's name: Ia, Ib, Ic, II, III, IVa or IVb.
    region : tuple of HalfPlane
        The phase is where all of these hold.
    eta, xi : callable
        The exponents as functions of (alpha, beta), floats or arrays; they are meaningful in the
        region and on its boundary, the line 2(alpha+beta) = 1 excepted.
    visible_terms : tuple of str
        The parts of the loss (model section 6) that dominate at some time, for large d, from
        ``F_pp``, ``F_ac``, ``F_0`` and ``K_pp``.
    trade_off : tuple of str
        The two visible terms that are equal at the compute-optimal size. ``K_pp`` enters the
        loss, and this balance, as K_pp / (gamma B).
    eta_text, xi_text : str
        The exponents in words, for tables.
    """

    name: str
    region: tuple[HalfPlane, ...]
    eta: Callable[[Any, Any], Any]
    xi: Callable[[Any, Any], Any]
    visible_terms: tuple[str, ...]
    trade_off: tuple[str, str]
    eta_text: str
    xi_text: str

    def touches(self, alpha: Any, beta: Any) -> NDArray[np.bool_]:
        """Whether points lie in the phase or, within ``TOLERANCE``, on its boundary."""
        inside = [side.margin(alpha, beta) >= -TOLERANCE for side in self.region]
        touched: NDArray[np.bool_] = np.logical_and.reduce(inside)
        return touched


def _p(alpha: Any, beta: Any) -> Any:
    return 2 * alpha + 2 * beta - 1


def _ic_denominator(alpha: Any, beta: Any) -> Any:
    return 2 * (3 * alpha + 2 * beta - 1 - 2 * alpha * beta)


def _ivb_denominator(alpha: Any, beta: Any) -> Any:
    return 2 * beta - alpha - 2 * alpha * beta


_ALPHA_POSITIVE = HalfPlane("alpha > 0", 1, 0, 0)
_POWER_LAW = HalfPlane("2(alpha+beta) > 1", 2, 2, 1)
_LARGE_ALPHA = HalfPlane("2 alpha > 1", 2, 0, 1)
_SMALL_ALPHA = HalfPlane("2 alpha < 1", -2, 0, -1)
_LARGE_BETA = HalfPlane("2 beta > 1", 0, 2, 1)
_SMALL_BETA = HalfPlane("2 beta < 1", 0, -2, -1)

PHASES: tuple[Phase, ...] = (
    Phase(
        name="Ia",
        region=(_LARGE_ALPHA, _SMALL_BETA, _POWER_LAW),
        eta=lambda alpha, beta: _p(alpha, beta) / (2 * alpha + 1),
        xi=lambda alpha, beta: 1 / (2 * alpha + 1),
        visible_terms=("F_pp", "F_0"),
        trade_off=("F_pp", "F_0"),
        eta_text="(2 alpha + 2 beta - 1)/(2 alpha + 1)",
        xi_text="1/(2 alpha + 1)",
    ),
    Phase(
        name="Ib",
        region=(_SMALL_ALPHA, _SMALL_BETA, _POWER_LAW),
        eta=lambda alpha, beta: alpha + beta - 0.5,
        xi=lambda alpha, beta: 0.5,
        visible_terms=("F_pp", "F_0"),
        trade_off=("F_pp", "F_0"),
        eta_text="alpha + beta - 1/2",
        xi_text="1/2",
    ),
    Phase(
        name="Ic",
        region=(_ALPHA_POSITIVE, HalfPlane("alpha < 1/4", -1, 0, -0.25), _LARGE_BETA),
        eta=lambda alpha, beta: 2 * alpha * _p(alpha, beta) / _ic_denominator(alpha, beta),
        xi=lambda alpha, beta: _p(alpha, beta) / _ic_denominator(alpha, beta),
        visible_terms=("F_pp", "F_0"),
        trade_off=("F_pp", "F_0"),
        eta_text="alpha (2 alpha + 2 beta - 1)/(3 alpha + 2 beta - 1 - 2 alpha beta)",
        xi_text="(2 alpha + 2 beta - 1)/(2 (3 alpha + 2 beta - 1 - 2 alpha beta))",
    ),
    Phase(
        name="II",
        region=(_LARGE_ALPHA, _LARGE_BETA, HalfPlane("beta < alpha", 1, -1, 0)),
        eta=lambda alpha, beta: _p(alpha, beta) / (2 * (alpha + beta)),
        xi=lambda alpha, beta: beta / (alpha + beta),
        visible_terms=("F_pp", "F_ac", "F_0"),
        trade_off=("F_pp", "F_ac"),
        eta_text="(2 alpha + 2 beta - 1)/(2 (alpha + beta))",
        xi_text="beta/(alpha + beta)",
    ),
    Phase(
        name="III",
        region=(_LARGE_ALPHA, HalfPlane("beta > alpha", -1, 1, 0)),
        eta=lambda alpha, beta: (4 * alpha - 1) / (4 * alpha),
        xi=lambda alpha, beta: 0.5,
        visible_terms=("F_ac", "F_0", "K_pp"),
        trade_off=("K_pp", "F_ac"),
        eta_text="(4 alpha - 1)/(4 alpha)",
        xi_text="1/2",
    ),
    Phase(
        name="IVa",
        region=(
            HalfPlane("alpha > 1 - 1/sqrt(2)", 1, 0, IV_BOUNDARY),
            _SMALL_ALPHA,
            _LARGE_BETA,
        ),
        eta=lambda alpha, beta: alpha,
        xi=lambda alpha, beta: 0.5,
        visible_terms=("F_pp", "F_0", "K_pp"),
        trade_off=("K_pp", "F_0"),
        eta_text="alpha",
        xi_text="1/2",
    ),
    Phase(
        name="IVb",
        region=(
            HalfPlane("alpha > 1/4", 1, 0, 0.25),
            HalfPlane("alpha < 1 - 1/sqrt(2)", -1, 0, -IV_BOUNDARY),
            _LARGE_BETA,
        ),
        eta=lambda alpha, beta: (
            (1 - 2 * alpha) * _p(alpha, beta) / (2 * _ivb_denominator(alpha, beta))
        ),
        xi=lambda alpha, beta: (beta - alpha) / _ivb_denominator(alpha, beta),
        visible_terms=("F_pp", "F_0", "K_pp"),
        trade_off=("K_pp", "F_pp"),
        eta_text="(1 - 2 alpha) (2 alpha + 2 beta - 1)/(2 (2 beta - alpha - 2 alpha beta))",
        xi_text="(beta - alpha)/(2 beta - alpha - 2 alpha beta)",
    ),
)
"""The seven phases, in the order of model section 7."""


def greek(text: str) -> str:
    """Write the Greek letters of a formula's text as such: "2 alpha > 1" becomes "2 α > 1"."""
    for name, letter in GREEK.items():
        text = text.replace(name, letter)
    return text


@dataclass(frozen=True)
class PointTheory:
    """What the theory says of one point (alpha, beta).

    Attributes
    ----------
    name : str
        The name of its phase; on a boundary the names of all adjacent phases in the order of
        ``PHASES``, as in ``"II/III"``; on the line 2(alpha+beta) = 1, ``"edge"``: loss curves
        exist there but exponents do not.
    eta, xi : float
        Exponents of the front, as from `exponents`: NaN on the edge, and xi also on the line
        between IVa and IVb, where it jumps.
    region : str
        The inequalities of the phase; on a boundary, those of each adjacent phase after its name.
    """

    name: str
    eta: float
    xi: float
    region: str


def phase(alpha: float, beta: float) -> PointTheory:
    """Phase of a point, with its exponents and its region (model section 7).

    Parameters
    ----------
    alpha, beta : float
        Data and target complexity.

    Returns
    -------
    PointTheory
        On a boundary the name joins those of both phases; on the edge it is "edge".

    Raises
    ------
    ValueError
        Where the model has no power law: alpha <= 0 or 2(alpha+beta) < 1, or not finite.
    TypeError
        If an argument is not a number.

    Examples
    --------
    >>> phase(0.7, 1.2)
    PointTheory(name='III', eta=0.6428571428571428, xi=0.5, region='2 alpha > 1, beta > alpha')
    """
    alpha, beta = number("alpha", alpha, above=0), number("beta", beta)
    name = phase_name(alpha, beta)
    eta, xi = map(float, exponents(alpha, beta))
    regions = {row.name: ", ".join(side.text for side in row.region) for row in PHASES}
    if name == "edge":
        region = "2(alpha+beta) = 1"
    elif "/" in name:
        region = "; ".join(f"{part}: {regions[part]}" for part in name.split("/"))
    else:
        region = regions[name]
    return PointTheory(name, eta, xi, region)


def phase_name(alpha: float, beta: float) -> str:
    """Name of the phase of a point; see `PointTheory` and, for what it raises, `phase`.

    Examples
    --------
    >>> phase_name(0.7, 1.2), phase_name(0.7, 0.7), phase_name(0.7, -0.2)
    ('III', 'II/III', 'edge')
    """
    margin = _POWER_LAW.margin(alpha, beta)
    if not (alpha > 0 and margin >= -TOLERANCE and math.isfinite(margin)):
        raise ValueError(
            f"no power law at alpha = {alpha:.12g}, beta = {beta:.12g}: "
            f"alpha > 0 and 2(alpha+beta) >= 1 are required, "
            f"here 2(alpha+beta) = {2 * (alpha + beta):.12g}"
        )
    if margin <= TOLERANCE:
        return "edge"
    return "/".join(row.name for row in PHASES if row.touches(alpha, beta))


def exponents(alpha: ArrayLike, beta: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exponents of the compute-optimal front, P* ~ f^-eta and d* ~ f^xi (model section 7).

    Parameters
    ----------
    alpha, beta : array_like of float
        Data and target complexity, broadcast against each other.

    Returns
    -------
    eta, xi : ndarray of float64
        In the broadcast shape; numpy scalars for scalars. On a boundary between phases, their
        common value, with one exception: xi is NaN on the line between IVa and IVb, where it
        jumps. Both are NaN on the edge 2(alpha+beta) = 1, where the front is not a power law (the
        limit of eta is 0), and wherever `phase` raises.
    """
    alpha, beta = np.broadcast_arrays(np.asarray(alpha, float), np.asarray(beta, float))
    eta = np.full(alpha.shape, np.nan)
    xi = np.full(alpha.shape, np.nan)
    exists = (_POWER_LAW.margin(alpha, beta) > TOLERANCE) & (alpha > 0)
    touched = {}
    for row in PHASES:
        touched[row.name] = here = exists & row.touches(alpha, beta)
        eta[here] = row.eta(alpha[here], beta[here])
        xi[here] = row.xi(alpha[here], beta[here])
    # The jump closes where the line ends, at 2 beta = 1.
    jump = touched["IVa"] & touched["IVb"] & ~touched["Ib"]
    xi[jump] = np.nan
    return eta[()], xi[()]


def universal(alpha: ArrayLike, beta: ArrayLike) -> NDArray[np.bool_]:
    """Whether d* ~ f^(1/2), whatever alpha and beta: phases Ib, III and IVa.

    Parameters
    ----------
    alpha, beta : array_like of float
        Data and target complexity, broadcast against each other.

    Returns
    -------
    ndarray of bool
        In the broadcast shape. The boundary of the three phases is included where xi is defined,
        that is, without the edge 2(alpha+beta) = 1 and the line between IVa and IVb.
    """
    _, xi = exponents(alpha, beta)
    return np.abs(xi - 0.5) <= TOLERANCE
