"""A sweep of a task from a file through the workflow: losses, fits, and edits of the file."""

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import Run

from plrf.exact.front import compute_optimal

ALPHA, BETA, V, D, NOISE = 0.8, 0.5, 400, 50, 0.01
COMMON = {"batch": 1, "c": 0.3, "noise": NOISE, "flops": 1.0e5}


def spectrum(path, targets=1.0):
    """A power law as a table, the least variance first."""
    j = np.arange(V, 0, -1.0)
    table = pd.DataFrame({"eigenvalue": j ** (-2 * ALPHA), "target": targets * j**-BETA})
    table.to_parquet(path)


@pytest.fixture(scope="module")
def run(checkout, tmp_path_factory):
    """The same task from a file and as a point, and a front."""
    directory = tmp_path_factory.mktemp("spectrum")
    spectrum(directory / "mine.parquet")
    of_file = COMMON | {"spectrum": "mine.parquet"}
    size = {"d": [D], "runs": 30, "engines": ["sgd", "recursion", "volterra"]}
    sweeps = {
        "file": of_file | size,
        "law": COMMON | size | {"points": [[ALPHA, BETA]], "v_over_d": V / D},
        "front": of_file
        | {"d": [10, 14, 20, 28, 40, 57, 80], "engines": ["volterra"]}
        | {"windows": [[1.0e3, 4.0e3]], "front": "front_of_mine"},
    }
    config = directory / "config.yaml"
    config.write_text(yaml.safe_dump(checkout.quick_config(**sweeps)), encoding="utf-8")
    options = ("--configfile", config, "--directory", directory, "--cores", "2")
    process = checkout.snakemake(*options)
    assert process.returncode == 0, process.stderr
    return Run(directory, process)


def test_losses_are_those_of_the_same_power_law(run):
    losses = run.table("aggregate/losses").query("sweep != 'front'")
    by_step = losses.groupby(["sweep", "engine", "step"])["loss"]
    exact = by_step.mean().xs("volterra", level="engine")
    np.testing.assert_allclose(exact["file"], exact["law"], rtol=1e-10)
    # Other random numbers of the same law: 5 standard errors.
    mean, error = (
        values.xs("recursion", level="engine") for values in (by_step.mean(), by_step.sem())
    )
    allowed = 5 * np.hypot(error["file"], error["law"])
    assert ((mean["file"] - mean["law"]).abs() <= allowed).all() and (error["file"] > 0).any()
    checks = run.table("aggregate/checks").set_index("check")["passed"]
    assert checks.all() and "sgd agrees with recursion: file" in checks


def test_rows_name_the_file(run):
    for table in ("grid", "aggregate/losses", "fits/exponents", "fits/fronts", "fits/isoflop"):
        rows = run.table(table)
        of_file = rows["sweep"] != "law"
        assert (rows["spectrum"] == np.where(of_file, "mine.parquet", "")).all()
        assert (rows["alpha"].isna() == of_file).all() and (rows["beta"].isna() == of_file).all()


def test_exponents_are_those_of_the_exact_front(run):
    exponents = run.table("fits/exponents")
    assert exponents["theory"].isna().all() and set(exponents["phase"]) == {"none"}
    j = np.arange(1.0, V + 1)
    task = {"eigenvalues": j ** (-2 * ALPHA), "targets": j**-BETA, "noise": NOISE}
    front = compute_optimal([1.0e3, 4.0e3], **task, c=0.3)
    found = exponents.query("method == 'approach0'").set_index("quantity")["estimate"]
    eta, xi = (np.log(x[1] / x[0]) / np.log(4) for x in (1 / front.loss, front.d))
    assert found["eta"] == pytest.approx(eta, abs=2e-3)
    assert found["xi"] == pytest.approx(xi, abs=2e-3)
    others = exponents.query("method != 'approach0' and quantity == 'eta'")["estimate"]
    assert len(others) == 4 and (others - eta).abs().max() < 0.05
    table = (run.directory / "results/tables/table4_measured_exponents.md").read_text(
        encoding="utf-8"
    )
    assert "## spectrum mine.parquet (front)" in table


def test_an_edited_file_is_read_again(run, checkout):
    spectrum(run.directory / "mine.parquet", targets=2.0)
    options = ("--configfile", run.directory / "config.yaml", "--directory", run.directory)
    plan = checkout.snakemake(*options, "--dry-run").stdout
    assert "sgd/file/" in plan and "volterra/front/" in plan and "/law/" not in plan
