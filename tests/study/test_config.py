"""From config to grid: what is accepted, what is refused and with which words."""

import copy
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from plrf.engines.registry import ENGINES
from plrf.exact import momentum as with_momentum
from plrf.exact.front import compute_optimal
from plrf.exact.ridge import kernel_mass
from plrf.model import power_law_model
from plrf.momentum import momentum_of
from plrf.study import catalogue
from plrf.study.config import complete, validate
from plrf.study.grid import expand, job_seconds
from plrf.study.problems import ConfigError
from plrf.study.schema import RULES, TYPE_NAMES
from plrf.study.schemas import grid as grid_schema
from plrf.training import SGD, recorded_steps

ROOT = Path(__file__).parents[2]


def read_yaml(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


CONFIG_SCHEMA = read_yaml("workflow/schemas/config.schema.yaml")

VALID = """
seed: 1
steps_per_decade: 10
fits: {envelope_budgets: 11, isoflop_budgets: 5, parabola_neighbours: 2, resamples: 100}
toy_scaling: {sweep: toy, budget: 1.0e+4}
plane:
  alpha: {start: 0.2, stop: 1.0, num: 5}
  beta: {start: 0.0, stop: 2.0, num: 3}
  flops: 1.0e+6
  v_over_d: 4
  batch: 1
  c: 0.5
traverse: line
phase_points:
  Ia: [0.75, 0.25]
  Ib: [0.45, 0.33]
  Ic: [0.2, 0.7]
  II: [1.25, 0.75]
  III: [1.0, 2.0]
  IVa: [0.4, 1.0]
  IVb: [0.27, 0.8]
negative_beta: {sweep: edge, d: [10]}
spectra:
  points: [[0.7, 0.4], [1.0, 2.0]]
  contour: [1.0, 2.0]
  d: 40
  v_over_d: 4
  samples: 5
  c: 0.5
finite_size:
  v_over_d: 4
  batch: 1
  c: 0.5
  ratio: {point: [0.7, 1.2], d: [10, 20], steps: 1.0e+4}
  traverse: {alpha: 0.7, beta: [0.1, 0.8], flops: [1.0e+6]}
  fronts: {points: [[0.4, 0.8], [1.0, 2.0]], flops: [1.0e+4, 1.0e+8]}
explorer:
  alpha: [0.3, 0.7]
  beta: [-0.2, 0.7]
  d: [10, 20]
  flops: [1.0e+3, 1.0e+5]
  budgets: 3
  steps_per_decade: 2
  v_over_d: 4
  batch: 2
  c: 0.5
sweeps:
  toy:
    points: [[0.75, 0.25]]
    d: [10, 20]
    v_over_d: 4
    batch: 1
    c: 0.5
    flops: 1.0e+5
    engines: [volterra]
  front:
    points: [[0.7, 0.7]]
    d: [10, 20, 40]
    v_over_d: 2.5
    batch: 2
    c: 0.5
    flops: 1.0e+5
    runs: 3
    engines: [sgd, volterra]
    windows: [[1.0e+3, 1.0e+5], [2.0e+3, 5.0e+4]]
    front: fig03
  plane:
    product: {alpha: [0.7, 0.4], beta: [0.1, 0.8]}
    d: [10]
    v_over_d: 4
    batch: 1
    c: 0.5
    flops: 1.0e+5
    engines: [volterra]
  line:
    product: {alpha: [0.7], beta: [0.6, 0.9]}
    d: [10]
    v_over_d: 4
    batch: 1
    c: 0.5
    flops: 1.0e+5
    engines: [volterra]
    windows: [[1.0e+3, 1.0e+5]]
  edge:
    product: {alpha: [0.7], beta: [-0.2, 0.1]}
    d: [10]
    v_over_d: 4
    batch: 1
    c: 0.5
    flops: 1.0e+5
    runs: 2
    engines: [sgd, volterra]
"""


def follow(node, path):
    return reduce(lambda node, key: node[key], path, node)


def edited(edits, config=VALID):
    """Copy of a config with values set at dotted key paths, or removed where the value is ..."""
    config = yaml.safe_load(config) if isinstance(config, str) else copy.deepcopy(config)
    for path, value in edits.items():
        *parents, key = [int(part) if part.isdigit() else part for part in path.split(".")]
        if value is ...:
            del follow(config, parents)[key]
        else:
            follow(config, parents)[key] = value
    return config


def refusal(config):
    """Lines of the message with which a config is refused."""
    with pytest.raises(ConfigError) as caught:
        validate(config, CONFIG_SCHEMA)
    return str(caught.value).split("\n")


TEN_LINES = """
seed: 1
defaults: {v_over_d: 4, batch: 2, c: 0.5}
sweeps:
  mine: {points: [[0.9, 0.6]], d: [20, 40], flops: 1.0e+5, engines: [volterra]}
  other: {points: [[0.7, 0.7]], d: [20], batch: 8, flops: 1.0e+5, engines: [volterra]}
plane:
  alpha: {start: 0.2, stop: 1.0, num: 2}
  beta: {start: 0.5, stop: 1.0, num: 2}
  flops: 1.0e+6
  c: 0.3
"""


class TestDefaults:
    def test_sweeps_and_blocks_take_what_they_do_not_say(self):
        config = yaml.safe_load(TEN_LINES)
        before = copy.deepcopy(config)
        full = validate(config, CONFIG_SCHEMA)
        assert config == before
        assert "defaults" not in full
        found = {name: (x["v_over_d"], x["batch"], x["c"]) for name, x in full["sweeps"].items()}
        assert found == {"mine": (4, 2, 0.5), "other": (4, 8, 0.5)}
        assert (full["plane"]["batch"], full["plane"]["c"]) == (2, 0.3)
        # The schema's own.
        assert full["steps_per_decade"] == 24
        assert full["fits"] == read_yaml("config/config.yaml")["fits"]
        assert complete(full, CONFIG_SCHEMA) == full

    def test_one_of_the_fits_may_be_given(self):
        config = yaml.safe_load(TEN_LINES) | {"fits": {"resamples": 50}}
        fits = validate(config, CONFIG_SCHEMA)["fits"]
        assert fits == read_yaml("config/config.yaml")["fits"] | {"resamples": 50}

    @pytest.mark.parametrize(
        ("defaults", "lines"),
        [
            ({"v_over_d": 4, "batch": 2, "c": 1.9}, ["defaults.c = 1.9: SGD diverges"]),
            ({"v_over_d": 4, "batch": 0, "c": 0.5}, ["defaults.batch = 0: must be at least 1"]),
            ({"v_over_d": 4, "c": 0.5}, ["plane.batch: missing", "sweeps.mine.batch: missing"]),
            ({"v_over_d": 4, "batch": 2, "c": 0.5, "runs": 3}, ["defaults.runs: unknown key"]),
            (
                [4],
                [
                    "defaults = [4]: must be a mapping",
                    *(f"{x}.{k}: missing" for x in ("plane", "sweeps.mine") for k in ("batch",)),
                ],
            ),
        ],
    )
    def test_mistakes_are_named_where_they_were_written(self, defaults, lines):
        config = yaml.safe_load(TEN_LINES) | {"defaults": defaults}
        found = refusal(config)
        for line in lines:
            assert any(x.startswith(line) for x in found), found
        assert len(found) == len(lines) or defaults == [4]

    def test_without_its_block_a_figure_is_not_asked_for(self):
        full = validate(yaml.safe_load(TEN_LINES), CONFIG_SCHEMA)
        assert catalogue.figures(full) == []
        tables = {table.name: table.files(full) for table in catalogue.tables(full)}
        assert list(tables) == ["claims", "table4_measured_exponents"]
        assert list(tables["claims"]) == ["exponents", "losses"]
        assert catalogue.missing(full)["fig04_exponents"] == ["traverse"]
        whole = validate(read_yaml("config/quick.yaml"), CONFIG_SCHEMA)
        assert catalogue.missing(whole) == {}
        claims = {table.name: table.files(whole) for table in catalogue.tables(whole)}["claims"]
        assert claims["histogram"] == "results/spectra/histogram.parquet"
        assert len(claims) == 6


def test_each_figure_and_table_has_its_script_and_caption():
    whole = validate(read_yaml("config/quick.yaml"), CONFIG_SCHEMA)
    scripts = {f"figures/{figure.script}" for figure in catalogue.figures(whole)}
    scripts |= {f"tables/{table.name}.py" for table in catalogue.tables(whole)}
    for script in map(Path, scripts):
        assert (ROOT / "scripts" / script).is_file()
        assert (ROOT / "workflow/report" / script.name).with_suffix(".rst").is_file()


def test_name_that_yaml_reads_as_no_text():
    """The sweep `no` has the name False, and figures may ask for it."""
    sweeps = edited({})["sweeps"]
    lines = refusal(edited({"sweeps": {False: sweeps.pop("toy"), **sweeps}}))
    assert lines[0].startswith("sweeps[False]: the key must be text (a letter, then")
    assert 'toy_scaling.sweep = "toy": must be the name of a sweep' in lines[1]


def test_valid_config_is_accepted():
    validate(yaml.safe_load(VALID), CONFIG_SCHEMA)


TWO_POINTS = [[0.7, 0.7], [0.8, 0.8]]
NAME_RULE = "a letter, then at most 63 letters, digits, _ or -"

# Edits of the valid config; how the one line of the message begins; what it says is allowed.
BAD = {
    "figure of an unknown sweep": (
        {"negative_beta.sweep": "edges"},
        'negative_beta.sweep = "edges": ',
        "did you mean edge?",
    ),
    "figure without SGD": (
        {"sweeps.edge.engines": ["volterra"]},
        'negative_beta.sweep = "edge": ',
        "the engines sgd and volterra",
    ),
    "figure of two alphas": (
        {"sweeps.edge.product.alpha": [0.7, 0.8]},
        'negative_beta.sweep = "edge": ',
        "exactly one alpha",
    ),
    "size that is not in the figure's sweep": (
        {"negative_beta.d": [10, 20]},
        "negative_beta.d[1] = 20: ",
        "must be a size of sweep edge: 10",
    ),
    "figure without simulated sizes": (
        {
            "sweeps.edge.d": [10, 20],
            "sweeps.edge.largest_sampled_d": 10,
            "negative_beta.d": [20],
        },
        "negative_beta.d = [20]: ",
        "must include a size of sweep edge at which W is sampled",
    ),
    "negative noise": ({"sweeps.toy.noise": -0.1}, "sweeps.toy.noise = -0.1: ", "at least 0 "),
    "noisy traverse": (
        {"sweeps.line.noise": 0.1},
        'traverse = "line": ',
        "must be a sweep without label noise, noise = 0.1",
    ),
    "unknown schedule": (
        {"sweeps.front.schedule": "cosin"},
        'sweeps.front.schedule = "cosin": ',
        "polynomial, cosine, wsd, batch_growth; did you mean cosine? (",
    ),
    "schedule without a name": (
        {"sweeps.front.schedule": {"final": 0.5}},
        'sweeps.front.schedule = {"final": 0.5}: ',
        "must be one of constant, warmup, power, polynomial, cosine, wsd, batch_growth (",
    ),
    "unknown parameter of a schedule": (
        {"sweeps.front.schedule": {"name": "wsd", "cooldwn": 0.3}},
        'sweeps.front.schedule = {"name": "wsd", "cooldwn": 0.3}: ',
        "schedule 'wsd' has no 'cooldwn': its parameters are warmup, cooldown, shape, final",
    ),
    "parameter of a schedule out of range": (
        {"sweeps.front.schedule": {"name": "cosine", "final": 1.5}},
        'sweeps.front.schedule = {"name": "cosine", "final": 1.5}: ',
        "final = 1.5: must be at most 1",
    ),
    "parameter of a schedule that is text": (
        {"sweeps.front.schedule": {"name": "warmup", "steps": "1e3"}},
        'sweeps.front.schedule = {"name": "warmup", "steps": "1e3"}: ',
        "steps = '1e3': must be a whole number, at least 1",
    ),
    "schedule that is a number": (
        {"sweeps.front.schedule": 3},
        "sweeps.front.schedule = 3: ",
        "must be text or a mapping (how learning rate",
    ),
    "scheduled traverse": (
        {"sweeps.line.schedule": {"name": "wsd", "cooldown": 0.3}},
        'traverse = "line": ',
        "must be a sweep with a constant schedule, not wsd(cooldown=0.3)",
    ),
    "scheduled toy figure": (
        {"sweeps.toy.schedule": "cosine"},
        'toy_scaling.sweep = "toy": ',
        "must be a sweep with a constant schedule, not cosine",
    ),
    "scheduled figure of negative beta": (
        {"sweeps.edge.schedule": "batch_growth"},
        'negative_beta.sweep = "edge": ',
        "must be a sweep with a constant schedule, not batch_growth",
    ),
    "scheduled scale": (
        {"sgd_at_scale": "front", "sweeps.front.schedule": "cosine"},
        'sgd_at_scale = "front": ',
        "must be a sweep with a constant schedule, not cosine",
    ),
    "runs around the optimum with a schedule": (
        {"sweeps.front.around_optimum": 10, "sweeps.front.schedule": "cosine"},
        "sweeps.front.around_optimum = 10: ",
        "must be left out with a schedule",
    ),
    "schedule where v is d": (
        {"sweeps.front.v_over_d": 1, "sweeps.front.schedule": "cosine"},
        "sweeps.front.v_over_d = 1: ",
        "v must exceed every d with the engine volterra and a schedule",
    ),
    "more steps than can be made one by one": (
        {"sweeps.front.flops": 4e9, "sweeps.front.schedule": "cosine"},
        "sweeps.front.flops = 4000000000.0: ",
        "200000000 steps at d = 10, at most 100000000 can be made one by one",
    ),
    "schedule that diverges": (
        {"sweeps.front.c": 1.9, "sweeps.front.schedule": "batch_growth"},
        "sweeps.front.c = 1.9: ",
        "SGD diverges, kernel mass |K| = ",
    ),
    "unknown momentum": (
        {"sweeps.front.momentum": "dana_constnat"},
        'sweeps.front.momentum = "dana_constnat": ',
        "must be one of none, heavy_ball, nesterov, dana_constant, dana_decaying; did you mean "
        "dana_constant? (how gradients are remembered",
    ),
    "unknown parameter of momentum": (
        {"sweeps.front.momentum": {"name": "heavy_ball", "mu": 0.9}},
        'sweeps.front.momentum = {"name": "heavy_ball", "mu": 0.9}: ',
        "momentum 'heavy_ball' has no 'mu': its parameters are momentum",
    ),
    "parameter of momentum out of range": (
        {"sweeps.front.momentum": {"name": "nesterov", "momentum": 1}},
        'sweeps.front.momentum = {"name": "nesterov", "momentum": 1}: ',
        "momentum = 1: must be below 1",
    ),
    "parameter of momentum that is text": (
        {"sweeps.front.momentum": {"name": "dana_constant", "c3": "0.1"}},
        'sweeps.front.momentum = {"name": "dana_constant", "c3": "0.1"}: ',
        "c3 = '0.1': must be a finite number, at least 0",
    ),
    "momentum that is a number": (
        {"sweeps.front.momentum": 0.9},
        "sweeps.front.momentum = 0.9: ",
        "must be text or a mapping (how gradients",
    ),
    "momentum that diverges": (
        {"sweeps.front.momentum": "heavy_ball"},
        "sweeps.front.c = 0.5: ",
        "SGD with heavy_ball diverges, kernel mass |K| = ",
    ),
    "momentum where v is d": (
        {"sweeps.front.v_over_d": 1, "sweeps.front.momentum": "dana_constant"},
        "sweeps.front.v_over_d = 1: ",
        "v must exceed every d with",
    ),
    "momentum where v is close to a small d": (
        {
            "sweeps.front.v_over_d": 1.1,
            "sweeps.front.d": [5, 20, 1000],
            "sweeps.front.momentum": "dana_constant",
        },
        "sweeps.front.v_over_d = 1.1: ",
        "v is too close to d = 20 with momentum: real nodes at ",
    ),
    "runs around the optimum with momentum": (
        {"sweeps.front.around_optimum": 10, "sweeps.front.momentum": "dana_constant"},
        "sweeps.front.around_optimum = 10: ",
        "must be left out with momentum",
    ),
    "more steps with momentum than can be made one by one": (
        {
            "sweeps.front.flops": 4e8,
            "sweeps.front.schedule": "cosine",
            "sweeps.front.momentum": "dana_constant",
        },
        "sweeps.front.flops = 400000000.0: ",
        "20000000 steps at d = 10, at most 10000000 can be made one by one by the engine volterra "
        "with this schedule and momentum",
    ),
    "traverse with momentum": (
        {"sweeps.line.momentum": {"name": "heavy_ball", "momentum": 0.5}},
        'traverse = "line": ',
        "must be a sweep without momentum, not heavy_ball(momentum=0.5)",
    ),
    "scale of an unknown sweep": (
        {"sgd_at_scale": "fronts"},
        'sgd_at_scale = "fronts": ',
        "did you mean front?",
    ),
    "scale without runs": (
        {"sgd_at_scale": "line", "sweeps.line.windows": [[1e3, 1e5], [1e3, 1e4]]},
        'sgd_at_scale = "line": ',
        "with one of the engines sgd, sgd_averaged",
    ),
    "scale in one window": (
        {"sgd_at_scale": "front", "sweeps.front.windows": [[1e3, 1e5]]},
        'sgd_at_scale = "front": ',
        "at least two windows and at most 3 points",
    ),
    "scale on the edge": (
        {"sgd_at_scale": "edge", "sweeps.edge.windows": [[1e3, 1e5], [1e3, 1e4]]},
        'sgd_at_scale = "edge": ',
        "without points on the edge",
    ),
    "contour around no spectrum": (
        {"spectra.contour": [1.0, 1.0]},
        "spectra.contour = [1.0, 1.0]: ",
        "must be one of spectra.points",
    ),
    "traverse on the edge": (
        {"sweeps.line.product": {"alpha": [0.7], "beta": [-0.2]}},
        'traverse = "line": ',
        "with a point above the edge",
    ),
    "traverse of recursion alone": (
        {"sweeps.line.engines": ["recursion"], "sweeps.line.runs": 3},
        'traverse = "line": ',
        "with one of the engines sgd, sgd_averaged, volterra",
    ),
    "plane without a power law": (
        {"plane.alpha.start": 0.1, "plane.alpha.stop": 0.2, "plane.beta.stop": 0.3},
        "plane.beta.stop = 0.3: ",
        "no power law in the whole plane, alpha + beta = 0.5 must exceed 0.5",
    ),
    "spectrum below the edge": (
        {"spectra.points.0": [0.7, -0.3]},
        "spectra.points[0] = [0.7, -0.3]: ",
        "must be at least 1; allowed at alpha = 0.7: beta >= -0.2 ",
    ),
    "the same spectrum twice": (
        {"spectra.points.0": [1, 2]},
        "spectra.points[1] = [1.0, 2.0]: ",
        "repeats item [0]",
    ),
    "diverging solver of the contours": (
        {"spectra.c": 2.5},
        "spectra.c = 2.5: ",
        "allowed: c < ",
    ),
    "no spectral gap": ({"spectra.v_over_d": 1}, "spectra.v_over_d = 1: ", "greater than 1"),
    "one sample": ({"spectra.samples": 1}, "spectra.samples = 1: ", "at least 2"),
    "unknown spectra key": ({"spectra.ds": 1}, "spectra.ds: unknown key", "mean d?"),
    "ratio on the edge": (
        {"finite_size.ratio.point": [0.7, -0.2]},
        "finite_size.ratio.point = [0.7, -0.2]: ",
        "no exponents, 2(alpha + beta) = 1 must be greater than 1",
    ),
    "traverse to the edge": (
        {"finite_size.traverse.beta.0": -0.2},
        "finite_size.traverse.beta[0] = -0.2: ",
        "must be greater than 1",
    ),
    "front below the edge": (
        {"finite_size.fronts.points.1": [0.3, 0.1]},
        "finite_size.fronts.points[1] = [0.3, 0.1]: ",
        "2(alpha + beta) = 0.8 must be greater than 1",
    ),
    "no compute for fronts": (
        {"finite_size.fronts.flops": [1e8, 1e8]},
        "finite_size.fronts.flops[1] = 100000000.0: ",
        "must be greater than the lowest budget, 100000000.0",
    ),
    "the same budget twice": (
        {"finite_size.traverse.flops": [1e8, 1e8]},
        "finite_size.traverse.flops[1] = 100000000.0: ",
        "repeats item [0]",
    ),
    "diverging finite sizes": ({"finite_size.c": 2.5}, "finite_size.c = 2.5: ", "allowed: c < "),
    "too few features for the front": (
        {"finite_size.v_over_d": 2},
        "finite_size.v_over_d = 2: ",
        "at least 4",
    ),
    "one run in a window": (
        {"sweeps.front.runs": 1},
        "sweeps.front.runs = 1: ",
        "must be at least 2 with windows",
    ),
    "front of recursion alone": (
        {"sweeps.front.engines": ["recursion"]},
        'sweeps.front.front = "fig03": ',
        "needs one of them",
    ),
    "toy budget below a step": (
        {"toy_scaling.budget": 19},
        "toy_scaling.budget = 19: ",
        "max(d) * batch = 20",
    ),
    "no size sampled": (
        {"sweeps.front.largest_sampled_d": 5},
        "sweeps.front.largest_sampled_d = 5: ",
        "at least the smallest d, 10",
    ),
    "no engine for a size": (
        {"sweeps.front.largest_sampled_d": 20, "sweeps.front.engines": ["sgd"]},
        "sweeps.front.largest_sampled_d = 20: ",
        "no engine is left for d = 40",
    ),
    "no W to sample": (
        {"sweeps.toy.largest_sampled_d": 10},
        "sweeps.toy.largest_sampled_d = 10: ",
        "has no effect without the engines sgd, recursion",
    ),
    "unknown key": ({"sed": 1}, "sed: unknown key", "did you mean seed?"),
    "unknown sweep key": ({"sweeps.toy.batchs": 1}, "sweeps.toy.batchs: unknown", "mean batch?"),
    "unknown fits key": ({"fits.zzz": 1}, "fits.zzz: unknown key", "known: envelope_budgets, iso"),
    "unknown product key": (
        {"sweeps.plane.product.gamma": [1]},
        "sweeps.plane.product.gamma: un",
        "",
    ),
    "unknown toy key": ({"toy_scaling.budgets": 1}, "toy_scaling.budgets: unknown", "mean budget?"),
    "missing sweep key": ({"sweeps.toy.flops": ...}, "sweeps.toy.flops: missing", "budget"),
    "text for number": (
        {"sweeps.toy.c": "big"},
        'sweeps.toy.c = "big": ',
        "must be a finite number (",
    ),
    "1e6 read as text": ({"sweeps.toy.flops": "1e6"}, 'sweeps.toy.flops = "1e6": ', "write 1.0e+6"),
    "1e6 seed": ({"seed": "1e6"}, 'seed = "1e6": ', "a whole number, write 1000000 "),
    "boolean for number": ({"sweeps.toy.c": True}, "sweeps.toy.c = true: ", "a finite number ("),
    "boolean for integer": (
        {"sweeps.toy.d.1": True},
        "sweeps.toy.d[1] = true: ",
        "a whole number (",
    ),
    "boolean seed": ({"seed": False}, "seed = false: ", "a whole number ("),
    "NaN": ({"sweeps.toy.c": float("nan")}, "sweeps.toy.c = NaN: ", "a finite number ("),
    "infinity": (
        {"sweeps.toy.flops": float("inf")},
        "sweeps.toy.flops = Infinity: ",
        "a finite nu",
    ),
    "NaN point": (
        {"sweeps.toy.points.0.1": float("nan")},
        "sweeps.toy.points[0][1] = NaN: ",
        "finite",
    ),
    "infinite d": (
        {"sweeps.toy.d.0": float("inf")},
        "sweeps.toy.d[0] = Infinity: ",
        "a whole number (",
    ),
    "number for list": ({"sweeps.toy.d": 10}, "sweeps.toy.d = 10: ", "must be a list"),
    "null sweeps": ({"sweeps": None}, "sweeps = null: ", "must be a mapping"),
    "null sweep": ({"sweeps.plane": None}, "sweeps.plane = null: ", "must be a mapping"),
    "negative seed": ({"seed": -1}, "seed = -1: ", "at least 0"),
    "negative d": (
        {"sweeps.front.d.1": -5},
        "sweeps.front.d[1] = -5: ",
        "must be at least 1 (d: number",
    ),
    "zero d": ({"sweeps.front.d.1": 0}, "sweeps.front.d[1] = 0: ", "at least 1"),
    "huge d": ({"sweeps.front.d.1": 10**400}, "sweeps.front.d[1] = 1000", "at most 10000000000"),
    "non-integer d": ({"sweeps.front.d.1": 20.5}, "sweeps.front.d[1] = 20.5: ", "a whole number ("),
    "d as float": (
        {"sweeps.front.d.1": 20.0},
        "sweeps.front.d[1] = 20.0: ",
        "whole number, write 20 ",
    ),
    "empty d": ({"sweeps.toy.d": []}, "sweeps.toy.d = []: ", "at least 1 item"),
    "empty points": ({"sweeps.toy.points": []}, "sweeps.toy.points = []: ", "at least 1 item"),
    "empty engines": ({"sweeps.toy.engines": []}, "sweeps.toy.engines = []: ", "at least 1 item"),
    "empty beta": ({"sweeps.plane.product.beta": []}, "sweeps.plane.product.beta = []: ", "1 item"),
    "half a point": (
        {"sweeps.toy.points.0": [0.7]},
        "sweeps.toy.points[0] = [0.7]: ",
        "least 2 item",
    ),
    "long point": (
        {"sweeps.toy.points.0": [1, 1, 1]},
        "sweeps.toy.points[0] = [1, 1, 1]: ",
        "most 2",
    ),
    "no points": ({"sweeps.plane.product": ...}, "sweeps.plane: ", "points, product or spectrum"),
    "points and product": (
        {"sweeps.plane.points": [[1, 1]]},
        "sweeps.plane: ",
        "points, product or spectrum",
    ),
    "duplicate point": (
        {"sweeps.plane.product": ..., "sweeps.plane.points": [[1, 1], [2, 1], [1.0, 1]]},
        "sweeps.plane.points[2] = [1.0, 1]: ",
        "must be unique, but it repeats item [0]",
    ),
    "duplicate alpha": (
        {"sweeps.plane.product.alpha": [0.7, 0.8, 0.7]},
        "sweeps.plane.product.alpha[2] = 0.7: ",
        "must be unique, but it repeats item [0]",
    ),
    "duplicate d": (
        {"sweeps.front.d": [10, 20, 20]},
        "sweeps.front.d[2] = 20: ",
        "repeats item [1]",
    ),
    "duplicate engine": (
        {"sweeps.toy.engines": ["volterra", "volterra"]},
        'sweeps.toy.engines[1] = "volterra": ',
        "repeats item [0]",
    ),
    "unknown engine": (
        {"sweeps.front.engines.0": "adam"},
        'sweeps.front.engines[0] = "adam": ',
        "must be one of sgd, recursion, sgd_averaged, volterra",
    ),
    "v below d": ({"sweeps.toy.v_over_d": 0.99}, "sweeps.toy.v_over_d = 0.99: ", "at least 1 "),
    "zero batch": ({"sweeps.toy.batch": 0}, "sweeps.toy.batch = 0: ", "at least 1 "),
    "zero c": ({"sweeps.toy.c": 0}, "sweeps.toy.c = 0: ", "greater than 0"),
    "zero alpha": (
        {"sweeps.toy.points.0": [0, 1]},
        "sweeps.toy.points[0][0] = 0: ",
        "greater than 0",
    ),
    "negative alpha": (
        {"sweeps.plane.product.alpha.1": -0.5},
        "sweeps.plane.product.alpha[1] = -0.5: ",
        "greater than 0",
    ),
    "below the edge": (
        {"sweeps.toy.points.0": [0.7, -0.3]},
        "sweeps.toy.points[0] = [0.7, -0.3]: ",
        "2(alpha + beta) = 0.8 must be at least 1; allowed at alpha = 0.7: beta >= -0.2 ",
    ),
    "product below the edge": (
        {"sweeps.plane.product.beta.0": -0.3},
        "sweeps.plane.product.beta[0] = -0.3: ",
        "2(alpha + beta) = 0.2 must be at least 1; allowed at alpha = 0.4: beta >= 0.1 ",
    ),
    "less than one step": (
        {"sweeps.plane.flops": 9.5},
        "sweeps.plane.flops = 9.5: ",
        "max(d) * batch = 10",
    ),
    "less than one step of the largest d": (
        {"sweeps.front.flops": 79, "sweeps.front.windows": [[1, 79]]},
        "sweeps.front.flops = 79: ",
        "must be at least max(d) * batch = 80",
    ),
    "zero flops": ({"sweeps.plane.flops": 0}, "sweeps.plane.flops = 0: ", "greater than 0"),
    "zero runs": ({"sweeps.front.runs": 0}, "sweeps.front.runs = 0: ", "at least 1 "),
    "groups where v is d": (
        {
            "sweeps.front.engines": ["sgd_averaged"],
            "sweeps.front.v_over_d": 1,
            "sweeps.front.d": [1000, 2000],
        },
        "sweeps.front.v_over_d = 1: ",
        "v must exceed every d with the engine sgd_averaged",
    ),
    "v rounds to d": (
        {
            "sweeps.front.engines": ["sgd_averaged"],
            "sweeps.front.v_over_d": 1.0005,
            "sweeps.front.d": [500, 600, 2000],
        },
        "sweeps.front.v_over_d = 1.0005: ",
        "v must exceed every d with the engine sgd_averaged",
    ),
    "no size is best in the budget": (
        {
            "sweeps.front.around_optimum": 1,
            "sweeps.front.d": [2000, 3000, 5000],
            "sweeps.front.flops": 2e4,
            "sweeps.front.windows": [[1e4, 2e4]],
        },
        "sweeps.front.around_optimum = 1: ",
        "leaves the engine sgd without a run at alpha = 0.7",
    ),
    "groups of a small size": (
        {"sweeps.front.engines": ["sgd_averaged"], "sweeps.front.d": [10, 1000]},
        "sweeps.front.d[0] = 10: ",
        "must be at least 500 with the engine sgd_averaged",
    ),
    "groups of small sizes in common": (
        {
            "sweeps.front.engines": ["sgd", "sgd_averaged"],
            "sweeps.front.d": [400, 700, 1000],
            "sweeps.front.largest_sampled_d": 700,
        },
        "sweeps.front.largest_sampled_d = 700: ",
        "must leave the two largest sizes up to it, of at least 500, to both sgd and sgd_averaged; "
        "they are 400",
    ),
    "runs missing": (
        {"sweeps.front.runs": ...},
        "sweeps.front.runs: missing",
        "sgd, recursion, sgd_averaged need it",
    ),
    "runs missing for recursion": (
        {"sweeps.plane.engines": ["recursion"]},
        "sweeps.plane.runs: missing",
        "sgd, recursion, sgd_averaged need it",
    ),
    "empty window": (
        {"sweeps.front.windows.1": [2e3, 2e3]},
        "sweeps.front.windows[1][1] = 2000.0: ",
        "must be at least 1.01 times the window's lower end, 2000.0",
    ),
    "window above flops": (
        {"sweeps.front.windows.0": [1e3, 2e5]},
        "sweeps.front.windows[0][1] = 200000.0: ",
        "must be at most flops = 100000.0",
    ),
    "one-sided window": (
        {"sweeps.front.windows.0": [1e3]},
        "sweeps.front.windows[0] = [1000.0]: ",
        "least 2",
    ),
    "one window, not a list of them": (
        {"sweeps.front.windows": [1e3]},
        "sweeps.front.windows[0] = 1000.0: ",
        "must be a list (lowest and highest budget, in flops)",
    ),
    "no windows": ({"sweeps.front.windows": []}, "sweeps.front.windows = []: ", "at least 1 item"),
    "duplicate window": (
        {"sweeps.front.windows": [[1e3, 1e5], [1e3, 1e4], [1e3, 1e5]]},
        "sweeps.front.windows[2] = [1000.0, 100000.0]: ",
        "must be unique, but it repeats item [0]",
    ),
    "key of an older version": (
        {"sweeps.front.window": [1e3, 1e4]},
        "sweeps.front.window: unknown key",
        "did you mean windows?",
    ),
    "runs around the optimum without runs": (
        {"sweeps.toy.around_optimum": 10},
        "sweeps.toy.around_optimum = 10: ",
        "has no effect without the engines sgd, recursion, sgd_averaged",
    ),
    "runs around the optimum where v is d": (
        {"sweeps.front.around_optimum": 10, "sweeps.front.v_over_d": 1},
        "sweeps.front.v_over_d = 1: ",
        "must exceed 1 with around_optimum",
    ),
    "front without windows": (
        {"sweeps.front.windows": ...},
        'sweeps.front.front = "fig03": ',
        "needs windows",
    ),
    "front of two points": (
        {"sweeps.front.points": TWO_POINTS},
        'sweeps.front.front = "fig03": ',
        "exactly one point",
    ),
    "front is a path": ({"sweeps.front.front": "../x"}, 'sweeps.front.front = "../x": ', NAME_RULE),
    "front of the toy figure": (
        {"sweeps.front.front": "fig01_toy_scaling"},
        'sweeps.front.front = "fig01_toy_scaling": ',
        "also the figure of toy_scaling",
    ),
    "one front twice": (
        {"sweeps.toy.front": "fig03", "sweeps.toy.windows": [[1e3, 1e4]]},
        'sweeps.front.front = "fig03": ',
        "also the figure of sweeps.toy",
    ),
    "toy sweep missing": (
        {"toy_scaling.sweep": "to"},
        'toy_scaling.sweep = "to": ',
        "did you mean toy?",
    ),
    "toy sweep without volterra": (
        {"sweeps.toy.engines": ["recursion"], "sweeps.toy.runs": 1},
        'toy_scaling.sweep = "toy": ',
        "the engine volterra and exactly one point",
    ),
    "toy sweep of several points": (
        {"toy_scaling.sweep": "plane"},
        'toy_scaling.sweep = "plane": ',
        "the engine volterra and exactly one point",
    ),
    "explorer null": ({"explorer": None}, "explorer = null: ", "must be a mapping"),
    "explorer key missing": ({"explorer.flops": ...}, "explorer.flops: missing", "budget"),
    "explorer alpha repeats": (
        {"explorer.alpha": [0.3, 0.7, 0.3]},
        "explorer.alpha[2] = 0.3: ",
        "repeats item [0]",
    ),
    "explorer d repeats": ({"explorer.d": [10, 10]}, "explorer.d[1] = 10: ", "repeats item [0]"),
    "explorer budgets that do not rise": (
        {"explorer.flops": [1e5, 1e5]},
        "explorer.flops[1] = 100000.0: ",
        "greater than the lowest budget, 100000.0",
    ),
    "explorer below one step": (
        {"explorer.flops": [1, 39]},
        "explorer.flops[1] = 39: ",
        "max(d) * batch = 40",
    ),
    # At the sizes that have curves it is stable: the front looks at smaller ones.
    "explorer diverges": (
        {"explorer.c": 1.3, "explorer.d": [1000], "explorer.alpha": [2.0]},
        "explorer.c = 1.3: ",
        "at alpha = 2.0, d = 12",
    ),
    "explorer with square features": (
        {"explorer.v_over_d": 1},
        "explorer.v_over_d = 1: ",
        "greater than 1",
    ),
    "toy null": ({"toy_scaling": None}, "toy_scaling = null: ", "must be a mapping"),
    "toy budget missing": ({"toy_scaling.budget": ...}, "toy_scaling.budget: missing", "marks"),
    "toy sweep null": ({"sweeps.toy": None}, "sweeps.toy = null: ", "must be a mapping"),
    "toy sweep without points": (
        {"sweeps.toy.points": ...},
        "sweeps.toy: ",
        "points, product or spectrum",
    ),
    "toy budget": (
        {"toy_scaling.budget": 2e5},
        "toy_scaling.budget = 200000.0: ",
        "must be at most the flops of sweep toy, 100000.0",
    ),
    "plane that does not rise": (
        {"plane.beta.stop": 0.0},
        "plane.beta.stop = 0.0: ",
        "must be greater than start, 0.0",
    ),
    "plane of one alpha": ({"plane.alpha.num": 1}, "plane.alpha.num = 1: ", "at least 2"),
    "plane of few features": ({"plane.v_over_d": 1}, "plane.v_over_d = 1: ", "than 1"),
    "plane without power law": ({"plane.alpha.start": 0}, "plane.alpha.start = 0: ", "than 0"),
    "plane that diverges": (
        {"plane.c": 1.1},
        "plane.c = 1.1: ",
        "at alpha = 1.0, d = 12; allowed: c < 0.8",
    ),
    "traverse of no sweep": ({"traverse": "lime"}, 'traverse = "lime": ', "did you mean line?"),
    "traverse of two alphas": (
        {"traverse": "plane", "sweeps.plane.windows": [[1e3, 1e5]]},
        'traverse = "plane": ',
        "a sweep with one alpha and one to 3 windows",
    ),
    "traverse without exponents": (
        {"sweeps.line.windows": ...},
        'traverse = "line": ',
        "a sweep with one alpha and one to 3 windows",
    ),
    "traverse of four windows": (
        {"sweeps.line.windows": [[1e3, 1e4], [1e3, 2e4], [2e3, 1e4], [2e3, 2e4]]},
        'traverse = "line": ',
        "a sweep with one alpha and one to 3 windows",
    ),
    "point of another phase": (
        {"phase_points.II": [0.7, 0.7]},
        "phase_points.II = [0.7, 0.7]: ",
        "must be a point inside phase II, it is in: II/III",
    ),
    "point below the edge": (
        {"phase_points.Ib": [0.2, 0.1]},
        "phase_points.Ib = [0.2, 0.1]: ",
        "it is in: no power law",
    ),
    "point on the line of K_pp": (
        {"phase_points.Ib": [0.25, 0.4]},
        "phase_points.Ib = [0.25, 0.4]: ",
        "off the line 4 alpha = 1",
    ),
    "missing point": ({"phase_points.IVb": ...}, "phase_points.IVb: missing", "phase IVb"),
    "front of a fixed figure": (
        {"sweeps.front.front": "fig08_xi_exponents"},
        'sweeps.front.front = "fig08_xi_exponents": ',
        "also the figure of plane",
    ),
    "few resamples": ({"fits.resamples": 1}, "fits.resamples = 1: ", "at least 40"),
}


@pytest.mark.parametrize(("edits", "start", "allowed"), BAD.values(), ids=BAD)
def test_bad_value_is_refused_in_one_line(edits, start, allowed):
    (line,) = refusal(edited(edits))
    assert line.startswith(start)
    assert allowed in line.removeprefix(start)


@pytest.mark.parametrize(
    "name", ["a/b", "a b", "..", "", "1st", "_a", "a.b", "é", "a\n", "a" * 65, True, None, 2024]
)
def test_sweep_name_must_be_a_file_name(name):
    config = yaml.safe_load(VALID)
    config["sweeps"][name] = config["sweeps"]["plane"]
    (line,) = refusal(config)
    assert line.startswith("sweeps") and repr(str(name))[1:-1] in line
    assert line.endswith(f"({NAME_RULE})")


@pytest.mark.parametrize("name", ["a", "A" * 64, "phase_III-2"])
def test_sweep_name_accepted(name):
    config = yaml.safe_load(VALID)
    config["sweeps"][name] = config["sweeps"]["plane"]
    validate(config, CONFIG_SCHEMA)


@pytest.mark.parametrize("text", ["", "[]", "text", "1.5"])
def test_config_that_is_not_a_mapping(text):
    (line,) = refusal(yaml.safe_load(text))
    assert line.startswith("config = ") and "must be a mapping" in line


@pytest.mark.parametrize("config", [{}, {"seed": 2, "defaults": {"c": 0.5}}, {"sweeps": {}}])
def test_config_that_asks_for_nothing(config):
    (line,) = refusal(config)
    assert line.startswith("sweeps: missing, and there is no other block that asks for results: ")
    assert line.endswith("spectra, finite_size, explorer")


def test_a_block_may_stand_without_sweeps():
    full = validate({"data": {"sets": ["digits"]}}, CONFIG_SCHEMA)
    assert full["seed"] == 1 and full["sweeps"] == {}
    assert [figure.name for figure in catalogue.figures(full)] == ["data_spectra"]
    assert [table.name for table in catalogue.tables(full)] == ["table6_data"]
    (line,) = refusal({"traverse": "mine"})
    assert line == 'traverse = "mine": must be the name of a sweep; known: none'


@pytest.mark.parametrize(
    ("text", "advice"),
    [("1e6", "1.0e+6"), ("125e-5", "1.25e-3"), ("'0.5'", "5.0e-1"), ("2.5e3", "2.5e+3")],
)
def test_advice_on_numbers_that_yaml_reads_as_text(text, advice):
    value = yaml.safe_load(text)
    assert isinstance(value, str)
    (line,) = refusal(edited({"sweeps.plane.c": value}))
    assert f"must be a finite number, write {advice} (" in line
    assert yaml.safe_load(advice) == float(value)


@pytest.mark.parametrize("text", ["nan", "inf", "abc"])
def test_no_advice_on_text_that_is_no_number(text):
    (line,) = refusal(edited({"sweeps.plane.c": text}))
    assert "write" not in line


def test_all_problems_are_listed_in_the_order_of_their_paths():
    config = edited(
        {
            "sweeps.front.d": [*range(10, 20), -1],
            "sweeps.front.d.2": -2,
            "sweeps.plane.flops": 1,
            "seed": "x",
            "toy_scaling.budget": 1e9,
        }
    )
    assert [line.split(" = ")[0] for line in refusal(config)] == [
        "seed",
        "sweeps.front.d[2]",
        "sweeps.front.d[10]",
        "sweeps.plane.flops",
        "toy_scaling.budget",
    ]


def test_long_values_are_cut():
    (line,) = refusal(edited({"seed": ["x" * 1000]}))
    assert len(line) < 150


def test_points_on_the_edge_are_allowed():
    validate(edited({"sweeps.front.points.0": [0.7, -0.2]}), CONFIG_SCHEMA)
    (line,) = refusal(edited({"sweeps.front.points.0": [0.7, -0.2 - 1e-8]}))
    assert "2(alpha + beta) = 0.99999998 must be at least 1" in line


def test_window_and_toy_budget_may_reach_the_budget():
    edits = {"sweeps.front.windows": [[1, 1e5]], "toy_scaling.budget": 1e5}
    validate(edited(edits), CONFIG_SCHEMA)


def test_one_step_of_the_largest_d_suffices():
    config = edited({"sweeps.plane.flops": 10})
    validate(config, CONFIG_SCHEMA)
    assert expand(complete(config, CONFIG_SCHEMA)).query("sweep == 'plane'")["steps"].eq(1).all()


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("alpha", [0.3, 0.5, 0.8, 2.0])
def test_unstable_learning_rate_is_refused_with_the_stable_range(alpha, batch):
    edits = {"sweeps.plane.product.alpha": [alpha, 1.1], "sweeps.plane.product.beta": [0.5]}
    edits |= {"sweeps.plane.d": [10, 100], "sweeps.plane.batch": batch}
    (line,) = refusal(edited(edits | {"sweeps.plane.c": 50.0}))
    assert line.startswith("sweeps.plane.c = 50.0: ") and "at alpha = " in line and "d = " in line
    limit = float(line.split("allowed: c < ")[1].split()[0])
    validate(edited(edits | {"sweeps.plane.c": limit}), CONFIG_SCHEMA)
    (line,) = refusal(edited(edits | {"sweeps.plane.c": limit * 1.01}))
    assert f"allowed: c < {limit:.3g}" in line


def test_grid_of_a_config():
    grid = expand(complete(yaml.safe_load(VALID), CONFIG_SCHEMA))
    columns = ["sweep", "alpha", "beta", "d", "v", "batch", "steps", "runs", "phase"]
    assert grid.query("engine == 'volterra'")[columns].values.tolist() == [
        ["toy", 0.75, 0.25, 10, 40, 1, 10000, 0, "Ia"],
        ["toy", 0.75, 0.25, 20, 80, 1, 5000, 0, "Ia"],
        ["front", 0.7, 0.7, 10, 25, 2, 5000, 0, "II/III"],
        ["front", 0.7, 0.7, 20, 50, 2, 2500, 0, "II/III"],
        ["front", 0.7, 0.7, 40, 100, 2, 1250, 0, "II/III"],
        ["plane", 0.7, 0.1, 10, 40, 1, 10000, 0, "Ia"],
        ["plane", 0.7, 0.8, 10, 40, 1, 10000, 0, "III"],
        ["plane", 0.4, 0.1, 10, 40, 1, 10000, 0, "edge"],
        ["plane", 0.4, 0.8, 10, 40, 1, 10000, 0, "IVa"],
        ["line", 0.7, 0.6, 10, 40, 1, 10000, 0, "II"],
        ["line", 0.7, 0.9, 10, 40, 1, 10000, 0, "III"],
        ["edge", 0.7, -0.2, 10, 40, 1, 10000, 0, "edge"],
        ["edge", 0.7, 0.1, 10, 40, 1, 10000, 0, "Ia"],
    ]
    sgd = grid.query("engine == 'sgd'")[["sweep", "beta", "d", "steps", "runs"]]
    assert sgd.values.tolist() == [
        ["front", 0.7, 10, 5000, 3],
        ["front", 0.7, 20, 2500, 3],
        ["front", 0.7, 40, 1250, 3],
        ["edge", -0.2, 10, 10000, 2],
        ["edge", 0.1, 10, 10000, 2],
    ]
    assert set(grid["engine"]) == {"sgd", "volterra"}
    assert grid.dtypes.equals(grid_schema.GRID.empty_table().to_pandas().dtypes)


def test_sizes_above_the_largest_sampled_one_are_left_to_volterra():
    config = edited({"sweeps.front.largest_sampled_d": 20})
    validate(config, CONFIG_SCHEMA)
    grid = expand(complete(config, CONFIG_SCHEMA)).query("sweep == 'front'")
    assert grid[["d", "engine", "runs"]].values.tolist() == [
        [10, "sgd", 3],
        [10, "volterra", 0],
        [20, "sgd", 3],
        [20, "volterra", 0],
        [40, "volterra", 0],
    ]


def test_runs_end_around_the_budget_at_which_their_size_is_best():
    """Of the two betas the later budget counts; a size that is best far beyond has no run."""
    edits = {"sweeps.edge.d": [20, 60, 180, 3000], "sweeps.edge.product.beta": [0.1, 0.6]}
    config = edited({**edits, "sweeps.edge.around_optimum": 3, "negative_beta.d": [20]})
    validate(config, CONFIG_SCHEMA)
    grid = (
        expand(complete(config, CONFIG_SCHEMA))
        .query("sweep == 'edge' and beta == 0.1")
        .set_index("d")
    )
    runs = grid[grid["engine"] == "sgd"]["flops"]
    assert grid[grid["engine"] == "volterra"]["flops"].tolist() == [1e5] * 4
    assert runs.index.tolist() == [20, 60, 180]
    assert runs[180] == 1e5, "not beyond the sweep's budget"
    for d in (20, 60):
        found = compute_optimal([runs[d] / 3], alpha=0.7, beta=0.1)
        assert found.d[0] == pytest.approx(d, rel=0.05)


def test_without_a_best_size_runs_have_the_whole_budget(monkeypatch):
    monkeypatch.setattr(
        "plrf.study.grid.optimal_budgets", lambda d, *_, **__: np.full(len(d), np.nan)
    )
    config = edited({"sweeps.edge.around_optimum": 3})
    validate(config, CONFIG_SCHEMA)
    assert set(expand(complete(config, CONFIG_SCHEMA)).query("sweep == 'edge'")["flops"]) == {1e5}


def test_engine_that_continues_another_shares_two_sizes_with_it():
    edits = {"sweeps.front.engines": ["sgd", "sgd_averaged", "recursion", "volterra"]}
    edits |= {"sweeps.front.d": [20, 600, 800, 1600], "sweeps.front.largest_sampled_d": 800}
    config = edited(edits)
    validate(config, CONFIG_SCHEMA)
    sizes = (
        expand(complete(config, CONFIG_SCHEMA))
        .query("sweep == 'front'")
        .groupby("engine")["d"]
        .agg(list)
    )
    assert sizes["sgd"] == sizes["recursion"] == [20, 600, 800]
    assert sizes["sgd_averaged"] == [600, 800, 1600]
    assert sizes["volterra"] == [20, 600, 800, 1600]


def test_noise_of_labels_is_a_column_of_the_grid():
    config = edited({"defaults": {"noise": 0.2}, "sweeps.plane.noise": 0.5})
    config["sweeps"]["toy"]["noise"] = 0.0  # of figures that draw the theory
    for name in ("line", "edge"):
        config["sweeps"][name]["noise"] = 0
    grid = expand(validate(config, CONFIG_SCHEMA)).groupby("sweep")["noise"].unique()
    assert {name: noise.tolist() for name, noise in grid.items()} == {
        "toy": [0.0], "front": [0.2], "plane": [0.5], "line": [0.0], "edge": [0.0],
    }  # fmt: skip
    assert set(expand(complete(edited({}), CONFIG_SCHEMA))["noise"]) == {0.0}


def test_schedule_is_a_column_of_the_grid_and_sets_the_steps():
    """With a growing batch: the least number of steps whose own samples reach the budget."""
    schedule = {"name": "batch_growth", "factor": 3, "stages": 3}
    config = edited({"defaults": {"schedule": "cosine"}, "sweeps.plane.schedule": schedule})
    for name in ("toy", "line", "edge"):
        config["sweeps"][name]["schedule"] = "constant"
    grid = expand(validate(config, CONFIG_SCHEMA)).set_index("sweep")
    assert grid["schedule"].groupby("sweep").unique().explode().to_dict() == {
        "toy": "constant", "front": "cosine", "plane": "batch_growth(factor=3, stages=3)",
        "line": "constant", "edge": "constant",
    }  # fmt: skip
    same = expand(complete(edited({}), CONFIG_SCHEMA)).set_index("sweep")
    for name in ("toy", "front", "line", "edge"):
        assert grid.loc[name, "steps"].tolist() == same.loc[name, "steps"].tolist()
    (steps,) = set(grid.loc["plane", "steps"])
    flops = [10 * sum(3 ** (3 * t // n) for t in range(n)) for n in (steps - 1, steps)]
    assert flops[0] < 1e5 <= flops[1]


def test_schedules_that_engines_follow_are_accepted():
    recursion = {"sweeps.front.engines": ["recursion"], "sweeps.front.front": ...}
    for edits in (
        {"sweeps.front.schedule": {"name": "power", "exponent": 0.5}, "sweeps.front.flops": 1e12},
        {"sweeps.edge.schedule": "constant", "sweeps.edge.around_optimum": 3},
        {"sweeps.edge.schedule": {"name": "constant"}},
        {"sweeps.front.schedule": "cosine", "sweeps.front.v_over_d": 1} | recursion,
    ):
        validate(edited(edits), CONFIG_SCHEMA)


def test_momentum_is_a_column_of_the_grid_and_sets_the_kernel_mass():
    """As the configuration gives it; the default delta is that of each point."""
    rule = {"name": "dana_constant", "delta": 8, "c3": 0.2}
    config = edited({"defaults": {"momentum": "dana_decaying"}, "sweeps.plane.momentum": rule})
    for name in ("toy", "edge", "line"):
        config["sweeps"][name]["momentum"] = "none"
    grid = expand(validate(config, CONFIG_SCHEMA)).set_index("sweep")
    texts = grid["momentum"].groupby("sweep").unique().explode().to_dict()
    assert texts["plane"] == "dana_constant(delta=8)" and texts["front"] == "dana_decaying"
    assert texts["toy"] == texts["edge"] == "none"
    same = expand(complete(edited({}), CONFIG_SCHEMA)).set_index("sweep")
    pd.testing.assert_frame_equal(grid.loc[["toy", "edge"]], same.loc[["toy", "edge"]])
    assert grid.loc["front", "steps"].tolist() == same.loc["front", "steps"].tolist()
    for row in grid.loc["front"].to_dict("records"):
        model = power_law_model(row["alpha"], row["beta"], row["d"], row["v"])
        momentum = momentum_of("dana_decaying", model, row["batch"])
        sgd = SGD(row["learning_rate"], row["batch"], momentum=momentum)
        mass = with_momentum.kernel_mass(model, sgd, row["steps"])
        assert row["kernel_mass"] == pytest.approx(mass, rel=1e-9)


def test_the_allowed_rate_with_momentum_is_that_of_the_threshold():
    """At the point and size that diverge first, rounded down to three digits."""
    rule = {"sweeps.front.momentum": {"name": "heavy_ball", "momentum": 0.8}}
    (line,) = refusal(edited(rule | {"sweeps.front.c": 1.5}))
    limit = float(line.split("allowed: c < ")[1].split()[0])
    validate(edited(rule | {"sweeps.front.c": limit}), CONFIG_SCHEMA)
    (line,) = refusal(edited(rule | {"sweeps.front.c": 1.01 * limit}))
    assert "kernel mass |K| = 1" in line


def test_time_of_expected_losses_with_momentum():
    """Ten microseconds a step; of more than 2^20, from 2^18 on, two seconds a decade."""
    rows = pd.DataFrame({"steps": [10**5, 2**18 * 100], "schedule": "constant"})
    times = [
        ENGINES["volterra"].seconds(rows.assign(momentum=momentum).iloc[[k]])
        for momentum in ("none", "dana_constant")
        for k in (0, 1)
    ]
    assert times == pytest.approx([0.1, 0.1, 2.1, 1.1 + 2.62 + 4], rel=0.01)


def test_a_mistaken_schedule_is_named_in_the_defaults():
    (line,) = refusal(edited({"defaults": {"schedule": "cosin"}}))
    assert line.startswith('defaults.schedule = "cosin": must be one of constant, warmup, power, ')


def test_time_of_planned_runs_counts_all_their_steps():
    """That of SGD is in proportion to the steps, but for its reductions."""
    seconds = {}
    for schedule in ("constant", "cosine"):
        config = complete(edited({"sweeps.edge.schedule": schedule}), CONFIG_SCHEMA)
        rows = expand(config).query("sweep == 'edge' and engine == 'sgd'")
        assert set(rows["steps"]) == {10**4}
        seconds[schedule] = job_seconds(rows, config)
    steps = recorded_steps(10**4, 10)
    ratio = seconds["cosine"] / seconds["constant"]
    assert ratio == pytest.approx(steps.sum() / steps[-1], rel=0.1)


def test_runs_without_an_engine_that_makes_runs_are_ignored():
    config = edited({"sweeps.plane.runs": 7})
    validate(config, CONFIG_SCHEMA)
    assert expand(complete(config, CONFIG_SCHEMA)).query("sweep == 'plane'")["runs"].eq(0).all()


SHIPPED = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configs(monkeypatch, name):
    monkeypatch.chdir(ROOT)
    config = validate(read_yaml(f"config/{name}"), CONFIG_SCHEMA)
    if name == "measured.yaml":
        assert config["sweeps"] == {} and len(catalogue.figures(config)) == 4
        return
    grid = expand(config)
    assert {"sgd", "recursion", "volterra"} <= set(grid["engine"]) <= ENGINES.keys()


def test_quick_config_makes_the_same_figures():
    default, quick = (read_yaml(f"config/{name}.yaml")["sweeps"] for name in ("config", "quick"))
    # At toy size another sweep stands for the first, and two schedules are enough.
    assert default.keys() - quick.keys() == {"at_scale", "power_decay", "stable_then_decay"}
    fronts = [{name: c[name].get("front") for name in quick} for c in (default, quick)]
    assert fronts[0] == fronts[1]


# The schemas


def subschemas(schema):
    yield schema
    children = [
        schema[k] for k in ("items", "additionalProperties", "propertyNames") if k in schema
    ]
    children += schema.get("prefixItems", [])
    children += [s for k in ("properties", "$defs") for s in schema.get(k, {}).values()]
    for child in children:
        if isinstance(child, dict):
            yield from subschemas(child)


STRUCTURE = {
    "$schema", "$defs", "$ref", "title", "description", "properties", "required", "items",
    "prefixItems", "additionalProperties", "propertyNames", "default", "examples",
}  # fmt: skip


def test_schema_is_strict_and_described():
    Draft202012Validator.check_schema(CONFIG_SCHEMA)
    for part in subschemas(CONFIG_SCHEMA):
        assert "$ref" in part or "type" in part
        if part.get("type") == "object":
            names_are_free = "pattern" in part.get("propertyNames", {})
            assert names_are_free or part["additionalProperties"] is False
        for key, value in part.get("properties", {}).items():
            assert value.get("description"), key


def test_every_keyword_of_the_schema_has_words():
    for part in subschemas(CONFIG_SCHEMA):
        assert set(part) - STRUCTURE <= set(RULES)
        kinds = part.get("type", "object")
        assert TYPE_NAMES.keys() >= set([kinds] if isinstance(kinds, str) else kinds)


# Properties of all configs


@st.composite
def valid_sweep(draw, name, toy=False):
    """A sweep that is stable: with v >= d the spectrum ends below 4 Tr D."""
    alphas = draw(st.lists(st.floats(0.1, 3), min_size=1, max_size=3, unique=True))
    edge = 0.5 - min(alphas)
    betas = draw(st.lists(st.floats(edge, 3), min_size=1, max_size=3, unique=True))
    if toy:
        alphas, betas = alphas[:1], betas[:1]
    if toy or draw(st.booleans()):
        sweep = {"points": [[a, b] for a in alphas for b in betas]}
    else:
        sweep = {"product": {"alpha": alphas, "beta": betas}}
    d = draw(st.lists(st.integers(1, 300), min_size=1, max_size=4, unique=True))
    batch = draw(st.integers(1, 20))
    engines = draw(
        st.lists(st.sampled_from(["sgd", "recursion", "volterra"]), min_size=1, unique=True)
    )
    if toy and "volterra" not in engines:
        engines.append("volterra")
    sweep |= {
        "d": d,
        "v_over_d": draw(st.floats(1, 10)),
        "batch": batch,
        "c": draw(st.floats(0.01, 0.2)),
        "flops": max(d) * batch * draw(st.floats(1, 1e4)),
        "engines": engines,
    }
    if set(engines) != {"volterra"} or draw(st.booleans()):
        sweep["runs"] = draw(st.integers(1, 9))
    if sweep.get("runs", 2) > 1 and draw(st.booleans()):
        tenths = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True))
        sweep["windows"] = [[sweep["flops"] * k / 10, sweep["flops"]] for k in tenths]
        if len(alphas) == len(betas) == 1 and set(engines) != {"recursion"}:
            sweep["front"] = f"front_{name}"
    return sweep


@st.composite
def valid_configs(draw):
    names = draw(
        st.lists(
            st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,40}", fullmatch=True).filter("edge".__ne__),
            min_size=2,
            max_size=4,
            unique=True,
        )
    )
    toy = draw(st.sampled_from(names))
    grid = {name: draw(valid_sweep(name, toy=name == toy)) for name in names}
    grid["the_traverse"] = yaml.safe_load(VALID)["sweeps"]["line"]  # drawn with a vanishing chance
    grid["edge"] = yaml.safe_load(VALID)["sweeps"]["edge"]  # the sweep of negative_beta
    edits = {
        "traverse": "the_traverse",
        "sweeps": grid,
        "toy_scaling.sweep": toy,
        "toy_scaling.budget": grid[toy]["flops"],
    }
    return edited(edits)


def count_points(sweep):
    if "points" in sweep:
        return len(sweep["points"])
    return len(sweep["product"]["alpha"]) * len(sweep["product"]["beta"])


@given(valid_configs())
def test_expansion_of_any_valid_config(config):
    before = copy.deepcopy(config)
    validate(config, CONFIG_SCHEMA)
    grid = expand(complete(config, CONFIG_SCHEMA))
    assert config == before
    assert grid.columns.tolist() == grid_schema.GRID.names

    sizes = []
    for name, sweep in config["sweeps"].items():
        for engine in ENGINES.values():
            limit = sweep.get("largest_sampled_d", 1e9) if engine.samples else 1e9
            d = [d for d in sweep["d"] if d <= limit and engine.name in sweep["engines"]]
            sizes += [((name, engine.name), count_points(sweep) * len(d))] if d else []
    assert sorted(grid.groupby(["sweep", "engine"]).size().items()) == sorted(sizes)
    assert not grid.duplicated(["sweep", "alpha", "beta", "d", "engine"]).any()
    assert (grid["v"] >= grid["d"]).all()
    for row in grid.itertuples():
        assert (row.steps - 1) * row.d * row.batch < row.flops <= row.steps * row.d * row.batch
        trace = np.sum(np.arange(1.0, row.v + 1) ** (-2 * row.alpha))
        assert row.learning_rate * row.batch * trace == pytest.approx(row.c, rel=1e-9)
        model = power_law_model(row.alpha, row.beta, row.d, row.v)
        mass = kernel_mass(model, SGD(row.learning_rate, row.batch))
        assert row.kernel_mass == mass >= row.learning_rate * trace / 2 * (1 - 1e-9)
        sweep = config["sweeps"][row.sweep]
        assert row.runs == (sweep["runs"] if row.engine in ("sgd", "recursion") else 0)
        assert row.flops == sweep["flops"]


@given(valid_configs(), st.data())
def test_rows_do_not_depend_on_other_sweeps(config, data):
    kept = config["toy_scaling"]["sweep"], config["traverse"]
    removed = data.draw(st.sampled_from([name for name in config["sweeps"] if name not in kept]))
    grid = expand(complete(config, CONFIG_SCHEMA))
    del config["sweeps"][removed]
    expected = grid[grid["sweep"] != removed].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        expand(complete(config, CONFIG_SCHEMA)), expected, check_exact=True
    )


def key_paths(node, path=()):
    """Paths of everything below a node."""
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield (*path, key)
            yield from key_paths(value, (*path, key))


def dotted(path):
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


KNOWN_KEYS = {key for part in subschemas(CONFIG_SCHEMA) for key in part.get("properties", {})}


@given(valid_configs(), st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.data())
def test_unknown_key_is_refused_anywhere(config, key, data):
    paths = [(), *key_paths(config)]
    mappings = [p for p in paths if isinstance(follow(config, p), dict) and p != ("sweeps",)]
    path = data.draw(st.sampled_from(mappings))
    if key in KNOWN_KEYS:
        key += "_"
    follow(config, path)[key] = 1
    (line,) = refusal(config)
    assert line.startswith(f"{dotted((*path, key))}: unknown key; ")


@given(valid_configs(), st.sampled_from([None, True, float("nan")]), st.data())
def test_value_of_no_use_is_refused_anywhere(config, value, data):
    path = data.draw(st.sampled_from(list(key_paths(config))))
    follow(config, path[:-1])[path[-1]] = value
    shown = {None: "null", True: "true"}.get(value, "NaN")
    (line,) = refusal(config)
    assert line.startswith(f"{dotted(path)} = {shown}: must be ")
