"""Faults on this machine: killed processes, damaged files, a full disk, two runs at once.

In each case the message says what to do, and doing it gives the values of an undisturbed run.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import Checkout, read_config

pytestmark = pytest.mark.faults

SNAKEMAKE = Path(sys.executable).with_name("snakemake")
# All stages, but not all figures.
TARGETS = [
    "results/aggregate/checks.parquet",
    "results/tables/table4_measured_exponents.md",
    "results/figures/fig13_front_III.png",
]
ENTRY = "    log_to(snakemake.log[0])\n"


def start(checkout, config, directory, *arguments):
    """Start the workflow in a process group of its own."""
    return subprocess.Popen(
        [SNAKEMAKE, "--configfile", config, "--directory", directory, *map(str, arguments)],
        cwd=checkout.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )


def values(run):
    """All Parquet tables of a directory, by name."""
    files = sorted((run / "results").rglob("*.parquet"))
    return {path.relative_to(run).as_posix(): pq.read_table(path).to_pandas() for path in files}


def assert_same_values(directory, expected):
    """Equality of all Parquet tables of two directories, to the last bit."""
    ours, theirs = values(directory), values(expected)
    assert list(ours) == list(theirs)
    for name, table in theirs.items():
        pd.testing.assert_frame_equal(ours[name], table, check_exact=True, obj=name)


def edited_script(root, script, code):
    """A copy of the checkout in which a script first does something else."""
    copy = Checkout.create(root).one_size_per_job()
    path = copy.root / "scripts" / script
    assert ENTRY in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(ENTRY, ENTRY + code), encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of its own, with a job for each size."""
    return Checkout.create(tmp_path_factory.mktemp("checkout")).one_size_per_job()


@pytest.fixture(scope="module")
def small(checkout, tmp_path_factory):
    """A configuration of few jobs."""
    sweep = read_config("quick")["sweeps"]["phase_III"]
    config = checkout.quick_config(phase_III=sweep | {"d": [14, 20, 28, 40, 57, 80]})
    path = tmp_path_factory.mktemp("small") / "small.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(checkout, small, tmp_path_factory):
    """Directory of the small study, finished; read only."""
    directory = tmp_path_factory.mktemp("undisturbed")
    arguments = ["--configfile", small, "--directory", directory, "--cores", "2", *TARGETS]
    process = checkout.snakemake(*arguments)
    assert process.returncode == 0, process.stderr
    return directory


@pytest.fixture
def finished(undisturbed, tmp_path):
    """A copy of the finished small study."""
    return Path(shutil.copytree(undisturbed, tmp_path / "finished"))


def kill(process, with_jobs):
    """Kill Snakemake, as a crash of the machine does, or alone: then its jobs go on."""
    if with_jobs:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    process.stdout.close()


def test_killed_at_random_moments(checkout, small, undisturbed, tmp_path):
    """Killed 10 times and restarted; the moments are random in jobs done and in time."""
    rng = np.random.default_rng(6)
    arguments = ["--configfile", small, "--directory", tmp_path]
    done = 0
    for i in range(10):
        process = start(checkout, small, tmp_path, "--cores", 2, *TARGETS)
        wanted = int(rng.integers(0, 3))
        for line in process.stdout:
            finished = line.startswith("Finished jobid")
            done += finished
            wanted -= finished
            if wanted <= 0 and (finished or line.startswith("Select jobs")):
                break
        time.sleep(rng.uniform(0, 1))
        kill(process, with_jobs=i % 2 == 0)
        process = checkout.snakemake(*arguments, "--unlock")
        assert process.returncode == 0, process.stderr
    assert done > 3, "killed in the midst of the work"
    last = checkout.snakemake(*arguments, "--cores", "2", "--rerun-incomplete", *TARGETS)
    assert last.returncode == 0, last.stderr
    assert_same_values(tmp_path, undisturbed)


def test_killed_job(checkout, small, undisturbed, tmp_path):
    """A job that is killed leaves nothing, its log is named, and it can be tried again."""
    code = """
    import os
    from pathlib import Path

    job = snakemake.params.engine, snakemake.params.points[0]["d"]
    if job == ("sgd", 28) and not Path("killed").exists():
        Path("killed").touch()
        os.kill(os.getpid(), 9)
"""
    broken = edited_script(tmp_path / "checkout", "losses/runs.py", code)
    directory = tmp_path / "run"
    arguments = ["--configfile", small, "--directory", directory, "--cores", "2", *TARGETS]
    process = broken.snakemake(*arguments, "--keep-going")
    assert process.returncode != 0
    assert "results/logs/sgd/phase_III/alpha~1.0_d~28.log" in process.stderr
    made = {path.name for path in (directory / "results/losses/sgd/phase_III").iterdir()}
    assert made == {f"alpha~1.0_d~{d}.parquet" for d in (14, 20, 40, 57, 80)}
    process = broken.snakemake(*arguments)
    assert process.returncode == 0, process.stderr
    assert_same_values(directory, undisturbed)


def truncate(content):
    return content[: len(content) // 2]


def overwrite(content):
    return np.random.default_rng(0).bytes(len(content))


def change_one_byte(content):
    return content[:30] + bytes([content[30] ^ 255]) + content[31:]


# A file between two stages, what happens to it, and the file that the next stage makes of it.
DAMAGES = [
    ("grid", truncate, "aggregate/checks.parquet"),
    ("losses/sgd/phase_III/alpha~1.0_d~40", change_one_byte, "aggregate/losses.parquet"),
    ("aggregate/losses", overwrite, "aggregate/checks.parquet"),
    ("fits/phase_III/part0/isoflop", overwrite, "fits/isoflop.parquet"),
    ("fits/exponents", truncate, "tables/table4_measured_exponents.md"),
    ("fits/fronts", change_one_byte, "figures/fig13_front_III.png"),
]


@pytest.mark.parametrize(("name", "damage", "product"), DAMAGES, ids=[d[0] for d in DAMAGES])
def test_damaged_file_between_stages(checkout, small, undisturbed, finished, name, damage, product):
    file, product = f"results/{name}.parquet", f"results/{product}"
    (finished / file).write_bytes(damage((finished / file).read_bytes()))
    arguments = ["--configfile", small, "--directory", finished, "--cores", "2", product]
    process = checkout.snakemake(*arguments)
    assert process.returncode != 0
    message = rf"TableError: {re.escape(file)}: cannot be read \(.*\); delete it and run"
    assert re.search(message, process.stderr, re.DOTALL), process.stderr
    assert not (finished / product).exists(), "an old product would pass for a new one"

    # The way out leads out.
    (finished / file).unlink()
    process = checkout.snakemake(*arguments)
    assert process.returncode == 0, process.stderr
    assert (finished / product).read_bytes() == (undisturbed / product).read_bytes()


@contextmanager
def small_disk(place, kilobytes):
    """A file system of a given size."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small tmpfs")
    place.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", place]
    mount = subprocess.run(["mount", *options], capture_output=True, encoding="utf-8")
    if mount.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs: {mount.stderr}")
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def test_full_disk(checkout, small, undisturbed, tmp_path):
    arguments = ["--configfile", small, "--directory", tmp_path, "--cores", "2", *TARGETS]
    losses = tmp_path / "results" / "losses"
    with small_disk(losses, 32):
        process = checkout.snakemake(*arguments, "--keep-going")
        assert process.returncode != 0
        assert "No space left on device" in process.stderr
        failed = re.findall(r"(results/losses/\S+\.parquet) was not written", process.stderr)
        assert failed
        written = [path for path in losses.rglob("*") if path.is_file()]
        for path in written:
            name = path.relative_to(tmp_path)
            assert path.suffix == ".parquet"
            assert name.as_posix() not in failed
            theirs = pq.read_table(undisturbed / name).to_pandas()
            pd.testing.assert_frame_equal(pq.read_table(path).to_pandas(), theirs, check_exact=True)
        shutil.copytree(losses, tmp_path / "kept")
    shutil.copytree(tmp_path / "kept", losses, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "kept")
    process = checkout.snakemake(*arguments)
    assert process.returncode == 0, process.stderr
    assert_same_values(tmp_path, undisturbed)


def test_second_run_in_a_directory_is_refused(checkout, small, undisturbed, tmp_path):
    first = start(checkout, small, tmp_path, "--cores", 1, *TARGETS)
    for line in first.stdout:
        if line.startswith("Select jobs"):
            break
    second = checkout.snakemake("--configfile", small, "--directory", tmp_path, "--cores", "1")
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stderr
    assert "--unlock" in second.stderr
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output
    assert_same_values(tmp_path, undisturbed)


def test_failing_point_leaves_the_others(checkout, small, undisturbed, tmp_path):
    """With --keep-going all other losses are made; the way out makes the failed ones only."""
    code = """
    if (snakemake.params.engine, snakemake.params.points[0]["d"]) == ("sgd", 28):
        raise ArithmeticError("this point fails")
"""
    broken = edited_script(tmp_path / "checkout", "losses/runs.py", code)
    directory = tmp_path / "run"
    arguments = ["--configfile", small, "--directory", directory, "--cores", "2", *TARGETS]
    process = broken.snakemake(*arguments, "--keep-going")
    assert process.returncode != 0
    assert "ArithmeticError: this point fails" in process.stderr
    assert list(values(directory)) == [
        name
        for name in values(undisturbed)
        if "sgd/phase_III/alpha~1.0_d~28" not in name
        and ("losses/" in name or "grid" in name)
        and "aggregate" not in name
    ]
    script = "scripts/losses/runs.py"
    shutil.copy2(checkout.root / script, broken.root / script)
    process = broken.snakemake(*arguments, "--rerun-triggers", "mtime")
    assert process.returncode == 0, process.stderr
    assert re.search(r"^sgd +1$", process.stderr, re.MULTILINE)
    assert_same_values(directory, undisturbed)
