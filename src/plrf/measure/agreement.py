"""Whether results agree that must: losses of different engines, and the exponents fitted to them.

All comparisons are of means, by t-tests with a margin for what is known to differ. They leave out
runs whose mean a few of them do not tell (`plrf.measure.fluctuations`).
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from plrf.engines.registry import ENGINES, EXACT
from plrf.exact.ridge import kernel_mass
from plrf.measure.fluctuations import kernel_mass_spread, relative_second_moment, typical_modes
from plrf.model import Model
from plrf.task import PowerLawTask, Task
from plrf.training import SGD

POINT = ["sweep", "alpha", "beta", "d"]
MODEL = ["d", "v", "batch", "learning_rate"]
Spectra = Mapping[str, Task]  # tasks that are no power laws, by the column spectrum
# Nominal probability that correct results fail a comparison. SGD's losses have heavy tails, at
# early steps most of all; so only the ends of long runs are compared, with a margin.
FALSE_ALARM = 1e-4
LONG_RUN = 1000
MARGIN = 0.05
# The deterministic equivalent differs from the mean over W by about 1/d.
BIAS_TIMES_D = 3.0
# A mean over runs is compared where its second moment is at most so many squares of its mean, and
# where a W whose eigenvalues are so many deviations too large is still stable.
MOST_SECOND_MOMENT = 10.0
STABLE_DEVIATIONS = 4.0
HEAVY = "so near the stability threshold that a few runs do not tell their mean"


def final_losses(losses: pd.DataFrame, engine: str) -> pd.DataFrame:
    """Losses of one engine at the last step of each curve that is sound and has no flag."""
    losses = losses[losses["engine"] == engine].sort_values("step")
    sound = (losses["status"] == "ok") & (losses["loss"] > 0) & np.isfinite(losses["loss"])
    curves = losses.assign(sound=sound).groupby([*POINT, "run"])
    last = (
        curves[["spectrum", "engine", "v", "batch", "learning_rate", "step", "loss"]]
        .last()
        .reset_index()
    )
    return last[curves["sound"].all().to_numpy()]


def at_last_steps(final: pd.DataFrame, losses: pd.DataFrame, reference: str) -> pd.Series:
    """Losses of an engine without runs at the last steps of other curves; NaN if there are none.

    Curves may end at different steps. Between recorded steps a loss is interpolated in log-log, to
    a few 1e-4: steps are close, and the loss bends slowly.
    """
    sound = (losses["status"] == "ok") & (losses["engine"] == reference)
    sound &= (losses["step"] > 0) & (losses["loss"] > 0)
    curves = dict(list(losses[sound].sort_values("step").groupby(POINT)))
    expected = pd.Series(np.nan, index=final.index)
    for key, rows in final.groupby(POINT):
        if key in curves:
            curve, step = curves[key], rows["step"]
            log_loss = np.interp(
                np.log(step), np.log(curve["step"]), np.log(curve["loss"]), right=np.nan
            )
            expected[rows.index] = np.exp(log_loss)
    return expected


@cache
def _comparability(
    task: Task, d: int, v: int, batch: int, learning_rate: float
) -> tuple[bool, bool, float]:
    """Whether means over samples and over W can be compared, and the bias of the latter."""
    model, sgd = Model(task, d, v), SGD(learning_rate, batch)
    modes, mass = typical_modes(model), kernel_mass(model, sgd)
    samples = relative_second_moment(modes, sgd) <= MOST_SECOND_MOMENT
    stable = mass + kernel_mass_spread(modes, sgd, STABLE_DEVIATIONS) < 1
    # A limit F0/(1 - mass) that fluctuates has a larger mean than the typical one.
    spread = kernel_mass_spread(modes, sgd) / (1 - mass) if stable else np.inf
    return samples, stable, BIAS_TIMES_D / d + spread**2


def with_comparability(
    models: pd.DataFrame, engine: str, reference: str, spectra: Spectra
) -> pd.DataFrame:
    """Columns ``compared`` and ``bias`` for rows of models, whatever their targets are."""
    tasks = [
        spectra[spectrum] if spectrum else PowerLawTask(alpha, 0.0)
        for spectrum, alpha in zip(models["spectrum"], models["alpha"], strict=True)
    ]
    keys = zip(tasks, *(models[name] for name in MODEL), strict=True)
    rows = [_comparability(*key) for key in keys]
    samples, stable, bias = np.array(rows, dtype=float).reshape(-1, 3).T
    over_w = ENGINES[engine].samples and not ENGINES[reference].samples
    compared = (samples > 0) | (not ENGINES[engine].stochastic)
    compared &= (stable > 0) | (not over_w)
    return models.assign(compared=compared, bias=bias if over_w else 0.0)


def ratios(losses: pd.DataFrame, engine: str, reference: str, spectra: Spectra) -> pd.DataFrame:
    """Ratios of the losses of an engine to a reference's in one sweep, at the ends of its curves.

    The ratio of an SGD loss to its expectation given W has mean 1, and so, up to the bias of the
    deterministic equivalent, has the ratio of that to the expectation over W.

    Returns
    -------
    DataFrame
        One row per curve, of SGD long ones only: its point and model, run, step, ``ratio``,
        whether its mean is ``compared``, and the ``bias``.
    """
    both = final_losses(losses, engine)
    if not ENGINES[reference].samples:
        both["loss_expected"] = at_last_steps(both, losses, reference)
        both = both.dropna()
    else:
        keys = [*POINT, "run"]
        second = final_losses(losses, reference)[[*keys, "loss"]]
        both = both.merge(second, on=keys, suffixes=("", "_expected"))
    both["ratio"] = both["loss"] / both["loss_expected"]
    if ENGINES[engine].stochastic:
        both = both[both["step"] >= LONG_RUN]
    return with_comparability(both, engine, reference, spectra)


def compare(
    losses: pd.DataFrame, engine: str, reference: str, spectra: Spectra
) -> tuple[bool, str]:
    """Compare the losses of two engines in one sweep, at the last steps of the first one.

    Ratios are averaged over betas, which share W, and then over runs, sizes and alphas, for a
    t-test with a margin.
    """
    both = ratios(losses, engine, reference, spectra)
    stochastic = ENGINES[engine].stochastic
    left_out = int((~both["compared"]).sum())
    both = both[both["compared"]]
    heavy = f"{left_out} curves left out, {HEAVY}" if left_out else ""
    ratio = both.groupby(["alpha", "d", "run"])["ratio"].mean()
    if len(ratio) < 2:
        return True, f"not compared: {heavy or f'{len(ratio)} run(s) of at least {LONG_RUN} steps'}"
    margin = MARGIN * stochastic + both["bias"].mean()
    error = ratio.std() / np.sqrt(len(ratio))
    allowed = margin - stdtrit(len(ratio) - 1, FALSE_ALARM / 2) * error
    detail = f"mean ratio {ratio.mean():.4f} +- {error:.4f} over {len(ratio)} runs"
    detail += f"; {heavy}" if heavy else ""
    return bool(abs(ratio.mean() - 1) <= allowed), detail


def check_agreement(losses: pd.DataFrame, spectra: Spectra) -> list[tuple[str, bool, str]]:
    """Each engine's losses agree with those of its first reference, in each sweep."""
    results = []
    for sweep, rows in losses.groupby("sweep"):
        present = [engine for engine in ENGINES.values() if (rows["engine"] == engine.name).any()]
        names = {engine.name for engine in present}
        for engine in present:
            for reference in [name for name in engine.references if name in names][:1]:
                outcome = compare(rows, engine.name, reference, spectra)
                results.append((f"{engine.name} agrees with {reference}: {sweep}", *outcome))
    return results


def same_law(losses: pd.DataFrame, engine: str, smaller: str) -> tuple[bool, str]:
    """Compare the losses of two engines in one sweep that do the same at common sizes.

    At the last step of each common curve the logarithms of the losses of both have one mean, up to
    the bias of either engine, and one spread, up to that of W, which one of them averages out: the
    leading eigenvalues spread by ``(2/d)**(1/2)``, relatively, and losses not more. T-tests (Welch)
    of the logarithms, and of their distances from their medians (Brown and Forsythe). Both are
    averaged over betas, which share their numbers, and pooled over sizes: two tests for each alpha,
    each at the level of FALSE_ALARM over their number.
    """
    both = pd.concat([final_losses(losses, name) for name in (engine, smaller)])
    both = both[both["step"] >= LONG_RUN]
    both = both.assign(log=np.log(both["loss"]))
    own = both.groupby([*POINT, "engine"])["log"]
    both = both.assign(distance=(both["log"] - own.transform("median")).abs())
    both = both[own.transform("count").gt(2)]
    kinds = both.groupby(POINT)
    both["log"] -= kinds["log"].transform("mean")
    both = both[kinds["engine"].transform("nunique").eq(2)]
    if both.empty:
        return True, f"not compared: no common size with three runs of at least {LONG_RUN} steps"
    runs = both.groupby(["alpha", "d", "engine", "run"])[["log", "distance"]].mean()
    p_values = []
    for _, rows in runs.groupby("alpha"):
        d = rows.index.get_level_values("d").min()
        of_w = np.sqrt(2 / np.pi) * np.sqrt(2 / d)  # mean distance of a normal variable
        x, y = (rows.xs(name, level="engine") for name in (engine, smaller))
        p_values += [welch(x["log"], y["log"], 2 * BIAS_TIMES_D / d)]
        p_values += [welch(x["distance"], y["distance"], of_w)]
    level = FALSE_ALARM / len(p_values)
    detail = f"{len(runs)} runs, p values of means and spreads at least {min(p_values):.1e}"
    return min(p_values) >= level, f"{detail}, {level:.1e} allowed"


def welch(x: pd.Series, y: pd.Series, margin: float = 0.0) -> float:
    """P value of means that are equal up to a margin, by Welch's t-test."""
    variances = np.array([x.var() / x.size, y.var() / y.size])
    excess = max(abs(x.mean() - y.mean()) - margin, 0.0)
    if excess == 0:
        return 1.0
    dof = variances.sum() ** 2 / (variances**2 / (np.array([x.size, y.size]) - 1)).sum()
    return float(2 * stdtr(dof, -excess / np.sqrt(variances.sum())))


def check_same_law(losses: pd.DataFrame) -> list[tuple[str, bool, str]]:
    """Engines that continue others have their law at common sizes, in each sweep."""
    results = []
    for sweep, rows in losses.groupby("sweep"):
        names = set(rows["engine"].unique())
        for engine in ENGINES.values():
            if engine.smaller and {engine.name, engine.smaller} <= names:
                outcome = same_law(rows, engine.name, engine.smaller)
                what = f"{engine.name} has the law of {engine.smaller}: {sweep}"
                results.append((what, *outcome))
    return results


def check_exponents(
    grid: pd.DataFrame, exponents: pd.DataFrame, spectra: Spectra
) -> list[tuple[str, bool, str]]:
    """Exponents of runs agree with those of the same method on losses without noise, by sweep.

    Sizes and budgets are the same too, so that the bias of a method cancels and only noise is
    left; the bias of the deterministic equivalent is far below it. Fits with a size whose mean
    few runs do not tell are left out. Deviations are compared with the t distribution, by a level
    for each of a sweep's n comparisons of FALSE_ALARM / n.
    """
    results = []
    stochastic = [name for name, engine in ENGINES.items() if engine.stochastic]
    for engine in stochastic:
        results += _engine_exponents(engine, grid, exponents, spectra)
    return results


def _engine_exponents(
    engine: str, grid: pd.DataFrame, exponents: pd.DataFrame, spectra: Spectra
) -> list[tuple[str, bool, str]]:
    """Compare the exponents of one engine."""
    results = []
    point = ["sweep", "alpha", "beta"]
    same = [name for name, other in ENGINES.items() if engine in (name, other.smaller)]
    models = with_comparability(grid[grid["engine"].isin(same)], engine, EXACT, spectra)
    # A size takes part in a fit if its runs reach the budgets.
    reached = models[~models["compared"]].groupby(point)["flops"].max().rename("unsure_to")
    own = exponents[exponents["engine"] == engine].merge(reached.reset_index(), "left", point)
    own = own.assign(unsure=own["unsure_to"] >= own["used_low"])
    for sweep, rows in own.groupby("sweep"):
        sound = np.isfinite(rows[["estimate", "expected", "std_error", "dof"]]).all(axis=1)
        name = f"exponents of {engine} agree with {EXACT}: {sweep}"
        if not sound.any():
            results.append((name, True, f"not compared: {len(rows)} fits without an error"))
            continue
        left_out = int((sound & rows["unsure"]).sum())
        sound = rows[sound & ~rows["unsure"]]
        if sound.empty:
            detail = f"not compared: {left_out} fits to losses {HEAVY}"
            results.append((name, True, detail))
            continue
        deviation = (sound["estimate"] - sound["expected"]) / sound["std_error"]
        allowed = -stdtrit(sound["dof"], FALSE_ALARM / len(sound) / 2)
        worst = (deviation.abs() / allowed).idxmax()
        place = " ".join(
            f"{key} {sound.loc[worst, key]}" for key in ("alpha", "beta", "method", "quantity")
        )
        detail = (
            f"{len(sound)} compared, the worst {deviation[worst]:+.1f} standard errors apart, "
            f"{allowed[worst]:.1f} allowed ({place})"
        )
        results.append((name, bool((deviation.abs() <= allowed).all()), detail))
    return results
