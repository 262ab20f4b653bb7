"""How methods and forms of fits to measured losses are named and look; no matplotlib here."""

from dataclasses import dataclass

from plrf.draw.palette import BLUE, INK, PURPLE, SKY, VERMILION


@dataclass(frozen=True)
class Look:
    """How a method is named and drawn."""

    label: str
    color: str
    marker: str


METHODS = {
    "approach1": Look("Approach 1, envelope", SKY, "v"),
    "approach2": Look("Approach 2, parabolas", BLUE, "o"),
    "approach2_spline": Look("Approach 2, splines", PURPLE, "s"),
    "approach3": Look("Approach 3, parametric law", VERMILION, "D"),
    "variable_projection": Look("variable projection", INK, "x"),
}
FORMS = {"free": "free", "equal_exponents": "$a = b$", "fixed_e": "$E$ fixed"}
NOT_SEPARATED = "not separated"  # in the status of an exponent that a table leaves open
_REASONS = {
    "few_sizes": "too few sizes",
    "edge_minimum": "lowest loss at the edge",
    "not_convex": "not convex",
    "vertex_outside": "vertex outside the fit",
    "below_losses": "minimum far below the losses",
}


def reason(status: str) -> str:
    """Why a budget was dropped, in words."""
    return _REASONS.get(status, status.replace("_", " "))
