"""Fits of all points of a study, against surfaces whose exponents are known."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress

from plrf.exact.front import compute_optimal
from plrf.measure import points
from plrf.schedules import CONSTANT, schedule_of
from plrf.study import store
from plrf.study.provenance import read_provenance
from plrf.study.schemas import fits as fits_schema
from plrf.study.schemas import losses as losses_schema
from plrf.task import PowerLawTask
from scripts.losses import aggregate_losses
from scripts.measure import check_results, fit_exponents, join_fits
from tests.made_up import loss_rows, write

TASK, NOISY = PowerLawTask(1.0, 2.0), PowerLawTask(1.0, 2.0, 0.1)


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
        settings = {"v_over_d": 4, "c": 0.5, "batch": 1, "noise": 0.0}
        settings |= {"schedule": "constant", "momentum": "none"}
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
        return points.fit_point(curves, TASK, phase, self.sweep(*windows), self.fits, seed)

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
        numbers = [*points.ESTIMATE, "theory", "method_spread", "window_spread"]
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
        files = [
            write(table, losses_schema.LOSSES, tmp_path / f"{name}.parquet")
            for name, table in (("sgd", sgd), ("recursion", expected))
        ]
        losses_path = tmp_path / "losses.parquet"
        aggregate_losses.aggregate(files, {"seed": 1}, losses_path)
        losses = store.read_table(losses_path, losses_schema.LOSSES)
        flagged = losses[losses["status"] == "diverged"]
        assert len(flagged) == lost.sum() > 0
        assert set(zip(flagged["d"], flagged["run"], flagged["engine"], strict=True)) == {
            (d, 1, "sgd")
        }
        assert check_results.check_positive(losses)[0]

        paths = {name: tmp_path / f"fit_{name}.parquet" for name in points.Fits._fields}
        fit_exponents.run_job([losses_path], [[1.0, 2.0]], self.sweep(), self.fits, 1, paths)
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

    def test_each_point_is_fitted_and_sweeps_are_joined(self, tmp_path):
        curves = self.curves()
        parts = {name: [] for name in join_fits.SCHEMAS}
        for sweep, betas in (("b", (3.0, 2.0)), ("a", (2.0,))):
            every = (*betas, 9.0)  # the last is the work of another job
            losses = pd.concat(curves.assign(sweep=sweep, beta=beta) for beta in every)
            path = write(losses, losses_schema.LOSSES, tmp_path / f"losses_{sweep}.parquet")
            paths = {name: str(tmp_path / f"{sweep}_{name}.parquet") for name in parts}
            wanted = [[1.0, beta] for beta in betas]
            fit_exponents.run_job([path], wanted, self.sweep(), self.fits, 1, paths)
            for name, files in parts.items():
                files.append(paths[name])
        joined = {name: str(tmp_path / f"{name}.parquet") for name in parts}
        join_fits.join_fits(parts, 1, joined)
        for name, schema in join_fits.SCHEMAS.items():
            table = store.read_table(joined[name], schema)
            found = list(table.groupby(["sweep", "beta"], sort=False).groups)
            assert found == [("a", 2.0), ("b", 2.0), ("b", 3.0)]
        assert read_provenance(joined["exponents"])["seed"] == "1"

    def test_with_noise_of_labels_there_is_no_theory(self):
        """The paper has none; the exact front is that of noisy training."""
        sweep = self.sweep((1e4, 1e6)) | {"noise": 0.1}
        rows = points.fit_point(self.curves(), NOISY, "III", sweep, self.fits, 1).exponents
        assert rows["theory"].isna().all()
        front = compute_optimal([1e4, 1e6], alpha=1.0, beta=2.0, noise=0.1)
        exact = rows.query("method == 'approach0'").set_index("quantity")["estimate"]
        mean = np.log(front.d[1] / front.d[0]) / np.log(100)
        assert exact["xi"] == pytest.approx(mean, abs=0.05)
        quiet = points.fit_point(self.curves(), TASK, "III", self.sweep((1e4, 1e6)), self.fits, 1)
        other = quiet.exponents.query("method == 'approach0'").set_index("quantity")["estimate"]
        assert exact["eta"] < other["eta"] - 0.1

    def test_with_a_schedule_there_is_no_theory(self):
        """The paper has none; the exact front is that of planned training."""
        for schedule in ({"name": "wsd", "cooldown": 0.3}, "constant", {"name": "constant"}):
            sweep = self.sweep((1e4, 1e6)) | {"schedule": schedule}
            found = points.fit_point(self.curves(), TASK, "III", sweep, self.fits, 1)
            constant = schedule_of(schedule) == CONSTANT
            assert (found.exponents["theory"].notna() == constant).all()
            front = compute_optimal([1e4, 1e6], alpha=1.0, beta=2.0, schedule=schedule)
            own = found.fronts.query("method == 'approach0'")["loss_opt"].iloc[[0, -1]]
            np.testing.assert_allclose(own, front.loss, rtol=1e-6)

    def test_with_momentum_there_is_no_theory(self):
        """The exact front is that with momentum, at a constant rate; losses are fitted as ever."""
        rule = {"name": "dana_constant", "c3": 0.1}
        for schedule, text in (
            ("constant", ""),
            ("cosine", "not solved with momentum and a sched"),
        ):
            sweep = self.sweep((1e4, 1e6)) | {"momentum": rule, "schedule": schedule}
            curves = self.curves(momentum="dana_constant(c3=0.1)")
            found = points.fit_point(curves, TASK, "III", sweep, self.fits, 1)
            for table in found:
                assert set(table["momentum"]) == {"dana_constant(c3=0.1)"}
            assert found.exponents["theory"].isna().all()
            exact = found.exponents.query("method == 'approach0'")
            assert exact["status"].str.contains(text).all()
            assert exact["estimate"].notna().eq(schedule == "constant").all()
            if schedule == "constant":
                front = compute_optimal([1e4, 1e6], alpha=1.0, beta=2.0, momentum=rule)
                own = found.fronts.query("method == 'approach0'")["loss_opt"].iloc[[0, -1]]
                np.testing.assert_allclose(own, front.loss, rtol=1e-4)

    def test_without_windows_tables_are_empty(self, tmp_path):
        paths = {name: str(tmp_path / f"{name}.parquet") for name in join_fits.SCHEMAS}
        join_fits.join_fits({}, 1, paths)
        for name, schema in join_fits.SCHEMAS.items():
            assert store.read_table(paths[name], schema).empty
