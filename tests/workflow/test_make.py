"""The targets of the Makefile, in a repository of their own whose environment is this one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import Checkout

ROOT = Path(__file__).resolve().parents[2]
# They run for long, have side effects on the machine, or need what a copy lacks. CI runs the first.
ELSEWHERE = {"lint", "test", "test-faults", "test-slurm", "benchmarks"}
# The name of a folder that the shell, make or an URL would read otherwise.
ODD = "my project (1), q'a&b;c#d%20~e=f!*?[x]|ä中"


def make(root, *arguments):
    """Call make, not as a part of another one, with plrf as if it were installed from this copy."""
    environment = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    return subprocess.run(
        ["make", *arguments],
        cwd=root,
        env=environment | {"PYTHONPATH": str(root / "src")},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )


def install(root):
    """Pretend that make has installed the environment that runs the tests, without commands."""
    environment = root / ".venv"
    (environment / "bin").mkdir(parents=True)
    for part in Path(sys.prefix).iterdir():
        if part.name not in ("bin", ".installed"):
            (environment / part.name).symlink_to(part)
    (environment / "bin" / "python").symlink_to(sys.executable)
    (environment / ".installed").write_text(
        f"{str(root)!a} {sys.version_info[:2]}\n", encoding="utf-8"
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
    checkout = repository(tmp_path_factory.mktemp("make") / ODD)
    install(checkout.root)
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
    assert "Rule: sgd" not in process.stderr, "nothing else is missing"
    assert "figure: results/figures/fig02_phase_diagram.{pdf,png}" in process.stdout
    assert "Nothing to be done" in succeed(finished, "figures").stderr


def test_advice_is_yaml(finished):
    """Its proposals are sweeps, all else is comments."""
    process = succeed(finished, "advice")
    sweeps = yaml.safe_load(process.stdout)
    assert sweeps["phase_Ic_proposed"]["points"] == [[0.2, 0.7]]
    assert "# (0.7, 0.7), 6e+02 to 5e+03, sgd: standard errors of about" in process.stdout
    wrong = make(finished, "advice", "CONFIG=config/quick.yaml", "STD_ERROR=-1")
    assert "STD_ERROR = -1: must be a finite number above 0" in wrong.stderr


def test_gallery_is_made_of_the_report(finished):
    (finished / "docs" / "gallery.md").unlink()
    succeed(finished, "figures")
    succeed(finished, "gallery")
    assert (finished / "results" / "report.html").stat().st_size > 1e6
    assert "fig02_phase_diagram.png" in (finished / "docs" / "gallery.md").read_text(
        encoding="utf-8"
    )


def test_archive(finished):
    succeed(finished, "archive")
    assert (finished / "results" / "archive.tar.gz").stat().st_size > 1e5


def test_documents_are_filled(finished):
    before = {
        name: (finished / name).read_text(encoding="utf-8") for name in ("README.md", "docs/hpc.md")
    }
    (finished / "config" / "README.md").write_text("", encoding="utf-8")
    succeed(finished, "readme")
    succeed(finished, "resources")
    for name, text in before.items():
        assert (finished / name).read_text(encoding="utf-8") != text
        assert (finished / name).read_text(encoding="utf-8").count("\n#") == text.count("\n#")
    ours = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert (finished / "config" / "README.md").read_text(encoding="utf-8") == ours


def test_docs(finished):
    succeed(finished, "docs")
    assert (finished / "docs" / "api" / "plrf.html").exists()


def test_help_names_all_targets():
    lines = make(ROOT, "help").stdout.splitlines()
    listed = {line.split()[1] for line in lines}
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1]
    assert listed == set(phony.split())
    own = Path(__file__).read_text(encoding="utf-8")
    for target in listed - ELSEWHERE - {"help", "report"}:
        assert f'"{target}"' in own, f"no test calls make {target}"


def test_missing_configuration(finished):
    name = """my "own" study's.yaml"""
    process = make(finished, "figures", f"CONFIG={name}")
    assert process.returncode != 0
    assert process.stderr.startswith(f"There is no configuration file {name}\n")


def test_configuration_that_snakemake_cannot_read(finished):
    name = "latin-1.yaml"
    (finished / name).write_bytes("seed: 1\nsweeps: für".encode("latin-1"))
    process = make(finished, "figures", f"CONFIG={name}")
    assert process.returncode != 0
    lines = process.stderr.splitlines()
    assert lines[0] == "Configuration refused, nothing was run."
    assert lines[1].startswith(f"{name}, line 2: the byte 0xfc is not UTF-8")


def test_old_python_is_refused_before_anything_is_installed(tmp_path):
    root = repository(tmp_path / "repository").root
    python = tmp_path / "old python"
    python.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.8.10" || exit 1\n', encoding="utf-8"
    )
    python.chmod(0o755)
    process = make(root, f"PYTHON={python}")
    assert process.returncode != 0
    lines = process.stderr.splitlines()
    assert lines[0] == f"plrf needs Python >= 3.11, but PYTHON={python} is: Python 3.8.10"
    assert lines[1] == "Name another one, for example: make PYTHON=python3.12 "
    assert not (root / ".venv").exists()


@pytest.mark.parametrize("character", ':{}<>"`$\\')
def test_path_that_cannot_work_is_refused_before_anything_is_installed(tmp_path, character):
    root = tmp_path / f"a{character}b"
    root.mkdir()
    for name in ("Makefile", "requirements.lock"):
        shutil.copy2(ROOT / name, root)
    process = make(root, "PYTHON=true")  # which would pass for a Python that installs
    assert process.returncode != 0
    assert process.stderr.startswith(f"The path {root} has one of the characters : {{ }} < > ")
    assert "Nothing was installed: move or rename the folder." in process.stderr
    assert not (root / ".venv").exists()


def test_environment_of_another_folder_or_python_is_made_anew(tmp_path):
    root = repository(tmp_path / ODD).root
    install(root)

    def is_installed(root):
        process = make(root, "--question", ".venv/.installed")
        assert process.stderr == ""
        return process.returncode == 0

    assert is_installed(root)
    assert not is_installed(root.rename(tmp_path / "moved"))
    (tmp_path / "moved").rename(root)
    assert is_installed(root)
    python = root / ".venv" / "bin" / "python"
    python.unlink()
    assert not is_installed(root), "its Python was removed"
    python.write_text(f'#!/bin/sh\necho "{str(root)!a} (3, 9)"\n', encoding="utf-8")
    python.chmod(0o755)
    assert not is_installed(root), "it is another Python"
