"""The workflow as a module of another one, with a configuration and a rule of its own."""

import datetime
import json
import shutil
import subprocess
import textwrap

import pyarrow.parquet as pq
import pytest
import yaml
from conftest import SNAKEMAKE, read_config


@pytest.fixture
def project(checkout, tmp_path):
    """A project that uses the workflow as a module and adds a rule."""
    config = read_config("quick")
    # What would be misread in the workflow's own part may be meant in another one.
    mine = {"since": datetime.date(2024, 1, 1), 14: "d"}
    (tmp_path / "my.yaml").write_text(
        yaml.safe_dump({"paper": config, "mine": mine}), encoding="utf-8"
    )
    (tmp_path / "Snakefile").write_text(
        textwrap.dedent(
            f"""\
            configfile: "my.yaml"

            module plrf:
                snakefile: "{checkout.root}/workflow/Snakefile"
                config: config["paper"]
                prefix: "paper"

            use rule * from plrf as plrf_*

            rule count_losses:
                default_target: True
                input: "paper/results/losses/volterra/phase_Ia/alpha~0.75_d~14_to_453.parquet"
                output: "count.txt"
                shell: "wc -c < {{input}} > {{output}}"
            """
        ),
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def deployed(checkout, tmp_path, monkeypatch):
    """A project as snakedeploy makes it: the workflow is fetched from a host by its tag.

    Git is told to take the copy of the checkout for the host's repository.
    """
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    clone = tmp_path / "clone"
    for command in (["clone", "-q", "--bare", checkout.root, clone], ["-C", clone, "tag", "v1"]):
        subprocess.run(["git", *command], check=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{clone.as_uri()}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/plrf/plrf")
    project = tmp_path / "project"
    shutil.copytree(checkout.root / "config", project / "config")
    shutil.copy2(checkout.quick, project / "config" / "config.yaml")
    (project / "workflow").mkdir()
    (project / "workflow" / "Snakefile").write_text(
        textwrap.dedent(
            """\
            configfile: "config/config.yaml"

            module plrf:
                snakefile: github("plrf/plrf", path="workflow/Snakefile", tag="v1")
                config: config

            use rule * from plrf
            """
        ),
        encoding="utf-8",
    )
    return project


def snakemake(project, *arguments):
    process = subprocess.run(
        [SNAKEMAKE, *arguments], cwd=project, capture_output=True, encoding="utf-8", timeout=300
    )
    assert process.returncode == 0, process.stderr
    return process.stdout + process.stderr


def test_rule_that_uses_a_result_of_the_module(project, quick):
    snakemake(project, "--cores", "1")
    name = "losses/volterra/phase_Ia/alpha~0.75_d~14_to_453.parquet"
    ours = pq.read_table(project / "paper" / "results" / name)
    assert int((project / "count.txt").read_text(encoding="utf-8")) > 0
    assert ours.equals(pq.read_table(quick.directory / "results" / name))


def test_all_of_the_module_is_planned(project):
    plan = snakemake(project, "-n", "--cores", "1", "plrf_all")
    for rule in ("plrf_sgd", "plrf_fit_exponents", "plrf_front", "plrf_record_provenance"):
        assert rule in plan


def test_workflow_from_a_host_gives_the_same_values(deployed, checkout, quick):
    names = ["losses/volterra/phase_Ia/alpha~0.75_d~14_to_453", "grid"]
    targets = [f"results/{name}.parquet" for name in names]
    targets.append("results/figures/fig02_phase_diagram.pdf")
    snakemake(deployed, "--cores", "1", *targets)
    for name in names:
        ours = pq.read_table(deployed / "results" / f"{name}.parquet")
        assert ours.equals(pq.read_table(quick.directory / "results" / f"{name}.parquet"))
        metadata = pq.read_metadata(deployed / "results" / f"{name}.parquet").metadata
        assert json.loads(metadata[b"plrf"])["git_commit"] == checkout.commit
    assert "Nothing to be done" in snakemake(deployed, "--cores", "1", *targets)
    assert "fit_exponents" in snakemake(deployed, "-n")
