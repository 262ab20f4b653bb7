"""Sweeps with momentum through the workflow: jobs, losses, fits, tests of the results, tables."""

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import Run

from plrf.exact.front import compute_optimal
from plrf.exact.loss import expected_loss

RULE = {"name": "dana_constant", "c3": 0.1}
TEXT = "dana_constant(c3=0.1)"
SWEEP = {
    "points": [[0.7, 0.7], [0.7, 0.4]],
    "d": [24, 40, 60],
    "v_over_d": 4,
    "batch": 2,
    "c": 0.2,
    "flops": 1.5e5,
    "runs": 20,
    "engines": ["sgd", "recursion", "volterra"],
}
LARGE = {"d": [500], "flops": 1.1e6, "momentum": "nesterov"}
LARGE |= {"engines": ["sgd_averaged", "volterra"]}
SIZES = {"points": [[0.7, 0.7]], "d": [10, 14, 20, 28, 40, 57, 80], "engines": ["volterra"]}
FRONT = {"flops": 1.0e5, "windows": [[2.5e3, 1.0e4]], "front": "front_with_momentum"}


@pytest.fixture(scope="module")
def run(checkout, tmp_path_factory):
    """The same sweep with and without momentum, and a front with it."""
    directory = tmp_path_factory.mktemp("momentum")
    common = {key: SWEEP[key] for key in ("v_over_d", "batch", "c")}
    sweeps = {
        "dana": SWEEP | {"momentum": RULE},
        "unused": SWEEP | {"momentum": {"name": "dana_constant", "c3": 0.0}},
        "plain": SWEEP,
        "large": SWEEP | LARGE,
        "front": common | SIZES | FRONT | {"momentum": RULE},
    }
    config = directory / "config.yaml"
    config.write_text(yaml.safe_dump(checkout.quick_config(**sweeps)), encoding="utf-8")
    options = ("--configfile", config, "--directory", directory, "--cores", "2")
    process = checkout.snakemake(*options)
    assert process.returncode == 0, process.stderr
    assert "Nothing to be done" in checkout.snakemake(*options, "aggregate_losses").stderr
    return Run(directory, process)


def test_rows_say_the_rule(run):
    for table in ("grid", "aggregate/losses"):
        rows = run.table(table).groupby("sweep")["momentum"].unique().explode()
        expected = {"dana": TEXT, "front": TEXT, "plain": "none", "large": "nesterov"}
        assert rows.to_dict() == expected | {"unused": "dana_constant(c3=0)"}
    for table in ("exponents", "fronts", "isoflop"):
        assert set(run.table(f"fits/{table}")["momentum"]) == {TEXT}


def test_what_is_remembered_changes_no_random_number(run):
    """Where it is not used, W and samples are those of plain SGD."""
    losses = run.table("aggregate/losses").query("engine == 'sgd'")
    curve = ["alpha", "beta", "d", "run", "step"]
    sampled = {
        name: rows.set_index(curve)["loss"].sort_index() for name, rows in losses.groupby("sweep")
    }
    pd.testing.assert_series_equal(sampled["unused"], sampled["plain"], rtol=1e-10)
    assert (sampled["dana"] != sampled["plain"]).any()


def test_volterra_follows_the_rule_of_each_point(run):
    """Its default delta depends on beta."""
    losses = run.table("aggregate/losses").query("sweep == 'dana' and engine == 'volterra'")
    for _, rows in losses.groupby(["beta", "d"]):
        point = rows[["alpha", "beta", "d", "v", "batch", "learning_rate"]].iloc[0].to_dict()
        point |= {key: int(point[key]) for key in ("d", "v", "batch")}
        exact = expected_loss(rows["step"].to_numpy(), **point, momentum=RULE)
        assert rows["loss"].to_numpy() == pytest.approx(exact.loss, rel=1e-8)
        assert set(rows["status"]) == {"ok"}


def test_engines_agree(run):
    """The workflow's own tests of the results; and at all steps the mean over W is Volterra's.

    Within its bias of 3/d and 5 standard errors (fixed seed).
    """
    checks = run.table("aggregate/checks").set_index("check")
    assert checks["passed"].all()
    pairs = ("sgd", "recursion", "dana"), ("recursion", "volterra", "dana")
    for first, second, sweep in (*pairs, ("sgd_averaged", "volterra", "large")):
        name = f"{first} agrees with {second}: {sweep}"
        assert "mean ratio" in checks.loc[name, "detail"]
    losses = run.table("aggregate/losses").query("sweep == 'dana' and step > 0")
    budget = ["d", "beta", "step"]
    exact = losses.query("engine == 'volterra'").set_index(budget)["loss"]
    of_runs = losses.query("engine == 'recursion'").groupby(budget)["loss"].agg(["mean", "sem"])
    allowed = 3 / of_runs.index.get_level_values("d") * exact + 5 * of_runs["sem"]
    assert ((of_runs["mean"] - exact).abs() < allowed).all()


def test_exponents_are_those_of_the_exact_front(run):
    """There is no theory; parabolas are some hundredths from it."""
    fits = run.table("fits/exponents")
    assert fits["theory"].isna().all()
    front = compute_optimal([2.5e3, 1.0e4], alpha=0.7, beta=0.7, c=0.2, batch=2, momentum=RULE)
    slopes = (np.log(x[1] / x[0]) / np.log(4) for x in (1 / front.loss, front.d))
    for quantity, slope in zip(("eta", "xi"), slopes, strict=True):
        found = fits[fits["quantity"] == quantity].set_index("method")["estimate"]
        assert found["approach0"] == pytest.approx(slope, abs=1e-2)
        assert found["approach2"] == pytest.approx(slope, abs=0.05)
    text = (run.directory / "results/tables/table4_measured_exponents.md").read_text(
        encoding="utf-8"
    )
    assert f"(front, {TEXT})" in text
    assert (run.directory / "results/figures/front_with_momentum.pdf").exists()
