"""What the blocks of training algorithms must be: mistakes are named with key, value and rule."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from plrf.study.config import validate
from plrf.study.problems import ConfigError

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
QUICK = yaml.safe_load((ROOT / "config/quick.yaml").read_text(encoding="utf-8"))

MISTAKES = {
    "unknown sweep": (
        ("schedules", "sweeps"),
        ["constant_rate", "cosin"],
        'schedules.sweeps[1] = "cosin": must be the name of a sweep; did you mean cosine?',
    ),
    "the same sweep": (
        ("schedules", "sweeps"),
        ["constant_rate", "constant_rate"],
        'schedules.sweeps[1] = "constant_rate": ',
    ),
    "other points": (
        ("schedules", "sweeps"),
        ["constant_rate", "phase_III"],
        'schedules.sweeps[1] = "phase_III": must have the points of the first sweep',
    ),
    "the same schedule": (
        ("sweeps", "cosine", "schedule"),
        "constant",
        'schedules.sweeps[1] = "cosine": must have another schedule than sweep constant_rate',
    ),
    "momentum": (
        ("sweeps", "cosine", "momentum"),
        {"name": "nesterov", "momentum": 0.5},
        'schedules.sweeps[1] = "cosine": must be a sweep without momentum, not nesterov(momentum=',
    ),
    "no runs": (
        ("sweeps", "cosine", "engines"),
        ["volterra"],
        'schedules.sweeps[1] = "cosine": must be a sweep with volterra and one of the engines sgd',
    ),
    "no such size": (("schedules", "d"), 21, "schedules.d = 21: must be a size of sweep"),
    "too many points": (
        ("algorithms", "points"),
        [[1.0, 0.1 * k] for k in range(4)],
        "algorithms.points = ",
    ),
    "edge": (
        ("algorithms", "points"),
        [[1.0, -0.5]],
        "algorithms.points[0] = [1.0, -0.5]: no exponents on the edge",
    ),
    "unstable": (("algorithms", "c"), 1.9, "algorithms.c = 1.9: SGD diverges"),
    "repeated budget": (
        ("algorithms", "best_schedules", "flops"),
        [1e4, 1e4],
        "algorithms.best_schedules.flops[1] = 10000.0: ",
    ),
    "repeated critical budget": (
        ("algorithms", "batches", "critical_flops"),
        [1e5, 1e6, 1e5],
        "algorithms.batches.critical_flops[2] = 100000.0: ",
    ),
    "repeated variance": (
        ("algorithms", "label_noise", "variances"),
        [0.1, 0.1],
        "algorithms.label_noise.variances[1] = 0.1: ",
    ),
    "no range": (
        ("algorithms", "label_noise", "flops"),
        [1e6, 1e4],
        "algorithms.label_noise.flops[1] = 10000.0: must be greater than the lowest budget",
    ),
    "repeated point of momentum": (
        ("momentum", "points"),
        [[1.0, 0.7], [1.0, 0.7]],
        "momentum.points[1] = [1.0, 0.7]: ",
    ),
    "no exponents with momentum": (
        ("momentum", "points"),
        [[0.2, 0.1]],
        "momentum.points[0] = [0.2, 0.1]: no exponents",
    ),
    "falling budgets of momentum": (
        ("momentum", "flops"),
        [1e5, 1e4],
        "momentum.flops[1] = 10000.0: must be greater than the budget before it",
    ),
    "falling range of the plane of momentum": (
        ("momentum", "plane", "alpha"),
        {"start": 1.0, "stop": 0.5, "num": 2},
        "momentum.plane.alpha.stop = 0.5: must be greater than start",
    ),
    "runs beyond the curves": (
        ("momentum", "curves", "run_steps"),
        10**6,
        "momentum.curves.run_steps = 1000000: must be at most the steps",
    ),
    "heavy ball that forgets nothing": (("momentum", "kept"), 1.0, "momentum.kept = 1.0: "),
    "unstable without momentum": (("momentum", "c"), 1.9, "momentum.c = 1.9: SGD diverges"),
    "negative variance": (
        ("algorithms", "noise"),
        -0.1,
        "algorithms.noise = -0.1: ",
    ),
}


def edited(path, value):
    config = deepcopy(QUICK)
    block = config
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = value
    return config


@pytest.mark.parametrize(("path", "value", "start"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named(path, value, start):
    with pytest.raises(ConfigError) as error:
        validate(edited(path, value), SCHEMA)
    lines = str(error.value).splitlines()
    assert any(line.startswith(start) for line in lines), lines


def test_windows_are_needed():
    config = deepcopy(QUICK)
    del config["sweeps"]["cosine"]["windows"]
    with pytest.raises(
        ConfigError, match=r'schedules\.sweeps\[1\] = "cosine": must be a sweep with w'
    ):
        validate(config, SCHEMA)


def test_the_blocks_are_optional():
    config = deepcopy(QUICK)
    del config["algorithms"], config["schedules"], config["momentum"]
    validate(config, SCHEMA)
