"""Claims about losses, windows, finite sizes and spectra: numbers, and verdicts by stated criteria.

Functions take a `Study` and return a `Finding`, or raise `Untested`.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from plrf.engines.registry import ENGINES, EXACT
from plrf.measure.agreement import MARGIN, ratios
from plrf.measure.claimed_exponents import TOLERANCE, sgd_fits
from plrf.measure.findings import (
    CORRECTED,
    NOT_AT_THIS_SCALE,
    NOT_REPRODUCED,
    REPRODUCED,
    Finding,
    Study,
    Untested,
)
from plrf.theory.phases import PHASES

Array = NDArray[np.float64]

FALSE_ALARM = 0.05  # probability that a true claim about noisy losses is called false
BOUNDED = 0.05  # a ratio is bounded if it changes by no more between the two largest sizes
NEAR = 0.1  # distance in the (alpha, beta) plane that is close to a boundary
SAME_SPECTRUM = 0.05  # total variation, or relative mass, by which spectra may differ
POINT = ["alpha", "beta"]


def volterra_describes_sgd(study: Study) -> Finding:
    """Compare SGD losses with Volterra's at the last steps of long runs, at each point.

    At each the mean ratio is 1 up to the margin and the bias of `plrf.measure.agreement`, by
    t-tests whose level is FALSE_ALARM over the number of points. Runs at the betas of one alpha
    share W and data: the error of the mean over all points counts them once. Where the standard
    error of a point is above the margin, agreement tells nothing.
    """
    losses = study.tables["losses"].query(
        "spectrum == '' and noise == 0 and schedule == 'constant' and momentum == 'none'"
    )
    parts = [
        ratios(rows, engine.name, EXACT, {})
        for engine in ENGINES.values()
        if engine.stochastic
        for _, rows in losses.groupby("sweep")
        if {engine.name, EXACT} <= set(rows["engine"].unique())
    ]
    if not parts:
        raise Untested(
            f"no sweep of power laws, without noise, schedule and momentum, has SGD and {EXACT}"
        )
    both = pd.concat(parts)
    known = both[both["compared"]]
    points = known.groupby(POINT)["ratio"].agg(["mean", "sem", "size"])
    points = points[points["size"] > 1]
    if points.empty:
        raise Untested("no runs of SGD are long enough, and stable enough, to tell their mean")
    bias = known.groupby(POINT)["bias"].mean()[points.index]
    apart = (points["mean"] - 1).abs() - MARGIN - bias
    allowed = -stdtrit(points["size"] - 1, FALSE_ALARM / len(points) / 2) * points["sem"]
    runs = known.groupby(["sweep", "alpha", "d", "engine", "run"])["ratio"].mean()
    agree = bool((apart <= allowed).all())
    worst = (apart / allowed).idxmax()
    low, high = points["mean"].min(), points["mean"].max()
    left_out = len(both[POINT].drop_duplicates()) - len(points)
    reason = (
        f"mean over {len(runs)} runs; by point {low:.3f} to {high:.3f}, at "
        f"{'each' if agree else 'not each'} of {len(points)} it is 1 within {MARGIN:.0%} (heavy "
        f"tails), the bias of W averaged out and noise; worst at ({worst[0]:g}, {worst[1]:g}): "
        f"{points['mean'][worst]:.3f} ± {points['sem'][worst]:.3f}"
    )
    if left_out:
        reason += f"; {left_out} more points are so near divergence that runs do not tell a mean"
    error = f"{runs.sem():.3f} (std. error, runs)"
    verdict = REPRODUCED if agree else NOT_REPRODUCED
    if agree and points["sem"].max() > MARGIN:
        verdict = NOT_AT_THIS_SCALE
        reason += f"; the noise of up to {points['sem'].max():.2f} would hide more than the margin"
    return Finding(f"mean ratio {runs.mean():.3f}", error, verdict, reason)


def bounded_ratio(study: Study) -> Finding:
    """Whether the loss over its estimate stays in a range that no longer changes with d."""
    study.block("finite_size")
    table = study.tables["ratio"].query("status == 'ok'")
    table = table.assign(ratio=table["loss"] / table["estimate"])
    ranges = table.groupby("d")["ratio"].agg(["min", "max"])
    if len(ranges) < 2:
        raise Untested("fewer than two sizes of finite_size.ratio have losses")
    change = float((ranges.iloc[-1] / ranges.iloc[-2] - 1).abs().max())
    alpha, beta = table[POINT].iloc[0]
    reason = (
        f"at ({alpha:g}, {beta:g}), d = {ranges.index[0]} to {ranges.index[-1]}, up to "
        f"{table['step'].max():.0e} steps; its ends change by {change:.2%} between the two largest "
        f"sizes (up to {BOUNDED:.0%} is bounded)"
    )
    verdict = REPRODUCED if change <= BOUNDED else NOT_AT_THIS_SCALE
    ours = f"ratio {ranges['min'].min():.2f} to {ranges['max'].max():.2f}"
    return Finding(ours, f"{table['error'].max():.0e} (solver, relative)", verdict, reason)


def boundary_distance(alpha: float, beta: float) -> float:
    """Distance of a point of the plane from the boundary of its phase; 0 on the boundary."""
    distances = [
        side.margin(alpha, beta) / math.hypot(side.alpha_weight, side.beta_weight)
        for phase in PHASES
        if phase.touches(alpha, beta)
        for side in phase.region
    ]
    return max(float(min(distances)), 0.0)


def fading(study: Study) -> Finding:
    """Whether deviations from theory fade along exact fronts, and most slowly near boundaries.

    The deviation at a point is the larger one of eta and xi. It fades where less than half of its
    largest value is left at the highest budget. Near is within NEAR of a boundary.
    """
    study.block("finite_size")
    table = study.tables["fronts"].query("status == 'ok'")
    table = table.assign(deviation=(table["value"] - table["theory"]).abs())
    largest = table.groupby([*POINT, "flops"])["deviation"].max().unstack("flops")
    left = largest.ffill(axis=1).iloc[:, -1]
    fraction = left / largest.max(axis=1)
    distance = np.array([boundary_distance(*point) for point in largest.index])
    near = distance <= NEAR
    if near.all() or not near.any():
        raise Untested("finite_size.fronts has not both points near a boundary and far from any")
    slowest = left.idxmax()
    fade = bool((fraction < 0.5).all())
    slower = bool(left[near].max() > left[~near].max())
    reason = (
        f"largest deviations of η and ξ at {largest.columns[-1]:.0e} flops, {near.sum()} within "
        f"{NEAR} of a boundary and {(~near).sum()} others; the largest at ({slowest[0]:g}, "
        f"{slowest[1]:g}), on the way up to {largest.max(axis=1).max():.3f}; at most "
        f"{fraction.max():.0%} of any is left (less than half is fading)"
    )
    verdict = REPRODUCED if slower else NOT_REPRODUCED
    if not fade:
        verdict = NOT_AT_THIS_SCALE
    ours = f"{left[near].max():.4f} near boundaries, {left[~near].max():.4f} elsewhere"
    return Finding(ours, f"{table['error'].max():.0e} (solver)", verdict, reason)


def _in_bins(density: pd.DataFrame, column: str, edges: Array) -> Array:
    """Integral of a density over bins."""
    mass = density["weight"] * density[column]
    # At a node half of its own mass is below.
    below = np.interp(edges, density["x"], mass.cumsum() - mass / 2, 0, mass.sum())
    return np.diff(below)


def spectral_distances(bins: pd.DataFrame, density: pd.DataFrame) -> dict[str, float]:
    """How far the sampled spectrum of a point is from the resolvent's density.

    Parameters
    ----------
    bins : DataFrame
        Rows of the histogram, in order.
    density : DataFrame
        Rows of the density, in the order of x.

    Returns
    -------
    dict
        Total variation of the number of eigenvalues and of the target's mass on them, over all
        bins; what of the latter is sampling noise; the relative difference of the bulk's mass; and
        the standard deviation of the largest eigenvalue over that of the resolvent's last band.
    """
    edges = np.append(bins["x_low"], bins["x_high"].iloc[-1])
    count, mass = (_in_bins(density, name, edges) for name in ("density", "mass_density"))
    ends = density.groupby("band")["x"].agg(["min", "max"])
    # The bulk, up to the middle of the first gap.
    gap = ends["max"].iloc[0] if len(ends) == 1 else (ends["max"].iloc[0] + ends["min"].iloc[1]) / 2
    bulk = bins["x_high"].to_numpy() <= gap
    last = density[density["band"] == ends.index[-1]]
    gap = -np.inf if len(ends) == 1 else (ends["min"].iloc[-1] + ends["max"].iloc[-2]) / 2
    top = bins[bins["x_low"] >= gap]
    return {
        "count": float(np.abs(bins["count"] - count).sum() / 2 / count.sum()),
        "mass": float(np.abs(bins["mass"] - mass).sum() / 2 / mass.sum()),
        # The mean distance of a normal variable from its mean is sqrt(2/pi) standard deviations.
        "noise": float(np.sqrt(2 / np.pi) * bins["std_error"].sum() / 2 / mass.sum()),
        "bulk": float(abs(bins["mass"][bulk].sum() / mass[bulk].sum() - 1)),
        "width": _spread((top["x_low"] + top["x_high"]) / 2, top["count"])
        / _spread(last["x"], last["weight"] * last["density"]),
    }


def _spread(x: pd.Series, weights: pd.Series) -> float:
    """Standard deviation of weighted numbers; NaN without any weight."""
    if not weights.sum() > 0:
        return np.nan
    centre = np.average(x, weights=weights)
    return float(np.sqrt(np.average((x - centre) ** 2, weights=weights)))


def density(study: Study) -> Finding:
    """Compare sampled spectra with the density that the resolvent has with W averaged out.

    It is reproduced if eigenvalues and the target's mass, beyond noise, agree within SAME_SPECTRUM
    in total variation; with a correction if eigenvalues and the mass of the bulk do.
    """
    study.block("spectra")
    densities = dict(list(study.tables["density"].query("status == 'ok'").groupby(POINT)))
    found = pd.DataFrame(
        [
            spectral_distances(bins.sort_values("x_low"), densities[point].sort_values("x"))
            for point, bins in study.tables["histogram"].groupby(POINT)
            if point in densities
        ]
    )
    if found.empty:
        raise Untested("no density of the spectrum converged")
    d, samples = study.tables["histogram"][["d", "samples"]].iloc[0]
    worst = found.max()
    if max(worst["count"], (found["mass"] - found["noise"]).max()) <= SAME_SPECTRUM:
        verdict = REPRODUCED
    elif max(worst["count"], worst["bulk"]) <= SAME_SPECTRUM:
        verdict = CORRECTED
    else:
        verdict = NOT_AT_THIS_SCALE
    widths = found["width"]
    reason = (
        f"total variation of eigenvalues over bins, {samples} W of d = {d}, the worst of "
        f"{len(found)} points (up to {SAME_SPECTRUM} is the same); mass of the bulk within "
        f"{worst['bulk']:.1%}; the target's mass over all bins {worst['mass']:.2f}, noise up to "
        f"{worst['noise']:.2f}: most of it is on a few outliers, and the largest scatters "
        f"{widths.min():.2f} to {widths.max():.2f} times as much as the averaged resolvent says "
        "(a factor of √2 is known)"
    )
    error = f"{np.ptp(found['count']):.3f} (range over points)"
    return Finding(f"distance {worst['count']:.3f}", error, verdict, reason)


def window_dependence(study: Study) -> Finding:
    """How much xi from SGD runs changes between the first two windows of the traverse, and why.

    The change is that of the same fit to losses without noise, which the window makes, and noise.
    The window matters if its part is the larger one; with a correction, if the change is
    above half of the tolerance of exponents but mostly noise.
    """
    sweep = study.block("traverse")
    fits = study.tables["exponents"].query("sweep == @sweep and quantity == 'xi' and window < 2")
    runs = sgd_fits(fits).drop_duplicates(["beta", "window"])
    numbers = runs.pivot(
        index="beta", columns="window", values=["estimate", "expected", "std_error"]
    ).dropna()
    if set(runs["window"]) != {0, 1} or numbers.empty:
        raise Untested(f"the sweep {sweep} has no exponents of SGD runs in two windows")
    change, own = (numbers[name][1] - numbers[name][0] for name in ("estimate", "expected"))
    rms = {
        name: float(np.sqrt(np.mean(x**2)))
        for name, x in (("change", change), ("window", own), ("noise", change - own))
    }
    if rms["window"] >= rms["noise"]:
        verdict, cause = REPRODUCED, "the window"
    else:
        verdict = CORRECTED if rms["change"] >= TOLERANCE / 2 else NOT_AT_THIS_SCALE
        cause = "noise, not the window"
    one, two = (
        f"{rows['window_low'].iloc[0]:.2g} to {rows['window_high'].iloc[0]:.2g}"
        for _, rows in runs.groupby("window")
    )
    exact = study.tables["exponents"].query(
        "sweep == @sweep and quantity == 'xi' and method == 'approach0'"
    )
    spread = exact.groupby("beta")["estimate"].agg(np.ptp).max()
    reason = (
        f"rms over {len(numbers)} points, windows {one} and {two}, mostly {cause}: the window "
        f"makes {rms['window']:.3f}, noise {rms['noise']:.3f}, each ξ with a standard error of "
        f"{numbers['std_error'].to_numpy().mean():.3f}; over all windows the exact front's ξ "
        f"changes by {spread:.3f} at most"
    )
    error = f"{rms['noise']:.3f} (noise, rms)"
    return Finding(f"ξ changes by {rms['change']:.3f}", error, verdict, reason)
