"""Figures and tables of fits to measured losses, from made-up fits."""

import inspect
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from scripts.figures import measured_bias, measured_front, measured_isoflop, measured_law
from scripts.tables import measured_table, measured_table_bias
from tests import made_up_measured as made_up
from tests.figure_checks import bands_of, is_drawn, layout_problems, shown_texts

FIGURES = [measured_isoflop, measured_front, measured_law, measured_bias]
GROUPS = ("a", "b", "c", "d", "e")


def drawn(module, tables):
    """A figure from the tables that it is made from."""
    return module.draw(*(tables[name] for name in inspect.signature(module.draw).parameters))


def texts(figure):
    return [text.get_text() for text, _ in shown_texts(figure)]


@pytest.mark.parametrize("module", FIGURES, ids=lambda module: module.__name__[-7:])
def test_groups_have_panels_as_far_as_there_is_room(style, module):
    figure = drawn(module, made_up.tables(GROUPS))
    assert layout_problems(figure) == []
    words = texts(figure)
    for group in GROUPS[:3]:
        assert any(f" {group}: " in text for text in words)
    (hidden,) = [text for text in words if "more are in the tables" in text]
    assert "2 more are in the tables: d, e" in hidden
    plt.close(figure)


def test_slices_minima_and_dropped_budgets(style):
    tables = made_up.tables()
    figure = measured_isoflop.draw(tables["isoflop"], tables["fronts"])
    for _, rows in tables["isoflop"].groupby("budget"):
        assert is_drawn(figure, rows["d"], rows["loss"])
    used = tables["fronts"].query("method == 'approach2' and status == 'ok'")
    for row in used.itertuples():
        assert is_drawn(figure, [row.d_opt], [row.loss_opt])
    words = texts(figure)
    assert {"used", "dropped: too few sizes", "dropped: lowest loss at the edge"} <= set(words)


def test_front_goes_beyond_the_table_with_bands(style):
    tables = made_up.tables()
    figure = drawn(measured_front, tables)
    optimum = tables["optimum"].query("method == 'approach3'")
    beyond = optimum[optimum["flops"] >= made_up.BUDGETS[-1]]
    for name in ("loss", "d_opt", "samples_per_parameter"):
        inside = optimum[optimum["factor"] <= 1]
        assert is_drawn(figure, inside["flops"], inside[name])
        assert is_drawn(figure, beyond["flops"], beyond[name])
        ends = [optimum[["flops", f"{name}_{end}"]].to_numpy() for end in ("low", "high")]
        assert any(
            all(np.isclose(band[:, None], end, rtol=1e-12).all(-1).any(0).all() for end in ends)
            for band in bands_of(figure)
        )
    assert f"{made_up.XI:.3f} $\\pm$ 0.026" in texts(figure)


def test_exponents_that_are_not_determined_are_not_quoted(style):
    exponents = made_up.exponents("").assign(status="not separated: a and b")
    tables = made_up.tables() | {"exponents": exponents, "laws": made_up.laws("", separated=False)}
    assert f"{made_up.XI:.3f}" not in " ".join(texts(drawn(measured_front, tables)))
    words = texts(drawn(measured_law, tables))
    assert "estimate that is not separated" in words
    text = measured_table.markdown(tables, "Title", "runs.csv")
    assert f"{made_up.XI:.3f} |" not in text and "0.340" not in text
    assert (
        len(re.findall(r"\| not separated(?= \|)", text)) == 16 + 6 + 3
    )  # of laws also the status


def test_residuals_of_fitted_and_flagged_runs(style):
    tables = made_up.tables()
    figure = measured_law.draw(tables["runs"], tables["laws"])
    runs = tables["runs"]
    fitted, far = runs[runs["status"] == "ok"], runs[runs["log_residual"] > 0.03]
    for column in ("parameters", "samples"):
        assert is_drawn(figure, fitted[column], fitted["log_residual"])
    top = figure.axes[0].get_ylim()[1]
    assert is_drawn(figure, far["parameters"], np.full(len(far), 0.93 * top))


def test_biases_and_what_reports_nothing(style):
    audit = made_up.tables()["audit"]
    figure = measured_bias.draw(audit)
    for (quantity, method), rows in audit.groupby(["quantity", "method"]):
        ax = figure.axes[["eta", "xi"].index(quantity)]
        found = [line.get_xdata() for line in ax.lines]
        assert any(np.array_equal(x, rows["bias"], equal_nan=True) for x in found), method
    assert "at the edge: nothing reported" in texts(figure)


@pytest.mark.parametrize("module", FIGURES, ids=lambda module: module.__name__[-7:])
def test_tables_without_any_result_are_drawn(style, module):
    """A table of one size: no slice, no law, no optimum, and nothing that methods report."""
    tables = made_up.tables()
    for name in ("isoflop", "fronts", "optimum", "laws"):
        tables[name] = tables[name].iloc[:0]
    tables["exponents"] = tables["exponents"].assign(estimate=np.nan, status="refused: one size")
    tables["runs"] = tables["runs"].assign(log_residual=np.nan, status="no law")
    tables["audit"] = tables["audit"].assign(bias=np.nan, reported=np.nan, status="refused")
    figure = drawn(module, tables)
    assert layout_problems(figure) == []
    plt.close(figure)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The Markdown and the rows of both tables for readers."""
    folder = tmp_path_factory.mktemp("tables")
    paths = made_up.write_tables(folder, ("text", "code"))
    csv, md = folder / "fits.csv", folder / "fits.md"
    measured_table.write_tables(paths, "runs.csv", csv, md)
    bias_csv, bias_md = folder / "bias.csv", folder / "bias.md"
    measured_table_bias.write_tables(paths["audit"], "runs.csv", bias_csv, bias_md)
    return [
        (pd.read_csv(csv), md.read_text(encoding="utf-8")),
        (pd.read_csv(bias_csv), bias_md.read_text(encoding="utf-8")),
    ]


def test_table_of_fits(written):
    rows, text = written[0]
    assert text.count("\n## ") == 2 and text.count("\n### Exponents") == 2
    assert "| ξ | Approach 2, parabolas | 0.469 | 0.445 to 0.497 | 0.020 | 0.030 | 8 | 1 |" in text
    assert "| outlier | 2 | 21, 41 |" in text
    assert "| 3e+22 | 10 times |" in text
    assert "| 0.25 | 4.00% (3.20% to 4.80%) |" in text
    assert re.search(r"\| free \| 1e\+21 \| \d+ \| 0.0040 \| 0.0040 \| 100% \|", text)
    xi = rows.query("table == 'exponents' and quantity == 'xi' and group == 'text'")
    assert xi["estimate"].tolist() == [made_up.XI] * 5
    laws = rows.query("table == 'laws' and method == 'free'")["quantity"]
    assert laws.tolist() == [*"EAaBb", "0.60 a -0.80 b"] * 2
    assert text.count("| 0.60 a -0.80 b = -0.0360 ± 0.004 |") == 2
    sizes = rows.query("table == 'optimum' and quantity == 'd_opt' and group == 'code'")
    assert len(sizes) == 30 and (sizes["ci_low"] < sizes["estimate"]).all()


def test_table_of_biases(written):
    rows, text = written[1]
    assert len(rows) == 2 * len(made_up.audit(""))
    assert text.count("| Ic | ξ |") == 2
    (line, _) = [line for line in text.splitlines() if line.startswith("| Ic | η |")]
    assert line.split(" | ")[4:8] == ["-0.0240", "–", "+0.0000", "+0.0120"]
