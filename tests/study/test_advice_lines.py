"""Lines of advice on a configuration, and where there are none."""

import pytest
import yaml
from conftest import read_config

from plrf.study.advice import MOST_LINES, advice, brief
from scripts.maintain import advise

FITS = {"isoflop_budgets": 9, "parabola_neighbours": 2}
SWEEP = {
    "points": [[0.7, 0.7]],
    "d": [20, 28, 40, 57, 80, 113, 160, 226, 320, 453, 640],
    "flops": 5e4,
    "engines": ["volterra"],
    "windows": [[3e3, 5e4]],
    "v_over_d": 4,
    "batch": 1,
    "c": 0.5,
    "noise": 0,
    "schedule": "constant",
    "momentum": "none",
}
LARGE = {
    "d": [100, 141, 200, 283, 400, 566, 800, 1131, 1600, 2263, 3200],
    "flops": 1e6,
    "windows": [[1e5, 1e6]],
}


def lines(**changes):
    sweep = {key: value for key, value in (SWEEP | changes).items() if value is not None}
    return list(advice({"fits": FITS, "sweeps": {"mine": sweep}}))


def test_the_default_configuration_has_what_it_needs():
    assert list(advice(read_config("config"))) == []


def test_a_configuration_without_sweeps_needs_none():
    config = {"fits": FITS, "sweeps": {}}
    assert list(advise.pages(config, 0.01)) == ["# no advice: the configuration has no sweeps"]


def test_a_window_that_starts_below_the_sizes():
    """Large batches make few steps, for which the best sizes are small."""
    assert lines(batch=12) == [
        "sweeps.mine, window 3e+03 to 5e+04 at (0.7, 0.7): the best size at 3e+03 is 17, the "
        "smallest is 20: 4 of 9 budgets will be dropped; add sizes from 10 on (10, 14) or start "
        "at 1.2e+04."
    ]


def test_following_the_advice_silences_it():
    assert lines(batch=12, d=[10, 14, *SWEEP["d"]]) == []
    assert lines(batch=12, windows=[[1.2e4, 5e4]]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"v_over_d": 1},
        {"batch": 12, "schedule": "cosine"},
        {"batch": 12, "momentum": "heavy_ball"},
        {"windows": None},
        {"points": [[0.7, -0.2]], "windows": [[1.0, 2.0]]},
    ],
)
def test_silence(changes):
    assert lines(**changes) == []


def test_odd_sweeps_are_spoken_of_too():
    for changes in (
        {"d": [1], "v_over_d": 100000, "c": 1e-9, "batch": 10**6},
        {"d": [20], "v_over_d": 1.01},
        {"flops": 1e18, "windows": [[1e-3, 1e18]], "d": [10**10]},
    ):
        assert all("budgets will be dropped; " in line for line in lines(**changes))


def test_sizes_of_sgd_are_advised_on_apart():
    runs = {"runs": 4, "largest_sampled_d": 800, **LARGE}
    (line,) = lines(engines=["sgd", "volterra"], **runs)
    assert "window 1e+05 to 1e+06 of sgd at" in line
    assert "the largest up to largest_sampled_d is 800" in line
    assert "raise largest_sampled_d to 2263 (or add sgd_averaged to engines)" in line
    assert lines(engines=["sgd", "sgd_averaged", "volterra"], **runs) == []
    assert lines(engines=["sgd", "volterra"], **runs | {"largest_sampled_d": 2263}) == []


def test_runs_that_end_too_soon():
    runs = {"runs": 4, "engines": ["sgd"], **LARGE}
    (line,) = lines(around_optimum=3, **runs)
    assert "runs of sizes next to the best end, by around_optimum = 3" in line
    factor = float(line.split("raise around_optimum to ")[1].rstrip(".").split()[0])
    assert lines(around_optimum=factor, **runs) == []


def test_points_of_a_sweep_share_a_line():
    betas = [round(0.3 + 0.02 * i, 2) for i in range(40)]
    (line,) = lines(points=None, product={"alpha": [0.7], "beta": betas}, windows=[[1e3, 5e4]])
    assert ", the worst of " in line and " of 9 points out of 40: " in line
    assert lines(points=[[0.7, -0.2], [0.75, 0.25]], windows=[[2e3, 5e4]])[0].count("worst") == 0


def test_only_the_first_lines_are_told_with_a_plan():
    assert brief(["a"] * MOST_LINES) == ["a"] * MOST_LINES
    told = brief(["a"] * (MOST_LINES + 3))
    assert told[-1] == "3 more windows lack sizes: `make advice` lists all."


def test_a_dry_run_warns(checkout, tmp_path):
    keys = ("points", "d", "flops", "engines", "windows", "v_over_d", "c")
    sweep = {key: SWEEP[key] for key in keys} | {"batch": 12}
    config = tmp_path / "my.yaml"
    config.write_text(yaml.safe_dump({"seed": 1, "sweeps": {"mine": sweep}}), encoding="utf-8")
    call = ["--configfile", config, "--directory", tmp_path, "--dry-run"]
    process = checkout.snakemake(*call)
    assert process.returncode == 0
    assert process.stderr.count("Advice: sweeps.mine, window 3e+03 to 5e+04 at (0.7, 0.7): ") == 1
    assert "Advice" not in process.stdout
    assert "Advice" not in checkout.snakemake(*call, "--quiet", "all").stderr
