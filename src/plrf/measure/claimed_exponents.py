"""Claims about exponents: numbers with errors, and verdicts by stated criteria.

Functions take a `Study` and return a `Finding`, or raise `Untested`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.engines.registry import ENGINES
from plrf.exact.front import compute_optimal
from plrf.measure.findings import (
    CORRECTED,
    NOT_AT_THIS_SCALE,
    NOT_REPRODUCED,
    REPRODUCED,
    VERDICTS,
    Finding,
    Study,
    Untested,
)
from plrf.statuses import OK
from plrf.theory.phases import Phase, greek

Array = NDArray[np.float64]

# An exponent is reproduced if it is as close to the paper's: about what SGD runs can tell, whose
# 95% intervals in the paper's window are 0.01 to 0.04 wide on either side.
TOLERANCE = 0.02
PAPER_WINDOW = (1e6, 1e8)  # flops
FAR = (1e16, 1e24)  # flops, of exact fronts that tell whether a deviation fades
SYMBOLS = {"eta": "η", "xi": "ξ"}


@dataclass(frozen=True, eq=False)
class Slope:
    """An exponent at a point, measured in a window of budgets, exact there and far beyond.

    Attributes
    ----------
    alpha, beta : float
        The point.
    low, high : float
        The window, in flops.
    theory : float
        Asymptotic exponent.
    exact, error : float
        Slope of the exact front in the window, and the solver's error.
    far : array, shape (2,)
        Local exponents of the exact front at the budgets `FAR`.
    sgd, half_width, std_error, expected : float
        By IsoFLOP parabolas (Approach 2) on SGD losses, half the width of the 95% interval, the
        standard error, and the same fit on losses without noise; NaN without runs.
    """

    alpha: float
    beta: float
    low: float
    high: float
    theory: float
    exact: float
    error: float
    far: Array
    sgd: float
    half_width: float
    std_error: float
    expected: float

    @property
    def deviations(self) -> Array:
        """Exact exponents minus theory, shape (3,): in the window, and at `FAR`."""
        return np.append(self.exact, self.far) - self.theory

    def verdict(self) -> str:
        """Compare the exact front with the theory.

        It is reproduced within `TOLERANCE` in the window; not at this scale if it is so at the
        last of the budgets `FAR`, or if the deviation at least falls on the way there.
        """
        size = np.abs(self.deviations)
        if size[0] <= TOLERANCE:
            return REPRODUCED
        fades = size[-1] <= TOLERANCE or bool(np.all(np.diff(size) < 0))
        return NOT_AT_THIS_SCALE if fades else NOT_REPRODUCED

    def text(self) -> str:
        """The numbers behind the verdict."""
        here, *far = self.deviations
        at_far = ", ".join(f"{x:+.2g}" if np.isfinite(x) else "no minimum" for x in far)
        budgets = ", ".join(f"{f:.0e}" for f in FAR)
        parts = [
            f"exact front over {self.low:.2g} to {self.high:.2g} flops {here:+.4f} from theory, "
            f"at {budgets} flops {at_far}"
        ]
        if len({np.sign(x) for x in (here, *far) if abs(x) > TOLERANCE / 4}) > 1:
            parts.append("it passes the theory on the way and has not settled")
        if np.isfinite(self.sgd):
            parts.append(f"SGD {self.sgd:.3f} ± {self.half_width:.3f} (95%)")
        return "; ".join(parts)


def fits_at(study: Study, alpha: float, beta: float, quantity: str) -> pd.DataFrame:
    """All fits of an exponent at a point; `Untested` if there are none."""
    rows = study.tables["exponents"].query("quantity == @quantity")
    rows = rows[np.isclose(rows["alpha"], alpha) & np.isclose(rows["beta"], beta)]
    rows = rows[rows["theory"].notna()]  # labels without noise, a constant rate
    if rows.empty:
        raise Untested(f"no sweep fits exponents at ({alpha:g}, {beta:g})")
    return rows


def sgd_fits(fits: pd.DataFrame) -> pd.DataFrame:
    """Fits to SGD losses by IsoFLOP parabolas that have an estimate and an error."""
    stochastic = fits["engine"].map(lambda name: ENGINES[name].stochastic)
    found = fits[stochastic & (fits["method"] == "approach2")]
    return found[np.isfinite(found[["estimate", "std_error"]]).all(axis=1)]


def window_of_paper(fits: pd.DataFrame) -> pd.DataFrame:
    """Fits in the paper's window, or in the main ones if none is in it, of one sweep.

    Of several sweeps it is the one whose SGD runs have the smallest error.
    """
    windows = fits[["window_low", "window_high"]]
    own = fits[np.isclose(windows, PAPER_WINDOW).all(axis=1)]
    fits = own if len(own) else fits[fits["window"] == 0]
    first = pd.concat([sgd_fits(fits).sort_values("std_error"), fits]).iloc[0]
    return fits[(fits["sweep"] == first["sweep"]) & (fits["window"] == first["window"])]


def slope_at(
    study: Study, alpha: float, beta: float, quantity: str, sweep: str | None = None
) -> Slope:
    """Exponent at a point, in the paper's window or a main one, of any sweep or of a given one."""
    fits = fits_at(study, alpha, beta, quantity)
    fits = window_of_paper(fits[fits["sweep"] == sweep] if sweep else fits)
    exact = fits[(fits["method"] == "approach0") & np.isfinite(fits["estimate"])].squeeze()
    if exact.empty:
        raise Untested(f"no exact front has exponents at ({alpha:g}, {beta:g})")
    model = {key: study.block("sweeps")[exact["sweep"]][key] for key in ("v_over_d", "c", "batch")}
    front = compute_optimal(FAR, alpha=alpha, beta=beta, **model)
    runs = sgd_fits(fits)
    run = runs.iloc[0] if len(runs) else pd.Series(np.nan, index=fits.columns)
    return Slope(
        alpha=alpha,
        beta=beta,
        low=exact["window_low"],
        high=exact["window_high"],
        theory=exact["theory"],
        exact=exact["estimate"],
        error=exact["std_error"],
        far=np.where(front.status == OK, getattr(front, quantity), np.nan),
        sgd=float(run["estimate"]),
        half_width=float(run["ci_high"] - run["ci_low"]) / 2,
        std_error=float(run["std_error"]),
        expected=float(run["expected"]),
    )


def worst(slopes: list[Slope]) -> str:
    """The worst verdict on several exponents."""
    return max((slope.verdict() for slope in slopes), key=VERDICTS.index)


def exponent(study: Study, alpha: float, beta: float, quantity: str) -> Finding:
    """Compare an exponent of the exact front with the theory."""
    slope = slope_at(study, alpha, beta, quantity)
    return Finding(
        f"{slope.exact:.3f}", f"{slope.error:.0e} (solver)", slope.verdict(), slope.text()
    )


def phase_exponent(study: Study, phase: Phase, quantity: str) -> Finding:
    """Compare an exponent with the theory at the point that stands for a phase."""
    alpha, beta = study.block("phase_points")[phase.name]
    found = exponent(study, alpha, beta, quantity)
    value = getattr(phase, quantity)(alpha, beta)
    formula = greek(getattr(phase, f"{quantity}_text"))
    paper = f"{value:.3f} = {formula} at ({alpha:g}, {beta:g})"
    return Finding(found.ours, found.error, found.verdict, found.reason, paper)


def measured_exponent(
    study: Study, alpha: float, beta: float, quantity: str, paper: float
) -> Finding:
    """Compare an exponent that the paper measured, without an error, with ours from SGD.

    It is reproduced if our 95% interval contains it; with a correction, that of finite size, if the
    interval misses it by `TOLERANCE` at most. Another window than the paper's tells nothing.
    """
    slope = slope_at(study, alpha, beta, quantity)
    if not np.isfinite(slope.sgd):
        raise Untested(f"no sweep fits exponents of SGD runs at ({alpha:g}, {beta:g})")
    outside = abs(slope.sgd - paper) - slope.half_width
    if not np.allclose([slope.low, slope.high], PAPER_WINDOW):
        verdict, why = NOT_AT_THIS_SCALE, "measured in another window than the paper's"
    elif outside <= 0:
        verdict, why = REPRODUCED, "the paper's value is in our 95% interval"
    else:
        verdict = CORRECTED if outside <= TOLERANCE else NOT_REPRODUCED
        why = f"the paper's value, which has no stated error, is {outside:.3f} outside our interval"
        if (slope.exact - paper) * (slope.sgd - paper) > 0:
            why += ", on the side of the exact front: c, v/d and finite size are in it"
    reason = (
        f"{why}; exact front over {slope.low:.2g} to {slope.high:.2g} flops {slope.exact:.3f}, "
        f"theory {slope.theory:.3f}"
    )
    return Finding(f"{slope.sgd:.3f}", f"{slope.half_width:.3f} (95%, runs)", verdict, reason)


def universal_size(study: Study) -> Finding:
    """Compare xi with 1/2 in the phases of the universal region, at their points."""
    names = ("Ib", "III", "IVa")
    slopes = {}
    for name in names:
        alpha, beta = study.block("phase_points")[name]
        slopes[name] = slope_at(study, alpha, beta, "xi")
    name = max(names, key=lambda name: abs(slopes[name].deviations[0]))
    last = max(abs(slope.far[-1] - 0.5) for slope in slopes.values())
    values = ", ".join(f"{name} {slope.exact:.3f}" for name, slope in slopes.items())
    reason = (
        f"the largest deviation, in {name}: {slopes[name].text()}; "
        f"at {FAR[-1]:.0e} flops all three are within {last:.2g} of 1/2"
    )
    error = f"{max(slope.error for slope in slopes.values()):.0e} (solver)"
    return Finding(f"ξ: {values}", error, worst(list(slopes.values())), reason)


def along_sweep(study: Study, slopes: list[Slope], quantity: str) -> Finding:
    """Compare an exponent with the theory at several points: the largest deviation of any."""
    size = np.abs([slope.deviations for slope in slopes])
    place = int(np.argmax(size[:, 0]))
    largest = slopes[place]
    reason = f"({largest.alpha:g}, {largest.beta:g}): {largest.text()}"
    if len(slopes) > 1:
        far, farthest = size[:, 1:].max(axis=0)
        reason = (
            f"the largest of {len(slopes)} deviations, at {reason}; of all points at {FAR[0]:.0e} "
            f"and {FAR[1]:.0e} flops at most {far:.2g} and {farthest:.2g}"
        )
    runs = [slope for slope in slopes if np.isfinite(slope.sgd)]
    if runs:
        apart = np.array([slope.sgd - slope.theory for slope in runs])
        noise = [abs(slope.sgd - slope.expected) / slope.std_error for slope in runs]
        reason += (
            f"; SGD at {len(runs)} of {len(slopes)} points {np.sqrt(np.mean(apart**2)):.3f} (rms) "
            f"from theory, and within {max(noise):.1f} standard errors of the same fit to losses "
            "without noise"
        )
    error = f"{max(slope.error for slope in slopes):.0e} (solver)"
    ours = f"{SYMBOLS[quantity]} within {size[place, 0]:.3f} of theory"
    return Finding(ours, error, worst(slopes), reason)


def traverse(study: Study, quantity: str) -> Finding:
    """Compare an exponent with the theory along the traverse."""
    sweep = study.block("traverse")
    slopes = [slope_at(study, *point, quantity, sweep) for point in study.points(sweep)]
    if not slopes:
        raise Untested(f"the sweep {sweep} fits no exponents")
    return along_sweep(study, slopes, quantity)


def negative_beta(study: Study, quantity: str) -> Finding:
    """Compare an exponent with the theory where beta is negative, off the edge."""
    sweep = study.block("negative_beta")["sweep"]
    points = [point for point in study.points(sweep) if point[1] < 0]
    if not points:
        raise Untested(f"the sweep {sweep} fits no exponents at a negative beta above the edge")
    return along_sweep(study, [slope_at(study, *p, quantity, sweep) for p in points], quantity)
