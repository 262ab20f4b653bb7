"""The grid, the jobs of the engines, and the aggregation of losses."""

import itertools
import logging

import numpy as np
import pandas as pd
import pytest

from plrf.engines import recursion, volterra
from plrf.engines.curves import LossCurves
from plrf.engines.registry import ENGINES
from plrf.exact.loss import expected_loss
from plrf.schedules import WarmupStableDecay, schedule_of
from plrf.study import store
from plrf.study.grid import expand
from plrf.study.provenance import read_provenance
from plrf.study.schedules import schedule_text
from plrf.study.schemas import grid as grid_schema
from plrf.study.schemas import losses as losses_schema
from plrf.training import SGD
from scripts.losses import aggregate_losses, averaged, expand_grid, runs
from tests.made_up import (
    grid_table,
    losses_of_grid,
    write,
)


class TestExpandGrid:
    def test_writes_the_grid_with_its_source(self, tmp_path):
        sweep = {
            "points": [[1.0, 2.0]],
            "d": [10, 20],
            "v_over_d": 4,
            "batch": 2,
            "c": 0.5,
            "noise": 0.1,
            "schedule": "constant",
            "momentum": "none",
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


class TestRuns:
    ALPHA, BETAS, D, V = 1.0, (0.3, 2.0), 5, 15

    def points(self, betas=BETAS, **changes):
        point = {
            "sweep": "sweep",
            "spectrum": "",
            "alpha": self.ALPHA,
            "d": self.D,
            "v": self.V,
            "batch": 1,
            "c": 0.5,
            "learning_rate": 0.3,
            "noise": 0.0,
            "schedule": "constant",
            "momentum": "none",
            "steps": 60,
            "runs": 3,
        }
        return [point | {"beta": beta} | changes for beta in betas]

    def losses(self, seed=1, engines=("sgd", "recursion"), **changes):
        points = self.points(**changes)
        runners = [(name, ENGINES[name].runner) for name in engines]
        return pd.concat(runs.losses(points, *runner, True, seed, 12) for runner in runners)

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

    def test_job_covers_its_alphas_and_sizes(self, tmp_path):
        """Their losses do not depend on the others, nor on the order in which they are given."""
        points = [*self.points(), *self.points(d=4, v=12), *self.points(alpha=0.7)]
        for name, order in (("a", points), ("b", points[::-1])):
            runs.run_job(order, "sgd", ENGINES["sgd"].runner, True, 1, 12, tmp_path / name)
        first, second = (store.read_table(tmp_path / name, losses_schema.LOSSES) for name in "ab")
        keys = ["alpha", "beta", "d", "run", "step"]
        first, second = (x.sort_values(keys, ignore_index=True) for x in (first, second))
        pd.testing.assert_frame_equal(first, second, rtol=1e-10)
        assert len(first.groupby(keys[:-1])) == 3 * 2 * 3
        own = self.losses(engines=["sgd"]).sort_values(keys[1:])["loss"]
        same = first.query("alpha == 1 and d == 5")["loss"]
        np.testing.assert_allclose(same, own, rtol=1e-10)

    @pytest.mark.parametrize("batch", [1, 3])
    def test_first_step_of_the_recursion_by_hand(self, batch):
        """P(1) = F0 + sum w(lam) c^2 + gamma^2 B sum lam^2 P(0), for each run's own W."""
        gamma = 0.2 / batch
        job = {"batch": batch, "learning_rate": gamma}
        losses = self.of_step(self.losses(**job), 1)
        for run, reductions in enumerate(runs.reductions(self.points(**job), 1)):
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

    def test_noise_of_labels_comes_on_top_of_the_same_runs(self):
        """The first step of the recursion gains ``gamma^2 B sum lam^2 s2``, for each run's W."""
        gamma, noise = 0.2, 3.0
        job = {"learning_rate": gamma, "engines": ["recursion"]}
        quiet, noisy = (self.of_step(self.losses(noise=s, **job), 1) for s in (0.0, noise))
        points = self.points()
        found = runs.reductions(points, 1)
        for run, beta in itertools.product(range(3), range(2)):
            eigenvalues = found[run][beta].eigenvalues
            key = ("recursion", self.BETAS[beta], run)
            expected = gamma**2 * noise * np.sum(eigenvalues**2)
            assert noisy[key] - quiet[key] == pytest.approx(expected, rel=1e-9)
        rows = self.losses(noise=noise, engines=["sgd"])
        assert set(rows["noise"]) == {noise}
        first = self.of_step(self.losses(engines=["sgd"]), 0)
        np.testing.assert_allclose(self.of_step(rows, 0), first, rtol=1e-12)

    @pytest.mark.parametrize("schedule", ["cosine", {"name": "batch_growth", "factor": 3}])
    def test_with_a_relative_schedule_runs_are_planned(self, schedule):
        """Expected losses are those of trainings of the same W with each number of steps."""
        losses = self.losses(schedule=schedule, runs=2)
        kind = schedule_of(schedule)
        assert set(losses["schedule"]) == {schedule_text(kind)}
        assert set(losses["status"]) == {"ok"}
        found = runs.reductions(self.points(schedule=schedule, runs=2), 1)
        for (engine, beta, run), curve in losses.groupby(["engine", "beta", "run"]):
            samples = [sum(kind.growth(np.arange(n), n).tolist()) for n in curve["step"]]
            assert curve["flops"].tolist() == [self.D * n for n in samples]
            if engine == "sgd":
                continue
            spectrum = found[run][self.BETAS.index(beta)]
            for step, loss in zip(curve["step"], curve["loss"], strict=True):
                plan = SGD(0.3, 1, kind, max(step, 1))
                (exact,) = recursion.run([spectrum], plan, np.array([step]), []).loss
                assert loss == pytest.approx(exact[0], rel=1e-12)

    def test_betas_have_momentum_of_their_own_and_share_all_random_numbers(self):
        """By default delta depends on beta: a point is as if it were alone."""
        rule = {"name": "dana_constant", "c3": 0.3}
        losses = self.losses(momentum=rule)
        assert set(losses["momentum"]) == {"dana_constant(c3=0.3)"}
        alone = pd.concat(self.losses(momentum=rule, betas=[beta]) for beta in self.BETAS)
        keys = ["engine", "beta", "run", "step"]
        together, alone = (rows.set_index(keys)["loss"].sort_index() for rows in (losses, alone))
        pd.testing.assert_series_equal(together, alone, rtol=1e-12)
        unused = self.losses(momentum={"name": "dana_decaying", "c3": 0.0})
        unused = unused.set_index(keys)["loss"].sort_index()
        plain = self.losses().set_index(keys)["loss"].sort_index()
        pd.testing.assert_series_equal(unused, plain, rtol=1e-12)
        assert (together != plain).any()

    def test_runs_and_seeds_differ(self):
        last = self.of_step(self.losses(), 60)
        other = self.of_step(self.losses(seed=2), 60)
        assert last.nunique() == len(last)
        assert (last != other).all()

    def test_diverged_run_is_kept_and_flagged(self, caplog):
        with caplog.at_level(logging.WARNING):
            losses = self.losses(learning_rate=8.0, steps=200, engines=["sgd"])
        diverged = losses["status"] == "diverged"
        assert diverged.any()
        np.testing.assert_array_equal(diverged, losses["loss"].isna())
        for (_, run), curve in losses[losses["beta"] == 2.0].groupby(["beta", "run"]):
            flags = (curve.sort_values("step")["status"] == "diverged").to_numpy()
            assert not flags[0] and flags[-1], "starts well"
            assert (np.diff(flags.astype(int)) >= 0).all(), "and never comes back"
            assert f"beta=2.0 run {run} diverged at step" in caplog.text


def test_runs_on_the_averaged_spectrum():
    """Runs that differ, of all points of a job; the mean of small rates is that of Volterra.

    A correct mean fails with probability below 1e-4: 4 standard errors, light tails.
    """
    check_averaged("constant")


def test_planned_runs_on_the_averaged_spectrum():
    """The same with a schedule."""
    check_averaged("cosine")


def check_averaged(schedule):
    """Compare the engine with Volterra's losses."""
    point = {
        "sweep": "s",
        "spectrum": "",
        "alpha": 0.7,
        "beta": 0.7,
        "d": 1500,
        "v": 6000,
        "batch": 1,
    }
    point |= {
        "c": 0.1,
        "learning_rate": 0.05,
        "noise": 0.0,
        "schedule": schedule,
        "momentum": "none",
    }
    point |= {"steps": 300, "runs": 100}
    points = [point, point | {"beta": 0.4}]
    engine = ENGINES["sgd_averaged"]
    losses = runs.losses(points, engine.name, engine.runner, engine.samples, 1, 12)
    assert losses["error"].isna().all() and set(losses["status"]) == {"ok"}
    for one in points:
        last = losses[(losses["beta"] == one["beta"]) & (losses["step"] == 300)]["loss"]
        assert len(last) == last.nunique() == 100
        expected = averaged.curve(one, "volterra", ENGINES["volterra"].runner, 12)["loss"].iloc[-1]
        assert abs(last.mean() - expected) < 4 * last.sem() + 3 / 1500 * expected


class TestAveraged:
    def point(self, **changes):
        point = {
            "sweep": "sweep",
            "spectrum": "",
            "alpha": 0.7,
            "beta": 0.7,
            "d": 20,
            "v": 80,
            "batch": 1,
        }
        point |= {
            "learning_rate": 0.1,
            "noise": 0.0,
            "schedule": "constant",
            "momentum": "none",
            "steps": 50,
        }
        return point | changes

    RUNNER = "volterra", ENGINES["volterra"].runner

    def test_curve_starts_at_the_loss_of_the_target_and_falls(self):
        curve = averaged.curve(self.point(), *self.RUNNER, 12)
        j = np.arange(1, 81.0)
        assert curve["step"].iloc[[0, -1]].tolist() == [0, 50]
        assert curve["loss"].iloc[0] == pytest.approx(np.sum(j**-2.8), rel=1e-9)
        assert (np.diff(curve["loss"]) < 0).all()
        assert curve["error"].between(0, losses_schema.ACCURACY).all()
        assert set(curve["status"]) == {"ok"}

    def test_with_a_relative_schedule_each_loss_ends_a_training(self):
        curve = averaged.curve(self.point(schedule={"name": "wsd", "final": 0.1}), *self.RUNNER, 12)
        assert set(curve["schedule"]) == {"wsd(final=0.1)"}
        point = {key: self.point()[key] for key in ("alpha", "beta", "d", "v", "learning_rate")}
        for step, loss in zip(curve["step"], curve["loss"], strict=True):
            exact = expected_loss([step], **point, schedule=WarmupStableDecay(final=0.1))
            assert loss == pytest.approx(float(exact.loss[0]), rel=1e-12)
        assert set(curve["status"]) == {"ok"}

    def test_inaccurate_losses_are_flagged(self, monkeypatch):
        curves = LossCurves(np.array([3.0, 2, 1]), np.array([1e-12, 2e-6, np.nan]), np.array(-1))
        monkeypatch.setattr(volterra, "run", lambda *_: curves)
        curve = averaged.curve(self.point(steps=2), *self.RUNNER, 12)
        assert curve["status"].tolist() == ["ok", "inaccurate", "inaccurate"]
        assert curve["loss"].tolist() == [3.0, 2.0, 1.0]

    def test_job_solves_each_of_its_points(self, tmp_path):
        points = [self.point(d=20, v=80), self.point(d=40, v=160), self.point(beta=0.9)]
        path = tmp_path / "losses.parquet"
        averaged.run_job(points, *self.RUNNER, 12, path)
        losses = store.read_table(path, losses_schema.LOSSES)
        for point in points:
            rows = losses[(losses["beta"] == point["beta"]) & (losses["d"] == point["d"])]
            expected = averaged.curve(point, *self.RUNNER, 12)
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
