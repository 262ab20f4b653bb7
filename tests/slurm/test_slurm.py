"""The workflow on a real Slurm cluster of one node, with its own profile, also under faults.

Two runs share the cluster: the quick workflow undisturbed, and a small study in which each job of
SGD meets another fault. Both must end with the values of a run on this machine alone.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import Checkout, read_config

from tests.slurm.cluster import one_node_cluster

pytestmark = pytest.mark.slurm

# What a node of the real world has no need of: the first status checks after a second.
IMPATIENT = ["--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks"]
IMPATIENT += ["2"]
ENOUGH = 1800  # seconds, on a busy machine

# The faults, by the size d of the job that meets them. A file holds the Slurm ids of its attempts.
FAULTS = """
    import os
    import signal
    import time
    from pathlib import Path

    d = snakemake.params.points[0]["d"] if snakemake.params.engine == "sgd" else None
    attempts = Path(f"attempts_{d}")
    first_attempt = not attempts.exists()
    with attempts.open("a") as file:
        print(os.environ["SLURM_JOB_ID"], file=file)
    if d == 14 and first_attempt:
        time.sleep(3600)  # to its time limit
    if d == 20:
        memory = b"x" * (900 * 2**20)  # over the memory limit of the first attempt
        time.sleep(60 if first_attempt else 0)  # the controller, which may be away, has to kill it
    if d == 28 and first_attempt:
        time.sleep(3600)  # until it is cancelled
    if d == 40 and first_attempt:
        os.kill(os.getpid(), signal.SIGKILL)
"""
SIZES = [14, 20, 28, 40, 57]


def snakemake(checkout, config, directory, *arguments):
    """Start the workflow with the profile for Slurm."""
    profile = checkout.root / "workflow" / "profiles" / "slurm"
    return subprocess.Popen(
        [
            *(Path(sys.executable).with_name("snakemake"), "--workflow-profile", profile),
            *("--configfile", config, "--directory", directory, *IMPATIENT, *arguments),
        ],
        cwd=checkout.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def finish(process):
    """Output of a run, which must succeed."""
    try:
        text, _ = process.communicate(timeout=ENOUGH)
    finally:
        process.kill()
    assert process.returncode == 0, text
    return text


def wait_for(condition, processes):
    """Wait until a condition holds, while processes run, and return its value."""
    end = time.monotonic() + ENOUGH
    while not (value := condition()):
        assert time.monotonic() < end
        assert all(process.poll() is None for process in processes)
        time.sleep(0.2)
    return value


@pytest.fixture(scope="module")
def cluster():
    with one_node_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def small_study(checkout, tmp_path_factory):
    """Configuration of the disturbed run: the quick one with few sizes."""
    sweep = read_config("quick")["sweeps"]["phase_III"]
    config = checkout.quick_config(phase_III=sweep | {"d": SIZES})
    path = tmp_path_factory.mktemp("small") / "config.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def runs(cluster, checkout, small_study, tmp_path_factory):
    """Directories and outputs of the undisturbed and the disturbed run; the cluster's jobs."""
    disturbed = Checkout.create(tmp_path_factory.mktemp("disturbed_checkout")).one_size_per_job()
    script = disturbed.root / "scripts" / "losses" / "runs.py"
    entry = "    log_to(snakemake.log[0])\n"
    assert entry in script.read_text(encoding="utf-8")
    script.write_text(
        script.read_text(encoding="utf-8").replace(entry, entry + FAULTS), encoding="utf-8"
    )

    directories = [tmp_path_factory.mktemp(name) for name in ("undisturbed", "disturbed")]
    limits = ["sgd:mem_mb=800*attempt", "sgd:runtime=attempt"]
    processes = [
        snakemake(checkout, checkout.quick, directories[0]),
        snakemake(
            *(disturbed, small_study, directories[1], "aggregate_losses"),
            *("--set-resources", *limits),
        ),
    ]
    with ThreadPoolExecutor() as executor:
        texts = [executor.submit(finish, process) for process in processes]
        [victim] = wait_for(lambda: attempts(directories[1], d=28), processes)
        subprocess.run(["scancel", victim], check=True)
        cluster.stop("slurmctld")
        time.sleep(8)
        cluster.start_controller()
        texts = [text.result() for text in texts]
    jobs = pd.DataFrame(cluster.jobs("%i %T %m %l"), columns=["id", "state", "memory", "time"])
    return directories, texts, jobs.set_index("id")


def attempts(directory, d):
    """Ids of the Slurm jobs that tried the simulation of a size, in order."""
    file = directory / f"attempts_{d}"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def assert_same_tables(directory, expected):
    """Equality of the values of all Parquet files, to the last bit."""
    files = sorted(path.relative_to(expected) for path in expected.rglob("results/**/*.parquet"))
    assert files
    assert (
        sorted(p.relative_to(directory) for p in directory.rglob("results/**/*.parquet")) == files
    )
    for file in files:
        ours, theirs = (pq.read_table(root / file).to_pandas() for root in (directory, expected))
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_quick_workflow_gives_the_values_of_a_local_run(runs, quick):
    [directory, _], _, _ = runs
    assert_same_tables(directory, quick.directory)


def test_short_jobs_share_submissions(runs):
    [text, _] = runs[1]
    assert text.count("Finished jobid") > 10 + text.count("has been submitted with SLURM jobid")


def test_disturbed_run_gives_the_values_of_a_local_run(runs, small_study, tmp_path):
    [_, directory], _, _ = runs
    process = (
        Checkout.create(tmp_path / "checkout")
        .one_size_per_job()
        .snakemake(
            *("--configfile", small_study, "--directory", tmp_path / "run", "--cores", "2"),
            "aggregate_losses",
        )
    )
    assert process.returncode == 0, process.stderr
    assert_same_tables(directory, tmp_path / "run")


@pytest.mark.parametrize(
    ("d", "state", "memory", "time"),
    [
        (14, "TIMEOUT", ["800M", "1600M"], ["1:00", "2:00"]),
        (20, "FAILED", ["800M", "1600M"], ["1:00", "2:00"]),
        (28, "CANCELLED", ["800M", "1600M"], ["1:00", "2:00"]),
        (40, "FAILED", ["800M", "1600M"], ["1:00", "2:00"]),
    ],
    ids=["over its time", "over its memory", "cancelled", "killed"],
)
def test_job_is_tried_again_with_more(runs, d, state, memory, time):
    [_, directory], _, jobs = runs
    tried = jobs.loc[attempts(directory, d)]
    assert tried["state"].tolist() == [state, "COMPLETED"]
    assert tried["memory"].tolist() == memory
    assert tried["time"].tolist() == time


def test_job_without_a_fault_runs_once(runs):
    [_, directory], _, _ = runs
    assert len(attempts(directory, 57)) == 1
