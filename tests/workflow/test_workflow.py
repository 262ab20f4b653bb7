"""The workflow end to end, by the snakemake command, as a user calls it."""

import ast
import copy
import itertools
import json
import math
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from modulefinder import ModuleFinder
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import Checkout, read_config

import plrf
from plrf.draw import style as draw_style
from plrf.engines.registry import ENGINES
from plrf.exact.best_sizes import optimal_budgets
from plrf.study import store
from plrf.study.grid import sweep_grid
from plrf.study.provenance import read_provenance
from plrf.study.schemas import checks as checks_schema
from plrf.study.schemas import explorer as explorer_schema
from plrf.study.schemas import finite_size as finite_size_schema
from plrf.study.schemas import fits as fits_schema
from plrf.study.schemas import grid as grid_schema
from plrf.study.schemas import losses as losses_schema
from plrf.study.schemas import plane as plane_schema
from plrf.study.schemas import spectra as spectra_schema
from plrf.study.sources import imported_files
from plrf.task import PowerLawTask

ROOT = Path(__file__).resolve().parents[2]
QUICK = read_config("quick")
FRONTS = [sweep["front"] for sweep in QUICK["sweeps"].values() if "front" in sweep]
EXPONENT_FIGURES = ["fig04_exponents", "fig08_xi_exponents"]
DATA_FIGURES = ["data_prediction", "data_spectra"]
ALGORITHM_FIGURES = [
    *("batch", "dana_exponents", "label_noise", "momentum", "optimal_schedule", "schedules")
]
ATLAS_TABLES = ["convergence", "horizon", "measured", "hyperparameters", "critical"]
ATLAS_FIGURES = sorted(f"atlas_{name}" for name in ATLAS_TABLES[:-1])
FIGURES = sorted(
    [
        "fig01_toy_scaling",
        "fig02_phase_diagram",
        "fig05_finite_size",
        "fig06_spectra",
        "fig07_contour",
        "fig16_window_sensitivity",
        "fig17_negative_beta",
        "sgd_at_scale",
        *DATA_FIGURES,
        *ALGORITHM_FIGURES,
        *ATLAS_FIGURES,
        *EXPONENT_FIGURES,
        *FRONTS,
    ]
)
TABLES = [
    "claims",
    "table1_asymptotics",
    "table2_phases",
    "table3_notation",
    "table4_measured_exponents",
    "table5_algorithms",
    "table6_data",
    "table7_prediction",
    "table8_momentum",
]
# Rules that share a script, and their scripts.
FRONT_RULES = [f"front_{name}" for name in FRONTS]
EXPONENT_RULES = [f"exponent_plane_{name}" for name in EXPONENT_FIGURES]
SCRIPTS = dict.fromkeys(FRONT_RULES, "front") | dict.fromkeys(EXPONENT_RULES, "exponent_plane")
SCRIPTS["momentum_losses_momentum"] = "momentum_losses"
SCRIPTS |= {f"atlas_part_{name}": name for name in ATLAS_TABLES}
SCRIPTS |= {f"join_atlas_{name}": "join_atlas" for name in ATLAS_TABLES}
SCRIPTS |= {name: engine.script.removesuffix(".py") for name, engine in ENGINES.items()}
# What the end of a run lists.
LISTED = [
    *(f"figure: results/figures/{name}.{{pdf,png}}" for name in FIGURES),
    *(f"table: results/tables/{name}.{{csv,md}}" for name in TABLES),
    "page: results/explorer.html",
]
PRODUCTS = [
    *(f"results/figures/{name}.{kind}" for name in FIGURES for kind in ("pdf", "png")),
    *(f"results/tables/{name}.{kind}" for name in TABLES for kind in ("csv", "md")),
]
METHODS = ["approach1", "approach2", "approach2_spline", "approach3"]
# Tables that no random number enters.
WITHOUT_SEED = [
    "plane/exponents",
    "spectra/density",
    "finite_size/ratio",
    "finite_size/traverse",
    "finite_size/fronts",
    "explorer/points",
    "explorer/losses",
    "explorer/fronts",
    "algorithms/schedules",
    "algorithms/rates",
    "algorithms/batches",
    "algorithms/critical",
    "algorithms/noise",
    "momentum/points",
    "momentum/plane",
    *(f"atlas/{name}" for name in ATLAS_TABLES),
]
LAST_JOBS = {"all": 1, "record_provenance": 1, "performance": 1, "report_pages": 1}
CURVE = ["sweep", "alpha", "beta", "d", "engine", "run"]


def points(sweep):
    """Pairs (alpha, beta) of a sweep."""
    if "product" in sweep:
        return list(itertools.product(sweep["product"]["alpha"], sweep["product"]["beta"]))
    return [tuple(point) for point in sweep["points"]]


def engine_sizes(sweep, engine):
    """Sizes d at which a sweep asks for an engine; in these configurations none is left out."""
    sampled = [d for d in sweep["d"] if d <= sweep.get("largest_sampled_d", d)]
    if engine in ("sgd", "recursion"):
        return sampled
    return [d for d in sweep["d"] if engine == "volterra" or d >= sampled[-2]]


def follow(node, path):
    return reduce(lambda node, key: node[key], path, node)


def edited(*edits):
    """The quick config with values set at key paths, or removed where the value is ..."""
    config = copy.deepcopy(QUICK)
    for (*parents, key), value in edits:
        if value is ...:
            del follow(config, parents)[key]
        else:
            follow(config, parents)[key] = value
    return config


def write_config(config, path):
    """Write a config, a mapping or the text of one, to a file."""
    path.write_text(
        config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False),
        encoding="utf-8",
    )
    return path


def job_counts(output):
    """Jobs by rule, from the table that Snakemake prints; none if there is nothing to do."""
    if "Nothing to be done" in output:
        return {}
    stats = re.search(r"^Job stats:\njob +count\n[- ]+\n((?:[\w-]+ +\d+\n)+)", output, re.MULTILINE)
    counts = {name: int(count) for name, count in map(str.split, stats[1].splitlines())}
    total = counts.pop("total")
    assert total == sum(counts.values()) > 0
    return counts


def planned(process):
    """Jobs by rule that a dry run would make, but for those that follow any other job."""
    assert process.returncode == 0, process.stderr
    counts = job_counts(process.stdout + process.stderr)
    return {rule: count for rule, count in counts.items() if rule not in LAST_JOBS}


def assert_same_values(actual, expected):
    """Equality of every bit: NaN equals NaN, 0.0 differs from -0.0."""
    pd.testing.assert_frame_equal(actual, expected, check_exact=True)
    for name in expected.select_dtypes("float"):
        np.testing.assert_array_equal(
            actual[name].to_numpy().view(np.int64), expected[name].to_numpy().view(np.int64), name
        )


@pytest.fixture(scope="module")
def pool():
    """Threads that wait for processes, one for each core."""
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        yield executor
        executor.shutdown(cancel_futures=True)


class TestQuickWorkflow:
    def test_lists_each_figure_and_table_in_one_line(self, quick):
        assert quick.process.stdout.splitlines() == LISTED

    def test_shows_progress(self, quick):
        output = quick.process.stderr
        n_jobs = sum(job_counts(quick.process.stderr).values())
        progress = re.findall(r"^(\d+) of (\d+) steps \((\d+)%\) done$", output, re.MULTILINE)
        done, totals, percent = zip(*(map(int, step) for step in progress), strict=True)
        assert list(done) == list(range(1, n_jobs + 1))
        assert set(totals) == {n_jobs}
        assert percent[-1] == 100
        messages = re.findall(r"^Job \d+: (.+)$", output, re.MULTILINE)
        assert len(messages) == len(set(messages)) == n_jobs - 1, "rule all alone has no message"

    def test_makes_no_other_figure_or_table(self, quick):
        found = [*quick.files("figures/*"), *quick.files("tables/*")]
        assert sorted(found) == sorted(PRODUCTS)
        assert not [name for name in quick.files("*") if "tmp" in name], "left over"

    @pytest.mark.parametrize("name", FIGURES)
    def test_figures_have_print_size_and_provenance(self, quick, checkout, name):
        files = quick.files(f"{name}.*")
        pdf = files[f"results/figures/{name}.pdf"].read_bytes()
        png_file = files[f"results/figures/{name}.png"]

        boxes = re.findall(rb"/MediaBox \[ 0 0 ([0-9.]+) ([0-9.]+) \]", pdf)
        assert len(boxes) == 1, "one page"
        width, height = map(float, boxes[0])
        assert width == 72 * draw_style.WIDTH == 486
        assert 72 * 2 <= height <= 72 * 9, "readable, and within the text of a page"
        # Text stays text: fonts are embedded as TrueType.
        assert b"/FontFile2" in pdf
        assert b"/Type3" not in pdf

        image = matplotlib.image.imread(png_file)
        assert image.shape[:2] == (round(height / 72 * 300), round(width / 72 * 300))
        ink = np.mean((image[..., :3] < 0.9).any(axis=-1))
        assert 0.01 < ink < 0.7, "neither empty nor filled"

        for content in (pdf, png_file.read_bytes()):
            assert checkout.commit.encode() in content

    def test_grid_is_the_product_of_the_sweeps(self, quick):
        expected = set()
        for name, sweep in QUICK["sweeps"].items():
            for engine in sweep["engines"]:
                sizes = engine_sizes(sweep, engine)
                for (alpha, beta), d in itertools.product(points(sweep), sizes):
                    expected.add((name, alpha, beta, d, engine))
        columns = ["sweep", "alpha", "beta", "d", "engine"]
        found = list(quick.table("grid")[columns].itertuples(index=False))
        assert len(found) == len(expected)
        assert set(map(tuple, found)) == expected

    def test_every_curve_of_every_grid_point_is_there(self, quick):
        expected = {}
        for name, sweep in QUICK["sweeps"].items():
            for (alpha, beta), engine in itertools.product(points(sweep), sweep["engines"]):
                for d in engine_sizes(sweep, engine):
                    flops = sweep["flops"]
                    if engine != "volterra" and "around_optimum" in sweep:
                        best = optimal_budgets([d], PowerLawTask(alpha, beta))[0]
                        flops = min(flops, float(f"{sweep['around_optimum'] * best:.2g}"))
                    steps = math.ceil(flops / (d * sweep["batch"]))
                    runs = [-1] if engine == "volterra" else range(sweep["runs"])
                    keys = [(name, alpha, beta, d, engine, run) for run in runs]
                    expected |= dict.fromkeys(keys, (0, steps))
        losses = quick.table("aggregate/losses")
        steps = losses.groupby(CURVE)["step"].agg(["min", "max"])
        found = dict(zip(steps.index, steps.itertuples(index=False, name=None), strict=True))
        assert found == expected
        assert not losses.duplicated([*CURVE, "step"]).any()
        assert set(losses["status"]) == {"ok"}
        np.testing.assert_array_equal(losses["flops"], losses.eval("d * step * batch"))
        assert losses["loss"].between(0, np.inf, inclusive="neither").all()

    def test_every_fit_is_there(self, quick):
        expected = {
            (name, *point, engine, window, method, quantity)
            for name, sweep in QUICK["sweeps"].items()
            if "windows" in sweep
            for point in points(sweep)
            for window in range(len(sweep["windows"]))
            for engine, methods in [
                # sgd_averaged is part of the series of sgd.
                *((engine, METHODS) for engine in sweep["engines"] if engine != "sgd_averaged"),
                ("volterra", ["approach0"]),
            ]
            for method in methods
            for quantity in ("eta", "xi")
        }
        keys = ["sweep", "alpha", "beta", "engine", "window", "method", "quantity"]
        exponents = quick.table("fits/exponents")
        found = list(exponents[keys].itertuples(index=False, name=None))
        assert len(found) == len(expected)
        assert set(found) == expected
        for row in exponents.itertuples():
            window = QUICK["sweeps"][row.sweep]["windows"][row.window]
            assert [row.window_low, row.window_high] == window
            assert window[0] <= row.used_low * (1 + 1e-12)
            assert row.used_high <= window[1] * (1 + 1e-12)
        budgets = exponents["method"].map(
            lambda name: QUICK["fits"][
                f"{'envelope' if name == 'approach1' else 'isoflop'}_budgets"
            ]
        )
        np.testing.assert_array_equal(exponents["n_budgets"] + exponents["n_dropped"], budgets)

    def test_deviations_from_theory_are_told_apart(self, quick):
        """Without noise the estimate is what is expected; splines agree with the exact front."""
        rows = quick.table("fits/exponents").query("status == 'ok'")
        solved = rows.query("engine == 'volterra'")
        np.testing.assert_allclose(solved["expected"], solved["estimate"], rtol=1e-6)
        exact = rows.query("method == 'approach0'")
        np.testing.assert_array_equal(exact["estimate"], exact["exact"])
        spline = rows.query("method == 'approach2_spline' and engine == 'volterra'")
        np.testing.assert_allclose(spline["estimate"], spline["exact"], atol=0.01)
        rows = quick.table("fits/exponents").query("status.str.startswith('ok')")
        parabola = rows.query("method == 'approach2' and engine == 'sgd'")
        assert (parabola["expected"] - parabola["exact"]).abs().max() < 0.1
        assert len(spline) > 10 and len(parabola) > 1

    def test_no_exponents_on_the_edge(self, quick):
        edge = quick.table("fits/exponents").query("phase == 'edge'")
        assert len(edge) and edge["estimate"].isna().all()
        assert edge["status"].str.startswith("refused: no exponents on the edge").all()

    def test_all_checks_of_the_results_passed(self, quick):
        checks = quick.table("aggregate/checks")
        assert checks["passed"].all()
        tables = ("plane", "explorer", "finite_size_traverse", "finite_size_fronts")
        assert {f"statuses are sound: {name}" for name in tables} < set(checks["check"])
        for name, sweep in QUICK["sweeps"].items():
            compared = {
                "sgd agrees with recursion": {"sgd", "recursion"} <= set(sweep["engines"]),
                "exponents of sgd agree": "sgd" in sweep["engines"] and "windows" in sweep,
            }
            found = checks.loc[checks["check"].str.endswith(f": {name}"), "check"]
            for check, expected in compared.items():
                assert found.str.startswith(check).any() == expected

    @pytest.mark.parametrize(
        ("name", "schema"),
        [
            ("grid", grid_schema.GRID),
            ("aggregate/losses", losses_schema.LOSSES),
            ("aggregate/checks", checks_schema.CHECKS),
            ("fits/isoflop", fits_schema.ISOFLOP),
            ("fits/fronts", fits_schema.FRONTS),
            ("fits/exponents", fits_schema.EXPONENTS),
            ("plane/exponents", plane_schema.PLANE),
            ("spectra/histogram", spectra_schema.SPECTRUM_HISTOGRAM),
            ("spectra/eigenvalues", spectra_schema.EIGENVALUES),
            ("spectra/contours", spectra_schema.CONTOURS),
            ("spectra/density", spectra_schema.SPECTRUM_DENSITY),
            ("finite_size/ratio", finite_size_schema.LOSS_RATIOS),
            ("finite_size/traverse", finite_size_schema.LOCAL_EXPONENTS),
            ("finite_size/fronts", finite_size_schema.LOCAL_EXPONENTS),
            ("explorer/points", explorer_schema.EXPLORER_POINTS),
            ("explorer/losses", explorer_schema.EXPLORER_LOSSES),
            ("explorer/fronts", explorer_schema.EXPLORER_FRONTS),
        ],
    )
    def test_tables_have_their_schema_and_provenance(self, quick, checkout, name, schema):
        found = pq.read_schema(quick.directory / "results" / f"{name}.parquet")
        assert found.equals(schema, check_metadata=False)
        source = json.loads(found.metadata[b"plrf"])
        assert re.fullmatch("[0-9a-f]{64}", source.pop("config_hash"))
        # The commit also shows that jobs import the library of the checkout that they run from.
        assert source == {
            "plrf_version": plrf.__version__,
            "git_commit": checkout.commit,
            "seed": "none" if name in WITHOUT_SEED else str(QUICK["seed"]),
        }

    def test_documented_columns(self, quick):
        losses = (
            "sweep spectrum alpha beta d v batch learning_rate noise schedule momentum engine run "
            "step flops loss error status"
        )
        exponents = (
            "sweep spectrum alpha beta momentum phase engine window window_low window_high method "
            "quantity estimate std_error dof ci_low ci_high error_source used_low used_high "
            "n_budgets n_dropped rms_residual expected exact theory "
            "method_spread window_spread status"
        )
        assert list(quick.table("aggregate/losses")) == losses.split()
        assert list(quick.table("fits/exponents")) == exponents.split()

    def test_every_job_has_a_log(self, quick):
        logs = quick.files("logs/**/*.log")
        assert len(logs) == sum(job_counts(quick.process.stderr).values()) - 1
        text = "".join(path.read_text(encoding="utf-8") for path in logs.values())
        for level in ("WARNING", "ERROR", "CRITICAL"):
            assert level not in text


def test_second_call_finds_nothing_to_do(checkout, quick):
    before = {path: path.stat().st_mtime_ns for path in quick.directory.rglob("results/**/*")}
    process = checkout.snakemake(
        *("--configfile", checkout.quick, "--directory", quick.directory, "--cores", "2")
    )
    assert process.returncode == 0
    assert process.stderr.splitlines()[-1].startswith("Nothing to be done")
    assert before == {
        path: path.stat().st_mtime_ns for path in quick.directory.rglob("results/**/*")
    }


def test_one_core_gives_the_same_values(checkout, quick, tmp_path):
    """All tables, and a figure of each kind of input."""
    drawn = ["fig02_phase_diagram", "fig04_exponents", "fig06_spectra", "fig13_front_III"]
    figures = [f"results/figures/{name}.{kind}" for name in drawn for kind in ("pdf", "png")]
    products = [*figures, "results/explorer.html"]
    single = checkout.run_quick(tmp_path, 1, True, *products, *quick.files("*.parquet"))
    assert list(single.files("*.parquet")) == list(quick.files("*.parquet"))
    for name, path in quick.files("*.parquet").items():
        ours = pq.read_table(single.directory / name).to_pandas()
        assert_same_values(ours, pq.read_table(path).to_pandas())
    for name in products:
        ours, theirs = ((run.directory / name).read_bytes() for run in (single, quick))
        assert ours == theirs, f"{name} differs"
    # On a terminal, the list of what is there comes after all progress.
    lines = single.process.stdout.splitlines()
    listed = [line for line in LISTED if any(name in line for name in (*drawn, "explorer"))]
    first = lines.index(listed[0])
    assert lines[first : first + len(listed)] == listed
    assert not [line for line in lines[first:] if "steps" in line or line.startswith("Job")]


class TestAddingASweep:
    BLOCK = """
  added:
    points: [[0.9, 0.3]]
    d: [14, 20, 28, 40, 57, 80]
    v_over_d: 3
    batch: 2
    c: 0.4
    flops: 2.0e+4
    runs: 2
    engines: [sgd, volterra]
    windows: [[2.0e+3, 1.0e+4]]
    front: fig_added
"""

    def test_is_editing_one_block_of_the_config(self, checkout, quick, quick_copy, tmp_path):
        config = write_config(
            checkout.quick.read_text(encoding="utf-8") + self.BLOCK, tmp_path / "config.yaml"
        )
        losses = {
            path: path.stat().st_mtime_ns for path in quick_copy.files("losses/**/*").values()
        }
        process = checkout.snakemake(
            *("--configfile", config, "--directory", quick_copy.directory, "--cores", "2")
        )
        assert process.returncode == 0, process.stderr

        # The new figure is made and listed; of the losses, only the new ones are.
        figure = ["results/figures/fig_added.pdf", "results/figures/fig_added.png"]
        line = "figure: results/figures/fig_added.{pdf,png}"
        n = FIGURES.index("label_noise")  # the next one by name
        assert process.stdout.splitlines() == [*LISTED[:n], line, *LISTED[n:]]
        assert all(name in quick_copy.files("figures/*") for name in figure)
        counts = job_counts(process.stderr)
        assert (counts["sgd"], counts["volterra"], counts.get("recursion")) == (1, 1, None)
        assert {path: path.stat().st_mtime_ns for path in losses} == losses
        assert len(quick_copy.files("losses/**/*.parquet")) == 2 + len(
            quick.files("losses/**/*.parquet")
        )

        # Whatever is known about the old points stays the same.
        for name in ("grid", "aggregate/losses", "fits/exponents", "fits/fronts", "fits/isoflop"):
            now, before = quick_copy.table(name), quick.table(name)
            old = now["sweep"] != "added"
            assert 0 < old.sum() < len(now)
            assert_same_values(now[old].reset_index(drop=True), before)
        table = quick_copy.directory / "results/tables/table4_measured_exponents.md"
        table = table.read_text(encoding="utf-8")
        assert "## α = 0.9, β = 0.3: phase Ia (added)" in table
        added = quick_copy.table("fits/exponents").query("sweep == 'added'")
        assert set(added["phase"]) == {"Ia"}
        assert set(added["engine"]) == {"sgd", "volterra"}


def n_alphas(config, engine):
    """Values of alpha of each sweep with an engine: each has a job for all small sizes."""
    return {
        name: len({a for a, _ in points(sweep)})
        for name, sweep in config["sweeps"].items()
        if engine in sweep["engines"]
    }


# Jobs of the quick workflow by rule.
ALL_FITS = {"fit_exponents": sum("windows" in sweep for sweep in QUICK["sweeps"].values())}
# What follows from the fits of one sweep.
OF_FITS = {
    "join_fits": 1,
    "check_results": 1,
    **dict.fromkeys([*FRONT_RULES, *EXPONENT_RULES], 1),
    "fig16_window_sensitivity": 1,
    "sgd_at_scale": 1,
    "schedules": 1,
    "table4_measured_exponents": 1,
    "table5_algorithms": 1,
    "claims": 1,
}
PLANE = {"measure_plane": 4, "join_plane": 1} | dict.fromkeys(EXPONENT_RULES, 1)
OF_POINTS = {"fig02_phase_diagram": 1, "table1_asymptotics": 1, "table2_phases": 1, "claims": 1}
LOSS_FIGURES = {"fig01_toy_scaling": 1, "fig17_negative_beta": 1, "schedules": 1}
# What follows from any losses, and from those of a sweep with windows.
OF_LOSSES = {"aggregate_losses": 1, "check_results": 1, "claims": 1} | LOSS_FIGURES
OF_LOSSES |= dict.fromkeys(FRONT_RULES, 1)
ONE_FITTED = {"fit_exponents": 1} | OF_LOSSES | OF_FITS
LOSSES = {
    engine: sum(n_alphas(QUICK, engine).values()) for engine in ENGINES if n_alphas(QUICK, engine)
}
SAMPLED_SPECTRA = {"sample_spectra": 1, "contours": 1, "fig06_spectra": 1, "fig07_contour": 1}
SAMPLED_SPECTRA["claims"] = 1
SPECTRA = {"spectral_densities": 1} | SAMPLED_SPECTRA
FINITE_SIZE = {"finite_size": 1, "fig05_finite_size": 1, "claims": 1}
EXPLORER = {"explorer_data": 1, "explorer_page": 1}
BATCHES = {"batches": 1, "batch": 1}
ALGORITHMS = {"optimal_schedules": 1, "optimal_schedule": 1, "label_noise_fronts": 1}
ALGORITHMS |= {"label_noise": 1} | BATCHES
MOMENTUM_CURVES = {"momentum_curves": 1, "momentum_losses_momentum": 1}
MOMENTUM_POINTS = {"join_momentum": 2, "dana_exponents": 1, "table8_momentum": 1}
MOMENTUM = {"momentum_fronts": 4} | MOMENTUM_POINTS | MOMENTUM_CURVES
ATLAS_PARTS = {"convergence": 1, "horizon": 1, "measured": 2, "hyperparameters": 2, "critical": 2}
ATLAS = {f"atlas_part_{name}": n for name, n in ATLAS_PARTS.items()}
ATLAS |= dict.fromkeys([*(f"join_atlas_{name}" for name in ATLAS_TABLES), *ATLAS_FIGURES], 1)
MEASURED = {"join_tasks": 1, "data_spectra": 1, "table6_data": 1}
TRAINED = {"join_trainings": 1, "data_prediction": 1, "table7_prediction": 1}
TRAINING = {"train_on_samples": 3} | TRAINED
DATA = {"measure_task": 3} | MEASURED | TRAINING
CHECK = {"check_results": 1}  # also of exact fronts
# Without losses.
APART = PLANE | OF_POINTS | SPECTRA | FINITE_SIZE | EXPLORER | ALGORITHMS | DATA
APART |= MOMENTUM | ATLAS
APART |= {"table3_notation": 1}
FROM_LOSSES = {"expand_grid": 1} | LOSSES | OF_LOSSES | ALL_FITS | OF_FITS
ALL_JOBS = FROM_LOSSES | APART


def test_first_call_runs_every_job_once(quick):
    assert job_counts(quick.process.stderr) == ALL_JOBS | LAST_JOBS


# A changed key reruns the jobs that use it, and those that follow from them.
PHASE_III = ("sweeps", "phase_III")
PHASE_III_ENGINES = QUICK["sweeps"]["phase_III"]["engines"]
CHANGES = {
    "windows": ([((*PHASE_III, "windows"), [[7.0e2, 5.0e3]])], {"fit_exponents": 1} | OF_FITS),
    "resamples": ([(("fits", "resamples"), 201)], ALL_FITS | OF_FITS),
    "seed": (
        [(("seed",), 1)],
        {k: n for k, n in FROM_LOSSES.items() if k != "volterra"}
        | SAMPLED_SPECTRA
        | DATA
        | MOMENTUM_CURVES,
    ),
    "steps_per_decade": ([(("steps_per_decade",), 25)], FROM_LOSSES),
    "budget of the plane": ([(("plane", "flops"), 2.0e5)], PLANE | CHECK),
    "point of a phase": ([(("phase_points", "III"), [1.0, 1.9])], OF_POINTS),
    "explorer": ([(("explorer", "budgets"), 5)], EXPLORER | CHECK),
    "traverse": (
        [(("traverse",), "phase_III")],
        dict.fromkeys([*EXPONENT_RULES, "fig16_window_sensitivity", "claims"], 1),
    ),
    "sampled W": ([(("spectra", "samples"), 12)], SAMPLED_SPECTRA),
    "c of the contours": ([(("spectra", "c"), 0.4)], {"contours": 1, "fig07_contour": 1}),
    "budgets of finite sizes": (
        [(("finite_size", "fronts", "flops"), [1e4, 1e7])],
        FINITE_SIZE | CHECK,
    ),
    "budgets of critical batches": (
        [(("algorithms", "batches", "critical_flops"), [1e4, 2e5])],
        BATCHES | CHECK,
    ),
    "noise of best schedules": (
        [(("algorithms", "noise"), 0.2)],
        {"optimal_schedules": 1, "optimal_schedule": 1} | BATCHES | CHECK,
    ),
    "runs with momentum": ([(("momentum", "curves", "runs"), 3)], MOMENTUM_CURVES),
    "constant of DANA": ([(("momentum", "c3"), 0.1)], MOMENTUM | CHECK),
    "tolerance of the atlas": (
        [(("atlas", "tolerance"), 0.1)],
        dict.fromkeys(["atlas_part_horizon", "join_atlas_horizon", *ATLAS_FIGURES[:2]], 1) | CHECK,
    ),
    "batches of the atlas": (
        [(("atlas", "hyperparameters", "batch"), [1, 64])],
        {
            "atlas_part_hyperparameters": 2,
            "join_atlas_hyperparameters": 1,
            "atlas_hyperparameters": 1,
        }
        | CHECK,
    ),
    "trainings of data": ([(("data", "training", "chains"), 3)], TRAINING),
    "sizes of one data set": (
        [(("data", "training", "sizes", "digits"), [6, 20])],
        TRAINED | {"train_on_samples": 1},
    ),
    "windows of data": (
        [(("data", "windows"), [[0.1, 0.6]])],
        {"measure_task": 3} | MEASURED | CHECK,
    ),
    "data sets": ([(("data", "sets"), ["digits"])], MEASURED | CHECK),
    "size of the schedules": ([(("schedules", "d"), 28)], {"schedules": 1}),
    "budget of fig01": ([(("toy_scaling", "budget"), 4.0e3)], {"fig01_toy_scaling": 1}),
    # Also by the name of a rule.
    "front": ([((*PHASE_III, "front"), "sgd")], {"front_sgd": 1}),
    "runs of one sweep": (
        [((*PHASE_III, "runs"), 4)],
        {"expand_grid": 1, "sgd": 1, "recursion": 1} | ONE_FITTED,
    ),
    "c of one sweep": (
        [(("sweeps", "toy_scaling", "c"), 0.4)],
        {"expand_grid": 1, "volterra": 1} | OF_LOSSES,
    ),
    "one more d": (
        [((*PHASE_III, "d"), [12, *QUICK["sweeps"]["phase_III"]["d"]])],
        {"expand_grid": 1} | dict.fromkeys(PHASE_III_ENGINES, 1) | ONE_FITTED,
    ),
}


@pytest.fixture(scope="module")
def dry_runs(checkout, quick, pool, tmp_path_factory):
    """Dry runs after each change, in the directory of the finished workflow."""
    configs = tmp_path_factory.mktemp("configs")

    def dry_run(name, edits):
        config = write_config(edited(*edits), configs / f"{name}.yaml")
        return checkout.snakemake(
            *("--configfile", config, "--directory", quick.directory, "--dry-run")
        )

    return {name: pool.submit(dry_run, name, edits) for name, (edits, _) in CHANGES.items()}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_key_reruns_what_uses_it(dry_runs, name):
    assert planned(dry_runs[name].result()) == CHANGES[name][1]


@pytest.fixture(scope="module")
def rules(checkout, quick):
    """Inputs and outputs of each rule, as Snakemake lists them."""
    process = checkout.snakemake(
        *("--configfile", checkout.quick, "--directory", quick.directory, "--detailed-summary")
    )
    assert process.returncode == 0, process.stderr
    header, *lines = (line.split("\t") for line in process.stdout.splitlines())
    summary = pd.DataFrame(lines, columns=header)
    assert set(summary["status"]) == {"ok"}
    inputs = summary["input-file(s)"].str.split(",")
    return {
        rule: (set(inputs[rows.index].explode()), set(rows["output_file"]))
        for rule, rows in summary.groupby("rule")
    }


class LibraryFinder(ModuleFinder):
    """Finds imports in the bytecode, also those within functions."""

    def scan_code(self, code, module):
        # What the package itself offers is imported on first use: see the test of its names.
        if module.__name__ != "plrf":
            super().scan_code(code, module)


def script_of(rule):
    """The file that a rule runs, as a path within the scripts."""
    (script,) = (ROOT / "scripts").glob(f"*/{SCRIPTS.get(rule, rule)}.py")
    return script.relative_to(ROOT / "scripts")


def imported(checkout, script):
    """Modules of plrf that a script imports, directly or not."""
    finder = LibraryFinder(path=[str(checkout.root / "src")])
    finder.run_script(str(checkout.root / "scripts" / script))
    return {module.__file__ for name, module in finder.modules.items() if name.startswith("plrf.")}


def code_of(checkout, rule):
    """Modules of plrf behind a rule: of its script, and of the engine that it loads by its name."""
    found = imported(checkout, script_of(rule))
    if rule in ENGINES:
        module = (checkout.root / "src").joinpath(*ENGINES[rule].module.split("."))
        found |= {f"{module}.py"} | imported(checkout, module.with_suffix(".py"))
    return found


def test_hashed_code_is_the_import_closure(checkout):
    for rule in (ALL_JOBS | LAST_JOBS).keys() - {"all"}:
        script = checkout.root / "scripts" / script_of(rule)
        files = imported_files(script, checkout.root / "src")
        assert set(map(str, files)) == imported(checkout, script), rule


def names_of_package(path):
    """Names of plrf that a file uses, other than its modules."""
    modules = {module.stem for module in (ROOT / "src/plrf").iterdir()}
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "plrf":
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "plrf":
            names.add(node.attr)
    return names - modules


def test_jobs_use_nothing_of_the_package_but_its_modules_and_version(checkout, tmp_path):
    """An edit of the package's own file reruns nothing, and its shortcuts hide what they import."""
    for rule in ALL_JOBS:
        script = checkout.root / "scripts" / script_of(rule)
        for path in [script, *map(Path, code_of(checkout, rule))]:
            assert names_of_package(path) <= {"__version__"}, path
    sample = tmp_path / "sample.py"
    sample.write_text(
        "import plrf\nfrom plrf import a\nfrom plrf.b import c\nplrf.d(plrf.b)\n", encoding="utf-8"
    )
    assert names_of_package(sample) == {"a", "b", "d"}


DRAWN = {n for n in ALL_JOBS if n.startswith(("fig", "front_", "exponent_plane_"))}
DRAWN |= {"explorer_page", "sgd_at_scale", *ALGORITHM_FIGURES, *DATA_FIGURES, *ATLAS_FIGURES}
DRAWN |= {"momentum_losses_momentum"}
# What is made from losses and from what is apart from them.
FROM_BOTH = {*EXPONENT_RULES, "claims"}


@pytest.mark.parametrize(
    ("file", "spared"),
    [
        (
            "engines/sgd.py",
            {"expand_grid", "recursion", "volterra", *APART} - FROM_BOTH - MOMENTUM_CURVES.keys(),
        ),
        ("engines/volterra.py", {"expand_grid", "sgd", "recursion", *APART} - FROM_BOTH),
        # A new engine reruns no other.
        (
            "engines/registry.py",
            {*LOSSES, "aggregate_losses", *SPECTRA, *FINITE_SIZE} - DRAWN - FROM_BOTH,
        ),
        (
            "exact/loss.py",
            {"sgd", "sgd_averaged", "recursion", "sample_spectra", *OF_POINTS} - FROM_BOTH,
        ),
        (
            "measure/estimates.py",
            {"expand_grid", *LOSSES, "aggregate_losses", *SPECTRA, *OF_POINTS} - FROM_BOTH,
        ),
        ("theory/phases.py", {*LOSSES, "aggregate_losses", "sample_spectra"}),
        ("theory/parts.py", {*FROM_LOSSES, *PLANE} - CHECK.keys() - {"claims"}),
        ("exact/density.py", ALL_JOBS.keys() - {"spectral_densities", "fig06_spectra", "claims"}),
        ("theory/estimated_front.py", ALL_JOBS.keys() - FINITE_SIZE.keys() - CHECK.keys()),
        ("draw/style.py", ALL_JOBS.keys() - DRAWN),
        ("draw/explorer/page.py", ALL_JOBS.keys() - {"explorer_page"}),
        # New columns of a table rerun no simulation.
        ("study/schemas/fits.py", {*LOSSES, "aggregate_losses", *SPECTRA, *EXPLORER} - FROM_BOTH),
        ("study/schemas/explorer.py", ALL_JOBS.keys() - EXPLORER.keys() - CHECK.keys()),
        ("study/catalogue.py", ALL_JOBS.keys()),
        ("../../scripts/figures/front.py", ALL_JOBS.keys() - set(FRONT_RULES)),
        ("../../scripts/plane/measure_plane.py", ALL_JOBS.keys() - PLANE.keys() - CHECK.keys()),
        ("../../scripts/explorer/explorer_page.py", ALL_JOBS.keys() - {"explorer_page"}),
    ],
)
def test_edited_code_reruns_what_depends_on_it(checkout, quick, rules, file, spared):
    path = (checkout.root / "src" / "plrf" / file).resolve()
    scripts = {rule: script_of(rule) for rule in rules}
    new = {
        rule
        for rule, script in scripts.items()
        if script.name == path.name or str(path) in code_of(checkout, rule)
    }
    stale = set()
    while new:
        stale |= new
        made = set().union(*(rules[rule][1] for rule in new))
        new = {rule for rule, (inputs, _) in rules.items() if inputs & made} - stale
    assert bool(stale) == (spared != ALL_JOBS.keys())
    assert not stale & spared

    text, times = path.read_text(encoding="utf-8"), path.stat()
    try:
        path.write_text(text + "# edited\n", encoding="utf-8")
        process = checkout.snakemake(
            *("--configfile", checkout.quick, "--directory", quick.directory, "--dry-run")
        )
    finally:
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    counts = planned(process)
    assert counts.keys() == {rule for rule in ALL_JOBS if rule in stale}
    # Of the fits, those of the sweeps that use the code.
    fits = counts.pop("fit_exponents", 0)
    assert fits <= ALL_JOBS["fit_exponents"]
    assert counts.items() <= ALL_JOBS.items()


@pytest.fixture(scope="module")
def moved(checkout, quick, tmp_path_factory):
    """The finished quick workflow at another place, as if clone and results had been moved."""
    root = tmp_path_factory.mktemp("moved") / "clone"
    shutil.copytree(checkout.root, root, ignore=shutil.ignore_patterns(".snakemake"))
    shutil.copytree(quick.directory, root, dirs_exist_ok=True)
    (root.parent / "link").symlink_to(root)
    (root.parent / "Snakefile").symlink_to(root / "workflow" / "Snakefile")
    return Checkout(root, checkout.commit)


@pytest.mark.parametrize(
    "place",
    [
        [],
        ["--directory", "../link", "--snakefile", "../link/workflow/Snakefile"],
        ["--snakefile", "../Snakefile"],
    ],
    ids=["moved", "through a link", "link to the Snakefile"],
)
def test_place_of_the_project_makes_no_work(moved, place):
    assert planned(moved.snakemake("--dry-run", "--configfile", moved.quick, *place)) == {}


def test_moved_clone_knows_results_of_another_directory(moved, quick):
    arguments = ["--dry-run", "--configfile", moved.quick, "--directory", quick.directory]
    assert planned(moved.snakemake(*arguments)) == {}


def test_unit_tests_are_generated_for_each_rule(moved):
    """With data that are results: code and whatever else lies outside is none."""
    process = moved.snakemake("--configfile", moved.quick, "--generate-unit-tests")
    assert process.returncode == 0, process.stderr
    unit = moved.root / ".tests" / "unit"
    generated = {path.stem.removeprefix("test_") for path in unit.glob("test_*.py")}
    assert generated == (ALL_JOBS | LAST_JOBS).keys() - {"all"}
    assert {path.name for path in unit.glob("*/data/[!.]*")} == {"results"}


# What is wrong with a config, how the line about it must start, and what else it must say.
REFUSED = {
    "unknown key": (
        [((*PHASE_III, "batches"), 1)],
        ["sweeps.phase_III.batches: unknown key", "did you mean batch?"],
    ),
    "missing key": (
        [((*PHASE_III, "c"), ...)],
        ["sweeps.phase_III.c: missing", "learning-rate constant"],
    ),
    "wrong type": (
        [((*PHASE_III, "runs"), "three")],
        ['sweeps.phase_III.runs = "three":', "must be a whole number"],
    ),
    "number that YAML reads as text": (
        [((*PHASE_III, "flops"), "1e5")],
        ['sweeps.phase_III.flops = "1e5":', "must be a finite number, write 1.0e+5"],
    ),
    "negative d": (
        [((*PHASE_III, "d", 0), -14)],
        ["sweeps.phase_III.d[0] = -14:", "must be at least 1"],
    ),
    "d that is not an integer": (
        [((*PHASE_III, "d", 2), 28.5)],
        ["sweeps.phase_III.d[2] = 28.5:", "must be a whole number"],
    ),
    "empty list": (
        [((*PHASE_III, "d"), [])],
        ["sweeps.phase_III.d = []:", "must have at least 1 item"],
    ),
    "duplicate point": (
        [((*PHASE_III, "points"), [[1.0, 2.0], [0.7, 2.0], [1, 2]]), ((*PHASE_III, "front"), ...)],
        ["sweeps.phase_III.points[2] = [1, 2]:", "must be unique", "repeats item [0]"],
    ),
    "v_over_d below 1": (
        [((*PHASE_III, "v_over_d"), 0.5)],
        ["sweeps.phase_III.v_over_d = 0.5:", "must be at least 1"],
    ),
    "below the edge": (
        [((*PHASE_III, "points"), [[0.7, -0.3]])],
        ["sweeps.phase_III.points[0] = [0.7, -0.3]:", "= 0.8 must be at least 1", "beta >= -0.2"],
    ),
    "diverging c": (
        [((*PHASE_III, "c"), 1.9)],
        ["sweeps.phase_III.c = 1.9:", "SGD diverges", "allowed: c < "],
    ),
    "budget below one step": (
        [
            ((*PHASE_III, "flops"), 452.0),
            ((*PHASE_III, "windows"), [[1.0, 200.0]]),
        ],
        ["sweeps.phase_III.flops = 452.0:", "less than one step", "at least", "453"],
    ),
    "no runs": (
        [((*PHASE_III, "runs"), 0)],
        ["sweeps.phase_III.runs = 0:", "must be at least 1"],
    ),
    "sweep name that is not a file name": (
        [(("sweeps", "a/b"), QUICK["sweeps"]["toy_scaling"])],
        ["sweeps.a/b: the key must be a valid name", "letters, digits, _ or -"],
    ),
    "front name that is not a file name": (
        [((*PHASE_III, "front"), "../fig")],
        ['sweeps.phase_III.front = "../fig":', "must be a valid name"],
    ),
}
# Files that Snakemake itself cannot read as a config.
UNREADABLE = {
    "YAML syntax error": ("seed: 1\nsweeps: {a: [1, 2}\n", "not valid JSON or YAML"),
    "list instead of a mapping": ("- 1\n- 2\n", "keys at top level"),
    "empty file": ("", "keys at top level"),
}


@pytest.fixture(scope="module")
def refused_calls(checkout, pool, tmp_path_factory):
    """Calls with bad configs, and the directories that they worked in."""
    configs = {name: edited(*edits) for name, (edits, _) in REFUSED.items()}
    configs |= {name: text for name, (text, _) in UNREADABLE.items()}

    def call(config, directory, configs):
        path = write_config(config, configs / "config.yaml")
        process = checkout.snakemake(
            *("--configfile", path, "--directory", directory, "--cores", "1")
        )
        return process, directory

    def directory():
        return tmp_path_factory.mktemp("refused")

    return {
        name: pool.submit(call, config, directory(), directory())
        for name, config in configs.items()
    }


def message(process, directory):
    """Lines of the message of a refused call, which must leave nothing behind."""
    assert process.returncode != 0
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    assert not (directory / "results").exists()
    profile, *lines = process.stderr.splitlines()
    assert profile.startswith("Using workflow specific profile workflow/profiles/default ")
    return lines


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_names_key_value_and_what_is_allowed(refused_calls, name):
    heading, *problems = message(*refused_calls[name].result())
    assert heading == "Configuration refused, nothing was run."
    assert len(problems) == 1
    start, *parts = REFUSED[name][1]
    assert problems[0].startswith(start)
    for part in parts:
        assert part in problems[0]


@pytest.mark.parametrize("name", UNREADABLE)
def test_file_that_is_not_a_config(refused_calls, name):
    kind, problem = message(*refused_calls[name].result())
    assert kind == "WorkflowError:"
    assert UNREADABLE[name][1] in problem


def test_config_files_are_merged(checkout, tmp_path):
    """A later file is merged over an earlier one: mappings by key, lists as a whole."""
    first, over = tmp_path / "tab.json", tmp_path / "over.yaml"
    first.write_text(json.dumps(QUICK, indent="\t"), encoding="utf-8")
    over.write_text("sweeps: {phase_III: {d: [20, 28, 40, 57, 80], runs: 5}}", encoding="utf-8")
    arguments = ["--dry-run", "--directory", tmp_path, "--configfile", first, over]
    arguments += ["--config", "seed=3"]
    process = checkout.snakemake(*arguments)
    assert planned(process)["sgd"] == LOSSES["sgd"]

    over.write_text("seed: 020", encoding="utf-8")
    process = checkout.snakemake(*arguments[1:], "--cores", "1")
    _, problem, *origin = message(process, tmp_path)
    assert problem == f"{over}, line 1: 020 is read as octal 16; write 20 or 16"
    assert f"Read from {first}, {over}, each merged over" in origin[0]


def test_nested_value_on_the_command_line(checkout, tmp_path):
    process = checkout.snakemake(
        *("--configfile", checkout.quick, "--directory", tmp_path, "--cores", "1"),
        *("--config", "fits={resamples: 50}"),
    )
    _, problem, *way_out = message(process, tmp_path)
    assert problem.startswith('fits.resamples = "50": must be a whole number')
    assert "--configfile config/config.yaml over.yaml" in way_out[1]


def test_advice_on_c_is_sound(checkout, refused_calls, tmp_path):
    problem = refused_calls["diverging c"].result()[0].stderr
    limit = float(re.search(r"allowed: c < ([0-9.]+)", problem)[1])
    config = write_config(edited(((*PHASE_III, "c"), limit - 0.01)), tmp_path / "config.yaml")
    process = checkout.snakemake("--configfile", config, "--directory", tmp_path, "--dry-run")
    assert planned(process) == ALL_JOBS


def test_tampered_losses_stop_the_workflow(checkout, quick_copy):
    path = quick_copy.directory / "results/aggregate/losses.parquet"
    losses = store.read_table(path, losses_schema.LOSSES)
    dropped = losses.eval("sweep == 'phase_III' and d == 40 and engine == 'sgd' and run == 1")
    assert dropped.any()
    source = read_provenance(path)
    store.write_table(losses[~dropped], losses_schema.LOSSES, path, source)
    output = "results/aggregate/checks.parquet"
    process = checkout.snakemake(
        *("--configfile", checkout.quick, "--directory", quick_copy.directory, "--cores", "1"),
        output,
    )
    assert process.returncode != 0
    assert process.stdout == "", "no list of results"
    assert job_counts(process.stderr) == {"check_results": 1}
    log = quick_copy.directory / "results/logs/check_results.log"
    for text in (process.stderr, log.read_text(encoding="utf-8")):
        assert "ResultsError: the results fail their tests:\ncurves are complete: " in text
        assert "1 not, the first {'sweep': 'phase_III', 'alpha': 1.0, 'beta': 2.0" in text
    assert not (quick_copy.directory / output).exists()


def test_damaged_file_is_named_with_the_way_out(checkout, quick, quick_copy):
    (damaged,) = quick.files("losses/volterra/toy_scaling/*.parquet")
    (quick_copy.directory / damaged).write_bytes(b"not a table")
    arguments = (
        *("--configfile", checkout.quick, "--directory", quick_copy.directory, "--cores", "1"),
        "results/aggregate/losses.parquet",
    )
    process = checkout.snakemake(*arguments)
    assert process.returncode != 0
    assert "log: results/logs/aggregate_losses.log" in process.stderr
    log = (quick_copy.directory / "results/logs/aggregate_losses.log").read_text(encoding="utf-8")
    assert "CRITICAL uncaught exception\nTraceback" in log
    message = re.compile(rf"TableError: {re.escape(damaged)}: cannot be read \(.*\); delete it")
    for text in (process.stderr, log):
        assert message.search(text)

    # The way out leads out.
    (quick_copy.directory / damaged).unlink()
    process = checkout.snakemake(*arguments)
    assert process.returncode == 0, process.stderr
    assert job_counts(process.stderr) == {"volterra": 1, "aggregate_losses": 1}
    assert_same_values(quick_copy.table("aggregate/losses"), quick.table("aggregate/losses"))


def test_quiet_run_prints_nothing(checkout, quick_copy):
    arguments = ["--configfile", checkout.quick, "--directory", quick_copy.directory]
    quiet = ["--quiet", "all", "--forcerun", "table3_notation"]
    process = checkout.snakemake(*arguments, "--cores", "1", *quiet)
    assert (process.returncode, process.stdout) == (0, "")
    # Snakemake announces a profile before it reads the command line.
    assert process.stderr.count("\n") == process.stderr.count("workflow specific profile") <= 1
    again = checkout.snakemake(*arguments, "--cores", "1", "--forcerun", "table3_notation")
    assert "figure: results/figures/fig03" in again.stdout


def test_default_configuration_in_the_root(checkout):
    process = checkout.snakemake("--dry-run")
    counts = planned(process)
    assert counts.keys() == ALL_JOBS.keys()
    assert sum(counts.values()) < 400
    for name in FIGURES:
        assert f"results/figures/{name}.pdf" in process.stdout


class TestFullConfiguration:
    FULL, DEFAULT = map(read_config, ("full", "config"))

    def test_has_the_scale_of_the_paper(self):
        sweeps = self.FULL["sweeps"]
        beyond = {"at_scale", *self.FULL["schedules"]["sweeps"]}  # the paper
        simulated = {n: s for n, s in sweeps.items() if "sgd" in s["engines"] and n not in beyond}
        assert len(simulated) > 9
        for sweep in simulated.values():
            assert max(engine_sizes(sweep, "sgd")) == 12800
            assert (sweep["flops"], sweep["runs"]) == (1e9, 10)
            assert "around_optimum" not in sweep
        for name, sweep in sweeps.items():
            if name not in beyond | {"toy_scaling"}:
                assert sweep["windows"] == [[1e6, 1e8], [2e6, 5e7]]
        assert max(sweeps["toy_scaling"]["d"]) == 51200

    def test_has_the_sweeps_and_figures_of_the_default_one(self):
        assert self.FULL.keys() == self.DEFAULT.keys()
        assert self.FULL["sweeps"].keys() == self.DEFAULT["sweeps"].keys()
        for name, sweep in self.FULL["sweeps"].items():
            default = self.DEFAULT["sweeps"][name]
            assert points(sweep) == points(default)
            for key in ("v_over_d", "batch", "c", "front"):
                assert sweep.get(key) == default.get(key)

    def test_plans_the_jobs_that_it_names(self, checkout, tmp_path):
        config = checkout.root / "config" / "full.yaml"
        process = checkout.snakemake("--configfile", config, "--directory", tmp_path, "--dry-run")
        expected = dict(ALL_JOBS)
        grid = pd.concat(sweep_grid(name, sweep) for name, sweep in self.FULL["sweeps"].items())
        assert grid.query("engine == 'sgd'")["d"].max() == 12800
        expected |= dict.fromkeys(ENGINES, 0)
        for (name, _, _), rows in grid.groupby(["engine", "sweep", "alpha"]):
            small = [ENGINES[name].seconds(of_d) < 4 for _, of_d in rows.groupby("d")]
            expected[name] += small.count(False) + any(small)
        fitted = [sweep for sweep in self.FULL["sweeps"].values() if "windows" in sweep]
        expected["fit_exponents"] = sum(-(-len(points(sweep)) // 4) for sweep in fitted)
        momentum = self.FULL["momentum"]
        plane = momentum["plane"]["alpha"]["num"] * len(momentum["plane"]["flops"])
        expected["momentum_fronts"] = plane + len(momentum["flops"])
        atlas = self.FULL["atlas"]
        alphas = {"horizon": atlas["plane"]["alpha"]["num"] / 7}
        alphas |= {"measured": atlas["measured"]["alpha"]["num"] / 2}
        alphas |= {"critical": atlas["critical"]["alpha"]["num"]}
        expected |= {f"atlas_part_{name}": math.ceil(n) for name, n in alphas.items()}
        expected["atlas_part_hyperparameters"] = len(atlas["hyperparameters"]["points"])
        assert planned(process) == expected
        assert sum(expected.values()) < 700


def test_lint(checkout):
    process = checkout.snakemake("--lint")
    assert process.returncode == 0, process.stdout + process.stderr
