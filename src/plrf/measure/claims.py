"""The paper's testable claims: where each stands, what tests it, and which table backs the answer.

A new claim is an entry here, and a function that returns a `Finding`, with a test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from plrf.measure import claimed_exponents as exponents
from plrf.measure import claimed_losses as losses
from plrf.measure.findings import NOT_TESTED, Finding, Study, Untested
from plrf.theory.phases import PHASES

TABLE_4 = "results/tables/table4_measured_exponents.csv"
LOSSES = "results/aggregate/losses.parquet"


@dataclass(frozen=True)
class Claim:
    """A claim of the paper that results can confirm or not.

    Attributes
    ----------
    name : str
        The claim in a line.
    where : str
        Part of the paper that makes it.
    paper : str
        Its value.
    measure : callable
        From a `Study` to the `Finding`.
    backed_by : str
        File with the numbers behind it.
    """

    name: str
    where: str
    paper: str
    measure: Callable[[Study], Finding]
    backed_by: str


BOUNDARY = (0.7, 0.7)  # the point of the paper's figure 3

CLAIMS = (
    Claim(
        "The Volterra equation describes SGD",
        "Figures 1 and 3",
        "ratio of losses 1",
        losses.volterra_describes_sgd,
        LOSSES,
    ),
    Claim(
        "η measured at (0.7, 0.7)",
        "Figure 3",
        "0.648",
        partial(
            exponents.measured_exponent,
            alpha=BOUNDARY[0],
            beta=BOUNDARY[1],
            quantity="eta",
            paper=0.648,
        ),
        TABLE_4,
    ),
    *(
        Claim(
            f"{exponents.SYMBOLS[quantity]} in theory at (0.7, 0.7)",
            "Figure 3, Table 2",
            paper,
            partial(exponents.exponent, alpha=BOUNDARY[0], beta=BOUNDARY[1], quantity=quantity),
            TABLE_4,
        )
        for quantity, paper in (("eta", "0.643"), ("xi", "0.5"))
    ),
    *(
        Claim(
            f"{exponents.SYMBOLS[quantity]} of phase {phase.name}",
            "Table 2",
            phase.eta_text if quantity == "eta" else phase.xi_text,
            partial(exponents.phase_exponent, phase=phase, quantity=quantity),
            TABLE_4,
        )
        for phase in PHASES
        for quantity in ("eta", "xi")
    ),
    Claim(
        "The best size is universal in phases Ib, III and IVa",
        "Table 2",
        "ξ = 1/2",
        exponents.universal_size,
        TABLE_4,
    ),
    *(
        Claim(
            f"{exponents.SYMBOLS[quantity]} follows the theory along the traverse",
            figure,
            "measured values on the line of the theory",
            partial(exponents.traverse, quantity=quantity),
            TABLE_4,
        )
        for quantity, figure in (("eta", "Figure 4"), ("xi", "Figure 8"))
    ),
    Claim(
        "The loss over its estimate is bounded",
        "Figure 5a",
        "bounds that do not depend on d",
        losses.bounded_ratio,
        "results/finite_size/ratio.parquet",
    ),
    Claim(
        "Effects of finite size fade, slowest near boundaries",
        "Figure 5",
        "exponents tend to those of the theory",
        losses.fading,
        "results/finite_size/fronts.parquet",
    ),
    Claim(
        "The resolvent's density describes sampled spectra",
        "Figure 6",
        "the same spectrum",
        losses.density,
        "results/spectra/histogram.parquet",
    ),
    Claim(
        "ξ depends on the IsoFLOP window",
        "Figure 16",
        "other values in other windows",
        losses.window_dependence,
        TABLE_4,
    ),
    *(
        Claim(
            f"{exponents.SYMBOLS[quantity]} follows the theory at negative β",
            "Figure 17",
            "as in phase Ia",
            partial(exponents.negative_beta, quantity=quantity),
            TABLE_4,
        )
        for quantity in ("eta", "xi")
    ),
)
"""All claims, in the order of the table."""


def evaluate(study: Study) -> pd.DataFrame:
    """Test all claims: a row for each, with the reason where it cannot be tested."""
    rows = []
    for claim in CLAIMS:
        try:
            finding = claim.measure(study)
        except Untested as reason:
            finding = Finding("", "", NOT_TESTED, str(reason))
        rows.append(
            {
                "claim": claim.name,
                "where": claim.where,
                "paper": finding.paper or claim.paper,
                "ours": finding.ours,
                "error": finding.error,
                "verdict": finding.verdict,
                "reason": finding.reason,
                "backed_by": claim.backed_by,
            }
        )
    return pd.DataFrame(rows)
