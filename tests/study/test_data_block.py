"""What the block of real data must be: mistakes are named with key, value and rule."""

from copy import deepcopy
from pathlib import Path

import pandas as pd
import pytest
import yaml

from plrf.study.config import validate
from plrf.study.problems import ConfigError

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
QUICK = yaml.safe_load((ROOT / "config/quick.yaml").read_text(encoding="utf-8"))

FILES = {"mine": {"samples": "missing/*.parquet", "target": "y"}}
MISTAKES = {
    "more parameters than features": (
        ("training", "sizes", "digits"),
        [6, 62],
        "data.training.sizes.digits[1] = 62: must be at most 61",
    ),
    "repeated size": (
        ("training", "sizes", "patches"),
        [30, 30],
        "data.training.sizes.patches[1] = 30: ",
    ),
    "unknown set of sizes": (
        ("training", "sizes", "digit"),
        [6],
        "data.training.sizes.digit: must be the name of a data set or of files; did",
    ),
    "repeated rate": (("training", "c"), [0.1, 0.1], "data.training.c[1] = 0.1: must be unique"),
    "unstable": (("training", "c"), [2.0], "data.training.c[0] = 2.0: must be less than 2"),
    "one run has no error": (("training", "runs"), 1, "data.training.runs = 1: must be at least 2"),
    "unknown set": (
        ("sets",),
        ["digit"],
        'data.sets[0] = "digit": must be the name of a data set or of files; did you mean digits?',
    ),
    "repeated set": (("sets",), ["digits", "digits"], 'data.sets[1] = "digits": must be unique'),
    "empty window": (
        ("windows",),
        [[0.5, 0.5]],
        "data.windows[0][1] = 0.5: must be greater than the lowest rank, 0.5",
    ),
    "few resamples": (("resamples",), 2, "data.resamples = 2: must be at least 10"),
    "no such file": (
        ("files",),
        FILES,
        'data.files.mine.samples = "missing/*.parquet": missing/*.parquet: there is no such file',
    ),
    "name of files": (("files",), {"1/2": FILES["mine"]}, "data.files"),
}


@pytest.mark.parametrize(("keys", "value", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_refused(keys, value, message):
    config = deepcopy(QUICK)
    block = config["data"]
    for key in keys[:-1]:
        block = block[key]
    block[keys[-1]] = value
    with pytest.raises(ConfigError) as refused:
        validate(config, SCHEMA)
    assert message in str(refused.value)


@pytest.fixture
def with_file(tmp_path):
    """A configuration with a user's file, whose columns are a to f and y."""
    path = tmp_path / "my.parquet"
    columns = {name: [float(k)] for k, name in enumerate("abcdef")}
    pd.DataFrame(columns | {"y": [0.5]}).to_parquet(path)
    config = deepcopy(QUICK)
    config["data"]["files"] = {"mine": {"samples": str(path), "target": "y"}}
    config["data"]["sets"] = ["digits", "mine"]
    return config


def test_own_files_are_a_set(with_file):
    validate(with_file, SCHEMA)


def test_missing_target_is_named(with_file):
    with_file["data"]["files"]["mine"]["target"] = "z"
    message = r"data\.files\.mine\.samples = .*: .*no column z, there are: a, b, c, d, e, f, y"
    with pytest.raises(ConfigError, match=message):
        validate(with_file, SCHEMA)


def test_names_of_our_sets_are_taken(with_file):
    files = with_file["data"]["files"]
    files["digits"] = files["mine"]
    with pytest.raises(ConfigError, match=r"data\.files\.digits = .*: must be another name"):
        validate(with_file, SCHEMA)


def test_too_few_features_and_sizes_beyond_them_are_refused(with_file, tmp_path):
    block = with_file["data"]
    block["training"]["sizes"]["mine"] = [3, 7]
    message = r"data\.training\.sizes\.mine\[1\] = 7: must be at most 6, the features of mine"
    with pytest.raises(ConfigError, match=message):
        validate(with_file, SCHEMA)
    pd.DataFrame({"a": [1.0], "y": [0.5]}).to_parquet(tmp_path / "my.parquet")
    with pytest.raises(ConfigError, match=r"data\.files\.mine\.samples = .*at least 5 features"):
        validate(with_file, SCHEMA)


def test_a_spectrum_that_the_configuration_makes_is_no_task_of_a_sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results" / "data" / "digits" / "spectrum.parquet"
    path.parent.mkdir(parents=True)
    pd.DataFrame({"eigenvalue": [2.0, 1.0], "target": [1.0, 1.0]}).to_parquet(path)
    config = deepcopy(QUICK)
    sweep = {"spectrum": str(path), "d": [1], "flops": 1e4, "engines": ["volterra"], "c": 0.1}
    config["sweeps"]["mine"] = sweep
    with pytest.raises(ConfigError, match=r"sweeps\.mine\.spectrum = .*: must be a copy elsewhere"):
        validate(config, SCHEMA)
