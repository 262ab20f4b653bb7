"""What a new user may meet before any job: wrong directory, old environment, no permission."""

import os
import shutil
import subprocess

import pytest
from conftest import SNAKEMAKE, Checkout


def refused(directory, *arguments):
    """Run the workflow, which must stop before anything is done; what it printed."""
    process = subprocess.run(
        [SNAKEMAKE, "--cores", "1", *arguments],
        cwd=directory,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    assert not (directory / "results" / "grid.parquet").exists()
    return process.stderr


def test_wrong_directory(checkout, tmp_path):
    message = f"There is no config/config.yaml in {tmp_path}. Run snakemake in the root of the"
    assert message in refused(tmp_path, "--snakefile", checkout.root / "workflow" / "Snakefile")


def test_file_that_an_editor_saved_otherwise(checkout, tmp_path):
    (tmp_path / "config").mkdir()
    config = tmp_path / "config" / "config.yaml"
    snakefile = checkout.root / "workflow" / "Snakefile"
    config.write_text("seed: 1\n# für alle\n", encoding="latin-1")
    message = refused(tmp_path, "--snakefile", snakefile)
    assert "config/config.yaml, line 2: the byte 0xfc is not UTF-8; save the file with" in message
    config.write_text("fits:\n\tresamples: 50\n", encoding="utf-8")
    message = refused(tmp_path, "--snakefile", snakefile)
    assert "config/config.yaml, line 2: neither YAML nor JSON: " in message
    assert "indent with spaces" in message


def test_old_environment(tmp_path):
    project = Checkout.create(tmp_path).root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    assert '"scipy>=' in text
    text = text.replace('"altair>=', '"no-such-package>=').replace('"scipy>=', '"scipy>=9')
    project.write_text(text, encoding="utf-8")
    message = refused(tmp_path)
    assert "The environment lacks what this version needs, nothing was run." in message
    assert "\n  no-such-package>=6.0: not installed\n  scipy>=91.15: " in message
    assert "conda env update -f environment.yml --prune" in message


def test_missing_extra(tmp_path):
    """Needed where the configuration has the block of data."""
    project = Checkout.create(tmp_path).root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace('"scikit-learn>=', '"scikit-learn>=9'), encoding="utf-8")
    assert "\n  scikit-learn>=91.6: " in refused(tmp_path)


@pytest.fixture
def read_only(tmp_path):
    """A directory that cannot be written to."""
    place = tmp_path / "results"
    place.mkdir()
    if os.geteuid() != 0:
        place.chmod(0o555)
        yield place
        place.chmod(0o755)
        return
    # Root may write anywhere but to a file system that is read-only.
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", place]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("cannot mount a tmpfs")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("within", [False, True], ids=["results", "the directory itself"])
def test_no_permission_to_write(checkout, read_only, within):
    snakefile = checkout.root / "workflow" / "Snakefile"
    message = refused(
        read_only if within else read_only.parent,
        *("--configfile", checkout.quick, "--snakefile", snakefile),
    )
    assert f"{read_only} is not a folder that can be written to, nothing was run." in message
    assert "--directory my_folder" in message


@pytest.mark.parametrize(
    ("name", "target"), [("results", "gone"), ("results", "results"), (".snakemake", "file")]
)
def test_link_that_leads_to_no_folder(checkout, tmp_path, name, target):
    (tmp_path / "file").touch()
    (tmp_path / name).symlink_to(target)
    snakefile = checkout.root / "workflow" / "Snakefile"
    message = refused(tmp_path, "--configfile", checkout.quick, "--snakefile", snakefile)
    assert f"{tmp_path / name} (a link to {target}) is not a folder that can be written" in message
    assert "--directory my_folder" in message


def test_path_that_snakemake_or_python_read_otherwise(tmp_path):
    root = Checkout.create(tmp_path / "a:b" / "{c}" / "<d>").root
    assert f"The path {root} contains :<>{{}}, nothing was run." in refused(root)


def test_no_home(checkout, tmp_path, monkeypatch):
    """Snakemake and other packages want to keep files in the home directory."""
    monkeypatch.setenv("HOME", os.devnull)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    arguments = ["results/grid.parquet", "--configfile", checkout.quick, "--directory", tmp_path]
    process = checkout.snakemake("--cores", "1", *arguments)
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "results" / "grid.parquet").exists()
