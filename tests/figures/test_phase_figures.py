"""The plane of exponents, the figures of the phase plane, and tables 1 to 3."""

import logging
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh

from plrf import statuses
from plrf.draw import limit_curves, planes, traverses
from plrf.draw import style as draw_style
from plrf.draw.style import TERM_LABELS
from plrf.exact import budgets
from plrf.exact.front import compute_optimal
from plrf.exact.ridge import ConvergenceError
from plrf.scaling import learning_rate
from plrf.study import store
from plrf.study.schemas import plane as plane_schema
from plrf.theory.limit_curves import limit_curve
from plrf.theory.parts import loss_estimate
from plrf.theory.phases import PHASES, exponents, phase_name
from scripts.figures import exponent_plane, fig02_phase_diagram
from scripts.plane import join_plane, measure_plane
from scripts.tables import table1_asymptotics, table2_phases, table3_notation
from tests.conftest import read_config
from tests.figure_checks import is_drawn, layout_problems, lines_of, shown_texts

CONFIG = read_config("config")
POINTS = CONFIG["phase_points"]
FRONT = {"flops": 1e5, "v_over_d": 4.0, "c": 0.5, "batch": 1}
MEASURED = ["d_opt", "loss_opt", "eta", "xi", "eta_error", "xi_error"]


class TestMeasurePlane:
    def test_rows_are_the_exact_fronts(self):
        plane = measure_plane.measure_plane([0.4, 1.0], [0.3, 2.0], FRONT)
        assert list(zip(plane["alpha"], plane["beta"], strict=True)) == [
            *((0.4, 0.3), (0.4, 2.0), (1.0, 0.3), (1.0, 2.0))
        ]
        assert plane["phase"].tolist() == ["Ib", "IVa", "Ia", "III"]
        assert set(plane["status"]) == {"ok"}
        for row in plane.itertuples():
            found = compute_optimal(alpha=row.alpha, beta=row.beta, **FRONT)
            measured = [row.d_opt, row.loss_opt, row.eta, row.xi, row.eta_error, row.xi_error]
            assert measured == [
                *(found.d, found.loss, found.eta, found.xi, found.eta_error, found.xi_error)
            ]
            assert (row.eta_theory, row.xi_theory) == exponents(row.alpha, row.beta)

    def test_local_exponents_are_slopes_of_the_front(self):
        """Between budgets a factor of e^(2h) apart: the error of a central difference is O(h^2)."""
        h = 0.05
        around = [
            measure_plane.measure_point(0.7, 0.9, FRONT | {"flops": 1e5 * math.exp(x)})
            for x in (-h, 0, h)
        ]
        before, row, after = around
        for name, column, sign in (("eta", "loss_opt", -1), ("xi", "d_opt", 1)):
            slope = math.log(after[column] / before[column]) / (2 * h)
            assert sign * row[name] == pytest.approx(slope, abs=1e-4)

    @pytest.mark.parametrize(
        ("point", "name", "status"),
        [
            ((0.2, 0.1), "none", "no power law"),
            ((0.7, -0.2), "edge", "edge: no exponents"),
            ((0.05, 0.5), "Ib/Ic", "no minimum"),
        ],
    )
    def test_point_without_exponents_is_kept(self, point, name, status):
        row = measure_plane.measure_point(*point, FRONT)
        assert (row["phase"], row["status"]) == (name, status)
        assert np.isnan([row[key] for key in MEASURED]).all()

    @staticmethod
    def fail(error):
        def raise_it(*_, **__):
            raise error

        return raise_it

    @pytest.mark.parametrize("place", ["invert_at", "kernel_mass"])
    def test_point_that_has_not_converged_is_kept(self, monkeypatch, place):
        monkeypatch.setattr(budgets, place, self.fail(ConvergenceError("no luck")))
        row = measure_plane.measure_point(1.0, 2.0, FRONT)
        assert row["status"] == statuses.NOT_CONVERGED
        assert np.isnan([row[key] for key in MEASURED]).all()

    def test_point_that_diverges_is_kept_and_logged(self, caplog):
        with caplog.at_level(logging.WARNING):
            row = measure_plane.measure_point(0.7, 0.7, FRONT | {"c": 1.9})
        assert row["status"] == statuses.DIVERGES
        assert np.isnan([row[key] for key in MEASURED]).all()
        assert "alpha = 0.7, beta = 0.7: c = 1.9: SGD diverges at all sizes" in caplog.text

    @pytest.mark.parametrize("error", [ValueError, RuntimeError, OverflowError, TypeError])
    def test_any_other_error_is_raised(self, monkeypatch, error):
        monkeypatch.setattr(measure_plane, "compute_optimal", self.fail(error("a mistake")))
        with pytest.raises(error, match="a mistake"):
            measure_plane.measure_point(1.0, 2.0, FRONT)

    def test_parts_are_joined_in_order(self, tmp_path):
        parts = [[0.6, 1.0], [0.8]]
        files = [str(tmp_path / f"{k}.parquet") for k in range(2)]
        for alphas, file in zip(parts, files, strict=True):
            measure_plane.run_job(alphas, [0.3, 1.1], FRONT, file)
        join_plane.join(files, {"plane": 1}, tmp_path / "plane.parquet")
        joined = store.read_table(tmp_path / "plane.parquet", plane_schema.PLANE)
        whole = measure_plane.measure_plane([0.6, 0.8, 1.0], [0.3, 1.1], FRONT)
        pd.testing.assert_frame_equal(joined, whole, check_exact=True, check_dtype=False)


def test_quick_plane_has_every_point_once(quick):
    plane = quick.table("plane/exponents")
    config = read_config("quick")["plane"]
    alpha, beta = (np.linspace(**config[name]) for name in ("alpha", "beta"))
    pairs = np.array([(a, b) for a in alpha for b in beta])
    np.testing.assert_allclose(plane[["alpha", "beta"]], pairs, atol=1e-12)
    for row in plane.itertuples():
        inside = row.alpha + row.beta > 0.5 + 1e-9
        assert row.phase == (phase_name(row.alpha, row.beta) if inside else row.phase)
        assert (row.status in ("ok", "no minimum")) == inside
        assert np.isfinite(row.eta) == (row.status == "ok")
    assert (plane["status"] == "ok").sum() > 20


@pytest.fixture(scope="module")
def fig02():
    with draw_style.style():
        yield fig02_phase_diagram.draw(POINTS)
    plt.close("all")


class TestFig02:
    @pytest.mark.parametrize("row", PHASES, ids=lambda row: row.name)
    def test_corner_is_the_compute_optimal_point(self, row):
        """f = d^(1/xi) and P = d^(-eta/xi) there, and the front touches the curve from below."""
        alpha, beta = POINTS[row.name]
        curve = limit_curve(row, alpha, beta, 4.0)
        eta, xi = exponents(alpha, beta)
        corner = curve.x[curve.corner], curve.y[curve.corner]
        assert corner == pytest.approx((1 / xi, -eta / xi), rel=1e-12)
        assert (curve.y >= -eta * curve.x - 1e-12).all()
        assert set(curve.terms) == set(row.visible_terms)
        assert (np.diff(curve.x) > 0).all() and (np.diff(curve.y) <= 0).all()
        slopes = np.diff(curve.y) / np.diff(curve.x)
        falling = slopes[np.flatnonzero(slopes)[0] :]
        assert (np.diff(falling) > 0).all(), "the largest of straight lines is convex"

    @pytest.mark.parametrize("row", PHASES, ids=lambda row: row.name)
    def test_estimates_tend_to_the_limit(self, row):
        """Within the segments their ratio to the power of d tends to a constant."""
        alpha, beta = POINTS[row.name]
        curve = limit_curve(row, alpha, beta, 4.0)
        x = (curve.x[:-1, None] + np.diff(curve.x)[:, None] * [0.3, 0.7]).ravel()
        limit = np.interp(x, curve.x, curve.y)
        factors = []
        for d in (1e12, 1e15):
            gamma = learning_rate(0.5, alpha, 4 * d, 1)
            model = {"alpha": alpha, "beta": beta, "d": d, "v": 4 * d, "learning_rate": gamma}
            factors.append(np.log10(loss_estimate(d ** (x - 1), **model)) - 12 * limit)
        factors[1] -= 3 * limit
        assert np.abs(factors).max() < 2
        # An exponent of d that is wrong by 0.1 would change them by 0.3.
        assert np.abs(factors[1] - factors[0]).max() < 0.25

    def test_draws_the_curves(self, fig02):
        for row in PHASES:
            curve = limit_curve(row, *POINTS[row.name], 4.0)
            for k in range(len(curve.terms)):
                assert is_drawn(fig02, curve.x[k : k + 2], curve.y[k : k + 2])
            for size in limit_curves.OTHER_SIZES:
                assert is_drawn(fig02, size * curve.x, size * curve.y)
            assert is_drawn(fig02, [curve.x[curve.corner]], [curve.y[curve.corner]])
        assert is_drawn(fig02, *np.array(list(POINTS.values())).T)

    def test_names_each_phase_and_term(self, fig02):
        texts = [text.get_text() for text, _ in shown_texts(fig02)]
        for row in PHASES:
            assert texts.count(row.name) == 2
        for term, label in TERM_LABELS.items():
            assert texts.count(label) == sum(term in row.visible_terms for row in PHASES)

    def test_layout(self, fig02):
        assert layout_problems(fig02) == []

    @pytest.mark.parametrize("width", [5.5, 13.5])
    def test_layout_at_other_sizes(self, style, width):
        assert layout_problems(fig02_phase_diagram.draw(POINTS, width)) == []

    def test_labels_are_separated(self, style):
        figure, ax = plt.subplots(figsize=(2, 2))
        where = {"xytext": (0, 0), "textcoords": "offset points"}
        labels = [ax.annotate("text", (x, 0.3), **where) for x in (0.2, 0.25, 0.3)]
        assert len(layout_problems(figure)) > 1
        limit_curves.separate(labels)
        assert layout_problems(figure) == []


def fits_table(betas=(0.3, 0.6, 0.9), **columns):
    """Rows of the EXPONENTS schema of a traverse, with made-up estimates: the columns used."""
    rows = [
        {
            "sweep": "traverse",
            "alpha": 0.7,
            "beta": beta,
            "phase": phase_name(0.7, beta),
            "engine": engine,
            "method": method,
            "quantity": quantity,
            "estimate": value + shift + 0.1 * window,
            "ci_low": value + shift - 0.02,
            "ci_high": value + shift + 0.03,
            "window": window,
            "window_low": 1e5,
            "window_high": 3e6,
            "exact": value + 0.02,
            "status": "ok",
        }
        for beta in betas
        for engine, shift in (("sgd", 0.01), ("volterra", -0.01), ("recursion", 0.3))
        for method in ("approach1", "approach2")
        for window in (0, 1)
        for quantity, value in zip(("eta", "xi"), map(float, exponents(0.7, beta)), strict=True)
    ]
    return pd.DataFrame(rows).assign(**columns)


@pytest.fixture(scope="module")
def plane():
    """A coarse plane, alpha = 0.7 among its values."""
    alphas, betas = [0.1, 0.3, 0.5, 0.7, 0.9], [0.0, 0.4, 0.8, 1.2]
    return measure_plane.measure_plane(alphas, betas, FRONT)


@pytest.mark.parametrize("quantity", ["eta", "xi"])
class TestExponentPlane:
    def draw(self, quantity, plane, fits=None):
        return exponent_plane.draw(quantity, plane, fits_table() if fits is None else fits)

    def meshes(self, figure):
        """Values of the three maps, the fine one of theory first."""
        found = [c for ax in figure.axes for c in ax.collections if isinstance(c, QuadMesh)]
        maps = [mesh for mesh in found if mesh.axes.get_label() in "abc"]
        return [np.ma.filled(mesh.get_array().astype(float), np.nan) for mesh in maps]

    def test_draws_theory_measurement_and_deviation(self, style, quantity, plane):
        theory, measured, deviation = self.meshes(self.draw(quantity, plane))
        values = plane[quantity].to_numpy().reshape(5, 4).T
        np.testing.assert_array_equal(measured, values)
        expected = plane[f"{quantity}_theory"].to_numpy().reshape(5, 4).T
        np.testing.assert_array_equal(deviation, values - expected)
        assert np.isfinite(measured).sum() == (plane["status"] == "ok").sum()
        # The fine map has theory's values at the middle of its cells.
        n = planes.FINE
        alpha, beta = 0.2 * (np.arange(n) + 0.5) * 5 / n, -0.2 + 1.6 * (np.arange(n) + 0.5) / n
        index = dict(zip(("eta", "xi"), exponents(alpha, beta[:, None]), strict=True))
        np.testing.assert_allclose(theory, index[quantity], rtol=1e-6)

    def test_draws_the_traverse(self, style, quantity, plane):
        figure = self.draw(quantity, plane)
        fits = fits_table().query("method == 'approach2' and window == 0 and quantity == @quantity")
        for engine in ("sgd", "volterra"):
            rows = fits[fits["engine"] == engine]
            assert is_drawn(figure, rows["beta"], rows["estimate"])
        (ax,) = (ax for ax in figure.axes if ax.get_label() == "d")
        bars = [
            segment
            for c in ax.collections
            if hasattr(c, "get_segments")
            for segment in c.get_segments()
        ]
        for row in fits[fits["engine"] != "recursion"].itertuples():
            interval = np.array([[row.beta, row.ci_low], [row.beta, row.ci_high]])
            assert any(np.allclose(bar, interval, rtol=1e-12) for bar in bars)
        assert len(bars) == 6
        exact = fits[fits["engine"] == "volterra"]
        assert is_drawn(figure, exact["beta"], exact["exact"])
        at_alpha = plane[(plane["alpha"] == 0.7) & plane["beta"].between(*ax.get_xlim())]
        assert is_drawn(figure, at_alpha["beta"], at_alpha[quantity])
        fine = next(xy for xy in lines_of(figure) if len(xy) == traverses.FINE - 1)
        expected = dict(zip(("eta", "xi"), exponents(0.7, fine[:, 0]), strict=True))[quantity]
        np.testing.assert_array_equal(fine[:, 1], expected)

    @pytest.mark.parametrize("betas", [(0.7,), (0.0, 0.65, 1.3)])
    def test_layout(self, style, quantity, plane, betas):
        assert layout_problems(self.draw(quantity, plane, fits_table(betas))) == []

    def test_refused_fits_are_counted_and_not_drawn(self, style, quantity, plane):
        fits = fits_table()
        gone = (fits["engine"] == "volterra") | (fits["engine"] == "sgd") & (fits["beta"] > 0.5)
        fits.loc[gone, ["estimate", "ci_low", "ci_high"]] = math.nan
        figure = self.draw(quantity, plane, fits)
        texts = [text.get_text() for text, _ in shown_texts(figure)]
        assert "refused fits (table 4): 5" in texts
        assert layout_problems(figure) == []
        kept = fits.query(
            "engine == 'sgd' and method == 'approach2' and window == 0 and quantity == @quantity"
        )
        assert is_drawn(figure, *kept[["beta", "estimate"]].dropna().to_numpy().T)

    def texts(self, figure):
        return [text.get_text().replace("\n", " ") for text, _ in shown_texts(figure)]

    @pytest.mark.parametrize("theory", [True, False], ids=["theory", "no power law"])
    def test_plane_without_any_exponent_says_why(self, style, quantity, plane, theory):
        nothing = plane.assign(**{quantity: math.nan}, status="no minimum")
        if not theory:
            nothing = nothing.assign(beta=plane["beta"] - 9, status="no power law")
            nothing[f"{quantity}_theory"] = math.nan
        figure = self.draw(quantity, nothing)
        reason = f"nothing to show: {nothing['status'].iloc[0]}"
        assert self.texts(figure).count(reason) == 2
        assert layout_problems(figure) == []

    def test_points_without_an_exponent_are_told_apart(self, style, quantity, plane):
        """A failure of the numerics is not shown as a property of the model."""
        found, reasons = plane.copy(), ["diverges", "not converged"]
        assert not set(reasons) & set(self.texts(self.draw(quantity, plane)))
        found.loc[found.index[-2:], [quantity, "status"]] = [[math.nan, s] for s in reasons]
        figure = self.draw(quantity, found)
        assert set(reasons) < set(self.texts(figure))
        for point in found[-2:].itertuples():
            assert is_drawn(figure, [point.alpha], [point.beta])
        assert layout_problems(figure) == []

    def test_traverse_without_any_fit_says_why(self, style, quantity, plane):
        reason = "refused: 0 usable budgets, at least 4 needed; dropped 5 edge_minimum"
        refused = fits_table(estimate=math.nan, exact=math.nan, status=reason)
        figure = self.draw(quantity, plane, refused)
        assert reason in self.texts(figure)
        assert layout_problems(figure) == []
        figure = self.draw(quantity, plane, refused[refused["engine"] == "recursion"])
        assert "no losses of SGD or Volterra" in self.texts(figure)

    @pytest.mark.parametrize("scale", [0.01, 9])
    def test_axes_of_planes_of_any_size(self, style, quantity, plane, scale):
        alpha, beta = 0.6 + scale * plane["alpha"], 0.5 + scale * plane["beta"]
        figure = self.draw(quantity, plane.assign(alpha=alpha, beta=beta))
        assert layout_problems(figure) == []
        first = figure.axes[0]
        for axis in (first.xaxis, first.yaxis):
            low, high = axis.get_view_interval()
            assert 2 <= sum(low <= place <= high for place in axis.get_majorticklocs()) <= 7

    def test_narrow_phases_of_a_wide_plane_have_no_names(self, style, quantity, plane):
        """Ten units of alpha: Ic, IVa and IVb are narrower than a letter."""
        wide = plane.assign(alpha=12.4 * plane["alpha"] - 1.19, beta=2 * plane["beta"] - 0.25)
        figure = self.draw(quantity, wide)
        names = [text.get_text() for text in figure.axes[0].texts]
        assert set(names) == {"Ia", "Ib", "II", "III"}
        assert layout_problems(figure) == []

    def test_says_what_is_grey(self, style, quantity, plane):
        """Beside the maps: on them it would lie over colours where little is grey."""
        figure = self.draw(quantity, plane)
        assert len([text for text in self.texts(figure) if "grey: no power law" in text]) == 1
        assert [len(ax.texts) for ax in figure.axes[1:3]] == [0, 0]

    def test_quick_figure_of_files(self, quick, quantity, tmp_path):
        results = quick.directory / "results"
        paths = [str(tmp_path / f"figure.{kind}") for kind in ("pdf", "png")]
        exponent_plane.make_figure(
            results / "plane/exponents.parquet",
            results / "fits/exponents.parquet",
            quantity,
            read_config("quick")["traverse"],
            paths,
        )
        name = {"eta": "fig04_exponents", "xi": "fig08_xi_exponents"}[quantity]
        for kind in ("pdf", "png"):
            drawn = (results / f"figures/{name}.{kind}").read_bytes()
            assert (tmp_path / f"figure.{kind}").read_bytes() == drawn


def rows_of(markdown):
    """Cells of the rows of a Markdown table, the heading first."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert {len(row) for row in cells} == {len(cells[0])}
    assert set(cells[1]) == {"---"}
    assert all(all(row) for row in cells), "no empty cell"
    return [cells[0], *cells[2:]]


class TestTables:
    def test_parts_obey_their_laws(self):
        table = table1_asymptotics.asymptotics(POINTS)
        assert table.groupby("part", sort=False)["phase"].apply(list).to_dict() == {
            part: list(POINTS) for part in ("F_0", "F_pp", "F_ac", "K_pp")
        }
        present = table[table["constant"] > 0]
        assert set(table[table["constant"] == 0]["formula"]) == {"0"}
        # The laws are slow where an exponent of u is near 0: K_pp at Ic and IVb.
        slow = (present["part"] == "K_pp") & present["phase"].isin(["Ic", "IVb"])
        for name, tolerance in (("fast", 3e-3), ("slow", 4e-2)):
            rows = present[slow if name == "slow" else ~slow]
            for slope in ("d_exponent", "t_exponent"):
                np.testing.assert_allclose(rows[f"measured_{slope}"], rows[slope], atol=tolerance)
        assert present[~slow]["deviation_percent"].abs().max() < 1.2
        assert present[slow]["deviation_percent"].between(-25, -1).all()

    def test_table_2_is_the_theory(self):
        table = table2_phases.phases(POINTS)
        eta, xi = exponents(table["alpha"], table["beta"])
        np.testing.assert_allclose(table["eta"], eta, rtol=1e-14)
        np.testing.assert_allclose(table["xi"], xi, rtol=1e-14)
        assert table["phase"].tolist() == [phase_name(*point) for point in POINTS.values()]
        row = table.set_index("phase").loc["III"]
        assert row["loss"] == "F_ac + F_0 + K_pp/(gamma B)"
        assert row["trade_off"] == "K_pp/(gamma B) = F_ac"
        assert (row["loss_law"], row["size_law"]) == ("f^-((4 alpha - 1)/(4 alpha))", "f^(1/2)")

    def test_notation_of_the_source_condition(self):
        """Eigenvalues j^-a and target decay j^-(2ra + 1) are those of section 9."""
        table = table3_notation.notation().set_index(["work", "symbol"])["value"]
        for alpha, beta in POINTS.values():
            names = {"alpha": alpha, "beta": beta}
            value = {
                key: eval(text.replace("2 ", "2*").replace("4 ", "4*"), names)
                for key, text in table.items()
            }
            a, r = (value["source and capacity", symbol] for symbol in "ar")
            assert a == 2 * alpha
            assert 2 * r * a + 1 == pytest.approx(2 * alpha + 2 * beta)
            for work, decay in (
                ("Bordelon, Atanasov, Pehlevan 2024", "a"),
                ("Lin et al. 2024", "b"),
            ):
                assert value[work, decay] == 2 * alpha + 2 * beta

    def test_extreme_points(self):
        """Parts that fall below the smallest number have no measured constant, and no nan."""
        points = POINTS | {"Ic": [0.004, 9.3], "II": [4.6, 3.4], "IVa": [0.486, 6.9]}
        table = table1_asymptotics.asymptotics(points)
        normal = table[table["phase"] == "Ia"]
        np.testing.assert_allclose(
            normal["measured_constant"],
            normal["constant"] * (1 + normal["deviation_percent"] / 100),
        )
        text = table1_asymptotics.markdown(table)
        assert "nan" not in text and "inf" not in text
        assert rows_of(text)

    @pytest.mark.parametrize(
        ("module", "arguments"),
        [(table1_asymptotics, [POINTS]), (table2_phases, [POINTS]), (table3_notation, [])],
        ids=["table 1", "table 2", "table 3"],
    )
    def test_files_hold_the_same_rows(self, module, arguments, tmp_path):
        csv, markdown = tmp_path / "table.csv", tmp_path / "table.md"
        module.write_tables(*arguments, csv, markdown)
        read = pd.read_csv(csv)
        heading, *rows = rows_of(markdown.read_text(encoding="utf-8"))
        assert len(rows) == len(read) > 0
        text = markdown.read_text(encoding="utf-8")
        assert "nan" not in text and "alpha" not in text and "-0.0000" not in text
        if "eta" in read:
            shown = [float(row[heading.index("η")]) for row in rows]
            np.testing.assert_allclose(shown, read["eta"], atol=0.51e-4)
        if "constant" in read:
            shown = [row[heading.index("constant")].replace("–", "0") for row in rows]
            np.testing.assert_allclose([float(x) for x in shown], read["constant"], rtol=0.6e-3)
