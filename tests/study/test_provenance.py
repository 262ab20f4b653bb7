"""What a run says of itself, and the archive that is made of it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile

import pandas as pd
import pyarrow as pa
import pytest
from conftest import read_config

import plrf
from plrf.study import provenance as module
from plrf.study.grid import points
from plrf.study.provenance import provenance, read_provenance
from plrf.study.store import TableError, write_table
from scripts.publish.record_provenance import commits, package_version


def test_record_of_the_quick_run(quick, checkout):
    record = json.loads(
        (quick.directory / "results" / "provenance.json").read_text(encoding="utf-8")
    )
    assert record["config"] == read_config("quick")
    assert record["plrf_version"] == plrf.__version__
    assert record["git_commit"] == checkout.commit
    assert record["packages"]["numpy"] == package_version("numpy")
    assert set(record["machine"]) == {"system", "architecture", "cores"}
    simulated = quick.files("benchmarks/sgd/**/*.tsv")
    assert record["times"]["sgd"]["jobs"] == len(simulated) > 0
    assert record["times"]["sgd"]["seconds"] > 0


def test_record_counts_the_commits_of_the_tables(quick, checkout, tmp_path):
    record = json.loads(
        (quick.directory / "results" / "provenance.json").read_text(encoding="utf-8")
    )
    assert record["tables_by_commit"].keys() == {checkout.commit}
    assert record["tables_by_commit"][checkout.commit] > len(quick.files("losses/**/*.parquet"))
    schema = pa.schema([("x", pa.float64())])
    paths = [str(tmp_path / f"{k}.parquet") for k in range(3)]
    for path, commit in zip(paths, "aab", strict=True):
        write_table(
            pd.DataFrame({"x": [1.0]}), schema, path, provenance({}) | {"git_commit": commit}
        )
    assert commits(paths) == {"a": 2, "b": 1}


def test_archive_is_whole_and_verifies(quick_copy, checkout):
    stale = quick_copy.directory / "results/losses/volterra/removed/alpha~0.7.parquet"
    stale.parent.mkdir()
    stale.touch()
    arguments = ["--configfile", checkout.quick, "--directory", quick_copy.directory]
    process = checkout.snakemake(*arguments, "--cores", "1", "archive")
    assert process.returncode == 0, process.stderr
    assert set(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", process.stderr, re.M)) == {
        "archive"
    }
    target = quick_copy.directory / "unpacked"
    with tarfile.open(quick_copy.directory / "results" / "archive.tar.gz") as archive:
        # Python 3.11.4 is the first to have it.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(target)
    (folder,) = target.iterdir()
    assert re.fullmatch(rf"plrf-{re.escape(plrf.__version__)}-[0-9a-f]{{8}}", folder.name)
    packed = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    sums = dict(
        line.split("  ")[::-1]
        for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    )
    assert packed == {*sums, "SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert {"config.json", "provenance.json", "aggregate/losses.parquet"} <= packed
    every_figure = {
        p.relative_to(quick_copy.directory / "results").as_posix()
        for p in quick_copy.files("figures/*").values()
    }
    assert every_figure <= packed
    assert not any("removed" in name or name.startswith(("logs", "benchmarks")) for name in packed)


def git(folder, *arguments):
    """Call git, whose configuration on this machine does not matter."""
    own = [
        "user.name=test",
        "user.email=test",
        "commit.gpgsign=false",
        "protocol.file.allow=always",
    ]
    options = [part for setting in own for part in ("-c", setting)]
    command = ["git", "-C", folder, *options, *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()


def said_commit(monkeypatch, library):
    """The commit that the provenance of a table names where the library is in another folder."""
    monkeypatch.setattr(module, "__file__", str(library / "provenance.py"))
    return provenance({})["git_commit"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
class TestCommit:
    @pytest.fixture
    def outer(self, tmp_path, monkeypatch):
        """Somebody's repository, into which the project was unpacked."""
        monkeypatch.delenv("PLRF_COMMIT", raising=False)
        for level in ("GLOBAL", "SYSTEM"):
            monkeypatch.setenv(f"GIT_CONFIG_{level}", os.devnull)
        root = tmp_path / "outer ä"
        (root / "plrf").mkdir(parents=True)
        (root / "plrf" / "provenance.py").touch()
        (root / "theirs").touch()
        git(root, "init", "-q")
        git(root, "add", "theirs")
        git(root, "commit", "-q", "-m", "theirs")
        return root

    @pytest.fixture
    def tracked(self, outer):
        """A repository that tracks the library."""
        git(outer, "add", ".")
        git(outer, "commit", "-q", "-m", "with the library")
        return outer

    def test_is_not_that_of_a_repository_around_an_archive(self, outer, monkeypatch):
        assert said_commit(monkeypatch, outer / "plrf") == "unknown: not a git checkout"
        (outer / ".gitignore").write_text("/plrf/\n", encoding="utf-8")
        assert said_commit(monkeypatch, outer / "plrf") == "unknown: not a git checkout"

    def test_is_that_of_a_repository_that_tracks_the_library(self, tracked, monkeypatch):
        head = git(tracked, "rev-parse", "HEAD")
        assert said_commit(monkeypatch, tracked / "plrf") == head
        (tracked / "plrf" / "provenance.py").write_text("changed", encoding="utf-8")
        assert said_commit(monkeypatch, tracked / "plrf") == f"{head}-dirty"

    def test_in_a_worktree_and_a_submodule(self, tracked, tmp_path, monkeypatch):
        head = git(tracked, "rev-parse", "HEAD")
        git(tracked, "worktree", "add", "-q", tmp_path / "tree")
        assert said_commit(monkeypatch, tmp_path / "tree" / "plrf") == head
        git(tmp_path, "init", "-q", "super")
        git(tmp_path / "super", "submodule", "--quiet", "add", tracked, "sub")
        assert said_commit(monkeypatch, tmp_path / "super" / "sub" / "plrf") == head

    def test_within_a_hook_of_another_repository(self, tracked, tmp_path, monkeypatch):
        other = tmp_path / "other"
        git(tmp_path, "init", "-q", other)
        head = git(tracked, "rev-parse", "HEAD")
        monkeypatch.setenv("GIT_DIR", str(other / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(other))
        monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
        assert said_commit(monkeypatch, tracked / "plrf") == head

    def test_is_unknown_for_a_reason(self, outer, tmp_path, monkeypatch):
        (tmp_path / "provenance.py").touch()
        assert said_commit(monkeypatch, tmp_path) == "unknown: not a git checkout"
        git(tmp_path, "init", "-q")
        git(tmp_path, "add", "provenance.py")
        assert said_commit(monkeypatch, tmp_path) == "unknown: nothing was committed yet"
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        reason = "unknown: git does not trust this folder; allow it in git's safe.directory"
        assert said_commit(monkeypatch, tmp_path) == reason
        monkeypatch.setenv("PATH", "")
        assert said_commit(monkeypatch, tmp_path) == "unknown: git is not installed"


def test_hash_covers_those_of_the_inputs(tmp_path):
    """Also of what they were made from: a fit depends on the sizes and runs of its losses."""
    schema = pa.schema([("x", pa.int64())])

    def made(name, parameters, *inputs):
        source = provenance(parameters, inputs=inputs)
        write_table(pd.DataFrame({"x": [1]}), schema, tmp_path / name, source)
        return tmp_path / name

    def hash_of(path):
        return read_provenance(path)["config_hash"]

    few, many = made("few", {"d": [10]}), made("many", {"d": [10, 20]})
    fits = [made(f"fit {path.name}", {"window": 1}, path) for path in (few, many)]
    tables = [made(f"table of {path.name}", {}, path, few) for path in fits]
    assert len({*map(hash_of, [few, many, *fits, *tables])}) == 6
    assert hash_of(made("again", {"window": 1}, few)) == hash_of(fits[0])


def test_seed_is_that_of_the_inputs(tmp_path):
    schema = pa.schema([("x", pa.int64())])
    paths = [tmp_path / "none", tmp_path / "seven"]
    for path, seed in zip(paths, (None, 7), strict=True):
        write_table(pd.DataFrame({"x": [1]}), schema, path, provenance({}, seed))
    assert [read_provenance(path)["seed"] for path in paths] == ["none", "7"]
    assert provenance({}, inputs=paths)["seed"] == "7"
    assert provenance({}, 7)["config_hash"] != provenance({}, 8)["config_hash"]


def test_fits_of_the_quick_run_depend_on_all_of_their_tables(quick):
    """Those of a sweep on its losses of all engines, the joined ones on those of all sweeps."""
    results, parameters = quick.directory / "results", read_config("quick")
    parts = []
    for name, sweep in parameters["sweeps"].items():
        if "windows" in sweep:
            keys = ("windows", "v_over_d", "c", "batch", "noise", "schedule", "momentum")
            settings = {key: sweep[key] for key in keys}
            losses = sorted(map(str, (results / "losses").glob(f"*/{name}/*.parquet")))
            assert len(losses) >= len(sweep["engines"])
            pairs = [[alpha, beta] for _, alpha, beta in points(sweep)]
            what = {"points": pairs, "sweep": settings, "fits": parameters["fits"]}
            expected = provenance(what, parameters["seed"], losses)
            parts.append(results / "fits" / name / "part0" / "exponents.parquet")
            assert read_provenance(parts[-1])["config_hash"] == expected["config_hash"]
    joined = provenance({}, parameters["seed"], sorted(map(str, parts)))
    found = read_provenance(results / "fits" / "exponents.parquet")
    assert found["config_hash"] == joined["config_hash"]


def test_provenance_of_what_is_no_table_says_what_to_do(tmp_path):
    damaged, foreign = tmp_path / "damaged.parquet", tmp_path / "foreign.parquet"
    damaged.write_bytes(b"not a table")
    pd.DataFrame({"x": [1]}).to_parquet(foreign)
    for path in (damaged, foreign, tmp_path / "missing.parquet"):
        with pytest.raises(TableError, match=rf"{path.name}: cannot be read \(.*\); delete it"):
            read_provenance(path)
