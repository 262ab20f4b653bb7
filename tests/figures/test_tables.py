"""Tables 4 and of the claims, and the cores of them in the README."""

import re

import numpy as np
import pandas as pd
import pytest

from plrf.study.schemas import fits as fits_schema
from plrf.study.schemas import losses as losses_schema
from scripts.maintain import update_readme
from scripts.tables import claims, table4_measured_exponents
from tests.made_up import exponent_rows, loss_rows, write


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
        read = pd.read_csv(csv, dtype={"spectrum": str}).fillna({"spectrum": ""})
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


class TestClaims:
    @pytest.fixture
    def table(self, tmp_path):
        """The table of a study of two sweeps without any other block, and its Markdown."""
        rows = exponent_rows().query("phase != 'edge'")
        paths = {
            "exponents": write(rows, fits_schema.EXPONENTS, tmp_path / "exponents.parquet"),
            "losses": write(
                loss_rows([0, 1], [1, 1]), losses_schema.LOSSES, tmp_path / "l.parquet"
            ),
        }
        blocks = {"sweeps": {"b": {"v_over_d": 4, "c": 0.5, "batch": 1}}}
        claims.write_claims(paths, blocks, tmp_path / "c.csv", tmp_path / "c.md")
        table = pd.read_csv(tmp_path / "c.csv", keep_default_na=False, dtype=str)
        return table, (tmp_path / "c.md").read_text(encoding="utf-8")

    def test_both_files_have_a_row_for_each_claim(self, table):
        table, markdown = table
        lines = [line for line in markdown.splitlines() if line.startswith("| ")][2:]
        assert len(lines) == len(table) > 20
        for row, line in zip(table.itertuples(), lines, strict=True):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            assert len(cells) == len(claims.HEADER) and all(cells)
            assert cells[0] == row.claim and cells[4] == f"**{row.verdict}**"

    def test_core_in_the_readme(self, table):
        table, _ = table
        header, _, *lines = update_readme.main_claims(table).splitlines()
        assert header == "| claim | paper | ours | verdict |"
        assert lines[1] == "| η measured at (0.7, 0.7) | 0.648 | – | not tested |"
        row = table.iloc[1].replace({"": "0.630"}).to_frame().T.assign(error="0.010 (95%)")
        assert "| 0.630 ± 0.010 (95%) |" in update_readme.main_claims(row)


class TestUpdateReadme:
    def test_core_of_table_4(self):
        """One row per sweep of one point with SGD, in the main window."""
        rows = exponent_rows().query("sweep == 'b' and phase == 'III'")
        without = rows.query("engine != 'sgd'").assign(sweep="solved")
        traverse = pd.concat([rows, rows.assign(beta=3.0)]).assign(sweep="traverse")
        rows = pd.concat([rows, rows.assign(window=1), without, traverse])
        header, _, *lines = update_readme.main_results(rows).splitlines()
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
        assert {len(row) for row in cells} == {header.count("|") - 1}
        eta, xi = ["0.750", "–", "–", "0.600 ± 0.050"], ["0.500", "0.550", "–", "0.550 ± 0.050"]
        assert cells == [["1", "2", "III", "1e+03 to 2e+06", *eta, *xi]]
