"""The report of the quick run, as data and in a real browser, and the gallery made from it."""

import base64
import html
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from selenium.common.exceptions import (
    ElementNotInteractableException,
    StaleElementReferenceException,
)

from plrf.study import catalogue
from scripts.maintain import gallery, update_readme
from scripts.publish import performance, report_pages
from tests.browser import SIZE
from tests.workflow.test_workflow import (
    ALGORITHM_FIGURES,
    ATLAS_FIGURES,
    DATA_FIGURES,
    FIGURES,
    QUICK,
    TABLES,
)

ROOT = Path(__file__).resolve().parents[2]
MAIN_TEXT = [name for name in FIGURES if name[:5] in {"fig01", "fig02", "fig03", "fig04", "fig05"}]
# The categories of the report, and the names in them.
CONTENT = {
    "Main text": [f"{name}.png" for name in MAIN_TEXT],
    "Appendix": [f"{name}.png" for name in FIGURES if name[:3] == "fig" and name not in MAIN_TEXT],
    "Beyond the paper": ["sgd_at_scale.png"],
    "Algorithms": [
        *(f"{name}.png" for name in ALGORITHM_FIGURES),
        "table5_algorithms.html",
        "table8_momentum.html",
    ],
    "Atlas": [f"{name}.png" for name in ATLAS_FIGURES],
    "Data": [
        *(f"{name}.png" for name in DATA_FIGURES),
        "table6_data.html",
        "table7_prediction.html",
    ],
    "All claims": ["claims.html"],
    "Tables": [
        f"{name}.html" for name in TABLES if name[:6] in {"table1", "table2", "table3", "table4"}
    ],
    "Performance": ["performance.html", "provenance.json"],
}


def make_report(checkout, run, path):
    """Call snakemake for the report of a run."""
    return checkout.snakemake(
        *("--configfile", checkout.quick, "--directory", run.directory, "--report", path),
        *("--report-stylesheet", checkout.root / "workflow/report/style.css"),
    )


@pytest.fixture(scope="module")
def report_file(checkout, quick, tmp_path_factory):
    """The report of the quick run."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    process = make_report(checkout, quick, path)
    assert process.returncode == 0, process.stderr
    return path


@pytest.fixture(scope="module")
def content(report_file):
    """What is in the report."""
    return gallery.read_report(report_file)


def captions(content):
    """Captions as plain text, by name."""
    results = (result for results in content.values() for result in results)
    return {r["name"]: plain(r["caption"]) for r in results}


def plain(text):
    return " ".join(html.unescape(re.sub("<[^>]*>", "", text)).split())


@pytest.mark.parametrize(
    ("schedule", "momentum", "said"),
    [
        ("constant", "none", []),
        ({"name": "power", "exponent": 0.5}, "none", ["power(exponent=0.5)", "not drawn."]),
        (
            {"name": "wsd", "final": 0.1},
            "none",
            ["wsd(final=0.1)", "not drawn. Fronts are over planned"],
        ),
        (
            "constant",
            {"name": "nesterov", "momentum": 0.5},
            ["momentum nesterov(momentum=0.5), and the theory, which is without any, is not"],
        ),
    ],
)
def test_caption_of_a_front_tells_its_training(schedule, momentum, said):
    sweep = QUICK["sweeps"]["phase_III"] | {"schedule": schedule, "momentum": momentum}
    config = {"sweeps": {"phase_III": sweep}}
    (figure,) = catalogue.figures(config)
    template = (ROOT / "workflow/report/front.rst").read_text(encoding="utf-8")
    params = SimpleNamespace(**figure.params(config))
    jinja = pytest.importorskip("jinja2")  # Snakemake's
    text = jinja.Template(template).render(snakemake=SimpleNamespace(params=params, config=config))
    assert [part in " ".join(text.split()) for part in said] == [True] * len(said)
    assert ("schedule" in text) == (schedule != "constant")
    assert ("momentum" in text) == (momentum != "none")
    assert ("planned" in text) == (len(said) == 2 and "planned" in said[1])


def decoded(result):
    """Content of a file that is embedded in the report."""
    return base64.b64decode(result["data_uri"].partition("base64,")[2])


class TestReport:
    def test_has_every_figure_and_table_in_its_category(self, content):
        found = {name: sorted(r["name"] for r in results) for name, results in content.items()}
        assert found == {name: sorted(expected) for name, expected in CONTENT.items()}

    def test_files_are_those_of_the_run(self, content, quick):
        for result in (*content["Main text"], *content["Appendix"]):
            file = quick.directory / "results" / "figures" / result["name"]
            assert decoded(result) == file.read_bytes()

    def test_labels(self, content):
        labels = {r["name"]: r["labels"] for results in content.values() for r in results}
        assert labels["fig03_compute_optimal_front.png"] == {
            "figure": "fig03_compute_optimal_front",
            "alpha": "0.7",
            "beta": "0.7",
            "phase": "II/III",
        }
        assert labels["fig17_negative_beta.png"]["beta"] == "-0.2, 0.2"
        assert labels["fig17_negative_beta.png"]["phase"] == "edge, Ia"
        figures = {name: each for name, each in labels.items() if name.startswith("fig")}
        assert len(figures) > 10
        assert all({"alpha", "beta", "phase"} <= set(each) for each in figures.values())
        # Snakemake's page sorts by labels, as text.
        assert all(isinstance(value, str) for each in labels.values() for value in each.values())

    def test_captions_are_rendered(self, content):
        for name, caption in captions(content).items():
            assert len(caption) > 40 and caption.endswith("."), name
            for left in ("{", "}", "()", "`", "\\", "System Message"):
                assert left not in caption, name

    def test_captions_state_the_configuration(self, content):
        sweep = QUICK["sweeps"]["phase_III"]
        caption = captions(content)["fig13_front_III.png"]
        assert "at (α, β) = (1.0, 2.0), phase III:" in caption
        assert f"{sweep['runs']} SGD runs" in caption
        assert f"Panel a draws a subset of the {len(sweep['d'])} sizes, at most" in caption
        low, high = sweep["windows"][0]
        assert f"between {low:g} and {high:g} flops" in caption
        # No SGD ran for this one, and nothing is said of it.
        assert "SGD" not in captions(content)["fig09_front_Ia.png"]

    def test_describes_itself_and_the_configuration(self, report_file):
        text = report_file.read_text(encoding="utf-8")
        for name, sweep in QUICK["sweeps"].items():
            item = re.search(rf"<em>{name}</em>:(.*?)</li>", text)
            assert item and f"{len(sweep['d'])} sizes d" in item[1]

    def test_missing_figure_is_named(self, checkout, quick_copy, tmp_path):
        (quick_copy.directory / "results/figures/fig07_contour.png").unlink()
        process = make_report(checkout, quick_copy, tmp_path / "report.html")
        assert process.returncode != 0
        assert "results/figures/fig07_contour.png" in process.stderr
        assert not (tmp_path / "report.html").exists()


@pytest.fixture(scope="module")
def page(browser, report_file):
    """The report in a browser."""
    ready = "document.body && document.body.innerText.includes('Main text')"
    browser.open(report_file, ready=ready)
    return browser


def click(page, script):
    """Click on the element that a script finds, once it is there."""
    page.click(page.wait(lambda: page.script(f"return {script}")))


def open_section(page, title, target):
    """Go to a section by its link, until what it shows is there: redrawing loses clicks."""
    link = f"[...document.links].find(x => x.innerText.trim() === '{title}')"
    click(page, "document.querySelector('nav ol a')")  # home

    def attempt():
        try:
            if not page.script(f"return {target}") and (element := page.script(f"return {link}")):
                page.click(element)
        except (StaleElementReferenceException, ElementNotInteractableException):
            pass
        return page.script(f"return {target}")

    page.wait(attempt)


SHOWN = [
    ("Main text", "fig02_phase_diagram"),
    ("Main text", "fig03_compute_optimal_front"),
    ("Appendix", "fig07_contour"),
]


class TestInBrowser:
    @pytest.mark.parametrize(("category", "name"), SHOWN)
    def test_figure_and_caption_are_a_few_clicks_away(
        self, page, content, tmp_path, category, name
    ):
        row = f"[...document.querySelectorAll('tr')].find(x => x.innerText.includes('{name}'))"
        open_section(page, category, row)
        click(page, f"{row}?.querySelectorAll('a')[1]")
        opening = captions(content)[f"{name}.png"][:60]
        page.wait(lambda: opening in " ".join(page.find("nav").text.split()))
        click(page, "[...document.querySelectorAll('nav td a')].pop()")
        image = page.wait(
            lambda: page.script(
                "const x = document.querySelector('.h-screen > .p-3 > img');"
                f"const figure = results['results/figures/{name}.png'];"
                "return x && x.src === figure.data_uri && x.complete && x.getBoundingClientRect()"
            )
        )
        # All of it is within the window.
        width, height = SIZE
        left, top = image["left"], image["top"]
        assert 0 <= left < left + image["width"] <= width
        assert 0 <= top < top + image["height"] <= height
        assert min(image["width"], image["height"]) > 250
        with Image.open(page.screenshot(tmp_path / f"{name}.png")) as screenshot:
            box = (left, top, left + image["width"], top + image["height"])
            assert_drawn(np.asarray(screenshot.convert("RGB").crop(box)))

    def test_no_error_and_no_request_since_it_was_opened(self, page):
        open_section(page, "Statistics", "document.querySelector('svg.marks, canvas')")
        errors = [x for x in page.driver.get_log("browser") if x["level"] == "SEVERE"]
        assert errors == []
        schemes = {address.partition(":")[0] for address in page.requests()}
        assert "file" in schemes and schemes <= {"file", "data", "blob"}


def assert_drawn(pixels):
    """A figure, not a blank area: many colours, neither nearly all white nor none of it."""
    colors = np.unique(pixels.reshape(-1, 3), axis=0)
    assert len(colors) > 500
    assert 0.02 < np.mean(np.any(pixels < 250, axis=-1)) < 0.9


@pytest.fixture(scope="module")
def docs(report_file, tmp_path_factory):
    """The gallery of the quick run."""
    docs = tmp_path_factory.mktemp("docs")
    (docs / "img").mkdir()
    (docs / "img" / "of_an_earlier_run.png").touch()
    gallery.write_gallery(report_file, docs)
    return docs


class TestGallery:
    def test_one_picture_and_line_per_figure(self, docs, content):
        rows = [
            x
            for x in (docs / "gallery.md").read_text(encoding="utf-8").splitlines()
            if x.startswith("| <img")
        ]
        assert len(rows) == len(FIGURES)
        files = [file for part in list(CONTENT)[:6] for file in CONTENT[part] if ".png" in file]
        names = [file.removesuffix(".png") for file in files]
        for name, row in zip(names, rows, strict=True):
            assert f'src="img/{name}.png"' in row and f"**{name}**" in row
            assert row.count("|") == 3 and row.endswith(". |")
            line = re.sub(r"[\\^]", "", row.rpartition("<br>")[2].removesuffix(" |"))
            assert len(line) > 40 and captions(content)[f"{name}.png"].startswith(line)
        point = (
            "**fig13_front_III**<br>The compute-optimal front at (α, β) = (1.0, 2.0), phase III:"
        )
        assert any(point in row for row in rows)

    def test_pictures_are_small_and_show_something(self, docs):
        files = sorted((docs / "img").iterdir())
        assert [file.stem for file in files] == FIGURES
        assert sum(file.stat().st_size for file in files) <= 300_000
        for file in files:
            with Image.open(file) as image:
                wide = file.stem in gallery.SHOWN_IN_README
                assert image.width == (gallery.WIDE if wide else gallery.NARROW)
                pixels = np.asarray(image.convert("RGB"))
            assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 8
            assert 0.02 < np.mean(np.any(pixels < 250, axis=-1)) < 0.9

    def test_figure_of_the_readme_must_be_there(self, content):
        content = content | {"Main text": []}
        with pytest.raises(gallery.GalleryError, match="no fig02_phase_diagram, fig03_compute_opt"):
            gallery.figures(content)

    def test_pictures_that_are_too_large_are_refused(self, report_file, tmp_path, monkeypatch):
        monkeypatch.setattr(gallery, "MOST_BYTES", 10_000)
        monkeypatch.setattr(gallery, "COLORS", (3, 2))
        with pytest.raises(gallery.GalleryError, match=r"\d{5,} bytes, more than 10000"):
            gallery.write_gallery(report_file, tmp_path)
        assert not (tmp_path / "gallery.md").exists()

    def test_message_without_report(self, checkout, tmp_path):
        script = checkout.root / "scripts" / "maintain" / "gallery.py"
        process = subprocess.run(
            [sys.executable, script],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        assert process.returncode == 1
        assert process.stderr == "results/report.html is missing: `make report` writes it\n"
        (tmp_path / "page.html").write_text("<html></html>", encoding="utf-8")
        with pytest.raises(gallery.GalleryError, match="not a report of Snakemake"):
            gallery.read_report(tmp_path / "page.html")

    def test_committed_gallery_is_whole(self):
        docs = ROOT / "docs"
        shown = set(
            re.findall(r'src="(img/[^"]+)"', (docs / "gallery.md").read_text(encoding="utf-8"))
        )
        files = [*(docs / "img").iterdir()]
        assert shown == {f"img/{file.name}" for file in files}
        assert sum(file.stat().st_size for file in files) <= 300_000

    def test_first_sentence(self):
        caption = "<p>At α = 0.7, f<sup>-η</sup> &lt; 1:\nso it is. And more.</p>"
        assert gallery.first_sentence(caption) == "At α = 0.7, f^-η < 1: so it is."


class TestPages:
    def test_page_has_every_cell(self):
        page = report_pages.page(
            "t", "| a | b |\n| --- | --- |\n| `x^(2 α)` | P\\* |\n| F_pp | F_0 |\n"
        )
        assert re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", page) == [
            "a",
            "b",
            "<code>x^(2 α)</code>",
            "P*",
            "F_pp",
            "F_0",
        ]

    def test_pages_have_the_rows_of_the_tables(self, content, quick):
        for result in (*content["All claims"], *content["Tables"]):
            name = result["name"].removesuffix(".html")
            markdown = (quick.directory / f"results/tables/{name}.md").read_text(encoding="utf-8")
            rows = [line for line in markdown.splitlines() if line.startswith("| ")]
            rules = [row for row in rows if set(row) <= set("| -")]
            assert decoded(result).decode().count("<tr>") == len(rows) - len(rules)


class TestPerformance:
    def test_rules_are_summed(self, tmp_path):
        for name, rows in {
            "a/one.tsv": ["60\t10"],
            "a/two.tsv": ["30\t20"],
            "b.tsv": ["6\t5"],
        }.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join(["cpu_time\tmax_rss", *rows]) + "\n", encoding="utf-8")
        named = [str(tmp_path / "a" / f"{name}.tsv") for name in ("one", "two", "missing")]
        (tmp_path / "a" / "stale.tsv").write_text(
            "cpu_time\tmax_rss\n1000\t1000\n", encoding="utf-8"
        )
        table = performance.performance(performance.read_benchmarks(tmp_path, named))
        pd.testing.assert_frame_equal(
            table,
            pd.DataFrame(
                [("a", 2, 90, 60, 20), ("b", 1, 6, 6, 5), ("all", 3, 96, 60, 20)],
                columns=performance.COLUMNS,
            ),
            check_dtype=False,
        )
        assert "| `a` | 2 | 1.5 | 1.0 | 0.02 |" in performance.markdown(table)

    def test_without_benchmarks(self, tmp_path):
        assert performance.performance(performance.read_benchmarks(tmp_path, [])).empty

    def test_short_rules_share_a_row(self):
        rows = [("a", 3, 90, 60, 20), ("b", 1, 2, 2, 5), ("c", 2, 3, 2, 9), ("all", 6, 95, 60, 20)]
        brief = performance.brief(pd.DataFrame(rows, columns=performance.COLUMNS), 6.0)
        assert brief.to_numpy().tolist() == [
            ["a", 3, 90, 60, 20],
            ["2 others", 3, 5, 2, 9],
            ["all", 6, 95, 60, 20],
        ]
        assert performance.brief(brief, 6.0).equals(brief)

    def test_readme_has_the_table_of_the_run(self, quick_copy):
        readme = quick_copy.directory / "README.md"
        blocks = "{0} begin: generated -->\n<!-- {0} end -->\n"
        readme.write_text(
            "".join("<!-- " + blocks.format(x) for x in ("results", "claims", "performance")),
            encoding="utf-8",
        )
        update_readme.update_readme(quick_copy.directory / "results", readme)
        text = readme.read_text(encoding="utf-8")
        assert "| ξ depends on the IsoFLOP window | " in text and "| not tested |" in text
        jobs = len(quick_copy.files("benchmarks/**/*.tsv"))
        assert f"| `all` | {jobs} |" in readme.read_text(encoding="utf-8")
