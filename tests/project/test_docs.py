"""The snippets of tutorial and README run, in the order of the text."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import Checkout

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")}
FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(document):
    """Language, file name and text of the code blocks of a document."""
    return FENCE.findall((ROOT / document).read_text(encoding="utf-8"))


def run(command, directory):
    """Run a command with the tests' environment, in a copy of the repository."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(directory / "src")}
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, encoding="utf-8", timeout=600
    )


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """A copy in which the snippets of the tutorial ran, and the outcome of each."""
    checkout = Checkout.create(tmp_path_factory.mktemp("tutorial"))
    outcomes = []
    for language, name, text in snippets("docs/tutorial.md"):
        if name:
            (checkout.root / name).write_text(text, encoding="utf-8")
            continue
        command = {"sh": ["bash", "-euc", text], "python": [sys.executable, "-c", text]}[language]
        outcomes.append(run(command, checkout.root))
        assert outcomes[-1].returncode == 0, f"{text}\n{outcomes[-1].stderr}"
    return checkout.root, outcomes


def test_tutorial_makes_what_it_says(tutorial):
    root, outcomes = tutorial
    results = root / "mine" / "results"
    names = ["front_of_batch_8.pdf", "front_of_batch_8.png", "my_front.pdf", "my_front.png"]
    assert sorted(path.name for path in (results / "figures").iterdir()) == names
    assert [path.name for path in (results / "tables").glob("table*.md")] == [
        "table4_measured_exponents.md"
    ]
    rows = (
        (results / "tables" / "tokens_per_parameter.csv").read_text(encoding="utf-8").splitlines()
    )
    assert rows[0] == "sweep,alpha,beta,d,loss" and len(rows) > 5
    curves, front = (outcome.stdout for outcome in outcomes[-2:])
    assert curves.count("]") == 4  # three sizes
    assert "III" in front or "II" in front


def test_tutorial_computes_no_loss_twice(tutorial):
    _, outcomes = tutorial
    sweep = outcomes[1].stdout + outcomes[1].stderr
    assert "Computing losses of larger_batch by volterra" in sweep
    assert "Computing losses of mine by volterra" not in sweep


def test_study_of_ten_lines_says_what_it_leaves_out(tutorial):
    _, outcomes = tutorial
    (line,) = [line for line in outcomes[0].stdout.splitlines() if line.startswith("not drawn")]
    assert "fig04_exponents (plane, traverse)" in line and "my_front" not in line


def test_readme_shows_the_study_of_the_tutorial():
    (study,) = [text for language, _, text in snippets("README.md") if language == "yaml"]
    assert len(study.splitlines()) == 10
    for document in ("docs/tutorial.md", "config/README.md"):
        assert study in (ROOT / document).read_text(encoding="utf-8")


# How each command of README.md is tested: run here, or by what.
TESTED = {
    "make figures": "tests/workflow/test_make.py",
    "make test": "continuous integration runs it",
    "conda env create -f environment.yml": "tests/project/test_environment.py; no conda here",
    "conda activate plrf": "tests/project/test_environment.py; no conda here",
    "snakemake --cores 2": "test_default_run_is_planned",
    "snakemake --cores 2 --configfile config/quick.yaml --directory quick": "the fixture quick",
}


def commands(document):
    """Commands of the shell snippets of a document, comments left out."""
    lines = [
        line
        for language, name, text in snippets(document)
        if language == "sh" and not name
        for line in text.splitlines()
    ]
    return [line.split("#")[0].strip() for line in lines]


def test_each_command_of_the_readme_is_tested():
    assert set(commands("README.md")) == set(TESTED)


def test_default_run_is_planned(checkout):
    process = run(["snakemake", "--cores", "2", "--dry-run"], checkout.root)
    assert process.returncode == 0, process.stderr


def test_results_of_an_earlier_run_are_kept_by_touch(quick, tmp_path):
    """Dropped into a newer checkout they look stale, until --touch says that they are not."""
    checkout = Checkout.create(tmp_path / "newer")
    shutil.copytree(quick.directory / "results", checkout.root / "results")
    command = ["snakemake", "--cores", "1", "--configfile", str(checkout.quick)]
    stale = run([*command, "--dry-run"], checkout.root)
    assert "sgd" in stale.stdout + stale.stderr
    touched = run([*command, "--touch"], checkout.root)
    assert touched.returncode == 0, touched.stderr
    fresh = run([*command, "--dry-run"], checkout.root)
    assert "Nothing to be done" in fresh.stdout + fresh.stderr


def test_python_snippets_of_the_readme(checkout):
    for language, _, text in snippets("README.md"):
        if language == "python" and "module plrf" not in text:  # that one: test_module.py
            process = run([sys.executable, "-c", text], checkout.root)
            assert process.returncode == 0, process.stderr
            assert "[" in process.stdout


def test_python_snippets_of_data(checkout, tmp_path):
    """One after the other: they share variables."""
    text = "".join(text for language, _, text in snippets("docs/data.md") if language == "python")
    outcome = run(
        [sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r})\n{text}"], checkout.root
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("ok 0.42")
    assert (tmp_path / "digits.parquet").exists()


@pytest.mark.parametrize("document", ["README.md", *sorted(DOCUMENTS)])
def test_links_lead_somewhere(document):
    """Files that a document links to are in the repository."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not link.startswith("http"):
            assert ((ROOT / document).parent / link).exists(), link


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200
