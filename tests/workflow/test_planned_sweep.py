"""A sweep with a schedule through the workflow: its plan, jobs, losses and the tests of them."""

import pytest
import yaml
from conftest import Run

from plrf.training import recorded_steps

SWEEP = {
    "points": [[0.7, 0.7], [0.7, 0.4]],
    "d": [30, 60],
    "v_over_d": 4,
    "batch": 1,
    "c": 0.3,
    "noise": 0.1,
    "schedule": {"name": "cosine", "warmup": 0.1},
    "flops": 9.0e4,
    "runs": 40,
    "engines": ["sgd", "recursion", "volterra"],
}


@pytest.fixture(scope="module")
def run(checkout, tmp_path_factory):
    """Losses of the sweep, and their tests."""
    directory = tmp_path_factory.mktemp("schedules")
    config = directory / "config.yaml"
    config.write_text(yaml.safe_dump(checkout.quick_config(planned=SWEEP)), encoding="utf-8")
    options = ("--configfile", config, "--directory", directory, "--cores", "2")
    process = checkout.snakemake(*options, "results/aggregate/checks.parquet")
    assert process.returncode == 0, process.stderr
    assert "Nothing to be done" in checkout.snakemake(*options, "aggregate_losses").stderr
    return Run(directory, process)


def test_losses_are_those_of_planned_runs(run, checkout):
    losses = run.table("aggregate/losses")
    assert set(losses["schedule"]) == {"cosine(warmup=0.1)"} == set(run.table("grid")["schedule"])
    assert set(losses["status"]) == {"ok"} and losses["loss"].gt(0).all()
    per_decade = checkout.quick_config()["steps_per_decade"]
    for (d, _), curves in losses.groupby(["d", "engine"]):
        expected = recorded_steps(9 * 10**4 // d, per_decade)
        for _, curve in curves.groupby(["beta", "run"]):
            assert curve["step"].tolist() == expected.tolist()
            assert curve["flops"].tolist() == (d * expected).tolist()


def test_engines_agree(run):
    """The workflow's own tests of the results, and at budgets that no test looks at.

    There the mean over W is Volterra's within its bias of 3/d and 5 standard errors (fixed seed).
    """
    checks = run.table("aggregate/checks").set_index("check")
    assert checks["passed"].all()
    for name in ("sgd agrees with recursion", "recursion agrees with volterra"):
        assert "mean ratio" in checks.loc[f"{name}: planned", "detail"]
    losses = run.table("aggregate/losses").query("step > 0")
    budget = ["d", "beta", "step"]
    exact = losses.query("engine == 'volterra'").set_index(budget)["loss"]
    of_runs = losses.query("engine == 'recursion'").groupby(budget)["loss"].agg(["mean", "sem"])
    allowed = 3 / of_runs.index.get_level_values("d") * exact + 5 * of_runs["sem"]
    assert ((of_runs["mean"] - exact).abs() < allowed).all()
    assert len(exact) > 100 and (allowed / exact).max() < 0.5
