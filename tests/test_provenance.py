"""What a run says of itself, and the archive that is made of it."""

import hashlib
import json
import re
import tarfile

import pandas as pd
import pyarrow as pa
import yaml

import plrf
from plrf.tables import provenance, write_table
from scripts.record_provenance import commits, package_version


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


def test_record_counts_the_commits_of_the_tables(quick, checkout, tmp_path):
    record = json.loads((quick.directory / "results" / "provenance.json").read_text())
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
    sums = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
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
