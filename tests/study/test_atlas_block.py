"""What the block of the atlas must be: mistakes are named with key, value and rule."""

from copy import deepcopy

import pytest

from plrf.study.config import validate
from plrf.study.problems import ConfigError
from tests.study.test_algorithm_blocks import QUICK, SCHEMA, edited

MISTAKES = {
    "edge": (("points",), [[0.7, -0.2]], "atlas.points[0] = [0.7, -0.2]: no exponents"),
    "no power law": (
        ("hyperparameters", "points"),
        [[0.2, 0.1]],
        "atlas.hyperparameters.points[0] = [0.2, 0.1]: no exponents",
    ),
    "repeated point": (
        ("points",),
        [[0.7, 0.7], [0.7, 0.7]],
        "atlas.points[1] = [0.7, 0.7]: ",
    ),
    "no range": (
        ("flops",),
        [1e8, 1e4],
        "atlas.flops[1] = 10000.0: must be greater than the budget before it",
    ),
    "no window": (
        ("measured", "window"),
        [1e6, 1e6],
        "atlas.measured.window[1] = 1000000.0: must be greater",
    ),
    "narrow range": (
        ("flops",),
        [1e4, 9e5],
        "atlas.flops[1] = 900000.0: must be at least 100 times the lowest budget, 10000.0",
    ),
    "narrow window": (
        ("measured", "window"),
        [1e8, 1.01e8],
        "atlas.measured.window[1] = 101000000.0: must be at least 10 times",
    ),
    "falling budgets": (
        ("hyperparameters", "flops"),
        [1e6, 1e5],
        "atlas.hyperparameters.flops[1] = 100000.0: must be greater",
    ),
    "even number of budgets": (("budgets",), 10, "atlas.budgets = 10: must be odd"),
    "repeated batch": (
        ("hyperparameters", "batch"),
        [1, 4, 4],
        "atlas.hyperparameters.batch[2] = 4: ",
    ),
    "too few sizes": (("measured", "sizes"), [4], "atlas.measured.sizes[0] = 4: "),
    "falling plane": (
        ("critical", "beta"),
        {"start": 1.0, "stop": 0.5, "num": 2},
        "atlas.critical.beta.stop = 0.5: must be greater than start",
    ),
    "plane without a power law": (
        ("plane", "alpha"),
        {"start": 0.1, "stop": 0.2, "num": 2},
        "atlas.plane.beta.stop = 0.2: no power law in the whole plane",
    ),
    "unstable": (("c",), 1.95, "atlas.c = 1.95: SGD diverges"),
    "no tolerance": (("tolerance",), 0, "atlas.tolerance = 0: must be greater than 0"),
    "unknown key": (("flop",), [1e4, 1e8], "atlas.flop: unknown key; did you mean flops?"),
}


@pytest.mark.parametrize(("path", "value", "start"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named(path, value, start):
    config = edited(("atlas", *path), value)
    if path == ("plane", "alpha"):
        config["atlas"]["plane"]["beta"] = {"start": 0.1, "stop": 0.2, "num": 2}
    with pytest.raises(ConfigError) as error:
        validate(config, SCHEMA)
    lines = str(error.value).splitlines()
    assert any(line.startswith(start) for line in lines), lines


@pytest.mark.parametrize("name", ["plane", "measured"])
def test_rates_are_stable_on_both_planes(name):
    """The threshold of c at d = 12 is 0.75 at alpha = 1.2 and 0.69 at alpha = 1.4."""
    config = edited(("atlas", "c"), 0.72)
    validate(config, SCHEMA)
    config["atlas"][name]["alpha"]["stop"] = 1.4
    with pytest.raises(ConfigError, match=r"atlas.c = 0.72: SGD diverges, .* at alpha = 1.4"):
        validate(config, SCHEMA)


def test_the_block_is_optional():
    config = deepcopy(QUICK)
    del config["atlas"]
    validate(config, SCHEMA)
