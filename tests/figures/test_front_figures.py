"""Figure 1 and the front figures, drawn from the results of the quick workflow."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress

from plrf.study import store
from plrf.study.provenance import read_provenance
from plrf.study.schemas import losses as losses_schema
from scripts.figures import fig01_toy_scaling, front
from tests.figure_checks import (
    bands_of,
    is_drawn,
    layout_problems,
    lines_of,
    runs_are_drawn,
    shown_texts,
)


def slopes_of(figure):
    """Exponents of all lines that are exact power laws, of three points or more."""
    for xy in lines_of(figure):
        if len(xy) > 2 and np.isfinite(xy).all() and (xy > 0).all() and np.ptp(xy[:, 0]) > 0:
            fit = linregress(*np.log(xy).T)
            if np.abs(np.log(xy[:, 1]) - fit.intercept - fit.slope * np.log(xy[:, 0])).max() < 1e-9:
                yield fit.slope


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


# Every second size, and how many of them SGD has, by the sweep.
SHOWN = {
    "II_III_boundary": ([14, 28, 57, 113, 226, 453, 800, 1131], 8),
    "phase_III": ([14, 28, 57, 113, 226, 453], 4),
}


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
        sizes, of_sgd = SHOWN[losses["sweep"].iloc[0]]
        for d, curve in losses.query("engine == 'volterra'").groupby("d"):
            assert is_drawn(figure, curve["flops"], curve["loss"]) == (d in sizes)
        runs = losses[losses["engine"].isin(["sgd", "sgd_averaged"])].groupby(["engine", "d"])
        shown = [key for key, curves in runs if runs_are_drawn(figure, curves)]
        sampled = [("sgd", d) for d in sizes[:of_sgd] if d <= 800]
        averaged = [("sgd_averaged", d) for d in sizes[:of_sgd] if d > 800]
        assert shown == [*sampled, *averaged], "sizes of both kinds are drawn once"
        assert len([band for band in bands_of(figure) if len(band) > 10]) == len(shown)
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == [str(d) for d in sizes]
        title = legend.get_title().get_text()
        assert f"{len(sizes)} of {losses['d'].nunique()} sizes" in title
        assert title.endswith("W averaged out of SGD from $d$ = 1131 on") == bool(averaged)

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

    def test_title_names_noise_schedule_and_momentum(self, style, data):
        changes = {"noise": 0.1, "schedule": "wsd(warmup=0.1, cooldown=0.3)"}
        changes["momentum"] = "dana_constant(c3=0.1, delta=8)"
        data["losses"] = data["losses"].assign(**changes)
        data["exponents"] = data["exponents"].assign(theory=math.nan)
        figure = self.draw(data)
        title = figure.axes[0].get_title(loc="left")
        assert ", noise 0.1; " in title
        schedule = "\nschedule: wsd(warmup=0.1, cooldown=0.3)"
        assert title.endswith(f"{schedule}\nmomentum: dana_constant(c3=0.1, delta=8)")
        assert layout_problems(figure) == []
        assert not [text for text, _ in shown_texts(figure) if "theory" in text.get_text()]

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
        gone = losses.eval("engine == 'sgd' and d == 57 and run == 1 and flops > 3000")
        losses.loc[gone, ["loss", "status"]] = [math.nan, "diverged"]
        isoflop.loc[isoflop.eval("engine == 'sgd' and d == 57 and flops > 3000"), "loss"] = math.nan
        unusable = fronts["flops"] == flops[-1]
        fronts.loc[unusable, ["d_opt", "status"]] = [math.nan, "edge_minimum"]
        data |= {"losses": losses, "fronts": fronts, "isoflop": isoflop}
        figure = self.draw(data)
        usable = self.drawn(fronts).query("engine == 'sgd' and status == 'ok'")
        assert flops[-1] not in set(usable["flops"])
        assert is_drawn(figure, usable["flops"], usable["d_opt"])
        assert layout_problems(figure) == []
        median = losses.query("engine == 'sgd' and d == 57 and step > 0").groupby("flops")["loss"]
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
        isoflop = data["isoflop"].query("d == 20 and engine == 'sgd'")
        slices = pd.concat(isoflop.assign(d=20 + k) for k in range(300))
        figure = self.draw(data | {"losses": many, "isoflop": slices})
        assert layout_problems(figure) == []
        texts = {text.get_text() for text, _ in shown_texts(figure)}
        assert {"20", "319"} <= texts
        assert len(figure.legends[0].get_texts()) == 8
        # Of the losses that are fitted none is left out.
        for _, points in slices.query("window == 0").dropna().groupby("flops"):
            assert is_drawn(figure, points["d"], points["loss"])

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
