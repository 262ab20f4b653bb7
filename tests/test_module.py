"""The workflow as a module of another one, with a configuration and a rule of its own."""

import subprocess
import textwrap

import pyarrow.parquet as pq
import pytest
import yaml
from conftest import SNAKEMAKE


@pytest.fixture
def project(checkout, tmp_path):
    """A project that uses the workflow as a module and adds a rule."""
    config = yaml.safe_load(checkout.quick.read_text())
    (tmp_path / "my.yaml").write_text(yaml.safe_dump({"paper": config, "mine": {"d": 14}}))
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
                input: "paper/results/losses/volterra/II_III_boundary/alpha~0.7.parquet"
                output: "count.txt"
                shell: "wc -c < {{input}} > {{output}}"
            """
        )
    )
    return tmp_path


def snakemake(project, *arguments):
    process = subprocess.run(
        [SNAKEMAKE, *arguments], cwd=project, capture_output=True, text=True, timeout=300
    )
    assert process.returncode == 0, process.stderr
    return process.stdout + process.stderr


def test_rule_that_uses_a_result_of_the_module(project, quick):
    snakemake(project, "--cores", "1")
    name = "losses/volterra/II_III_boundary/alpha~0.7.parquet"
    ours = pq.read_table(project / "paper" / "results" / name)
    assert int((project / "count.txt").read_text()) > 0
    assert ours.equals(pq.read_table(quick.directory / "results" / name))


def test_all_of_the_module_is_planned(project):
    plan = snakemake(project, "-n", "--cores", "1", "plrf_all")
    for rule in ("plrf_simulate", "plrf_fit_exponents", "plrf_front", "plrf_record_provenance"):
        assert rule in plan
