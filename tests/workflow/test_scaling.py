"""Thousands of points: few jobs, small tables in memory, requests that grow with the work."""

import re
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from plrf.engines.registry import ENGINES
from plrf.study import store
from plrf.study.grid import expand
from plrf.study.provenance import provenance
from plrf.study.schemas import losses as losses_schema
from scripts.losses import aggregate_losses
from scripts.maintain import compare_resources

ROOT = Path(__file__).resolve().parents[2]
SWEEP = {
    "v_over_d": 4,
    "batch": 1,
    "c": 0.5,
    "noise": 0,
    "schedule": "constant",
    "momentum": "none",
    "flops": 1.0e8,
    "runs": 10,
    "engines": ["sgd", "recursion", "volterra"],
}


def write_config(checkout, sweep, directory):
    """A configuration with one sweep of interest."""
    path = directory / "config.yaml"
    path.write_text(yaml.safe_dump(checkout.quick_config(plane=SWEEP | sweep)), encoding="utf-8")
    return path


def test_5000_points_are_a_few_hundred_jobs(checkout, tmp_path):
    alphas = [round(float(a), 4) for a in np.linspace(0.55, 1.5, 50)]
    betas = [round(float(b), 4) for b in np.linspace(0, 2, 100)]
    sizes = [100, 141, 200, 283, 400, 566, 800, 1131, 1600, 2263, 3200, 4525]
    sweep = {"product": {"alpha": alphas, "beta": betas}, "d": sizes}
    config = write_config(checkout, sweep, tmp_path)
    start = time.monotonic()
    process = checkout.snakemake("--configfile", config, "--directory", tmp_path, "--dry-run")
    assert process.returncode == 0, process.stderr
    assert time.monotonic() - start < 60  # it takes some 12 on an idle core
    # Two alphas to a job.
    for engine in ("sgd", "recursion", "volterra"):
        jobs = process.stdout.count(f": Computing losses of plane by {engine}: ")
        assert jobs == 25 * len(sizes), "none is small"
    assert int(re.search(r"^total +(\d+)$", process.stdout, re.MULTILINE)[1]) < 1000


def small_sweep(n_alphas):
    """A sweep of tiny work, with alphas that do not stand in order."""
    alphas = [round(0.6 + 0.9 * (7 * i % n_alphas) / n_alphas, 6) for i in range(n_alphas)]
    points = [[alpha, 0.5] for alpha in alphas]
    return {"points": points, "d": [5], "flops": 100.0, "runs": 2, "engines": ["sgd", "volterra"]}


def test_values_do_not_depend_on_what_shares_a_job(checkout, tmp_path):
    """A point alone, and among 32 others of which one shares its job: the same bits."""
    found = []
    for name, n_alphas, n_jobs in (("alone", 1, 1), ("among", 33, 17)):
        directory = tmp_path / name
        directory.mkdir()
        config = write_config(checkout, small_sweep(n_alphas), directory)
        process = checkout.snakemake(
            *("--configfile", config, "--directory", directory, "--cores", "2"),
            "aggregate_losses",
        )
        assert process.returncode == 0, process.stderr
        path = directory / "results" / "aggregate" / "losses.parquet"
        keep = [("sweep", "=", "plane"), ("alpha", "=", 0.6)]
        losses = store.read_table(path, losses_schema.LOSSES, keep)
        found.append(losses.sort_values(["engine", "d", "run", "step"], ignore_index=True))
        assert len(list(directory.rglob("losses/sgd/plane/*.parquet"))) == n_jobs
    assert len(found[0]) > 50
    pd.testing.assert_frame_equal(*found, check_exact=True)


def losses(n_rows):
    """Some losses, as a simulation writes them."""
    rng = np.random.default_rng(0)
    values = {field.name: rng.integers(100, size=n_rows) for field in losses_schema.LOSSES}
    texts = {"sweep": "plane", "spectrum": "", "schedule": "constant", "momentum": "none"}
    texts |= {"engine": "sgd", "status": "ok"}
    return pd.DataFrame(values | {"loss": rng.random(n_rows)} | texts)


@pytest.fixture
def memory_pool():
    """Counts what pyarrow allocates during a test."""
    before = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(before)
    pa.set_memory_pool(pool)
    yield pool
    pa.set_memory_pool(before)


def test_memory_of_the_aggregation_does_not_grow(tmp_path, memory_pool):
    rows, n_files = 50_000, 40
    files = [tmp_path / f"{i}.parquet" for i in range(n_files)]
    store.write_table(losses(rows), losses_schema.LOSSES, files[0], provenance({}))
    for file in files[1:]:
        file.hardlink_to(files[0])
    one_file = store.read_table(files[0], losses_schema.LOSSES).memory_usage().sum()
    before = memory_pool.bytes_allocated()
    aggregate_losses.aggregate(map(str, files), {"seed": 1}, tmp_path / "all.parquet")
    assert memory_pool.max_memory() - before < 5 * one_file
    assert pq.read_metadata(tmp_path / "all.parquet").num_rows == n_files * rows


def test_requests_exceed_what_jobs_used(quick):
    jobs = compare_resources.read_benchmarks(quick.directory / "results" / "benchmarks")
    assert {"sgd", "volterra", "aggregate_losses"} <= set(jobs["rule"])
    assert jobs.loc[jobs["rule"] == "sgd", "d"].notna().all()
    assert compare_resources.exceeded(jobs).empty
    assert len(compare_resources.exceeded(jobs.assign(time_asked=0))) == len(jobs)
    # A job of a fraction of a second may end before Snakemake looks at its memory.
    measured = jobs[jobs["memory"] > 1]
    assert "sgd" in set(measured["rule"])
    assert len(compare_resources.exceeded(measured.assign(memory_asked=1))) == len(measured)
    table = compare_resources.comparison(jobs).splitlines()
    assert len(table) == 2 + len(jobs.drop_duplicates(["rule", "d"]))


def requests(sweep):
    """What the functions of resources.smk answer for the simulations of a sweep, by size."""
    config = {"steps_per_decade": 24, "sweeps": {"plane": sweep}}
    grid = expand(config)
    scope = {
        "config": config,
        "job_rows": lambda engine, wildcards: grid[
            (grid["engine"] == engine.name) & (grid["d"] == int(wildcards.sizes))
        ],
    }
    exec((ROOT / "workflow" / "rules" / "resources.smk").read_text(encoding="utf-8"), scope)
    return {
        (d, attempt): [
            scope[name](ENGINES["sgd"], SimpleNamespace(sizes=str(d)), attempt)
            for name in ("job_memory", "job_runtime")
        ]
        for d in sweep["d"]
        for attempt in (1, 2, 3)
    }


def test_requests_grow_with_the_work_and_the_attempt():
    few = requests(SWEEP | {"points": [[0.7, 0.7]], "d": [10, 6400]})
    many = requests(SWEEP | {"points": [[0.7, 0.7], [0.7, 0.8], [0.9, 0.7]], "d": [10, 6400]})
    assert all(type(value) is int for values in few.values() for value in values)
    # The matrices of the reduction, and ten reductions at 1e11 operations a second at best.
    assert few[6400, 1][0] - few[10, 1][0] > 2 * 8 * 6400**2 / 1e6
    assert few[6400, 1][1] - few[10, 1][1] > 10 * 25600 * 6400**2 / 1e11 / 60
    for place, values in few.items():
        assert values[0] >= 1000 * place[1], "the two Snakemakes of a scheduler's job"
        assert np.all(np.array(many[place]) > values)
    for d in (10, 6400):
        assert np.all(np.diff([few[d, attempt] for attempt in (1, 2, 3)], axis=0) > 0)


def test_profile_for_slurm_repeats_the_default_one():
    """An explicit profile replaces the default one, which Snakemake finds by itself."""
    default, slurm = (
        yaml.safe_load(
            (ROOT / "workflow/profiles" / name / "profile.yaml").read_text(encoding="utf-8")
        )
        for name in ("default", "slurm")
    )
    assert default | slurm == slurm
    assert slurm["executor"] == "slurm"
    assert not default.keys() & {"cores", "jobs", "executor", "configfile", "directory"}
