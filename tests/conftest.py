"""What tests share: the quick workflow, run once from a copy of what it consists of; a browser."""

import json
import os
import pickle
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, settings

from plrf.draw import style as draw_style
from plrf.study.config import complete
from tests.browser import Browser

# The same examples in each run, and none fails for the time it takes: machines are busy.
settings.register_profile(
    "plrf", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("plrf")

ROOT = Path(__file__).resolve().parents[1]
# What a user may have set for matplotlib, which must not change the figures: a cell of a notebook
# sets a backend that jobs lack, and a file in the working directory changes what is drawn.
NOTEBOOK = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
MATPLOTLIBRC = """
text.usetex: True
font.weight: bold
lines.linestyle: --
axes.prop_cycle: cycler(color=["#ff0000"])
figure.dpi: 55
image.lut: 8
interactive: True
savefig.bbox: tight
"""
SNAKEMAKE = Path(sysconfig.get_path("scripts")) / "snakemake"


def read_config(name: str) -> dict[str, Any]:
    """A configuration that the project ships, completed; lists are apart from each other."""
    schema, config = (
        yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
        for path in ("workflow/schemas/config.schema.yaml", f"config/{name}.yaml")
    )
    completed: dict[str, Any] = json.loads(json.dumps(complete(config, schema)))
    return completed


@dataclass(frozen=True)
class Run:
    """A directory in which the workflow ran to its end, and what it printed."""

    directory: Path
    process: subprocess.CompletedProcess[str]

    def files(self, pattern: str) -> dict[str, Path]:
        """Files of the results, by path relative to the directory."""
        found = sorted((self.directory / "results").rglob(pattern))
        return {p.relative_to(self.directory).as_posix(): p for p in found if p.is_file()}

    def table(self, name: str) -> pd.DataFrame:
        """A Parquet table of the results, read without the library."""
        return pq.read_table(self.directory / "results" / f"{name}.parquet").to_pandas()


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository that tests may edit, with the workflow's own files only."""

    root: Path
    commit: str

    @classmethod
    def create(cls, root: Path) -> "Checkout":
        """Copy the workflow and commit the copy, where there is git."""
        built = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for name in ("workflow", "scripts", "src", "config"):
            shutil.copytree(ROOT / name, root / name, ignore=built)
        for name in ("environment.yml", "pyproject.toml"):
            shutil.copy2(ROOT / name, root)
        if shutil.which("git") is None:
            return cls(root, "unknown")
        author = ["-c", "user.name=test", "-c", "user.email=test", "-c", "commit.gpgsign=false"]
        # The same commit in each copy, so that what one has run fits another.
        date = {f"GIT_{who}_DATE": "2024-05-15T00:00:00Z" for who in ("AUTHOR", "COMMITTER")}
        for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "copy"]):
            subprocess.run(
                ["git", *command], cwd=root, check=True, timeout=60, env=os.environ | date
            )
        revision = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=root,
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        return cls(root, revision.stdout.strip())

    def one_size_per_job(self) -> "Checkout":
        """Let no sizes share a job, so that a fault concerns one; returns itself."""
        rules = self.root / "workflow" / "rules" / "points.smk"
        text = rules.read_text(encoding="utf-8")
        assert "\nSMALL_SECONDS = 4\n" in text
        text = text.replace("\nSMALL_SECONDS = 4\n", "\nSMALL_SECONDS = 0\n")
        rules.write_text(text, encoding="utf-8")
        return self

    @property
    def quick(self) -> Path:
        """The configuration of toy size."""
        return self.root / "config" / "quick.yaml"

    def quick_config(self, **sweeps: dict[str, Any]) -> dict[str, Any]:
        """The quick configuration with these sweeps only, and without figures of other blocks."""
        config = read_config("quick")
        kept = {key: config[key] for key in ("seed", "steps_per_decade", "fits")}
        return kept | {"sweeps": sweeps}

    def snakemake(
        self, *arguments: str | Path, merge: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Call snakemake in the root of the copy, as a user does.

        With `merge`, the output is what a terminal would show, in its order.
        """
        return subprocess.run(
            [SNAKEMAKE, *arguments],
            cwd=self.root,
            env=os.environ | NOTEBOOK | ({"PYTHONUNBUFFERED": "1"} if merge else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            encoding="utf-8",
            timeout=900,
        )

    def run_quick(self, directory: Path, cores: int, merge: bool = False, *targets: str) -> Run:
        """Run the quick workflow, or what leads to some targets; it must succeed."""
        process = self.snakemake(
            *("--configfile", self.quick, "--directory", directory, "--cores", str(cores)),
            *targets,
            merge=merge,
        )
        assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
        return Run(directory, process)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium, started once for all tests of pages."""
    if missing := Browser.missing():
        pytest.skip(f"{missing} not installed: on Debian, apt-get install chromium chromium-driver")
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def checkout(tmp_path_factory) -> Checkout:
    """The copy from which all tests call the workflow."""
    return Checkout.create(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def quick(checkout, tmp_path_factory) -> Run:
    """The quick workflow on two cores, where matplotlib is set up oddly; read only.

    Processes that share the tests (pytest-xdist) share it: the first that comes runs it.
    """
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "quick"
    outcome = directory.with_suffix(".pickle")
    try:
        directory.mkdir()
    except FileExistsError:
        while not outcome.exists():
            time.sleep(0.5)
    else:
        (directory / "matplotlibrc").write_text(MATPLOTLIBRC, encoding="utf-8")
        found: Run | Exception
        try:
            found = checkout.run_quick(directory, cores=2)
        except Exception as error:
            found = error
        temporary = outcome.with_suffix(".tmp")
        temporary.write_bytes(pickle.dumps(found))
        temporary.rename(outcome)
    found = pickle.loads(outcome.read_bytes())
    if isinstance(found, Exception):
        raise found
    return found


@pytest.fixture
def quick_copy(quick, tmp_path) -> Run:
    """The finished quick workflow again, to change something in it."""
    directory = tmp_path / "quick"
    # Another process may be running something there.
    shutil.copytree(quick.directory, directory, ignore=shutil.ignore_patterns("locks"))
    return Run(directory, quick.process)


@pytest.fixture
def style():
    """The project's style, and no figure left open."""
    with draw_style.style():
        yield
    plt.close("all")
