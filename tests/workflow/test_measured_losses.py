"""A configuration with measured losses and nothing else, through the workflow."""

import json
import tarfile

import pandas as pd
import pytest
import yaml
from conftest import Run

from plrf.study.measured import FITTED
from scripts.maintain import gallery, measured_example
from tests.workflow.test_workflow import LAST_JOBS, job_counts, planned

NAME = "my-losses"
FIGURES = [f"measured_{NAME}_{kind}" for kind in ("bias", "front", "isoflop", "law")]
TABLES = [f"measured_{NAME}", f"measured_{NAME}_bias"]
FITS = {"fit_measured": 1, "audit_measured": 1}
DRAWN = {f"{name.replace(f'_{NAME}', '')}_{name}": 1 for name in FIGURES} | dict.fromkeys(TABLES, 1)


def options(directory):
    return ("--configfile", directory / "config.yaml", "--directory", directory, "--cores", "2")


@pytest.fixture(scope="module")
def run(checkout, tmp_path_factory):
    """The first group of the example, with few resamples."""
    directory = tmp_path_factory.mktemp("measured")
    table = pd.read_csv(checkout.root / "config" / "measured_example.csv")
    table.query("group == 'text'").to_csv(directory / "runs.csv", index=False)
    shipped = yaml.safe_load((checkout.root / "config/measured.yaml").read_text(encoding="utf-8"))
    entry = shipped["measured"]["example"] | {"file": "runs.csv", "resamples": 400}
    config = {"measured": {NAME: entry}}
    (directory / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    process = checkout.snakemake(*options(directory))
    assert process.returncode == 0, process.stderr
    return Run(directory, process)


def test_nothing_else_is_run(run):
    assert job_counts(run.process.stderr) == FITS | DRAWN | LAST_JOBS
    assert run.process.stdout.splitlines() == [
        *(f"figure: results/figures/{name}.{{pdf,png}}" for name in FIGURES),
        *(f"table: results/tables/{name}.{{csv,md}}" for name in TABLES),
    ]
    assert not run.files("aggregate/*") and not run.files("grid.parquet")
    assert "WARNING" not in "".join(
        path.read_text(encoding="utf-8") for path in run.files("logs/**/*.log").values()
    )


def test_exponents_are_those_that_the_losses_were_made_with(run):
    law = measured_example.LAWS["text"]
    rows = run.table(f"measured/{NAME}/exponents").query("window == 0")
    xi = rows[rows["quantity"] == "xi"].set_index("method")
    exact = law["b"] / (law["a"] + law["b"])
    assert {"approach1", "approach2", "approach3"} <= set(xi.index)
    assert (xi["estimate"] - exact).abs().max() < 0.08
    assert xi.loc["approach3", "ci_low"] < exact < xi.loc["approach3", "ci_high"]
    statuses = run.table(f"measured/{NAME}/runs")["status"]
    assert (statuses != "ok").sum() == measured_example.FAILED + measured_example.DIVERGED


def test_biases_are_those_that_the_documentation_tells(run):
    audit = run.table(f"measured/{NAME}/audit").query("quantity == 'xi'")
    worst = audit.assign(bias=audit["bias"].abs()).groupby("method")["bias"].max()
    assert worst[["approach1", "approach2", "approach2_spline"]].max() < 0.02
    assert 0.15 < worst["approach3"] < 0.25
    own = audit[audit["surface"] == "fitted law"]
    assert len(own) == 5 and own["bias"].abs().max() < 1e-3


def test_provenance_and_report(checkout, run):
    text = (run.directory / "results/provenance.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["config"]["sweeps"] == {} and record["times"]["fit_measured"]["jobs"] == 1
    path = run.directory / "report.html"
    process = checkout.snakemake(*options(run.directory)[:4], "--report", path)
    assert process.returncode == 0, process.stderr
    content = gallery.read_report(path)
    assert content.keys() == {"Measured", "Performance"}
    names = sorted(entry["name"] for entry in content["Measured"])
    pages = [f"{name}.html" for name in TABLES]
    assert names == sorted([*(f"{name}.png" for name in FIGURES), *pages])
    captions = " ".join(entry["caption"] for entry in content["Measured"])
    assert captions.count("runs.csv") == 4 and "{" not in captions


def test_archive_has_each_table_once(checkout, run):
    process = checkout.snakemake("archive", *options(run.directory))
    assert process.returncode == 0, process.stderr
    with tarfile.open(run.directory / "results/archive.tar.gz") as archive:
        packed = [name.partition("/")[2] for name in archive.getnames()]
    tables = [name for name in packed if name.startswith("measured/")]
    assert sorted(tables) == sorted(f"measured/{NAME}/{t}.parquet" for t in (*FITTED, "audit"))


def test_edits_make_again_what_depends_on_them(checkout, run):
    config = yaml.safe_load((run.directory / "config.yaml").read_text(encoding="utf-8"))
    config["measured"][NAME]["extrapolation"] = 3
    (run.directory / "over.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    changed = ("--configfile", run.directory / "over.yaml", *options(run.directory)[2:])
    fits = planned(checkout.snakemake(*changed, "--dry-run"))
    assert fits["fit_measured"] == 1 and f"measured_bias_measured_{NAME}_bias" not in fits
    target = checkout.snakemake("measured", *options(run.directory), "--dry-run")
    assert planned(target) == {}
    table = run.directory / "runs.csv"
    table.write_text(
        table.read_text(encoding="utf-8") + "text,1e9,1e21,1.667e11,2.4\n", encoding="utf-8"
    )
    again = checkout.snakemake(*options(run.directory), "--dry-run")
    assert "fit_measured" in planned(again)
