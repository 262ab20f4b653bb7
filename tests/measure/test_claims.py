"""Verdicts on the paper's claims, from made-up tables whose verdicts are known."""

import math

import numpy as np
import pandas as pd
import pytest

from plrf.measure import claimed_exponents, claimed_losses
from plrf.measure.claimed_exponents import Slope
from plrf.measure.claims import CLAIMS, evaluate
from plrf.measure.findings import (
    CORRECTED,
    NOT_AT_THIS_SCALE,
    NOT_REPRODUCED,
    NOT_TESTED,
    REPRODUCED,
    VERDICTS,
    Study,
    Untested,
)
from plrf.theory.phases import PHASES, exponents, phase_name
from tests.made_up import exponent_rows, loss_rows

MODEL = {"v_over_d": 4, "c": 0.5, "batch": 1}
POINTS = {"Ia": [0.75, 0.25], "Ib": [0.45, 0.33], "III": [1.0, 2.0], "IVa": [0.4, 1.0]}


def fits(alpha, beta, xi, sgd=None, std_error=0.01, sweep="a", window=0, span=(1e6, 1e8)):
    """Fits of xi at a point: of the exact front, and of SGD where an estimate is given."""
    theory = float(exponents(alpha, beta)[1])
    row = exponent_rows().iloc[0].to_dict() | {
        "alpha": alpha,
        "beta": beta,
        "sweep": sweep,
        "phase": phase_name(alpha, beta),
        "window": window,
        "window_low": span[0],
        "window_high": span[1],
        "used_low": span[0],
        "used_high": span[1],
        "theory": theory,
    }
    exact = {"engine": "volterra", "method": "approach0", "estimate": xi, "std_error": 1e-9}
    rows = [row | exact]
    if sgd is not None:
        interval = {"ci_low": sgd - 2 * std_error, "ci_high": sgd + 2 * std_error}
        rows.append(
            row | interval | {"estimate": sgd, "std_error": std_error, "expected": xi, "exact": xi}
        )
    return pd.DataFrame(rows)


def study(*rows, **blocks):
    """A study of fits alone, in a few sweeps of the same model."""
    return Study(
        {"exponents": pd.concat(rows, ignore_index=True)},
        {"sweeps": dict.fromkeys("ab", MODEL), "phase_points": POINTS, **blocks},
    )


def slope(exact, *far):
    nan = math.nan
    return Slope(0.7, 0.2, 1e6, 1e8, 0.5, exact, 1e-9, np.array(far), nan, nan, nan, nan)


class TestExponents:
    @pytest.mark.parametrize(
        ("exact", "far", "verdict"),
        [
            (0.519, (0.5, 0.5), REPRODUCED),
            (0.481, (0.9, 0.9), REPRODUCED),
            (0.6, (0.53, 0.51), NOT_AT_THIS_SCALE),
            (0.6, (0.58, 0.57), NOT_AT_THIS_SCALE),  # it falls
            (0.475, (0.52, 0.518), NOT_AT_THIS_SCALE),
            (0.6, (0.7, 0.65), NOT_REPRODUCED),
            (0.6, (0.58, math.nan), NOT_REPRODUCED),
        ],
    )
    def test_verdict_on_the_exact_front(self, exact, far, verdict):
        assert slope(exact, *far).verdict() == verdict

    def test_passing_the_theory_is_told(self):
        assert "has not settled" in slope(0.475, 0.52, 0.518).text()
        assert "has not settled" not in slope(0.475, 0.495, 0.501).text()
        assert "no minimum" in slope(0.475, 0.495, math.nan).text()

    def test_far_fronts_are_exact(self):
        """In phase Ia the theory is reached at once, in IVa far beyond the paper's window."""
        table = study(fits(0.75, 0.25, 0.405, 0.40), fits(0.4, 1.0, 0.632))
        found = claimed_exponents.exponent(table, 0.75, 0.25, "xi")
        assert (found.ours, found.verdict) == ("0.405", REPRODUCED)
        assert "SGD 0.400 ± 0.020 (95%)" in found.reason and "+8.1e-05, +2e-06" in found.reason
        found = claimed_exponents.exponent(table, 0.4, 1.0, "xi")
        assert (found.ours, found.verdict) == ("0.632", NOT_AT_THIS_SCALE)
        assert "+0.1320 from theory" in found.reason and "SGD" not in found.reason

    def test_paper_of_a_phase_is_its_formula_at_the_point(self):
        (phase,) = [phase for phase in PHASES if phase.name == "Ia"]
        found = claimed_exponents.phase_exponent(study(fits(0.75, 0.25, 0.405)), phase, "xi")
        assert found.paper == "0.400 = 1/(2 α + 1) at (0.75, 0.25)"

    def test_window_is_the_papers_in_the_sweep_with_the_smallest_error(self):
        rows = [
            fits(0.75, 0.25, 0.43, 0.43, span=(1e4, 1e6)),
            fits(0.75, 0.25, 0.41, 0.41, std_error=0.02, window=1),
            fits(0.75, 0.25, 0.42, 0.42, std_error=0.01, sweep="b"),
        ]
        table = study(*rows)
        assert claimed_exponents.slope_at(table, 0.75, 0.25, "xi").sgd == 0.42
        assert claimed_exponents.slope_at(table, 0.75, 0.25, "xi", sweep="a").sgd == 0.41
        assert claimed_exponents.slope_at(study(rows[0]), 0.75, 0.25, "xi").sgd == 0.43

    @pytest.mark.parametrize(
        ("sgd", "span", "verdict"),
        [
            (0.64, (1e6, 1e8), REPRODUCED),
            (0.62, (1e6, 1e8), CORRECTED),
            (0.60, (1e6, 1e8), NOT_REPRODUCED),
            (0.64, (1e4, 1e6), NOT_AT_THIS_SCALE),
        ],
    )
    def test_measured_value_of_the_paper(self, sgd, span, verdict):
        table = study(fits(0.7, 0.7, 0.6, sgd, span=span))
        found = claimed_exponents.measured_exponent(table, 0.7, 0.7, "xi", 0.648)
        assert (found.ours, found.verdict) == (f"{sgd:.3f}", verdict)
        assert found.error == "0.020 (95%, runs)"

    def test_universal_size(self):
        rows = [fits(*POINTS[name], 0.5) for name in ("Ib", "III")]
        near, far = (study(*rows, fits(*POINTS["IVa"], xi)) for xi in (0.51, 0.632))
        assert claimed_exponents.universal_size(near).verdict == REPRODUCED
        found = claimed_exponents.universal_size(far)
        assert found.verdict == NOT_AT_THIS_SCALE and "in IVa" in found.reason

    def test_traverse_tells_the_worst_point_and_noise(self):
        rows = [fits(0.7, 0.2, 0.42, 0.45), fits(0.7, 0.5, 0.453, 0.45), fits(0.7, -0.2, 0.4)]
        found = claimed_exponents.traverse(study(*rows, traverse="a"), "xi")
        assert (found.ours, found.verdict) == ("ξ within 0.036 of theory", NOT_AT_THIS_SCALE)
        assert "of 2 deviations, at (0.7, 0.5)" in found.reason  # the edge has no exponents
        assert "within 3.0 standard errors" in found.reason

    def test_negative_beta(self):
        rows = [fits(0.7, beta, 0.415) for beta in (-0.2, -0.1, 0.1)]
        table = study(*rows, negative_beta={"sweep": "a"})
        found = claimed_exponents.negative_beta(table, "xi")
        assert found.verdict == REPRODUCED and found.reason.startswith("(0.7, -0.1)")
        with pytest.raises(Untested, match="no exponents at a negative beta above the edge"):
            claimed_exponents.negative_beta(study(rows[0], negative_beta={"sweep": "a"}), "xi")


class TestWindows:
    def changes(self, own, noise):
        """Two windows at six betas: what the window makes of xi, and what noise does."""
        rows = []
        for k, beta in enumerate((0.1, 0.2, 0.3, 0.4, 0.6, 0.8)):
            rows.append(fits(0.7, beta, 0.5, 0.5))
            sgd = 0.5 + own + noise * (-1) ** k
            rows.append(fits(0.7, beta, 0.5 + own, sgd, window=1, span=(2e6, 5e7)))
        return study(*rows, traverse="a")

    @pytest.mark.parametrize(
        ("own", "noise", "verdict"),
        [(0.05, 0.02, REPRODUCED), (0.0, 0.02, CORRECTED), (0.0, 0.005, NOT_AT_THIS_SCALE)],
    )
    def test_noise_is_told_apart(self, own, noise, verdict):
        found = claimed_losses.window_dependence(self.changes(own, noise))
        assert (found.verdict, found.error) == (verdict, f"{noise:.3f} (noise, rms)")
        assert found.ours == f"ξ changes by {math.hypot(own, noise):.3f}"
        assert f"makes {own:.3f}, noise {noise:.3f}" in found.reason
        assert ("mostly noise, not the window" in found.reason) == (own == 0)

    def test_one_window_is_none(self):
        with pytest.raises(Untested, match="in two windows"):
            claimed_losses.window_dependence(study(fits(0.7, 0.1, 0.5, 0.5), traverse="a"))


class TestLosses:
    def losses(self, ratio, spread=0.05, runs=20):
        """SGD losses that are a ratio times Volterra's, up to symmetric noise."""
        steps = np.array([0, 1, 10, 100, 1000, 2000])
        expected = 1 / (1 + steps)
        point = {"alpha": 0.7, "beta": 0.7, "d": 400, "v": 1600, "learning_rate": 0.05}
        noise = spread * np.linspace(-1, 1, runs)
        curves = [
            loss_rows(steps, expected * (ratio + x), engine="sgd", run=k, **point)
            for k, x in enumerate(noise)
        ]
        return Study({"losses": pd.concat([*curves, loss_rows(steps, expected, **point)])}, {})

    @pytest.mark.parametrize(
        ("ratio", "verdict"), [(1.0, REPRODUCED), (1.04, REPRODUCED), (0.85, NOT_REPRODUCED)]
    )
    def test_ratio_to_volterra(self, ratio, verdict):
        found = claimed_losses.volterra_describes_sgd(self.losses(ratio))
        assert (found.ours, found.verdict) == (f"mean ratio {ratio:.3f}", verdict)
        assert found.error == "0.007 (std. error, runs)"  # sqrt(7/19/20) * 0.05

    def test_noise_that_would_hide_anything(self):
        found = claimed_losses.volterra_describes_sgd(self.losses(1.0, spread=0.5))
        assert found.verdict == NOT_AT_THIS_SCALE and "noise of up to 0.07" in found.reason

    @pytest.mark.parametrize("changes", [{"noise": 0.1}, {"schedule": "cosine"}], ids=str)
    def test_sweeps_beyond_the_paper_are_left_out(self, changes):
        paper, other = self.losses(1.0).tables["losses"], self.losses(2.0).tables["losses"]
        both = pd.concat([paper, other.assign(sweep="other", **changes)])
        found = claimed_losses.volterra_describes_sgd(Study({"losses": both}, {}))
        assert found == claimed_losses.volterra_describes_sgd(Study({"losses": paper}, {}))

    def test_without_runs(self):
        alone = Study({"losses": self.losses(1.0).tables["losses"].query("run < 0")}, {})
        with pytest.raises(Untested, match="no sweep of power laws"):
            claimed_losses.volterra_describes_sgd(alone)

    @pytest.mark.parametrize(("last", "verdict"), [(2.05, REPRODUCED), (3.0, NOT_AT_THIS_SCALE)])
    def test_loss_over_estimate(self, last, verdict):
        row = {"alpha": 0.7, "beta": 1.2, "estimate": 1.0, "error": 1e-12, "status": "ok"}
        sizes = {100: 1.5, 1000: 2.0, 10000: last}
        rows = [row | {"d": d, "step": r, "loss": x} for d, x in sizes.items() for r in (1, 9)]
        rows.append(row | {"d": 10**6, "step": 9, "loss": math.nan, "status": "diverged"})
        found = claimed_losses.bounded_ratio(
            Study({"ratio": pd.DataFrame(rows)}, {"finite_size": True})
        )
        assert (found.ours, found.verdict) == (f"ratio 1.50 to {last:.2f}", verdict)


class TestFading:
    def front(self, alpha, beta, *deviations):
        flops = 10.0 ** (4 * np.arange(1, len(deviations) + 1))
        row = {"alpha": alpha, "beta": beta, "flops": flops, "theory": 0.5, "status": "ok"}
        return pd.DataFrame(row | {"value": 0.5 - np.array(deviations), "error": 1e-6})

    @pytest.mark.parametrize(
        ("near", "away", "verdict"),
        [
            ((0.1, 0.08, 0.03), (0.05, 0.01, 0.001), REPRODUCED),
            ((0.1, 0.08, 0.06), (0.05, 0.01, 0.001), NOT_AT_THIS_SCALE),
            ((0.1, 0.08, 0.001), (0.05, 0.01, 0.02), NOT_REPRODUCED),
        ],
    )
    def test_deviations(self, near, away, verdict):
        table = pd.concat([self.front(0.7, 0.5, *near), self.front(1.0, 2.0, *away)])
        found = claimed_losses.fading(Study({"fronts": table}, {"finite_size": True}))
        assert found.verdict == verdict
        assert found.ours == f"{near[-1]:.4f} near boundaries, {away[-1]:.4f} elsewhere"

    @pytest.mark.parametrize(
        ("point", "distance"),
        [((0.7, 0.7), 0), ((0.52, 1.0), 0.02), ((0.75, 0.25), 0.25), ((1.0, 2.0), 0.5)],
    )
    def test_distance_to_a_boundary(self, point, distance):
        assert claimed_losses.boundary_distance(*point) == pytest.approx(distance)


class TestDensity:
    def tables(self, moved=0.0, wider=1.0, samples=100):
        """A uniform bulk in (0, 1) and one outlier at 3, and a histogram with what differs."""
        x = np.concatenate([np.linspace(0.005, 0.995, 100), 3 + np.linspace(-0.495, 0.495, 100)])
        shape = np.concatenate([np.ones(100), np.exp(-((x[100:] - 3) ** 2) / (2 * 0.1**2))])
        weight = np.full(200, 0.01)
        outlier = shape / shape[100:].sum() / 0.01
        number = np.where(x < 2, 100 * (1 + moved * (x - 0.5)), outlier)
        band = {"band": (x > 2).astype(int), "x": x, "weight": weight, "status": "ok"}
        density = pd.DataFrame(
            band | {"density": number, "mass_density": np.where(x < 2, 0.1, outlier)}
        )
        edges = np.concatenate([np.linspace(0, 1, 11), np.linspace(2, 4, 41)])
        low, high = edges[:-1], edges[1:]
        width = 0.1 * wider
        inside = np.exp(-(((low + high) / 2 - 3) ** 2) / (2 * width**2)) * (low >= 2)
        inside /= inside.sum()
        bulk = np.where(high <= 1.001, 0.1, 0)
        bins = {"x_low": low, "x_high": high, "samples": samples, "d": 101}
        histogram = pd.DataFrame(
            bins | {"count": 100 * bulk + inside, "mass": 0.1 * bulk + inside, "std_error": 1e-4}
        )
        point = {"alpha": 1.0, "beta": 2.0}
        tables = {"histogram": histogram.assign(**point), "density": density.assign(**point)}
        return Study(tables, {"spectra": True})

    @pytest.mark.parametrize(
        ("moved", "wider", "verdict"),
        [(0, 1, REPRODUCED), (0, math.sqrt(2), CORRECTED), (0.8, 1, NOT_AT_THIS_SCALE)],
    )
    def test_verdict(self, moved, wider, verdict):
        found = claimed_losses.density(self.tables(moved, wider))
        assert found.verdict == verdict

    def test_distances(self):
        tables = self.tables(0.8, math.sqrt(2)).tables
        found = claimed_losses.spectral_distances(tables["histogram"], tables["density"])
        # Half of the mean of 0.8 |x - 1/2|, and of two normal laws; 100 of 101 eigenvalues.
        assert found["count"] == pytest.approx(0.1 * 100 / 101, abs=0.005)
        assert found["mass"] == pytest.approx(0.166 / 1.1, abs=0.01)
        assert found["width"] == pytest.approx(math.sqrt(2), rel=0.02)
        assert found["bulk"] < 0.006  # half of the mass of the last of 100 nodes


class TestTable:
    def test_a_claim_that_cannot_be_tested_keeps_its_row(self):
        """Of a study of one sweep, which has nothing that the paper speaks of."""
        tables = {"exponents": fits(0.9, 0.6, 0.4), "losses": loss_rows([0, 1], [1.0, 0.5])}
        table = evaluate(Study(tables, {"sweeps": {"a": MODEL}}))
        assert list(table["claim"]) == [claim.name for claim in CLAIMS]
        assert set(table["verdict"]) == {NOT_TESTED}
        reasons = table.set_index("claim")["reason"]
        assert reasons["ξ of phase Ib"] == "the configuration has no block phase_points"
        assert reasons["The loss over its estimate is bounded"].endswith("no block finite_size")
        assert reasons["The resolvent's density describes sampled spectra"].endswith("spectra")
        assert reasons["ξ depends on the IsoFLOP window"].endswith("traverse")
        assert reasons["η follows the theory at negative β"].endswith("negative_beta")
        assert reasons["ξ in theory at (0.7, 0.7)"] == "no sweep fits exponents at (0.7, 0.7)"
        assert all(table["where"]) and all(table["paper"]) and all(table["backed_by"])

    def test_every_claim_is_asked_for_once(self):
        names = [claim.name for claim in CLAIMS]
        assert len(set(names)) == len(names)
        assert {f"η of phase {phase.name}" for phase in PHASES} <= set(names)
        assert VERDICTS.index(REPRODUCED) < VERDICTS.index(NOT_AT_THIS_SCALE)
