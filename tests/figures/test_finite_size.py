"""The front of the estimate, the tables of finite sizes, and figure 5."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from plrf.exact.loss import expected_loss
from plrf.scaling import learning_rate
from plrf.study import store
from plrf.study.provenance import read_provenance
from plrf.study.schemas import finite_size as finite_size_schema
from plrf.theory import estimated_front
from plrf.theory.estimated_front import estimated_optimum
from plrf.theory.parts import loss_estimate
from plrf.theory.phases import exponents
from scripts.figures import fig05_finite_size
from scripts.finite_size import finite_size
from tests.figure_checks import is_drawn, layout_problems, shown_texts

MODEL = {"v_over_d": 4, "c": 0.5, "batch": 1}


def lowest(flops, alpha, beta, v_over_d=4.0, c=0.5, batch=1):
    """Minimum of the estimate by golden sections over all sizes: log d and log loss."""

    def log_loss(log_d):
        d = np.exp(log_d)
        rate = learning_rate(c, alpha, v_over_d * d, batch)
        point = {"alpha": alpha, "beta": beta, "d": d, "v": v_over_d * d, "batch": batch}
        return np.log(loss_estimate(flops / (d * batch), learning_rate=rate, **point))

    bounds = np.log([12, flops / (16 * batch)])
    grid = np.linspace(*bounds, 40)
    best = grid[np.argmin([log_loss(x) for x in grid])]
    step = grid[1] - grid[0]
    result = minimize_scalar(
        log_loss, bounds=(best - step, best + step), method="bounded", options={"xatol": 1e-9}
    )
    return result.x, result.fun


class TestEstimatedOptimum:
    @pytest.mark.parametrize(
        ("alpha", "beta", "batch"), [(0.7, 0.2, 1), (0.42, 0.8, 1), (1.0, 2.0, 8)]
    )
    def test_against_another_minimiser(self, alpha, beta, batch):
        flops, step = 1e9, 0.5
        found = estimated_optimum(flops, alpha=alpha, beta=beta, batch=batch)
        below, here, above = (
            lowest(flops * np.exp(x), alpha, beta, batch=batch) for x in (-step, 0, step)
        )
        assert found.status == "ok"
        np.testing.assert_allclose([found.d, found.loss], np.exp(here), rtol=1e-6)
        slope, minus_eta = (np.array(above) - below) / (2 * step)
        # Differences over a decade's fifth: their own error is of the second order.
        assert found.eta == pytest.approx(-minus_eta, abs=2e-4)
        assert found.xi == pytest.approx(slope, abs=2e-4)

    @pytest.mark.parametrize(("alpha", "beta"), [(1.0, 2.0), (0.7, 0.1), (1.25, 0.75), (0.4, 1.0)])
    def test_tends_to_the_theory(self, alpha, beta):
        near, far = (estimated_optimum(f, alpha=alpha, beta=beta) for f in (1e6, 1e16))
        eta, xi = exponents(alpha, beta)
        assert abs(far.eta - eta) < abs(near.eta - eta)
        np.testing.assert_allclose([far.eta, far.xi], [eta, xi], atol=0.005)

    @pytest.mark.parametrize("flops", [1e5, 1e8, 1e13])
    def test_stated_error_bounds_the_difference_to_a_finer_rule(self, flops, monkeypatch):
        point = {"alpha": 0.42, "beta": 0.8}
        coarse = estimated_optimum(flops, **point)
        for name in ("FIVE_POINTS", "THREE_POINTS"):
            monkeypatch.setattr(estimated_front, name, 4 * getattr(estimated_front, name))
        monkeypatch.setattr(estimated_front, "SPACING", estimated_front.SPACING / 4)
        fine = estimated_optimum(flops, **point)
        for name in ("eta", "xi"):
            error = getattr(coarse, f"{name}_error")
            assert 0 < error < 1e-3
            assert abs(getattr(coarse, name) - getattr(fine, name)) <= error

    @pytest.mark.parametrize(
        ("flops", "beta"), [(1e3, -0.04), (1e3, 0.2), (300.0, 0.2), (1.0, 0.2)]
    )
    def test_budget_without_a_minimum_is_flagged(self, flops, beta):
        optimum = estimated_optimum(flops, alpha=0.55, beta=beta)
        assert optimum.status == "no minimum"
        assert np.isnan([optimum.d, optimum.loss, optimum.eta, optimum.xi]).all()

    def test_refuses_the_edge(self):
        with pytest.raises(ValueError, match="F_pp is infinite"):
            estimated_optimum(1e8, alpha=0.7, beta=-0.2)


class TestTables:
    def test_ratio_is_bounded_and_ends_at_the_limit(self):
        """Between constants that do not depend on d, in the setting of figure 5a."""
        config = {"point": [0.7, 1.2], "d": [100, 10_000, 10**6], "steps": 1e12}
        table = finite_size.ratio_table(config, MODEL)
        assert set(table["status"]) == {"ok"}
        ratio = table["loss"] / table["estimate"]
        assert ratio.between(1.15, 2.4).all()
        for d, rows in table.groupby("d"):
            rate = learning_rate(0.5, 0.7, 4 * d, 1)
            assert (rows["learning_rate"] == rate).all() and (rows["v"] == 4 * d).all()
            exact = expected_loss([1], alpha=0.7, beta=1.2, d=d, v=4 * d, learning_rate=rate)
            # F_0 is that of the deterministic equivalent up to O(1/d); measured: 6/d.
            limit = 1 / (1 - exact.kernel_mass)
            assert ratio[rows.index].iloc[-1] == pytest.approx(limit, rel=10 / d)

    def test_steps_are_whole_and_unique(self):
        table = finite_size.ratios([0.7, 1.2], 50, 1e4, MODEL | {"batch": 2})
        steps = table["step"].to_numpy()
        assert steps[0] == 1 and steps[-1] == 1e4
        assert np.all(np.diff(steps) > 0) and np.all(steps == np.rint(steps))
        assert table["learning_rate"].iloc[0] == learning_rate(0.5, 0.7, 200, 2)

    def test_slow_convergence_in_phase_iva(self):
        """Exact local exponents at (0.42, 0.8) from model section 7."""
        flops = np.array([1e7, 1e11, 1e14, 1e18])
        table = finite_size.exact_front([0.42, 0.8], flops, MODEL)
        expected = {"eta": [0.44, 0.436, 0.423, 0.420], "xi": [0.60, 0.56, 0.519, 0.503]}
        for quantity, rows in table.groupby("quantity"):
            np.testing.assert_array_equal(rows["flops"], flops)
            np.testing.assert_allclose(rows["value"], expected[quantity], atol=0.008)
            np.testing.assert_allclose(rows["value"][2:], expected[quantity][2:], atol=0.002)
            assert (rows["error"] < 1e-4).all()
            assert set(rows["theory"]) == {{"eta": 0.42, "xi": 0.5}[quantity]}
            assert set(rows["phase"]) == {"IVa"}

    def test_estimate_predicts_the_exact_exponents(self):
        """Better than the theory does, off the boundaries, where finite sizes show."""
        table = pd.concat(
            front([0.42, 0.8], np.array([1e8, 1e12]), MODEL)
            for front in (finite_size.exact_front, finite_size.estimated_front)
        )
        for _, rows in table.groupby(["flops", "quantity"]):
            exact, predicted = (rows[rows["source"] == s].iloc[0] for s in ("exact", "estimate"))
            assert abs(predicted["value"] - exact["value"]) < abs(exact["theory"] - exact["value"])

    def test_job_writes_all_rows(self, tmp_path):
        config = MODEL | {
            "ratio": {"point": [0.7, 1.2], "d": [20, 40], "steps": 1e3},
            "traverse": {"alpha": 0.7, "beta": [0.3, 0.6], "flops": [1e6, 1e7]},
            "fronts": {"points": [[1.0, 2.0], [0.75, 0.25]], "flops": [1e4, 1e6]},
        }
        paths = {name: tmp_path / f"{name}.parquet" for name in ("ratio", "traverse", "fronts")}
        finite_size.run_job(config, paths)
        ratio = store.read_table(paths["ratio"], finite_size_schema.LOSS_RATIOS)
        assert set(ratio["d"]) == {20, 40}
        traverse, fronts = (
            store.read_table(paths[name], finite_size_schema.LOCAL_EXPONENTS)
            for name in ("traverse", "fronts")
        )
        keys = ["beta", "source", "flops", "quantity"]
        assert len(traverse) == len(traverse.drop_duplicates(keys)) == 2 * 2 * 2 * 2
        np.testing.assert_allclose(sorted(set(fronts["flops"])), 10 ** np.arange(4, 6.1, 0.5))
        assert len(fronts) == 2 * 5 * 2 and set(fronts["source"]) == {"exact"}
        assert read_provenance(paths["fronts"])["seed"] == "none"


class TestFig05:
    @pytest.fixture
    def data(self, quick):
        names = ("ratio", "traverse", "fronts")
        return [quick.table(f"finite_size/{name}") for name in names]

    def test_draws_the_tables(self, style, data):
        ratio, traverse, fronts = data
        figure = fig05_finite_size.draw(*data)
        for _, rows in ratio.groupby("d"):
            assert is_drawn(figure, rows["step"], rows["loss"] / rows["estimate"])
        for _, rows in traverse.groupby(["quantity", "source", "flops"]):
            assert is_drawn(figure, rows["beta"], rows["value"])
        for _, rows in fronts.groupby(["alpha", "beta", "quantity"]):
            assert is_drawn(figure, rows["flops"], rows["value"] - rows["theory"])
        beta = np.linspace(traverse["beta"].min(), traverse["beta"].max(), 261)
        for theory in exponents(traverse["alpha"].iloc[0], beta):
            assert is_drawn(figure, beta, theory)

    def test_layout(self, style, data):
        assert layout_problems(fig05_finite_size.draw(*data)) == []

    def test_budgets_without_a_minimum_are_counted(self, style, data):
        fronts = data[2].sort_values(["alpha", "beta", "quantity", "flops"], ignore_index=True)
        fronts.loc[:1, ["value", "status"]] = [np.nan, "no minimum"]
        figure = fig05_finite_size.draw(*data[:2], fronts)
        labels = [text.get_text() for text, _ in shown_texts(figure)]
        assert [label for label in labels if label.endswith(", 2 without minimum")]
        assert layout_problems(figure) == []
        fronts.loc[0, "status"] = "not converged"
        labels = [
            text.get_text() for text, _ in shown_texts(fig05_finite_size.draw(*data[:2], fronts))
        ]
        assert any(", 1 without minimum" in t and ", 1 not converged" in t for t in labels)

    def test_layout_of_the_default_configuration(self, style):
        """More points and betas, as many labels as there will be."""
        row = {"alpha": 0.7, "beta": 1.2, "d": 100, "loss": 1.0, "estimate": 1.0}
        ratio = pd.DataFrame(
            [row | {"d": 10**k, "step": r} for k in range(2, 7) for r in (1, 1e12)]
        )
        points = [(0.75, 0.25, "Ia"), (1.25, 0.75, "II"), (1.0, 2.0, "III"), (0.42, 0.8, "IVa")]
        points += [(0.52, 1.0, "III"), (0.7, 0.5, "Ia/II"), (0.7, 0.7, "II/III")]
        exponent = {"value": 0.5, "error": 1e-5, "theory": 0.6, "status": "ok"}
        fronts = pd.DataFrame(
            [
                exponent | {"alpha": a, "beta": b, "phase": p, "flops": f, "quantity": q}
                for a, b, p in points
                for f in (1e3, 1e20)
                for q in ("eta", "xi")
            ]
        )
        traverse = pd.DataFrame(
            [
                exponent | {"alpha": 0.7, "beta": b, "flops": f, "quantity": q, "source": s}
                for b in (0.0, 1.3)
                for f in (1e8, 1e16)
                for q in ("eta", "xi")
                for s in ("exact", "estimate")
            ]
        )
        assert layout_problems(fig05_finite_size.draw(ratio, traverse, fronts)) == []

    def test_layout_of_the_longest_legends(self, style, data):
        """Forty sizes, three budgets, twelve points, and some of all have no minimum."""
        ratio, traverse, fronts = (table.reset_index(drop=True) for table in data)
        sizes = np.geomspace(20, 1e10, 40).astype(int)
        ratio = pd.concat(ratio[ratio["d"] == 20].assign(d=d) for d in sizes)
        third = traverse[traverse["flops"] == 1e16].assign(flops=1.2345e22)
        traverse = pd.concat([traverse.replace({"flops": {1e8: 1.2345e8}}), third])
        point = fronts[fronts["alpha"] == 0.75].assign(beta=-0.0123456, phase="Ia/II")
        fronts = pd.concat(point.assign(alpha=0.5123456 + k / 100) for k in range(12))
        for table in (traverse, fronts):
            table.iloc[::3, table.columns.get_indexer(["value", "status"])] = [np.nan, "no minimum"]
        figure = fig05_finite_size.draw(ratio, traverse, fronts)
        assert layout_problems(figure) == []
        legends = [part.legends[0] for part in figure.subfigs[1:]]
        assert [len(legend.get_texts()) for legend in legends] == [7, 12]

    def test_without_any_loss_or_minimum(self, style, data):
        ratio, *others = data
        others = [table.assign(value=np.nan, error=np.nan, status="no minimum") for table in others]
        figure = fig05_finite_size.draw(ratio.assign(loss=np.nan, status="diverged"), *others)
        texts = [text.get_text() for text, _ in shown_texts(figure)]
        assert texts.count("no finite loss") == 1
        assert texts.count("no exponent at any budget:\nno minimum") == 2
        assert layout_problems(figure) == []

    def test_figure_of_files(self, quick, tmp_path):
        folder = quick.directory / "results/finite_size"
        inputs = {name: folder / f"{name}.parquet" for name in ("ratio", "traverse", "fronts")}
        fig05_finite_size.make_figure(
            inputs, [str(tmp_path / f"a.{kind}") for kind in ("pdf", "png")]
        )
        drawn = (quick.directory / "results/figures/fig05_finite_size.png").read_bytes()
        assert (tmp_path / "a.png").read_bytes() == drawn
