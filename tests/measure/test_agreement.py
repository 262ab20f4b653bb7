"""Tests of the results: what fails them, and how rarely sound results do."""

import math

import numpy as np
import pandas as pd
import pytest

from plrf import statuses
from plrf.measure import agreement
from plrf.study import store
from plrf.study.schemas import checks as checks_schema
from plrf.study.schemas import fits as fits_schema
from plrf.study.schemas import grid as grid_schema
from plrf.study.schemas import losses as losses_schema
from plrf.study.schemas import plane as plane_schema
from scripts.measure import check_results
from scripts.plane import measure_plane
from tests.made_up import (
    STEPS_PER_DECADE,
    exponent_rows,
    grid_table,
    loss_rows,
    losses_of_grid,
    write,
)

FRONT = {"flops": 1e5, "v_over_d": 4.0, "c": 0.5, "batch": 1}


class TestCheckResults:
    GRID = grid_table(
        {"d": 10}, {"d": 20, "steps": 50}, {"d": 40, "steps": 25, "engines": ["volterra"]}
    )
    NO_FITS = fits_schema.EXPONENTS.empty_table().to_pandas()

    @pytest.fixture(autouse=True)
    def short_runs_count(self, monkeypatch):
        monkeypatch.setattr(agreement, "LONG_RUN", 20)

    @pytest.fixture
    def losses(self):
        return losses_of_grid(self.GRID, seed=1)

    def outcome(self, losses, grid=None, **fronts):
        """The checks that fail, and the details of all."""
        grid = self.GRID if grid is None else grid
        checks = check_results.check_results(grid, losses, self.NO_FITS, STEPS_PER_DECADE, **fronts)
        failed = checks.loc[~checks["passed"], "check"].tolist()
        return failed, dict(zip(checks["check"], checks["detail"], strict=True))

    def test_sound_results_pass(self, losses):
        failed, details = self.outcome(losses)
        assert failed == []
        assert details["curves are complete"] == "11 curves complete, 0 not"

    @pytest.mark.parametrize(
        ("wrong", "first"),
        [
            ("d == 20 and engine == 'sgd' and run == 1", "'engine': 'sgd', 'run': 1}"),
            ("d == 40", "'d': 40, 'engine': 'volterra', 'run': -1}"),
            ("d == 10 and engine == 'recursion' and run == 0 and step == 100", "'run': 0}"),
            ("d == 10 and engine == 'volterra' and step == 0", "'engine': 'volterra', 'run': -1}"),
            ("d == 10 and engine == 'volterra' and step == 10", "'engine': 'volterra', 'run': -1}"),
        ],
        ids=["run", "size", "last step", "first step", "step between"],
    )
    def test_missing_rows_fail(self, losses, wrong, first):
        failed, details = self.outcome(losses.query(f"not ({wrong})"))
        assert failed == ["curves are complete"]
        assert "1 not, the first" in details[failed[0]]
        assert details[failed[0]].endswith(first)

    def test_curve_that_the_grid_does_not_ask_for_fails(self, losses):
        extra = losses.query("d == 10 and engine == 'volterra'").assign(d=11)
        failed, details = self.outcome(pd.concat([losses, extra]))
        assert failed == ["curves are complete"]
        assert "'d': 11" in details[failed[0]]

    @pytest.mark.parametrize("value", [-1e-3, 0.0, math.nan, math.inf])
    def test_unsound_loss_fails_unless_flagged(self, losses, value):
        place = losses.query("d == 20 and engine == 'volterra' and step == 50").index
        losses.loc[place, "loss"] = value
        name = "losses are positive and finite, or flagged"
        failed, details = self.outcome(losses)
        assert failed == [name]
        assert details[name] == "1 unsound losses unflagged, 0 flagged"
        losses.loc[place, "status"] = "diverged"
        failed, details = self.outcome(losses)
        assert failed == []
        assert details[name] == "0 unsound losses unflagged, 1 flagged"

    @pytest.mark.parametrize("error", [2e-6, math.nan])
    def test_inaccurate_solver_fails_unless_flagged(self, losses, error):
        place = losses.query("d == 10 and engine == 'volterra' and step == 100").index
        losses.loc[place, "error"] = error
        assert self.outcome(losses)[0] == ["solvers are accurate, or flagged"]
        losses.loc[place, "status"] = "inaccurate"
        assert self.outcome(losses)[0] == []

    # Columns that the checks read, of a point of each kind that is no failure.
    SOUND = pd.DataFrame(
        {
            "alpha": [0.1, 0.2, 0.3, 0.4, 0.5],
            "beta": 0.3,
            "status": ["no power law", "edge: no exponents", "no minimum", "diverges", "ok"],
            "eta": [math.nan] * 4 + [0.5],
            "xi": [math.nan] * 4 + [0.4],
        }
    )

    @pytest.mark.parametrize("part", ["plane", "explorer", "finite_size_fronts"])
    def test_points_without_an_exponent_are_counted(self, losses, part):
        fronts = self.SOUND
        if part == "finite_size_fronts":
            fronts = fronts.rename(columns={"eta": "value"}).drop(columns="xi")
        name = f"statuses are sound: {part}"
        failed, details = self.outcome(losses, **{part: fronts})
        assert failed == []
        assert details[name].startswith("0 of 5 failed; ")
        assert "1 no power law" in details[name] and "1 ok" in details[name]
        assert name not in self.outcome(losses)[1]

    @pytest.mark.parametrize(
        "change", [{"status": "not converged"}, {"status": "new"}, {"xi": math.inf}]
    )
    def test_point_that_should_have_an_exponent_fails(self, losses, change):
        """A failure of the numerics, an unknown reason, and an exponent that is none."""
        plane = pd.concat([self.SOUND, self.SOUND[-1:].assign(alpha=0.6, **change)])
        failed, details = self.outcome(losses, plane=plane)
        assert failed == ["statuses are sound: plane"]
        start = "1 of 6 failed, the first {'alpha': 0.6, 'beta': 0.3}; "
        assert details[failed[0]].startswith(start)

    def test_statuses_of_the_library_are_known(self):
        """Those of a real plane; one that is spelled otherwise would fail."""
        plane = measure_plane.measure_plane([0.05, 0.2, 0.7], [-0.2, 0.1, 0.5], FRONT)
        passed, detail = check_results.check_fronts(plane)
        others = {statuses.DIVERGES, statuses.BELOW, statuses.UNCERTAIN}
        others |= {statuses.FROM_THE_START, statuses.BEYOND, statuses.JUMPS}  # of the atlas
        others |= {statuses.TOO_FEW, statuses.REFUSED}
        assert passed and set(plane["status"]) == {*statuses.SOUND} - others, detail

    # Ten sizes of four runs with a scatter of 10%: the standard error is 1.6%.
    MANY = grid_table(
        *({"sweep": name, "d": d, "runs": 4} for name in ("a", "b") for d in range(10, 20))
    )

    def test_simulated_runs_may_be_shorter(self):
        grid = grid_table({"simulated_steps": 30})
        losses = losses_of_grid(grid, seed=6)
        steps = losses.groupby("engine")["step"].max()
        assert steps.to_dict() == {"sgd": 30, "recursion": 30, "volterra": 100}
        assert self.outcome(losses, grid)[0] == []
        assert self.outcome(losses, grid_table({}))[0] == ["curves are complete"]

    @pytest.mark.parametrize("factor", [0.6, 1.5])
    def test_biased_sgd_fails_and_is_named(self, factor):
        losses = losses_of_grid(self.MANY, seed=2)
        assert self.outcome(losses, self.MANY)[0] == []
        late = losses.eval("sweep == 'b' and engine == 'sgd' and step > 10")
        losses.loc[late, "loss"] *= factor
        failed, details = self.outcome(losses, self.MANY)
        assert failed == ["sgd agrees with recursion: b"]
        found = float(details[failed[0]].split()[2])
        assert found == pytest.approx(factor, abs=0.1)
        assert details[failed[0]].endswith("over 40 runs")

    @pytest.mark.parametrize("engines", [("recursion", "volterra"), ("sgd", "volterra")])
    def test_other_engines_are_compared_with_volterra(self, engines):
        """Without recursion, SGD itself is compared with the expected loss over W."""
        grid = self.MANY.assign(d=lambda grid: 100 * grid["d"])
        grid = grid[grid["engine"].isin([*engines, "sgd"])]
        losses = losses_of_grid(grid, seed=3)
        # Without the spread between runs that losses_of_grid puts in.
        losses.loc[losses["engine"] != "volterra", "loss"] /= 1 + 0.1 * losses["run"]
        assert self.outcome(losses, grid)[0] == []
        losses.loc[losses.eval("sweep == 'a' and engine == 'volterra'"), "loss"] *= 1.2
        assert self.outcome(losses, grid)[0] == [f"{engines[0]} agrees with volterra: a"]

    def test_skewed_scatter_raises_no_alarm(self, monkeypatch):
        """Final losses of long SGD runs scatter like this."""
        n_sweeps, n_runs = 250, 27
        monkeypatch.setattr(agreement, "FALSE_ALARM", 1e-3)
        index = pd.MultiIndex.from_product(
            [[f"s{i}" for i in range(n_sweeps)], range(n_runs), [0, 10, 100]],
            names=["sweep", "run", "step"],
        )
        expected = index.to_frame(index=False).assign(
            spectrum="", alpha=1.0, beta=2.0, d=10, v=40, batch=1, learning_rate=0.05, status="ok"
        )
        scatter = np.random.default_rng(1).lognormal(-0.045, 0.3, len(expected))
        losses = pd.concat(
            [
                expected.assign(engine="recursion", loss=1.0),
                expected.assign(engine="sgd", loss=np.where(expected["step"] > 0, scatter, 1.0)),
            ]
        )
        results = agreement.check_agreement(losses, {})
        assert len(results) == n_sweeps
        assert [detail for _, passed, detail in results if not passed] == []

    @pytest.mark.parametrize(
        ("rate", "left_out"), [(0.4, ["recursion", "volterra"]), (0.34, ["volterra"]), (0.05, [])]
    )
    def test_means_that_few_runs_do_not_tell_are_not_compared(self, rate, left_out):
        """Near the threshold (0.55), SGD's loss and that of a random W have heavy tails."""
        grid = grid_table(*[{"d": d, "v": 4 * d, "learning_rate": rate} for d in (20, 30, 40)])
        losses = losses_of_grid(grid, seed=7).assign(learning_rate=rate)
        losses.loc[losses["engine"] == "volterra", "loss"] *= 2
        losses.loc[losses["engine"] == "recursion", "loss"] *= 1 + (0.5 * ("recursion" in left_out))
        failed, details = self.outcome(losses, grid)
        of_engine = {"recursion": "sgd agrees with recursion: sweep"}
        of_engine["volterra"] = "recursion agrees with volterra: sweep"
        for reference, check in of_engine.items():
            said = "6 curves left out, so near the stability threshold" in details[check]
            assert said == (reference in left_out)
            assert details[check].startswith("not compared") == said
        assert failed == [of_engine["volterra"]] * ("volterra" not in left_out)

    @pytest.mark.parametrize("row", [{"runs": 1}, {"steps": 4}], ids=["one run", "few steps"])
    def test_too_little_to_compare_is_no_failure(self, row):
        grid = grid_table(row)
        losses = losses_of_grid(grid, seed=4)
        assert self.outcome(losses, grid)[0] == []

    def test_flagged_run_is_no_failure(self):
        losses = losses_of_grid(self.MANY, seed=5)
        gone = losses.eval("engine == 'sgd' and d == 12 and run == 3 and step >= 50")
        losses.loc[gone, "loss"] = math.nan
        losses.loc[gone, "status"] = "diverged"
        failed, details = self.outcome(losses, self.MANY)
        assert failed == []
        assert "4 flagged" in details["losses are positive and finite, or flagged"]

    def test_job_writes_the_outcome_or_raises_it(self, losses, tmp_path):
        grid_path = write(self.GRID, grid_schema.GRID, tmp_path / "grid.parquet")
        good = write(losses, losses_schema.LOSSES, tmp_path / "good.parquet")
        fits = write(exponent_rows(), fits_schema.EXPONENTS, tmp_path / "exponents.parquet")
        plane = measure_plane.measure_plane([0.7], [0.1, 0.5], FRONT)
        paths = {"grid": grid_path, "losses": good, "exponents": fits}
        paths["plane"] = write(plane, plane_schema.PLANE, tmp_path / "plane.parquet")
        check_results.run_job(paths, STEPS_PER_DECADE, tmp_path / "checks.parquet")
        checks = store.read_table(tmp_path / "checks.parquet", checks_schema.CHECKS)
        assert len(checks) == 3 + 2 + 2 + 1
        assert checks["passed"].all()

        bad = losses.query("not (d == 20 and engine == 'sgd' and run == 1)").copy()
        bad.loc[bad["step"] == 100, "loss"] = -1.0
        bad = write(bad, losses_schema.LOSSES, tmp_path / "bad.parquet")
        message = (
            r"(?s)^the results fail their tests:\ncurves are complete: .*"
            r"\nlosses are positive and finite, or flagged: 5 unsound losses unflagged"
        )
        with pytest.raises(check_results.ResultsError, match=message):
            check_results.run_job(paths | {"losses": bad}, 4, tmp_path / "none.parquet")
        assert not (tmp_path / "none.parquet").exists()


class TestCheckExponents:
    @staticmethod
    def fits(n_sweeps, n_fits, deviations, dof=30.0):
        """Exponents of SGD whose deviations from the expected ones are given."""
        row = exponent_rows().query("engine == 'sgd' and phase == 'III'").iloc[0].to_dict()
        row |= {"dof": dof, "std_error": 0.02, "expected": 0.5}
        rows = pd.DataFrame([row] * (n_sweeps * n_fits))
        return rows.assign(
            sweep=np.repeat([f"s{i}" for i in range(n_sweeps)], n_fits),
            estimate=0.5 + 0.02 * deviations,
        )

    @staticmethod
    def outcome(fits, **columns):
        """The checks, for a grid of one size in each sweep."""
        rows = [{"sweep": sweep} | columns for sweep in fits["sweep"].unique()]
        return agreement.check_exponents(grid_table(*rows), fits, {})

    def test_false_alarms_are_as_rare_as_stated(self, monkeypatch):
        # Expected: 5% of 400 sweeps; a binomial number, within 4 standard deviations.
        monkeypatch.setattr(agreement, "FALSE_ALARM", 0.05)
        deviations = np.random.default_rng(0).standard_t(30, 400 * 6)
        results = self.outcome(self.fits(400, 6, deviations))
        failed = sum(not passed for _, passed, _ in results)
        assert len(results) == 400
        assert abs(failed - 20) < 4 * np.sqrt(19)

    @pytest.mark.parametrize("deviation", [-7, 7])
    def test_one_wrong_exponent_fails_its_sweep_and_is_named(self, deviation):
        deviations = np.random.default_rng(1).standard_normal(8)
        deviations[5] = deviation
        (good, passed, _), (bad, failed, detail) = self.outcome(self.fits(2, 4, deviations))
        assert passed and not failed
        assert (good[-3:], bad[-3:]) == (": s0"[-3:], ": s1"[-3:])
        assert f"the worst {deviation:+.1f} standard errors apart" in detail
        assert detail.endswith("(alpha 1.0 beta 2.0 method approach2 quantity xi)")

    def test_refused_fits_and_other_engines_are_not_compared(self):
        fits = self.fits(1, 3, np.zeros(3))
        refused = fits.assign(estimate=math.nan)
        assert self.outcome(fits.assign(engine="volterra")) == []
        ((_, passed, detail),) = self.outcome(refused)
        assert passed and detail == "not compared: 3 fits without an error"
        some = pd.concat([fits, refused.assign(expected=9.0)])
        ((_, passed, detail),) = self.outcome(some.reset_index(drop=True))
        assert passed and detail.startswith("3 compared")

    def test_fits_to_means_that_few_runs_do_not_tell_are_not_compared(self):
        wrong = self.fits(1, 3, np.full(3, 20.0))
        ((_, passed, _),) = self.outcome(wrong)
        assert not passed
        ((_, passed, detail),) = self.outcome(wrong, learning_rate=0.4)
        assert passed and detail.startswith("not compared: 3 fits to losses so near the stability")


def test_curves_that_end_at_different_steps_are_compared_at_the_same_one():
    """A simulation with a smaller budget than Volterra's, and a size that Volterra lacks."""
    point = {"sweep": "s", "alpha": 0.7, "beta": 0.7}
    steps = np.unique(np.rint(np.geomspace(1, 1e6, 145)))
    losses = pd.DataFrame(
        {**point, "d": 10, "engine": "volterra", "status": "ok", "step": steps, "loss": steps**-0.6}
    )
    final = pd.DataFrame({**point, "d": [10, 10, 20, 10], "run": 0, "step": [1234, 77, 5, 10**7]})
    expected = agreement.at_last_steps(final, losses, "volterra")
    np.testing.assert_allclose(expected[:2], [1234**-0.6, 77**-0.6], rtol=1e-12)
    assert expected[2:].isna().all()


class TestSameLaw:
    """Engines that continue another one, at sizes that both have."""

    SIZES = 600, 850

    def losses(self, shift=0.0, spread=0.1, n=12, seed=3):
        """Losses that scatter by 10%, of which those of one engine differ as told."""
        rng = np.random.default_rng(seed)
        looks = {"sgd": (0.0, 0.1), "sgd_averaged": (shift, spread)}
        parts = [
            loss_rows(
                [0, 2000],
                [1.0, np.exp(mean + width * rng.standard_normal())],
                **{"engine": engine, "run": run, "d": d, "v": 4 * d, "learning_rate": 0.01},
            )
            for engine, (mean, width) in looks.items()
            for d in self.SIZES
            for run in range(n)
        ]
        return pd.concat(parts, ignore_index=True)

    def test_equal_laws_pass(self):
        ((name, passed, detail),) = agreement.check_same_law(self.losses())
        assert name == "sgd_averaged has the law of sgd: sweep"
        assert passed and detail.startswith("48 runs")

    @pytest.mark.parametrize("wrong", [{"shift": 0.4}, {"spread": 1.2}], ids=["mean", "spread"])
    def test_other_laws_fail(self, wrong):
        ((_, passed, _),) = agreement.check_same_law(self.losses(**wrong))
        assert not passed

    def test_false_alarms_are_as_rare_as_they_should_be(self, monkeypatch):
        """At a level of 2% among 200 sound results: 13 or more have a probability below 1e-3."""
        monkeypatch.setattr(agreement, "FALSE_ALARM", 0.02)
        outcomes = [agreement.check_same_law(self.losses(n=6, seed=k))[0][1] for k in range(200)]
        assert outcomes.count(False) < 13

    def test_engine_that_lost_its_runs_is_not_compared(self):
        """Of three runs one has diverged: two tell no spread."""
        losses = self.losses(n=3)
        lost = (losses["engine"] == "sgd") & (losses["run"] == 0) & (losses["step"] > 0)
        losses.loc[lost, ["loss", "status"]] = [math.nan, "diverged"]
        ((_, passed, detail),) = agreement.check_same_law(losses)
        assert passed and detail.startswith("not compared")

    def test_too_few_runs_are_not_compared(self):
        ((_, passed, detail),) = agreement.check_same_law(self.losses(n=2))
        assert passed and detail.startswith("not compared")
