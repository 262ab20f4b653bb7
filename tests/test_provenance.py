"""What a run says of itself, and the archive that is made of it."""

import hashlib
import json
import subprocess
import sys
import tarfile

import pytest
import yaml

import plrf
from scripts.archive import pack
from scripts.record_provenance import measured_times, package_version


def test_record_of_the_quick_run(quick, checkout):
    record = json.loads((quick.directory / "results" / "provenance.json").read_text())
    assert record["config"] == yaml.safe_load(checkout.quick.read_text())
    assert record["plrf_version"] == plrf.__version__
    assert record["git_commit"] == checkout.commit
    assert record["packages"]["numpy"] == package_version("numpy")
    assert set(record["machine"]) == {"system", "architecture", "cores"}
    simulated = quick.files("benchmarks/simulate/**/*.tsv")
    assert record["times"]["simulate"]["jobs"] == len(simulated) > 0
    assert record["times"]["simulate"]["seconds"] > 0


def test_times_are_summed_by_rule(tmp_path):
    for name, rows in {"a/one.tsv": [1.25, 2.0], "a/two.tsv": [3.0], "b.tsv": [0.5]}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(["s\tmax_rss", *(f"{x}\t1" for x in rows)]) + "\n")
    assert measured_times(tmp_path) == {
        "a": {"jobs": 2, "seconds": 6.2},
        "b": {"jobs": 1, "seconds": 0.5},
    }
    assert measured_times(tmp_path / "missing") == {}


def test_archive_is_whole_and_verifies(quick_copy):
    results = quick_copy.directory / "results"
    path = pack(results)
    assert path.parent == results / "archive"
    target = quick_copy.directory / "unpacked"
    with tarfile.open(path) as archive:
        archive.extractall(target, filter="data")
    (folder,) = target.iterdir()
    packed = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    sums = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert packed == {*sums, "SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert {"config.json", "provenance.json", "aggregate/losses.parquet"} <= packed
    assert not any(name.startswith(("logs", "benchmarks", "archive")) for name in packed)
    # Packing again leaves the first archive out and changes nothing in the list.
    with tarfile.open(pack(results)) as archive:
        assert len(archive.getnames()) == len(packed)


def test_an_unfinished_run_is_not_packed(tmp_path):
    (tmp_path / "results").mkdir()
    with pytest.raises(FileNotFoundError, match=r"provenance\.json is missing: let the workflow"):
        pack(tmp_path / "results")


def test_message_without_results(checkout, tmp_path):
    script = checkout.root / "scripts" / "archive.py"
    process = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 1
    assert process.stderr == "results/provenance.json is missing: let the workflow finish first\n"
