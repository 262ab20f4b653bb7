"""The explorer: its data against the library, its page in a real browser."""

import json
import math
import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import read_config
from selenium.webdriver.common.keys import Keys

from plrf.draw.explorer.datasets import page_data
from plrf.draw.explorer.page import short
from plrf.exact import front as exact_front
from plrf.exact import loss as exact_loss
from plrf.study import store
from plrf.study.schemas import explorer as explorer_schema
from plrf.theory import parts
from scripts.explorer import explorer_data, explorer_page

ROOT = Path(__file__).resolve().parents[2]
# Points of each kind: no power law, edge, one phase, a boundary.
SETTINGS = {
    "alpha": [0.3, 0.7],
    "beta": [-0.2, 0.2, 0.7],
    "d": [20, 300],
    "flops": [1.0e4, 1.0e7],
    "budgets": 4,
    "steps_per_decade": 3,
    "v_over_d": 4.5,
    "batch": 2,
    "c": 0.4,
}
NAMES = ("points", "losses", "fronts")
MOST_BYTES = 10e6


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """The tables of the small explorer."""
    directory = tmp_path_factory.mktemp("explorer")
    paths = {name: str(directory / f"{name}.parquet") for name in NAMES}
    explorer_data.run_job(SETTINGS, paths)
    return paths


def read(paths):
    schemas = (
        explorer_schema.EXPLORER_POINTS,
        explorer_schema.EXPLORER_LOSSES,
        explorer_schema.EXPLORER_FRONTS,
    )
    pairs = zip(NAMES, schemas, strict=True)
    return {name: store.read_table(paths[name], schema) for name, schema in pairs}


@pytest.fixture
def data(paths):
    """The same as frames, to change something in them."""
    return read(paths)


@pytest.fixture(scope="module")
def page(paths, tmp_path_factory):
    """The page of the small explorer."""
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    explorer_page.write_page(paths, SETTINGS, str(path))
    return path


def embedded(page):
    """The specification in a page."""
    start = re.search(r'vegaEmbed\("#chart", ', page.read_text(encoding="utf-8"))
    return json.JSONDecoder().raw_decode(page.read_text(encoding="utf-8"), start.end())[0]


class TestData:
    def test_every_point_is_kept_with_its_status(self, data):
        points = data["points"].set_index(["alpha", "beta"])
        assert list(points.index) == list(product(SETTINGS["alpha"], SETTINGS["beta"]))
        assert points["status"].to_dict() == {
            (0.3, -0.2): "no power law",
            (0.3, 0.2): "edge",
            (0.3, 0.7): "ok",
            (0.7, -0.2): "edge",
            (0.7, 0.2): "ok",
            (0.7, 0.7): "ok",
        }
        assert points.loc[(0.7, 0.7), "phase"] == "II/III"
        assert points.loc[(0.7, 0.7), "eta"] == pytest.approx(9 / 14)
        assert points.loc[(0.7, 0.2), "xi"] == pytest.approx(1 / 2.4)
        assert points.loc[points["status"] != "ok", ["eta", "xi"]].isna().all(axis=None)

    def test_losses_are_the_expected_loss(self, data):
        losses = data["losses"]
        for (alpha, beta), curves in losses.groupby(["alpha", "beta"]):
            gamma = SETTINGS["c"] / (
                2 * np.array([np.sum(np.arange(1, v + 1.0) ** (-2 * alpha)) for v in curves["v"]])
            )
            exact = exact_loss.expected_loss(
                curves["step"],
                alpha=alpha,
                beta=beta,
                d=curves["d"],
                v=4.5 * curves["d"],
                learning_rate=gamma,
                batch=2,
            )
            np.testing.assert_allclose(curves["loss"], exact.loss, rtol=1e-9)
            assert curves["error"].between(0, 1e-9).all()
        assert set(losses["status"]) == {"ok"}
        np.testing.assert_array_equal(losses["flops"], 2.0 * losses["d"] * losses["step"])
        ends = losses.groupby(["alpha", "beta", "d"])["step"].agg(["min", "max"])
        assert (ends["min"] == 1).all()
        np.testing.assert_array_equal(
            ends["max"], np.tile(np.ceil(1e7 / 2 / np.array([20, 300])), 6)
        )

    def test_terms_add_up_to_the_estimate(self, data):
        losses = data["losses"].merge(
            data["points"][["alpha", "beta", "status"]], on=["alpha", "beta"]
        )
        exists = losses["status_y"] == "ok"
        assert losses.loc[~exists, "f_pp"].isna().all()
        keys = ["alpha", "beta", "d", "v", "learning_rate"]
        for values, curve in losses[exists].groupby(keys):
            model = dict(zip(keys, values, strict=True))
            estimate = parts.loss_estimate(curve["step"], **model, batch=2)
            total = curve[["f_0", "f_pp", "f_ac", "k_pp"]].sum(axis=1)
            np.testing.assert_allclose(total, estimate, rtol=1e-12)

    def test_fronts_are_exact(self, data):
        fronts = data["fronts"]
        flops = [1e4, 1e5, 1e6, 1e7]
        for (alpha, beta), front in fronts.groupby(["alpha", "beta"]):
            np.testing.assert_allclose(front["flops"], flops, rtol=1e-12)
            if 2 * (alpha + beta) < 0.9:
                assert set(front["status"]) == {"no power law"}
                assert front[["d_opt", "loss_opt", "eta", "xi"]].isna().all(axis=None)
                continue
            best = exact_front.compute_optimal(
                flops, alpha=alpha, beta=beta, v_over_d=4.5, c=0.4, batch=2
            )
            assert list(front["status"]) == list(best.status)
            for column, values in (("d_opt", best.d), ("loss_opt", best.loss), ("xi", best.xi)):
                np.testing.assert_allclose(front[column], values, rtol=1e-9)


class TestPage:
    def test_holds_every_point_and_loss(self, page, data):
        sets = embedded(page)["datasets"]
        for name in ("points", "fronts"):
            found = {(row["alpha"], row["beta"]) for row in sets[name]}
            assert found == set(product(SETTINGS["alpha"], SETTINGS["beta"]))
        losses = data["losses"].set_index(["alpha", "beta", "d"])
        assert len(sets["curves"]) == 6 * 2
        for row in sets["curves"]:
            curve = losses.loc[(row["alpha"], row["beta"], row["d"])]
            for column, values in (("flops", row["flops"]), ("loss", row["loss P"])):
                np.testing.assert_allclose(values, curve[column], rtol=5e-5)
            # A term is left out where it is small, or infinite; nowhere else.
            for column, values in (("f_pp", row["F_pp"]), ("f_0", row["F_0"])):
                visible = curve[column] >= 0.01 * curve["loss"]
                shown = np.array(values, float)
                np.testing.assert_array_equal(np.isfinite(shown), visible)
                np.testing.assert_allclose(shown[visible], curve[column][visible], rtol=5e-5)

    def test_largest_terms_cover_each_curve_once(self, page, data):
        rows = pd.DataFrame(embedded(page)["datasets"]["dominating"])
        curves = data["losses"].groupby(["alpha", "beta", "d"])
        # None on the edge and below it, where F_pp is infinite.
        assert set(rows.groupby(["alpha", "beta"]).groups) == {(0.3, 0.7), (0.7, 0.2), (0.7, 0.7)}
        assert set(rows["term"]) >= {"F_pp", "F_ac", "F_0"}
        columns = {"F_pp": "f_pp", "F_ac": "f_ac", "K_pp": "k_pp", "F_0": "f_0"}
        for key, pieces in rows.groupby(["alpha", "beta", "d"]):
            curve = curves.get_group(key)
            ends = [pieces["start"].iloc[0], *pieces["stop"]]
            np.testing.assert_allclose(ends[:-1], pieces["start"], rtol=1e-12)
            assert ends[0] == pytest.approx(curve["flops"].min(), rel=1e-4)
            assert ends[-1] == pytest.approx(curve["flops"].max(), rel=1e-4)
            for part in pieces.itertuples():
                inside = curve[curve["flops"].between(part.start * 1.001, part.stop / 1.001)]
                largest = inside[list(columns.values())].max(axis=1)
                np.testing.assert_array_equal(inside[columns[part.term]], largest)

    def test_optimal_budget_of_a_size_is_where_the_front_has_it(self, page):
        [row] = [
            row
            for row in embedded(page)["datasets"]["curves"]
            if (row["alpha"], row["beta"], row["d"]) == (0.7, 0.7, 300)
        ]
        best = exact_front.compute_optimal(
            row["optimal"], alpha=0.7, beta=0.7, v_over_d=4.5, c=0.4, batch=2
        )
        assert float(best.d) == pytest.approx(300, rel=0.01)

    def test_failures_are_flagged(self, data):
        clean = page_data(**data)["points"]
        flagged = {(row["alpha"], row["beta"]) for row in clean if row["failed"]}
        lost = data["fronts"].query("status == 'no minimum'")
        assert flagged == set(zip(lost["alpha"], lost["beta"], strict=True))
        assert (0.7, 0.2) not in flagged

        at = (data["losses"]["alpha"] == 0.7) & (data["losses"]["beta"] == 0.2)
        data["losses"].loc[at.idxmax(), "status"] = "inaccurate"
        at = (data["fronts"]["alpha"] == 0.7) & (data["fronts"]["beta"] == 0.7)
        data["fronts"].loc[at, ["status", "eta", "eta_error"]] = ["no minimum", np.nan, np.nan]
        rows = {(p["alpha"], p["beta"]): p for p in page_data(**data)["points"]}
        assert rows[0.7, 0.2]["failed"]
        assert f"1 of {at.sum() // 4 * len(data['losses']) // 6} losses" in rows[0.7, 0.2]["note"]
        assert rows[0.7, 0.7]["failed"]
        assert "No minimum over d at 4 of 4 budgets" in rows[0.7, 0.7]["note"]

        data["fronts"].loc[at.idxmax(), "status"] = "not converged"
        rows = {(p["alpha"], p["beta"]): p for p in explorer_page.page_data(**data)["points"]}
        assert "No minimum over d at 3 of 4 budgets" in rows[0.7, 0.7]["note"]
        assert "No converged loss at 1 of 4 budgets" in rows[0.7, 0.7]["note"]

    def test_exponents_of_unknown_error(self, data):
        data["fronts"] = data["fronts"].assign(eta_error=math.nan, xi_error=math.inf)
        points = page_data(**data)["points"]
        (text,) = (p["summary"] for p in points if (p["alpha"], p["beta"]) == (0.7, 0.2))
        assert text.count("(of unknown error)") == 2

    def test_needs_nothing_from_outside(self, page):
        text = re.sub(
            r"(<script[^>]*>).*?</script>", r"\1", page.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        addresses = re.findall(r"<\w+[^>]*\s(?:src|href)\s*=\s*[\"']?([^\"'>]*)", text)
        assert addresses == ["data:,"]
        assert not re.search(r"@import|url\(", text)
        assert not re.search(r'"url":', json.dumps(embedded(page)))

    def test_default_page_is_small(self, page):
        """The size of the default page, from that of one of its points and of the library."""
        default = read_config("config")["explorer"]
        point = explorer_data.point(0.42, 0.8)
        frames = {
            "points": pd.DataFrame([point]),
            "losses": pd.concat(explorer_data.curve(point, d, default) for d in default["d"]),
            "fronts": explorer_data.front(point, default),
        }
        one = len(json.dumps(page_data(**frames), ensure_ascii=False).encode())
        frame = page.stat().st_size - len(json.dumps(embedded(page)["datasets"]).encode())
        total = frame + one * len(default["alpha"]) * len(default["beta"])
        assert 1e6 < total < MOST_BYTES


READY = "document.body.dataset.ready"
CURVES = (
    "return [...document.querySelectorAll('#chart .mark-line path')].map(p => p.getAttribute('d'))"
)


class TestInBrowser:
    @pytest.fixture
    def opened(self, browser, page):
        """The browser with the page just loaded."""
        browser.open(page, READY)
        return browser

    @staticmethod
    def text(browser):
        return browser.script("return document.querySelector('#chart').textContent")

    @staticmethod
    def menus(browser):
        """What the menus show: alpha, beta and size."""
        return browser.script(
            "return [...document.querySelectorAll('select')].map(s => s.selectedOptions[0].text)"
        )

    def test_loads_alone_and_in_silence(self, opened, page, tmp_path):
        assert opened.requests() == [page.as_uri()]
        assert opened.console() == []
        assert self.menus(opened) == ["0.7", "0.7", "300"]
        text = self.text(opened)
        assert "α = 0.7, β = 0.7: phase II/III." in text
        assert "Theory: η = 0.6429, ξ = 0.5000." in text
        assert "compute f (flops)" in text
        # Nothing is cut off at the window's width.
        width = opened.script("return document.documentElement.scrollWidth")
        assert width <= opened.script("return window.innerWidth") == 1280

    def test_click_on_a_point_changes_the_curves(self, opened):
        before = opened.script(CURVES)
        opened.click(opened.find("[aria-roledescription=point][aria-label*='α: 0.3; β: 0.7']"))
        opened.wait(lambda: "α = 0.3, β = 0.7: phase IVa." in self.text(opened))
        after = opened.script(CURVES)
        assert len(after) == len(before) > 6
        assert sum(a != b for a, b in zip(before, after, strict=True)) > 6
        assert self.menus(opened) == ["0.3", "0.7", "300"], "the menus follow the mouse"
        assert opened.console() == []

    def test_click_on_a_curve_takes_it_apart(self, opened):
        before = opened.script(CURVES)
        curve = "[aria-roledescription=point][aria-label*='parameters d: 20;']"
        opened.click(opened.find(curve))
        opened.wait(lambda: self.menus(opened) == ["0.7", "0.7", "20"])
        assert opened.script(CURVES) != before
        assert "α = 0.7, β = 0.7: phase II/III." in self.text(opened)

    def test_keys_alone_reach_every_menu(self, opened, page):
        before = opened.script(CURVES)
        opened.press(Keys.TAB, Keys.ARROW_UP)
        opened.wait(lambda: "α = 0.3, β = 0.7: phase IVa." in self.text(opened))
        assert opened.script(CURVES) != before
        opened.press(Keys.TAB, Keys.ARROW_UP, Keys.ARROW_UP)
        opened.wait(lambda: "α = 0.3, β = -0.2: no power law." in self.text(opened))
        assert "no power law, no front" in self.text(opened)
        opened.press(Keys.TAB, Keys.ARROW_UP)
        opened.wait(lambda: self.menus(opened) == ["0.3", "-0.2", "20"])
        # Points without a front draw their losses; empty panels are no error.
        assert opened.console() == []
        assert opened.requests() == [page.as_uri()]

    def test_edge_is_said(self, opened):
        opened.click(opened.find("[aria-roledescription=point][aria-label*='α: 0.3; β: 0.2']"))
        opened.wait(lambda: "α = 0.3, β = 0.2: edge." in self.text(opened))
        assert "On the edge 2(α+β) = 1" in self.text(opened)


def test_footer_shortens_commits_only():
    commits = f"{'0123456789abcdef' * 2}01234567"
    text = f"{commits}, {commits}-dirty, unknown: not a git checkout"
    assert short(text) == "0123456789ab, 0123456789ab-dirty, unknown: not a git checkout"
