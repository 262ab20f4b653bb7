"""The targets of the Makefile, in a repository of their own whose environment is this one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Checkout

ROOT = Path(__file__).resolve().parents[1]
# They run for long, have side effects on the machine, or need what a copy lacks. CI runs the first.
ELSEWHERE = {"lint", "test", "test-faults", "test-slurm", "benchmarks"}


def make(root, *arguments):
    """Call make, not as a part of another one, with plrf as if it were installed from this copy."""
    environment = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    return subprocess.run(
        ["make", *arguments],
        cwd=root,
        env=environment | {"PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        timeout=600,
    )


def repository(root):
    """A copy of the repository with what make needs."""
    checkout = Checkout.create(root)
    for name in ("Makefile", "requirements.lock", "README.md"):
        shutil.copy2(ROOT / name, root)
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("api"))
    return checkout


@pytest.fixture(scope="module")
def finished(quick, tmp_path_factory):
    """A repository that is installed and holds the results of the quick run, but one figure."""
    checkout = repository(tmp_path_factory.mktemp("make") / "repository")
    environment = checkout.root / ".venv"
    environment.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != ".installed":
            (environment / part.name).symlink_to(part)
    (environment / ".installed").touch()
    shutil.copytree(quick.directory / "results", checkout.root / "results")
    touched = checkout.snakemake("--cores", "1", "--configfile", checkout.quick, "--touch")
    assert touched.returncode == 0, touched.stderr
    (checkout.root / "results/figures/fig02_phase_diagram.png").unlink()
    return checkout.root


def succeed(root, target):
    process = make(root, target, "CONFIG=config/quick.yaml", "CORES=1")
    assert process.returncode == 0, process.stdout + process.stderr
    return process


def test_figures(finished):
    process = succeed(finished, "figures")
    assert re.search(r"^Finished jobid: \d+ \(Rule: fig02_phase_diagram\)", process.stderr, re.M)
    assert "simulate" not in process.stderr, "nothing else is missing"
    assert "figure: results/figures/fig02_phase_diagram.{pdf,png}" in process.stdout
    assert "Nothing to be done" in succeed(finished, "figures").stderr


def test_gallery_is_made_of_the_report(finished):
    (finished / "docs" / "gallery.md").unlink()
    succeed(finished, "figures")
    succeed(finished, "gallery")
    assert (finished / "results" / "report.html").stat().st_size > 1e6
    assert "fig02_phase_diagram.png" in (finished / "docs" / "gallery.md").read_text()


def test_archive(finished):
    succeed(finished, "archive")
    assert (finished / "results" / "archive.tar.gz").stat().st_size > 1e5


def test_documents_are_filled(finished):
    before = {name: (finished / name).read_text() for name in ("README.md", "docs/hpc.md")}
    (finished / "config" / "README.md").write_text("")
    succeed(finished, "readme")
    succeed(finished, "resources")
    for name, text in before.items():
        assert (finished / name).read_text() != text
        assert (finished / name).read_text().count("\n#") == text.count("\n#")
    ours = (ROOT / "config" / "README.md").read_text()
    assert (finished / "config" / "README.md").read_text() == ours


def test_docs(finished):
    succeed(finished, "docs")
    assert (finished / "docs" / "api" / "plrf.html").exists()


def test_help_names_all_targets():
    lines = make(ROOT, "help").stdout.splitlines()
    listed = {line.split()[1] for line in lines}
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)[1]
    assert listed == set(phony.split())
    own = Path(__file__).read_text()
    for target in listed - ELSEWHERE - {"help", "report"}:
        assert f'"{target}"' in own, f"no test calls make {target}"


def test_missing_configuration(finished):
    process = make(finished, "figures", "CONFIG=missing.yaml")
    assert process.returncode != 0
    assert process.stderr.startswith("There is no configuration file missing.yaml\n")


def test_old_python_is_refused_before_anything_is_installed(tmp_path):
    root = repository(tmp_path / "repository").root
    python = tmp_path / "python3.8"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.8.10" || exit 1\n')
    python.chmod(0o755)
    process = make(root, f"PYTHON={python}")
    assert process.returncode != 0
    lines = process.stderr.splitlines()
    assert lines[0] == f"plrf needs Python >= 3.11, but PYTHON={python} is: Python 3.8.10"
    assert lines[1] == "Name another one, for example: make PYTHON=python3.12 "
    assert not (root / ".venv").exists()
