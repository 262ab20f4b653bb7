"""The scripts' functions, called directly on small tables whose answer is known."""

import logging
import math
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress

from plrf.exact.front import compute_optimal
from plrf.measure import agreement
from plrf.model import recorded_steps
from plrf.study import store
from plrf.study.grid import expand
from plrf.study.provenance import provenance, read_provenance
from plrf.study.schemas import checks as checks_schema
from plrf.study.schemas import fits as fits_schema
from plrf.study.schemas import grid as grid_schema
from plrf.study.schemas import losses as losses_schema
from scripts.figures import fig01_toy_scaling, front
from scripts.losses import aggregate_losses, expand_grid, simulate
from scripts.losses import volterra as solve_volterra
from scripts.maintain import update_readme
from scripts.measure import check_results, fit_exponents
from scripts.tables import table4_measured_exponents
from tests.figure_checks import (
    bands_of,
    is_drawn,
    layout_problems,
    lines_of,
    runs_are_drawn,
    shown_texts,
)

SOURCE = provenance({}, 1)


def write(frame, schema, path):
    store.write_table(frame, schema, path, SOURCE)
    return str(path)


def grid_table(*rows):
    """A grid of rows given by what differs from a default."""
    default = {
        "sweep": "sweep",
        "alpha": 1.0,
        "beta": 2.0,
        "d": 10,
        "v": 40,
        "batch": 1,
        "c": 0.08,
        "learning_rate": 0.05,
        "kernel_mass": 0.04,
        "flops": 1000.0,
        "steps": 100,
        "simulated_steps": None,
        "runs": 2,
        "sgd": True,
        "recursion": True,
        "volterra": True,
        "phase": "III",
    }
    grid = pd.DataFrame([default | row for row in rows])[grid_schema.GRID.names]
    same = (grid["steps"] * (grid["sgd"] | grid["recursion"])).astype("int64")
    return grid.assign(simulated_steps=grid["simulated_steps"].fillna(same).astype("int64"))


def loss_rows(steps, loss, **columns):
    """One curve as rows of the LOSSES schema."""
    default = {
        "sweep": "sweep",
        "alpha": 1.0,
        "beta": 2.0,
        "d": 10,
        "v": 40,
        "batch": 1,
        "learning_rate": 0.05,
        "engine": "volterra",
        "run": -1,
    }
    columns = default | columns
    loss = np.asarray(loss, float)
    flops = columns["d"] * columns["batch"] * np.asarray(steps, float)
    error = math.nan if columns["engine"] == "sgd" else 1e-12
    status = np.where(np.isfinite(loss), "ok", "diverged")
    rows = {"step": steps, "flops": flops, "loss": loss, "error": error, "status": status}
    return pd.DataFrame(columns | rows)[losses_schema.LOSSES.names]


STEPS_PER_DECADE = 4


def losses_of_grid(grid, seed=0):
    """Losses of all curves of a grid; those of SGD scatter by 10% around their expectation."""
    rng = np.random.default_rng(seed)
    parts = []
    for row in grid.to_dict("records"):
        point = {key: row[key] for key in ("sweep", "alpha", "beta", "d", "v", "batch")}
        for run in range(row["runs"]):
            steps = recorded_steps(row["simulated_steps"], STEPS_PER_DECADE)
            expected = (1 + 0.1 * run) / (1 + steps)
            scatter = 1 + 0.1 * (steps > 0) * rng.standard_normal(steps.shape)
            if row["sgd"]:
                parts.append(loss_rows(steps, expected * scatter, engine="sgd", run=run, **point))
            if row["recursion"]:
                parts.append(loss_rows(steps, expected, engine="recursion", run=run, **point))
        steps = recorded_steps(row["steps"], STEPS_PER_DECADE)
        if row["volterra"]:
            parts.append(loss_rows(steps, 1 / (1 + steps), **point))
    return pd.concat(parts, ignore_index=True)


class TestExpandGrid:
    def test_writes_the_grid_with_its_source(self, tmp_path):
        sweep = {
            "points": [[1.0, 2.0]],
            "d": [10, 20],
            "v_over_d": 4,
            "batch": 2,
            "c": 0.5,
            "flops": 1001.0,
            "engines": ["volterra"],
        }
        config = {"seed": 7, "sweeps": {"a": sweep}}
        expand_grid.expand_grid(config, tmp_path / "grid.parquet")
        grid = store.read_table(tmp_path / "grid.parquet", grid_schema.GRID)
        pd.testing.assert_frame_equal(grid, expand(config))
        assert grid["steps"].tolist() == [51, 26]
        source = read_provenance(tmp_path / "grid.parquet")
        assert source["seed"] == "7"
        # The hash is that of the configuration.
        expand_grid.expand_grid(dict(reversed(config.items())), tmp_path / "same.parquet")
        assert read_provenance(tmp_path / "same.parquet") == source
        expand_grid.expand_grid(config | {"sweeps": {"b": sweep}}, tmp_path / "other.parquet")
        other = read_provenance(tmp_path / "other.parquet")
        assert other.pop("config_hash") != source.pop("config_hash")
        assert other == source


class TestSimulate:
    ALPHA, BETAS, D, V = 1.0, (0.3, 2.0), 5, 15

    def job(self, **changes):
        steps = changes.pop("steps", 60)
        job = {
            "sweep": "sweep",
            "alpha": self.ALPHA,
            "betas": list(self.BETAS),
            "d": self.D,
            "v": self.V,
            "batch": 1,
            "c": 0.5,
            "learning_rate": 0.3,
            "steps": steps,
            "runs": 3,
            "sgd": True,
            "recursion": True,
        }
        return job | changes

    def losses(self, seed=1, **changes):
        return simulate.losses(self.job(**changes), seed, steps_per_decade=12)

    @staticmethod
    def of_step(losses, step):
        keys = ["engine", "beta", "run"]
        return losses[losses["step"] == step].set_index(keys)["loss"].sort_index()

    def test_rows_cover_engines_betas_and_runs(self, tmp_path):
        losses = self.losses()
        steps = np.unique(losses["step"])
        assert (steps[0], steps[-1]) == (0, 60)
        curves = losses.groupby(["engine", "beta", "run"]).size()
        assert len(curves) == 2 * 2 * 3
        assert (curves == len(steps)).all()
        np.testing.assert_array_equal(losses["flops"], self.D * losses["step"])
        assert losses.loc[losses["engine"] == "sgd", "error"].isna().all()
        assert losses.loc[losses["engine"] == "recursion", "error"].between(0, 1e-11).all()
        assert set(losses["status"]) == {"ok"}
        simulate.run_job([self.job()], 1, 12, tmp_path / "losses.parquet")
        written = store.read_table(tmp_path / "losses.parquet", losses_schema.LOSSES)
        pd.testing.assert_frame_equal(
            written, losses.reset_index(drop=True)[losses_schema.LOSSES.names], check_dtype=False
        )

    @pytest.mark.parametrize("batch", [1, 3])
    def test_first_step_of_the_recursion_by_hand(self, batch):
        """P(1) = F0 + sum w(lam) c^2 + gamma^2 B sum lam^2 P(0), for each run's own W."""
        gamma = 0.2 / batch
        job = self.job(batch=batch, learning_rate=gamma)
        losses = self.of_step(simulate.losses(job, 1, 12), 1)
        for run, reductions in enumerate(simulate.reductions(job, 1)):
            for beta, reduced in zip(self.BETAS, reductions, strict=True):
                lam, c2 = reduced.eigenvalues, reduced.coefficients**2
                w = 1 - 2 * gamma * batch * lam + gamma**2 * batch * (batch + 1) * lam**2
                noise = gamma**2 * batch * np.sum(lam**2) * (reduced.floor + c2.sum())
                expected = reduced.floor + w @ c2 + noise
                assert losses["recursion", beta, run] == pytest.approx(expected, rel=1e-12)

    def test_initial_loss_is_that_of_the_target(self):
        j = np.arange(1, self.V + 1.0)
        initial = self.of_step(self.losses(), 0)
        for (_, beta, _), loss in initial.items():
            assert loss == pytest.approx(np.sum(j ** (-2 * self.ALPHA - 2 * beta)), rel=1e-13)

    def test_engines_share_the_features_of_a_run(self):
        """With a large batch SGD is close to its expectation, and far from another run's."""
        losses = self.losses(batch=10**5, learning_rate=0.5 / 10**5, runs=4)
        last = self.of_step(losses, 60)
        for beta in self.BETAS:
            sgd, recursion = (last[engine, beta].to_numpy() for engine in ("sgd", "recursion"))
            np.testing.assert_allclose(sgd, recursion, rtol=0.02)
            apart = np.abs(np.log(np.divide.outer(sgd, recursion)))
            assert apart[~np.eye(4, dtype=bool)].min() > 0.02

    def test_mean_over_runs_is_the_expected_loss(self):
        losses = self.losses(runs=400, learning_rate=0.1)
        for step in (1, 60):
            at = self.of_step(losses, step)
            for beta in self.BETAS:
                ratio = at["sgd", beta] / at["recursion", beta]
                # Fixed seed; at this small rate the tail is light.
                assert abs(ratio.mean() - 1) < 5 * ratio.sem()
                assert ratio.std() > 0.05

    def test_a_run_does_not_depend_on_the_others(self):
        keys = ["engine", "beta", "run", "step"]
        all_runs = self.losses(runs=5).set_index(keys)["loss"]
        fewer = self.losses(runs=2).set_index(keys)["loss"]
        np.testing.assert_allclose(all_runs[fewer.index], fewer, rtol=1e-10)
        one_beta = self.losses(betas=[2.0]).set_index(keys)["loss"]
        np.testing.assert_allclose(all_runs[one_beta.index], one_beta, rtol=1e-10)

    def test_runs_and_seeds_differ(self):
        last = self.of_step(self.losses(), 60)
        other = self.of_step(self.losses(seed=2), 60)
        assert last.nunique() == len(last)
        assert (last != other).all()

    def test_engines_can_be_left_out(self):
        assert set(self.losses(sgd=False)["engine"]) == {"recursion"}
        assert set(self.losses(recursion=False)["engine"]) == {"sgd"}

    def test_diverged_run_is_kept_and_flagged(self, caplog):
        with caplog.at_level(logging.WARNING):
            losses = self.losses(learning_rate=8.0, steps=200, recursion=False)
        diverged = losses["status"] == "diverged"
        assert diverged.any()
        np.testing.assert_array_equal(diverged, losses["loss"].isna())
        for (_, run), curve in losses[losses["beta"] == 2.0].groupby(["beta", "run"]):
            flags = (curve.sort_values("step")["status"] == "diverged").to_numpy()
            assert not flags[0] and flags[-1], "starts well"
            assert (np.diff(flags.astype(int)) >= 0).all(), "and never comes back"
            assert f"beta=2.0 run {run} diverged at step" in caplog.text


class TestSolveVolterra:
    def point(self, **changes):
        point = {"sweep": "sweep", "alpha": 0.7, "beta": 0.7, "d": 20, "v": 80, "batch": 1}
        return point | {"learning_rate": 0.1, "steps": 50} | changes

    def test_curve_starts_at_the_loss_of_the_target_and_falls(self):
        curve = solve_volterra.curve(self.point(), 12)
        j = np.arange(1, 81.0)
        assert curve["step"].iloc[[0, -1]].tolist() == [0, 50]
        assert curve["loss"].iloc[0] == pytest.approx(np.sum(j**-2.8), rel=1e-9)
        assert (np.diff(curve["loss"]) < 0).all()
        assert curve["error"].between(0, losses_schema.ACCURACY).all()
        assert set(curve["status"]) == {"ok"}

    def test_inaccurate_losses_are_flagged(self, monkeypatch):
        class Result:
            loss = np.array([3.0, 2.0, 1.0])
            error = np.array([1e-12, 2e-6, np.nan])

        monkeypatch.setattr(solve_volterra, "expected_loss", lambda *_, **__: Result)
        curve = solve_volterra.curve(self.point(steps=2), 12)
        assert curve["status"].tolist() == ["ok", "inaccurate", "inaccurate"]
        assert curve["loss"].tolist() == [3.0, 2.0, 1.0]

    def test_job_solves_each_of_its_points(self, tmp_path):
        points = [self.point(d=20, v=80), self.point(d=40, v=160), self.point(beta=0.9)]
        path = tmp_path / "losses.parquet"
        solve_volterra.run_job(points, 12, path)
        losses = store.read_table(path, losses_schema.LOSSES)
        for point in points:
            rows = losses[(losses["beta"] == point["beta"]) & (losses["d"] == point["d"])]
            expected = solve_volterra.curve(point, 12)
            np.testing.assert_array_equal(rows["loss"], expected["loss"])
        assert len(losses) == 3 * len(expected)
        assert read_provenance(path)["seed"] == "none"


class TestAggregateLosses:
    def test_order_of_files_does_not_matter(self, tmp_path):
        grid = grid_table({"d": 20}, {"d": 10}, {"sweep": "other"})
        losses = losses_of_grid(grid)
        files = [
            write(part, losses_schema.LOSSES, tmp_path / f"{i}.parquet")
            for i, (_, part) in enumerate(losses.groupby(["sweep", "d", "engine"]))
        ]
        for name, order in (("a", files), ("b", files[::-1])):
            aggregate_losses.aggregate(order, {"seed": 5}, tmp_path / f"{name}.parquet")
        first, second = (
            store.read_table(tmp_path / f"{name}.parquet", losses_schema.LOSSES) for name in "ab"
        )
        pd.testing.assert_frame_equal(first, second)
        keys = ["sweep", "d", "engine", "run", "step"]
        pd.testing.assert_frame_equal(
            first, losses.sort_values(keys, ignore_index=True), check_exact=True
        )
        assert read_provenance(tmp_path / "a.parquet")["seed"] == "5"

    def test_foreign_file_is_named(self, tmp_path):
        path = write(grid_table({}), grid_schema.GRID, tmp_path / "grid.parquet")
        with pytest.raises(store.TableError, match=r"grid\.parquet: not the columns .* delete it"):
            aggregate_losses.aggregate([path], {"seed": 5}, tmp_path / "losses.parquet")
        assert not (tmp_path / "losses.parquet").exists()


class TestCheckResults:
    GRID = grid_table(
        {"d": 10}, {"d": 20, "steps": 50}, {"d": 40, "steps": 25, "runs": 0, "sgd": False}
    ).assign(
        recursion=lambda grid: grid["sgd"],
        simulated_steps=lambda grid: grid["simulated_steps"] * grid["sgd"],
    )
    NO_FITS = fits_schema.EXPONENTS.empty_table().to_pandas()

    @pytest.fixture(autouse=True)
    def short_runs_count(self, monkeypatch):
        monkeypatch.setattr(agreement, "LONG_RUN", 20)

    @pytest.fixture
    def losses(self):
        return losses_of_grid(self.GRID, seed=1)

    def outcome(self, losses, grid=None):
        """The checks that fail, and the details of all."""
        grid = self.GRID if grid is None else grid
        checks = check_results.check_results(grid, losses, self.NO_FITS, STEPS_PER_DECADE)
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
        grid["recursion"] = "recursion" in engines
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
            alpha=1.0, beta=2.0, d=10, v=40, batch=1, learning_rate=0.05, status="ok"
        )
        scatter = np.random.default_rng(1).lognormal(-0.045, 0.3, len(expected))
        losses = pd.concat(
            [
                expected.assign(engine="recursion", loss=1.0),
                expected.assign(engine="sgd", loss=np.where(expected["step"] > 0, scatter, 1.0)),
            ]
        )
        results = agreement.check_agreement(losses)
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
        arguments = (STEPS_PER_DECADE, tmp_path / "checks.parquet")
        check_results.run_job(grid_path, good, fits, *arguments)
        checks = store.read_table(tmp_path / "checks.parquet", checks_schema.CHECKS)
        assert len(checks) == 3 + 2 + 2
        assert checks["passed"].all()

        bad = losses.query("not (d == 20 and engine == 'sgd' and run == 1)").copy()
        bad.loc[bad["step"] == 100, "loss"] = -1.0
        bad = write(bad, losses_schema.LOSSES, tmp_path / "bad.parquet")
        message = (
            r"(?s)^the results fail their tests:\ncurves are complete: .*"
            r"\nlosses are positive and finite, or flagged: 5 unsound losses unflagged"
        )
        with pytest.raises(check_results.ResultsError, match=message):
            check_results.run_job(grid_path, bad, fits, 4, tmp_path / "none.parquet")
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
        return agreement.check_exponents(grid_table(*rows), fits)

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


class TestFitExponents:
    """The surface L = d^-a + (f/d)^-b has the front eta = ab/(a+b), xi = b/(a+b).

    Budgets at which a size of the grid is optimal are as far apart as the sizes, so that what a
    method gets wrong it gets wrong by the same factor at each, and the exponents come out exact.
    """

    A, B = 0.6, 0.5
    ETA, XI = A * B / (A + B), B / (A + B)
    SIZES = 20 * 2 ** np.arange(10)
    BUDGETS = SIZES[2:-2] ** (1 / XI) * (B / A) ** (1 / B)
    WINDOW = (float(BUDGETS[0]), float(BUDGETS[-1]))
    # Interpolation of the recorded losses.
    RTOL = 2e-4

    @property
    def fits(self):
        n = len(self.BUDGETS)
        counts = {"envelope_budgets": n, "isoflop_budgets": n}
        return counts | {"parabola_neighbours": 2, "resamples": 40}

    def sweep(self, *windows):
        settings = {"v_over_d": 4, "c": 0.5, "batch": 1}
        return settings | {"windows": [list(window) for window in windows or [self.WINDOW]]}

    def surface(self, d, flops):
        return d**-self.A + (flops / d) ** -self.B

    def curves(self, factors=(1.0,), **columns):
        """Recorded losses of all sizes; those of a run are too large by its factor."""
        parts = []
        for d in self.SIZES.tolist():
            last = 3 * self.WINDOW[1] / d
            steps = np.geomspace(1, last, int(40 * np.log10(last))).round().astype(int)
            steps = np.unique(steps)
            for run, factor in enumerate(factors):
                loss = factor * self.surface(d, d * steps)
                place = {"d": d, "run": run if len(factors) > 1 else -1} | columns
                parts.append(loss_rows(np.append(0, steps), np.append(2.0, loss), **place))
        return pd.concat(parts, ignore_index=True)

    def fit(self, curves, phase="III", seed=1, windows=()):
        return fit_exponents.fit_point(curves, phase, self.sweep(*windows), self.fits, seed)

    @pytest.mark.parametrize(
        ("engine", "factors"),
        [("volterra", [1.0]), ("sgd", [0.9, 0.95, 1.15])],
        ids=["expected loss", "mean over runs"],
    )
    def test_exact_power_law(self, engine, factors):
        fits = self.fit(self.curves(factors, engine=engine))
        exponents = fits.exponents.set_index(["method", "quantity"])
        assert len(exponents) == 10
        # The spline has no bias, and the law is the surface itself.
        tolerance = {"approach1": 1, "approach2": 1, "approach2_spline": 5, "approach3": 5}
        for method, factor in tolerance.items():
            for quantity, exact in (("eta", self.ETA), ("xi", self.XI)):
                row = exponents.loc[method, quantity]
                assert row["estimate"] == pytest.approx(exact, rel=factor * self.RTOL)
                assert row["ci_low"] <= row["estimate"] <= row["ci_high"]
                assert (row["n_budgets"], row["n_dropped"]) == (len(self.BUDGETS), 0)
                assert row["status"] == "ok"
                ends = row[["used_low", "used_high", "window_low", "window_high"]].tolist()
                np.testing.assert_allclose(ends, 2 * self.WINDOW)
        # Phase III at alpha = 1: eta = (4 alpha - 1) / (4 alpha), xi = 1/2.
        assert set(zip(fits.exponents["quantity"], fits.exponents["theory"], strict=True)) == {
            ("eta", 0.75),
            ("xi", 0.5),
        }
        assert set(fits.exponents["phase"]) == {"III"}
        for part in fits:
            measured = part.query("method != 'approach0'") if "method" in part else part
            assert set(measured["engine"]) == {engine}
            assert set(part["sweep"]) == {"sweep"}
            assert set(part["window"]) == {0}

    def test_front_and_parabolas(self):
        fronts = self.fit(self.curves()).fronts.set_index("method")
        envelope, isoflop, spline, law = (
            fronts.loc[f"approach{i}"] for i in ("1", "2", "2_spline", "3")
        )
        np.testing.assert_allclose(envelope["flops"], self.BUDGETS)
        exact = self.surface(self.SIZES[2:-2], self.BUDGETS)
        for rows, tolerance in ((envelope, 0.05), (isoflop, 0.05), (spline, 0.01), (law, 0.002)):
            np.testing.assert_allclose(rows["d_opt"], self.SIZES[2:-2], rtol=tolerance)
            np.testing.assert_allclose(rows["loss_opt"], exact, rtol=tolerance)
        for rows in (spline, law):
            assert rows[["curvature", "slope", "intercept"]].isna().all(axis=None)
        np.testing.assert_array_equal(envelope["d_low"], self.SIZES[1:-3])
        np.testing.assert_array_equal(isoflop["d_high"], self.SIZES[4:])
        # The coefficients are those of the parabola in log d whose vertex is the optimum.
        for row in isoflop.itertuples():
            parabola = np.poly1d([row.curvature, row.slope, row.intercept])
            assert np.exp(parabola(np.log(row.d_opt))) == pytest.approx(row.loss_opt)
            assert parabola.deriv()(np.log(row.d_opt)) == pytest.approx(0, abs=1e-9)
            assert row.curvature > 0

    def test_isoflop_losses_are_means_over_runs(self):
        table = self.fit(self.curves([0.8, 1.4], engine="sgd")).isoflop
        assert len(table) == len(self.SIZES) * len(self.BUDGETS)
        expected = 1.1 * self.surface(table["d"], table["flops"])
        np.testing.assert_allclose(table["loss"], expected, rtol=self.RTOL)

    def test_bootstrap_depends_on_the_seed_and_the_point_only(self):
        curves = self.curves([0.9, 1.1, 1.0], engine="sgd")
        first = self.fit(curves).exponents
        assert (first.loc[first["engine"] == "sgd", "std_error"] > 0.001).all()
        pd.testing.assert_frame_equal(first, self.fit(curves).exponents)
        shuffled = curves.sample(frac=1, random_state=1).sort_values("step", kind="stable")
        pd.testing.assert_frame_equal(first, self.fit(shuffled).exponents)
        renamed = self.fit(curves.assign(sweep="another")).exponents
        pd.testing.assert_frame_equal(first, renamed.assign(sweep="sweep"))
        other = self.fit(curves, seed=2).exponents
        noisy = first["engine"] == "sgd"
        assert ((first["std_error"] != other["std_error"]) == noisy).all()
        pd.testing.assert_series_equal(first["estimate"], other["estimate"])

    def test_no_exponents_on_the_edge(self):
        curves = self.curves([0.9, 1.1], engine="sgd", alpha=0.7, beta=-0.2)
        fits = self.fit(curves, phase="edge")
        numbers = [*fit_exponents.ESTIMATE, "theory", "method_spread", "window_spread"]
        assert fits.exponents[numbers].isna().all(axis=None)
        assert fits.exponents["status"].str.startswith("refused: no exponents on the edge").all()
        by_method = fits.exponents[fits.exponents["method"] != "approach0"]
        assert (by_method["n_budgets"] == len(self.BUDGETS)).all()
        assert (fits.fronts["status"] == "ok").all(), "the curves exist"

    def test_windows_are_fitted_one_by_one(self):
        n = len(self.BUDGETS)
        windows = [self.WINDOW, (float(self.BUDGETS[1]), float(self.BUDGETS[-1]))]
        fits = self.fit(self.curves(), windows=windows)
        alone = self.fit(self.curves())
        shared = alone.exponents.columns.drop("window_spread")
        first = fits.exponents[fits.exponents["window"] == 0].reset_index(drop=True)
        pd.testing.assert_frame_equal(first[shared], alone.exponents[shared])
        assert alone.exponents["window_spread"].isna().all()
        for part in fits:
            assert set(part["window"]) == {0, 1}
            low, high = (
                part["flops"].groupby(part["window"]).agg([min, max]).to_numpy().T
                if "flops" in part
                else np.array(windows).T
            )
            np.testing.assert_allclose(low, [window[0] for window in windows])
            np.testing.assert_allclose(high, [window[1] for window in windows])
        rows = fits.exponents.set_index(["method", "quantity", "window"])["estimate"].unstack()
        spread = fits.exponents.set_index(["method", "quantity", "window"])["window_spread"]
        for window in (0, 1):
            np.testing.assert_allclose(
                spread.unstack()[window], (rows[0] - rows[1]).abs(), atol=1e-12
            )
        assert n > 4

    def test_spread_of_methods_leaves_the_exact_front_out(self):
        rows = self.fit(self.curves()).exponents
        measured = rows[rows["method"] != "approach0"].groupby("quantity")["estimate"]
        expected = rows["quantity"].map(measured.max() - measured.min())
        np.testing.assert_allclose(rows["method_spread"], expected)
        assert (rows["estimate"].groupby(rows["quantity"]).agg(np.ptp) > expected.max()).all(), (
            "the surface is not that of the model"
        )

    def test_what_is_expected_has_the_same_sizes_and_budgets(self):
        """Noise moves the estimate, not what is expected: the fit without noise."""
        solved = self.curves()
        scattered = pd.concat(
            [
                self.curves([0.9, 1.15, 1.0], engine="sgd").query(f"d <= {self.SIZES[-2]}"),
                solved,
            ]
        )
        rows = self.fit(scattered).exponents.set_index(["engine", "method", "quantity"])
        smaller = self.fit(solved.query(f"d <= {self.SIZES[-2]}")).exponents
        smaller = smaller.set_index(["engine", "method", "quantity"])
        whole = self.fit(solved).exponents.set_index(["engine", "method", "quantity"])
        for method in ("approach1", "approach2", "approach2_spline", "approach3"):
            for quantity in ("eta", "xi"):
                found = rows.loc["sgd", method, quantity]
                without_noise = smaller.loc["volterra", method, quantity]
                assert found["expected"] == pytest.approx(without_noise["estimate"], rel=1e-9)
                assert found["n_budgets"] == without_noise["n_budgets"]
                alone = whole.loc["volterra", method, quantity]
                assert alone["expected"] == pytest.approx(alone["estimate"], rel=1e-6)
        # Without the engine volterra nothing is expected.
        assert (
            self.fit(self.curves([0.9, 1.1], engine="sgd"))
            .exponents.query("engine == 'sgd'")["expected"]
            .isna()
            .all()
        )

    def test_exact_exponents_are_those_of_the_exact_front(self):
        rows = self.fit(self.curves())
        row = rows.exponents.query("method == 'approach0' and quantity == 'xi'").iloc[0]
        optimum = compute_optimal(self.BUDGETS, alpha=1.0, beta=2.0)
        slope = linregress(np.log(self.BUDGETS), np.log(optimum.d)).slope
        assert row["estimate"] == pytest.approx(slope, rel=1e-9)
        assert row["error_source"] == "solver" and row["std_error"] < 1e-4
        # The same budgets are used by all other methods here.
        np.testing.assert_allclose(
            rows.exponents.query("quantity == 'xi'")["exact"], slope, rtol=1e-9
        )
        part = self.curves().query(f"d >= {self.SIZES[1]}")
        edge = self.fit(part).exponents.query("method == 'approach2' and quantity == 'xi'").iloc[0]
        assert edge["n_dropped"] == 1
        slope = linregress(np.log(self.BUDGETS[1:]), np.log(optimum.d[1:])).slope
        assert edge["exact"] == pytest.approx(slope, rel=1e-9)

    def test_size_with_a_diverged_run_is_dropped_and_counted(self, tmp_path):
        """From job files to fits, a run that diverged stays in the tables with its status."""
        sgd = self.curves([0.9, 1.1], engine="sgd")
        d = self.SIZES[5]
        # Between the budgets at which sizes 4 and 5 are optimal.
        lost = (sgd["d"] == d) & (sgd["run"] == 1) & (sgd["flops"] > 1.5 * self.BUDGETS[2])
        sgd.loc[lost, "loss"] = math.nan
        sgd.loc[lost, "status"] = "diverged"
        expected = self.curves([0.9, 1.1], engine="recursion")
        last = sgd.groupby("d")["step"].max()
        grid = grid_table(
            *({"d": d, "steps": int(steps), "volterra": False} for d, steps in last.items())
        )
        files = [
            write(table, losses_schema.LOSSES, tmp_path / f"{name}.parquet")
            for name, table in (("sgd", sgd), ("recursion", expected))
        ]
        grid_path = write(grid, grid_schema.GRID, tmp_path / "grid.parquet")
        losses_path = tmp_path / "losses.parquet"
        aggregate_losses.aggregate(files, {"seed": 1}, losses_path)
        losses = store.read_table(losses_path, losses_schema.LOSSES)
        flagged = losses[losses["status"] == "diverged"]
        assert len(flagged) == lost.sum() > 0
        assert set(zip(flagged["d"], flagged["run"], flagged["engine"], strict=True)) == {
            (d, 1, "sgd")
        }
        assert check_results.check_positive(losses)[0]

        paths = {name: tmp_path / f"fit_{name}.parquet" for name in fit_exponents.Fits._fields}
        sweeps = {"sweep": self.sweep()}
        fit_exponents.run_job(grid_path, losses_path, sweeps, self.fits, 1, paths)
        isoflop = store.read_table(paths["isoflop"], fits_schema.ISOFLOP)
        missing = isoflop[isoflop["loss"].isna()]
        assert set(zip(missing["engine"], missing["d"], strict=True)) == {("sgd", d)}
        np.testing.assert_allclose(missing["flops"], self.BUDGETS[3:])
        exponents = store.read_table(paths["exponents"], fits_schema.EXPONENTS)
        # The minimum next to a size without a loss may be elsewhere: sizes 5 and 6, not 4.
        neighbours = exponents["method"].map(
            {"approach1": 1, "approach2": 2, "approach2_spline": 2}
        )
        dropped = ((exponents["engine"] == "sgd") * (neighbours + 1)).fillna(0)
        np.testing.assert_array_equal(exponents["n_dropped"], dropped)
        np.testing.assert_array_equal(exponents["n_budgets"], len(self.BUDGETS) - dropped)
        told = exponents["status"].str.contains("edge_minimum")
        np.testing.assert_array_equal(told, dropped > 0)
        by_approach1 = exponents[exponents["method"] == "approach1"]
        exact = by_approach1["quantity"].map({"eta": self.ETA, "xi": self.XI})
        np.testing.assert_allclose(by_approach1["estimate"], exact, rtol=self.RTOL)

    def test_only_sweeps_with_a_window_are_fitted(self):
        curves = self.curves()
        losses = pd.concat([curves, curves.assign(sweep="other"), curves.assign(beta=3.0)])
        grid = grid_table({}, {"sweep": "other"}, {"beta": 3.0, "phase": "made up"})
        fits = fit_exponents.fit_all(grid, losses, {"sweep": self.sweep()}, self.fits, 1)
        for part in fits:
            assert set(part["sweep"]) == {"sweep"}
            assert set(part["beta"]) == {2.0, 3.0}
        assert set(zip(fits.exponents["beta"], fits.exponents["phase"], strict=True)) == {
            (2.0, "III"),
            (3.0, "made up"),
        }

    def test_without_windows_tables_are_empty(self, tmp_path):
        grid_path = write(grid_table({}), grid_schema.GRID, tmp_path / "grid.parquet")
        losses_path = write(
            loss_rows([0, 1], [2, 1]), losses_schema.LOSSES, tmp_path / "losses.parquet"
        )
        paths = {name: tmp_path / f"fit_{name}.parquet" for name in fit_exponents.Fits._fields}
        fit_exponents.run_job(grid_path, losses_path, {}, self.fits, 1, paths)
        for name, schema in (("exponents", fits_schema.EXPONENTS), ("fronts", fits_schema.FRONTS)):
            assert store.read_table(paths[name], schema).empty


def exponent_rows():
    """Fits of two points, one of them refused, in no good order."""
    nan = math.nan
    row = {
        "sweep": "b",
        "alpha": 1.0,
        "beta": 2.0,
        "phase": "III",
        "engine": "sgd",
        "window": 0,
        "window_low": 1e3,
        "window_high": 2e6,
        "method": "approach2",
        "quantity": "xi",
        "estimate": 0.55,
        "std_error": 0.02,
        "dof": 25.0,
        "ci_low": 0.5,
        "ci_high": 0.6,
        "error_source": "runs",
        "used_low": 1e3,
        "used_high": 1e6,
        "n_budgets": 11,
        "n_dropped": 2,
        "rms_residual": 0.05,
        "expected": 0.53,
        "exact": 0.51,
        "theory": 0.5,
        "method_spread": 0.03,
        "window_spread": nan,
        "status": "ok; dropped 2 edge_minimum",
    }
    refused = dict.fromkeys((*fit_exponents.ESTIMATE, "theory"), nan)
    rows = [
        row,
        {"quantity": "eta", "estimate": 0.6, "theory": 0.75},
        {"method": "approach1", "std_error": nan, "ci_low": nan, "ci_high": nan},
        {"engine": "recursion"},
        {"engine": "volterra", "method": "approach0", "error_source": "solver", "std_error": 1e-9},
        {"alpha": 0.7, "beta": -0.2, "phase": "edge", "status": "refused: edge"} | refused,
        {"alpha": 0.7, "beta": 0.7, "phase": "II/III"},
        {"sweep": "a"},
    ]
    return pd.DataFrame([row | changes for changes in rows])


class TestTable4:
    def test_deviations_from_theory(self):
        table = table4_measured_exponents.measured_exponents(exponent_rows())
        xi = table.query("quantity == 'xi' and phase == 'III' and method == 'approach2'")
        np.testing.assert_allclose(xi["deviation_percent"], 10.0)
        np.testing.assert_allclose(xi["deviation_std_errors"], 2.5)
        eta = table.query("quantity == 'eta'").iloc[0]
        assert eta["deviation_percent"] == pytest.approx(-20.0)
        assert eta["deviation_std_errors"] == pytest.approx(-7.5)
        edge = table.query("phase == 'edge'").iloc[0]
        assert np.isnan([edge["deviation_percent"], edge["deviation_std_errors"]]).all()

    def test_sorted_by_point(self):
        table = table4_measured_exponents.measured_exponents(exponent_rows())
        order = ["alpha", "beta", "sweep", "quantity", "window", "engine", "method"]
        keys = list(table[order].itertuples(index=False, name=None))
        assert keys == sorted(keys)
        assert len(keys) == len(exponent_rows())

    def test_files_hold_the_same_numbers(self, tmp_path):
        path = write(exponent_rows(), fits_schema.EXPONENTS, tmp_path / "exponents.parquet")
        csv, markdown = tmp_path / "table.csv", tmp_path / "table.md"
        table4_measured_exponents.write_tables(path, csv, markdown)
        table = table4_measured_exponents.measured_exponents(exponent_rows())
        read = pd.read_csv(csv)
        pd.testing.assert_frame_equal(read, table, check_exact=True, check_dtype=False)

        text = markdown.read_text(encoding="utf-8")
        headings = re.findall(r"^## α = (.+), β = (.+): phase (.+) \((.+)\)$", text, re.MULTILINE)
        points = table[["alpha", "beta", "phase", "sweep"]].drop_duplicates()
        assert headings == [
            (f"{row.alpha:g}", f"{row.beta:g}", row.phase, row.sweep) for row in points.itertuples()
        ]
        cells = [
            [cell.strip() for cell in line.split("|")]
            for line in text.splitlines()
            if line.startswith("|")
        ]
        assert {len(row) for row in cells} == {len(cells[0])}
        assert all(row[0] == row[-1] == "" for row in cells), "a bar at both ends"
        assert all(all(row[1:-1]) for row in cells), "no empty cell"
        assert not [cell for row in cells for cell in row if cell == "nan" or "nan " in cell]
        header = cells[0]
        body = [row for row in cells if row != header and set(row[1:-1]) != {"---"}]
        shown = pd.DataFrame([row[1:-1] for row in body], columns=header[1:-1])
        assert len(shown) == len(table)
        solver = table["error_source"] == "solver"
        for column, name, digits in (
            ("estimate", "estimate", 4),
            ("std. error", "std_error", 4),
            ("expected", "expected", 4),
            ("exact", "exact", 4),
            ("theory", "theory", 4),
            ("deviation (%)", "deviation_percent", 1),
            ("deviation (std. errors)", "deviation_std_errors", 1),
            ("spread of approaches", "method_spread", 4),
            ("spread of windows", "window_spread", 4),
            ("budgets used", "n_budgets", 0),
            ("dropped", "n_dropped", 0),
        ):
            numbers = shown[column].replace("–", "nan").astype(float)
            expected = table[name]
            if name == "deviation_std_errors":
                expected = expected.mask(solver)
            np.testing.assert_allclose(numbers, expected, atol=0.51 * 10**-digits, rtol=0)


class TestUpdateReadme:
    def test_core_of_table_4(self):
        """One row per exponent of each sweep of one point, in the main window."""
        rows = exponent_rows()
        more = rows.query("sweep == 'a'").assign(sweep="traverse")
        rows = pd.concat([rows, rows.assign(window=1), more, more.assign(beta=3.0)])
        rows = rows[(rows["sweep"] != "b") | (rows["phase"] == "III")]
        header, _, *lines = update_readme.main_results(rows).splitlines()
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
        assert {len(row) for row in cells} == {header.count("|") - 1}
        window = "1e+03 to 2e+06"
        assert cells == [
            ["1", "2", "III", "ξ", window, "0.500", "–", "–", "0.550 ± 0.050"],
            ["1", "2", "III", "η", window, "0.750", "–", "–", "0.600 ± 0.050"],
            ["1", "2", "III", "ξ", window, "0.500", "0.550", "–", "0.550 ± 0.050"],
        ]


# Figures, drawn from the results of the quick workflow


def slopes_of(figure):
    """Exponents of all lines that are exact power laws, of three points or more."""
    for xy in lines_of(figure):
        if len(xy) > 2 and np.isfinite(xy).all() and (xy > 0).all() and np.ptp(xy[:, 0]) > 0:
            fit = linregress(*np.log(xy).T)
            if np.abs(np.log(xy[:, 1]) - fit.intercept - fit.slope * np.log(xy[:, 0])).max() < 1e-9:
                yield fit.slope


class TestLayoutProblems:
    """The test of the layout sees what it is for."""

    @pytest.mark.parametrize(
        ("texts", "problem"),
        [
            ([(0.5, 0.5, "one", 8), (0.5, 0.8, "two", 8)], None),
            ([(0.5, 0.5, "one", 8), (0.52, 0.51, "two", 8)], "'one' and 'two' overlap"),
            ([(0.99, 0.5, "far out", 8)], "'far out' leaves the page"),
            ([(0.5, 0.5, "small", 6.5)], "'small' has 6.5 pt"),
        ],
    )
    def test_it(self, style, texts, problem):
        figure = plt.figure(figsize=(3, 3))
        for x, y, text, size in texts:
            figure.text(x, y, text, size=size)
        problems = layout_problems(figure)
        assert len(problems) == (problem is not None)
        assert not problem or problems[0].startswith(problem)


class TestFig01:
    BUDGET = 3.0e3

    @pytest.fixture
    def losses(self, quick):
        return quick.table("aggregate/losses").query("sweep == 'toy_scaling'")

    def test_draws_the_losses(self, style, losses):
        figure = fig01_toy_scaling.draw(losses, self.BUDGET)
        for _, curve in losses.query("step > 0").groupby("d"):
            assert is_drawn(figure, curve["flops"], curve["loss"])

    def test_marks_the_best_size_at_the_budget(self, style, losses):
        figure = fig01_toy_scaling.draw(losses, self.BUDGET)
        at_budget = {
            d: np.exp(np.interp(np.log(self.BUDGET), np.log(curve["flops"]), np.log(curve["loss"])))
            for d, curve in losses.query("step > 0").groupby("d")
        }
        best = min(at_budget, key=at_budget.get)
        marks = [xy[0] for xy in lines_of(figure) if len(xy) == 1]
        assert all(x == self.BUDGET for x, _ in marks)
        heights = sorted(y for _, y in marks)
        assert heights[0] == pytest.approx(at_budget[best], rel=1e-3)
        texts = [text.get_text() for text, _ in shown_texts(figure)]
        assert [text for text in texts if "optimal" in text and str(best) in text]

    def test_optimal_losses_are_the_least_at_each_budget(self, style, losses):
        figure = fig01_toy_scaling.draw(losses, self.BUDGET)
        curves = [curve for _, curve in losses.query("step > 0").groupby("d")]
        known = [len(curve) for curve in curves]
        envelopes = [xy for xy in lines_of(figure) if len(xy) > 2 and len(xy) not in known]
        assert len(envelopes) == 1
        flops, envelope = envelopes[0].T
        expected = np.min(
            [
                np.exp(np.interp(np.log(flops), np.log(c["flops"]), np.log(c["loss"])))
                for c in curves
            ],
            axis=0,
        )
        np.testing.assert_allclose(envelope, expected, rtol=2e-3)

    @pytest.mark.parametrize("budget", [3.0e3, 2.5e2])
    def test_layout(self, style, losses, budget):
        assert layout_problems(fig01_toy_scaling.draw(losses, budget)) == []

    @pytest.mark.parametrize(
        "wanted", ["d > 0", "d == 40", "step <= 1", "d == 20 and step <= 1"], ids=str
    )
    @pytest.mark.parametrize("loss", [1.0, math.nan])
    def test_layout_of_few_losses(self, style, losses, wanted, loss):
        losses = losses.query(wanted).assign(loss=lambda rows: loss * rows["loss"])
        figure = fig01_toy_scaling.draw(losses, self.BUDGET)
        texts = [text.get_text() for text, _ in shown_texts(figure)]
        unknown = "step" in wanted or math.isnan(loss)
        assert ("no size has losses on both sides of the budget" in texts) == unknown
        assert layout_problems(figure) == []

    def test_sizes_that_share_no_budget_have_no_envelope(self, style, losses):
        far = losses[losses["d"] == 160].assign(flops=lambda rows: 1e6 * rows["flops"])
        figure = fig01_toy_scaling.draw(pd.concat([losses[losses["d"] == 20], far]), self.BUDGET)
        texts = [text.get_text() for text, _ in shown_texts(figure)]
        assert "optimal" not in texts and "$d$ optimal: 20" in texts

    def test_layout_of_many_sizes(self, style, losses):
        one = losses[losses["d"] == 20]
        losses = pd.concat(one.assign(d=20 + k) for k in range(100))
        figure = fig01_toy_scaling.draw(losses, self.BUDGET)
        assert layout_problems(figure) == []
        texts = [text.get_text() for text, _ in shown_texts(figure)]
        assert {"20", "119"} <= set(texts)

    def test_figure_of_a_file_shows_its_sweep_and_engine_only(self, quick, tmp_path):
        results = quick.directory / "results"
        losses = quick.table("aggregate/losses")
        toy = losses[losses["sweep"] == "toy_scaling"]
        more = toy.assign(engine="recursion", run=0, loss=2 * toy["loss"])
        path, outputs = (
            tmp_path / "losses.parquet",
            [str(tmp_path / "a.pdf"), str(tmp_path / "a.png")],
        )
        source = read_provenance(results / "aggregate/losses.parquet")
        store.write_table(pd.concat([more, losses]), losses_schema.LOSSES, path, source)
        fig01_toy_scaling.make_figure(str(path), "toy_scaling", self.BUDGET, outputs)
        for kind in ("pdf", "png"):
            drawn = (results / f"figures/fig01_toy_scaling.{kind}").read_bytes()
            assert (tmp_path / f"a.{kind}").read_bytes() == drawn
        assert plt.get_fignums() == []


class TestFront:
    SWEEPS = ("II_III_boundary", "phase_III")

    @pytest.fixture(params=SWEEPS)
    def data(self, request, quick):
        names = {
            "losses": "aggregate/losses",
            "isoflop": "fits/isoflop",
            "fronts": "fits/fronts",
            "exponents": "fits/exponents",
        }
        query = f"sweep == {request.param!r}"
        data = {name: quick.table(table).query(query) for name, table in names.items()}
        assert set(data["fronts"]["window"]) == {0, 1}
        return data

    @staticmethod
    def drawn(table):
        """What is drawn of a table of fits: Approach 2 in the main window."""
        return table.query("window == 0 and method == 'approach2'")

    def draw(self, data):
        return front.draw(**data)

    def test_draws_the_losses(self, style, data):
        figure = self.draw(data)
        losses = data["losses"].query("step > 0")
        for _, curve in losses.query("engine == 'volterra'").groupby("d"):
            assert is_drawn(figure, curve["flops"], curve["loss"])
        sizes = losses.query("engine == 'sgd'").groupby("d")
        for _, runs in sizes:
            assert runs_are_drawn(figure, runs)
        assert len([band for band in bands_of(figure) if len(band) > 10]) == len(sizes)

    def test_draws_the_fronts(self, style, data):
        figure = self.draw(data)
        by_isoflop = self.drawn(data["fronts"])
        for engine in ("sgd", "volterra"):
            usable = by_isoflop[(by_isoflop["engine"] == engine) & (by_isoflop["status"] == "ok")]
            assert len(usable) > 1
            for column in ("loss_opt", "d_opt"):
                assert is_drawn(figure, usable["flops"], usable[column])
        for row in by_isoflop[by_isoflop["engine"] == "sgd"].itertuples():
            assert is_drawn(figure, [row.d_opt], [row.loss_opt]) == (row.status == "ok")

    def test_draws_the_isoflop_losses_and_their_parabolas(self, style, data):
        figure = self.draw(data)
        losses = data["isoflop"].query("engine == 'sgd' and window == 0").dropna()
        for row in self.drawn(data["fronts"]).query("engine == 'sgd'").itertuples():
            points = losses[losses["flops"] == row.flops]
            assert is_drawn(figure, points["d"], points["loss"])
            parabola = [row.curvature, row.slope, row.intercept]
            drawn = any(
                len(xy) > 10
                and np.isclose(xy[[0, -1], 0], [row.d_low, row.d_high]).all()
                and np.allclose(np.log(xy[:, 1]), np.polyval(parabola, np.log(xy[:, 0])))
                for xy in lines_of(figure)
            )
            assert drawn == (row.status == "ok")

    def test_draws_the_fitted_and_the_theoretical_power_laws(self, style, data):
        found = np.array(list(slopes_of(self.draw(data))))
        rows = self.drawn(data["exponents"]).query("engine != 'recursion'")
        assert len(rows) == 4
        n_fitted = 0
        for row in rows.itertuples():
            sign = {"eta": -1, "xi": 1}[row.quantity]
            assert np.isclose(found, sign * row.theory, atol=1e-9).any()
            if np.isfinite(row.estimate):
                n_fitted += 1
                assert np.isclose(found, sign * row.estimate, atol=1e-9).any()
        assert n_fitted > 0
        assert len(found) == n_fitted + 2, "and no other"

    def test_tells_the_exponents_with_their_intervals(self, style, data):
        texts = " ".join(text.get_text() for text, _ in shown_texts(self.draw(data)))
        for row in self.drawn(data["exponents"]).itertuples():
            assert f"{row.theory:.3f}" in texts
            if row.engine != "recursion" and np.isfinite(row.estimate):
                assert f"{row.estimate:.3f}" in texts
            if row.engine == "sgd" and np.isfinite(row.estimate):
                assert f"pm$ {(row.ci_high - row.ci_low) / 2:.3f}" in texts
        assert (
            texts.count("pm$")
            == self.drawn(data["exponents"]).query("engine == 'sgd'")["estimate"].notna().sum()
        )
        assert "nan" not in texts

    def test_layout(self, style, data):
        assert layout_problems(self.draw(data)) == []

    @pytest.mark.parametrize("engine", ["sgd", "volterra"])
    def test_one_engine_is_enough(self, style, data, engine):
        data = {name: table[table["engine"] == engine] for name, table in data.items()}
        figure = self.draw(data)
        usable = self.drawn(data["fronts"]).query("status == 'ok'")
        assert is_drawn(figure, usable["flops"], usable["d_opt"])
        assert layout_problems(figure) == []
        title = figure.axes[0].get_title(loc="left")
        assert ("Volterra" in title, "SGD" in title) == (engine == "volterra", engine == "sgd")

    def test_refused_fit_has_neither_number_nor_line(self, style, data):
        """As on the edge: curves and fronts are there, exponents and theory are not."""
        nan = dict.fromkeys(("estimate", "std_error", "ci_low", "ci_high", "theory"), math.nan)
        data["exponents"] = data["exponents"].assign(phase="edge", status="refused: edge", **nan)
        figure = self.draw(data)
        assert list(slopes_of(figure)) == []
        assert layout_problems(figure) == []
        assert not [text for text, _ in shown_texts(figure) if "nan" in text.get_text()]

    def test_undefined_interval_is_left_out(self, style, data):
        nan = dict.fromkeys(("std_error", "ci_low", "ci_high"), math.nan)
        data["exponents"] = data["exponents"].assign(**nan)
        texts = [text.get_text() for text, _ in shown_texts(self.draw(data))]
        assert not [text for text in texts if "nan" in text or "pm" in text]

    def test_diverged_run_and_budgets_without_a_minimum(self, style, data):
        losses, fronts, isoflop = (data[name].copy() for name in ("losses", "fronts", "isoflop"))
        flops = np.unique(isoflop.query("window == 0")["flops"])
        gone = losses.eval("engine == 'sgd' and d == 40 and run == 1 and flops > 3000")
        losses.loc[gone, ["loss", "status"]] = [math.nan, "diverged"]
        isoflop.loc[isoflop.eval("engine == 'sgd' and d == 40 and flops > 3000"), "loss"] = math.nan
        unusable = fronts["flops"] == flops[-1]
        fronts.loc[unusable, ["d_opt", "status"]] = [math.nan, "edge_minimum"]
        data |= {"losses": losses, "fronts": fronts, "isoflop": isoflop}
        figure = self.draw(data)
        usable = self.drawn(fronts).query("engine == 'sgd' and status == 'ok'")
        assert flops[-1] not in set(usable["flops"])
        assert is_drawn(figure, usable["flops"], usable["d_opt"])
        assert layout_problems(figure) == []
        median = losses.query("engine == 'sgd' and d == 40 and step > 0").groupby("flops")["loss"]
        median = median.agg(lambda runs: runs.median(skipna=False))
        assert median.isna().any()
        expected = np.column_stack([median.index, median])
        assert any(
            xy.shape == expected.shape and np.allclose(xy, expected, equal_nan=True)
            for xy in lines_of(figure)
        ), "without the runs that go on"

    def test_empty_panel_says_why(self, style, data):
        """A sweep of which nothing can be fitted still shows its losses, and says so."""
        nan = dict.fromkeys(("estimate", "std_error", "ci_low", "ci_high"), math.nan)
        data["exponents"] = data["exponents"].assign(status="refused: 0 budgets", **nan)
        data["fronts"] = data["fronts"].assign(d_opt=math.nan, status="few_sizes")
        data["isoflop"] = data["isoflop"].assign(loss=math.nan)
        figure = self.draw(data)
        texts = [text.get_text().replace("\n", " ") for text, _ in shown_texts(figure)]
        assert "no losses at the window's budgets" in texts
        assert "no minimum at any budget: few_sizes" in texts
        assert layout_problems(figure) == []
        figure = self.draw(data | {"losses": data["losses"].assign(loss=math.nan)})
        assert "no finite loss" in [text.get_text() for text, _ in shown_texts(figure)]
        assert layout_problems(figure) == []

    def test_layout_of_many_sizes(self, style, data):
        losses = data["losses"].query("d == 20 and run < 1")
        many = pd.concat(losses.assign(d=20 + k) for k in range(300))
        figure = self.draw(data | {"losses": many})
        assert layout_problems(figure) == []
        texts = {text.get_text() for text, _ in shown_texts(figure)}
        assert {"20", "319"} <= texts

    def test_budgets_of_a_narrow_window_are_labelled(self, style, data):
        narrow = {
            n: data[n].assign(flops=1e3 + data[n]["flops"] / 1e3) for n in ("isoflop", "fronts")
        }
        figure = self.draw(data | narrow)
        (bar,) = (ax for ax in figure.axes if "compute" in ax.get_ylabel())
        labels = [
            text.get_text() for text, _ in shown_texts(figure) if text in bar.get_yticklabels()
        ]
        assert len(set(labels)) == len(labels) >= 2

    def test_figure_of_files(self, quick, tmp_path):
        results = quick.directory / "results"
        inputs = {
            "losses": results / "aggregate/losses.parquet",
            **{n: results / f"fits/{n}.parquet" for n in ("isoflop", "fronts", "exponents")},
        }
        outputs = [str(tmp_path / f"front.{kind}") for kind in ("pdf", "png")]
        front.make_figure(inputs, "phase_III", outputs)
        for kind in ("pdf", "png"):
            drawn = (results / f"figures/fig13_front_III.{kind}").read_bytes()
            assert (tmp_path / f"front.{kind}").read_bytes() == drawn, "only the sweep's rows count"


def test_curves_that_end_at_different_steps_are_compared_at_the_same_one():
    """A simulation with a smaller budget than Volterra's, and a size that Volterra lacks."""
    point = {"sweep": "s", "alpha": 0.7, "beta": 0.7}
    steps = np.unique(np.rint(np.geomspace(1, 1e6, 145)))
    losses = pd.DataFrame(
        {**point, "d": 10, "engine": "volterra", "status": "ok", "step": steps, "loss": steps**-0.6}
    )
    final = pd.DataFrame({**point, "d": [10, 10, 20, 10], "run": 0, "step": [1234, 77, 5, 10**7]})
    expected = agreement.at_last_steps(final, losses)
    np.testing.assert_allclose(expected[:2], [1234**-0.6, 77**-0.6], rtol=1e-12)
    assert expected[2:].isna().all()
