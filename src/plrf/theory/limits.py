"""Limits of the named parts of the loss for large d and late steps: power laws (section 6)."""

from dataclasses import dataclass

from scipy import integrate, special

from plrf.theory.parts import capacity_ridge
from plrf.theory.phases import TOLERANCE


@dataclass(frozen=True)
class LimitLaw:
    """A part of the loss as ``constant * d**d_exponent * T**t_exponent`` with ``T = 2 gamma B r``.

    It holds for ``1 << T << d**(2 alpha)`` as d grows with v/d fixed; F_0 does not depend on T.
    K_pp is in units of ``gamma**2 B``.

    Attributes
    ----------
    region : str
        Where in the plane the part has this form.
    formula : str
        The form, in words.
    constant, d_exponent, t_exponent : float
        At the point that was asked for. The constant is 0 where there is no such part.
    """

    region: str
    formula: str
    constant: float
    d_exponent: float
    t_exponent: float


def power_laws(alpha: float, beta: float, v_over_d: float) -> dict[str, LimitLaw]:
    """Leading power laws of F_0, F_pp, F_ac and K_pp, model section 6 (docs/model.md).

    They are limits: near the lines 2 alpha = 1, 4 alpha = 1 and 2 beta = 1 the parts are far from
    them at any d and r in reach.

    Parameters
    ----------
    alpha, beta : float
        Data and target complexity; 2(alpha+beta) > 1, off those three lines.
    v_over_d : float
        Number of features over number of parameters, above 1.

    Returns
    -------
    dict of LimitLaw, by the names of the parts

    Raises
    ------
    ValueError
        On the edge 2(alpha+beta) = 1, below it, or on one of the lines.
    """
    margins = [2 * (alpha + beta) - 1, *(abs(x - 1) for x in (2 * alpha, 4 * alpha, 2 * beta))]
    if min(margins) <= TOLERANCE:
        raise ValueError(
            f"no power laws at alpha = {alpha:.12g}, beta = {beta:.12g}: 2(alpha+beta) > 1 is "
            f"required, and none of 2 alpha, 4 alpha, 2 beta may be 1"
        )
    pure = -(1 + beta / alpha) + 1 / (2 * alpha)
    return {
        "F_0": _capacity_law(alpha, beta, v_over_d),
        "F_pp": LimitLaw(
            "2(alpha+beta) > 1",
            "Gamma(1 + beta/alpha - 1/(2 alpha))/(2 alpha) T^(-(1 + beta/alpha) + 1/(2 alpha))",
            float(special.gamma(-pure)) / (2 * alpha),
            0.0,
            pure,
        ),
        "F_ac": _continuous_law(alpha, beta),
        "K_pp": _kernel_law(alpha),
    }


def _capacity_law(alpha: float, beta: float, v_over_d: float) -> LimitLaw:
    kappa = capacity_ridge(alpha, 1.0, v_over_d)
    if 2 * beta > 1:
        constant = float(special.zeta(2 * beta)) / kappa
        return LimitLaw("2 beta > 1", "zeta(2 beta)/kappa d^(-2 alpha)", constant, -2 * alpha, 0.0)

    def integrand(x: float) -> float:
        """The integral's function after ``x = y**(1/(1 - 2 beta))``, smooth enough at 0."""
        power: float = x ** (2 * alpha / (1 - 2 * beta))
        return 1 / (power + kappa) / (1 - 2 * beta)

    top = v_over_d ** (1 - 2 * beta)
    constant, _ = integrate.quad(integrand, 0, top, epsabs=0, epsrel=1e-12)
    return LimitLaw(
        "2 beta < 1",
        "int_0^(v/d) x^(-2 beta)/(x^(2 alpha) + kappa) dx d^(1 - 2 alpha - 2 beta)",
        float(constant),
        1 - 2 * alpha - 2 * beta,
        0.0,
    )


def _continuous_law(alpha: float, beta: float) -> LimitLaw:
    if 2 * beta < 1:
        return LimitLaw("2 beta < 1", "0", 0.0, 0.0, 0.0)
    mass = float(special.zeta(2 * beta))
    if 2 * alpha < 1:
        return LimitLaw(
            "2 alpha < 1, 2 beta > 1",
            "zeta(2 beta)/(1 - 2 alpha) d^(-2 alpha)",
            mass / (1 - 2 * alpha),
            -2 * alpha,
            0.0,
        )
    order = 1 - 1 / (2 * alpha)
    return LimitLaw(
        "2 alpha > 1, 2 beta > 1",
        "zeta(2 beta) Gamma(1 - 1/(2 alpha))/(2 alpha) d^(-1) T^(-1 + 1/(2 alpha))",
        mass * float(special.gamma(order)) / (2 * alpha),
        -1.0,
        -order,
    )


def _kernel_law(alpha: float) -> LimitLaw:
    if 4 * alpha < 1:
        formula = "gamma^2 B/(1 - 4 alpha) d^(1 - 4 alpha)"
        return LimitLaw("4 alpha < 1", formula, 1 / (1 - 4 * alpha), 1 - 4 * alpha, 0.0)
    order = 2 - 1 / (2 * alpha)
    return LimitLaw(
        "4 alpha > 1",
        "gamma^2 B Gamma(2 - 1/(2 alpha))/(2 alpha) T^(-2 + 1/(2 alpha))",
        float(special.gamma(order)) / (2 * alpha),
        0.0,
        -order,
    )
