"""Arguments of public functions: which numbers are taken, and what the errors name."""

import dataclasses
import importlib
import pkgutil
from fractions import Fraction

import numpy as np
import pytest

import plrf
from plrf.exact.front import compute_optimal
from plrf.exact.loss import expected_loss
from plrf.scaling import learning_rate
from plrf.theory.estimated_front import estimated_optimum
from plrf.theory.parts import f_0, loss_estimate
from plrf.theory.phases import phase

POINT = {"alpha": 0.75, "beta": 0.5}
SIZE = {"d": 20, "v": 80, "learning_rate": 0.25, "batch": 1}
FAMILY = {"v_over_d": 4.0, "c": 0.5, "batch": 1}
NOISE = {"noise": 0.25}
CALLS = {
    compute_optimal: POINT | FAMILY | NOISE | {"flops": 1e6},
    estimated_optimum: POINT | FAMILY | {"flops": 1e6},
    expected_loss: POINT | SIZE | NOISE | {"steps": 10},
    loss_estimate: POINT | SIZE | {"steps": 10},
    f_0: POINT | {"d": 20, "v": 80},
    learning_rate: {"c": 0.5, "alpha": 0.75, "v": 80, "batch": 1},
    phase: POINT,
}
BAD = {
    "alpha": [0, -1.0, np.nan, np.inf],
    "beta": [np.nan, -np.inf],
    "flops": [0.0, -1, np.nan, np.inf],
    "v_over_d": [1.0, 0, np.nan],
    "c": [0, -0.5, np.nan, np.inf],
    "batch": [0, -1, 2.5, np.nan, np.inf],
    "steps": [-1, np.nan, np.inf],
    "d": [0, -3.0, np.nan, np.inf],
    "v": [0, np.nan, -np.inf],
    "learning_rate": [0.0, -0.1, np.nan, np.inf],
    "noise": [-0.1, np.nan, np.inf],
}


@pytest.mark.parametrize("function", CALLS)
def test_values_out_of_range_are_named(function):
    for argument in CALLS[function]:
        for value in BAD[argument]:
            if (function, argument, value) == (compute_optimal, "batch", 2.5):
                continue  # W is averaged out, and budgets are continuous
            with pytest.raises(ValueError, match=rf"^{argument} = {value:.12g}: must be "):
                function(**CALLS[function] | {argument: value})


@pytest.mark.parametrize("function", CALLS)
def test_what_is_no_number_is_named(function):
    for argument in CALLS[function]:
        for value in ("1", None, 1j, True, {}):
            with pytest.raises(TypeError, match=rf"^{argument} = .*: must be "):
                function(**CALLS[function] | {argument: value})
    with pytest.raises(TypeError, match=r"^alpha = .*: must be a single number"):
        function(**CALLS[function] | {"alpha": [0.7, 0.8]})


def test_what_is_no_array_of_floats_is_named():
    with pytest.raises(ValueError, match=r"^alpha: must be .* within the range of floats"):
        phase(10**400, 1)
    with pytest.raises(TypeError, match=r"^steps = \[\[1\], \[1, 2\]\]: must be a whole number"):
        expected_loss([[1], [1, 2]], **POINT, **SIZE)


def test_steps_of_a_curve_are_whole():
    with pytest.raises(ValueError, match=r"^steps = 1.5: must be a whole number, at least 0"):
        expected_loss([1, 1.5], **POINT, **SIZE)


def values(result):
    """All that a result holds."""
    return list(vars(result).values()) if dataclasses.is_dataclass(result) else [result]


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize("kind", [np.float32, np.float16, np.array, Fraction])
def test_numbers_of_any_real_type_are_taken(function, kind):
    """All these types hold the values exactly."""
    plain = CALLS[function]
    whole = {"batch", "d", "v"} & plain.keys()
    other = {key: kind(value) for key, value in plain.items() if key not in ("flops", *whole)}
    other |= {key: np.uint8(plain[key]) for key in whole}
    for x, y in zip(values(function(**plain)), values(function(**plain | other)), strict=True):
        np.testing.assert_array_equal(x, y)


def test_small_integers_do_not_overflow():
    model = POINT | {"d": np.uint8(200), "v": np.uint8(250), "learning_rate": 1e-3}
    small, large = (expected_loss(5, **model, batch=batch).loss for batch in (np.uint8(255), 255))
    assert small == large


def records():
    """All record types of the library, by name."""
    names = [module.name for module in pkgutil.walk_packages(plrf.__path__, "plrf.")]
    members = [member for name in names for member in vars(importlib.import_module(name)).values()]
    kinds = [x for x in members if isinstance(x, type) and dataclasses.is_dataclass(x)]
    return {f"{kind.__module__}.{kind.__name__}": kind for kind in kinds}


def test_records_of_arrays_compare_by_identity():
    """Arrays compare element by element: ``==`` and ``in`` of their records would raise."""
    found = {
        name
        for name, kind in records().items()
        if any("Array" in str(field.type) for field in dataclasses.fields(kind))
        or any("ndarray" in str(field.type) for field in dataclasses.fields(kind))
    }
    assert {"plrf.exact.front.Optimum", "plrf.exact.loss.ExpectedLoss"} < found
    assert {name for name in found if records()[name].__eq__ is not object.__eq__} == set()


def test_results_can_be_compared_and_hashed():
    first, second = (compute_optimal([1e5, 1e6], **POINT) for _ in range(2))
    assert first in [second, first] and first != second
    curve = expected_loss([1, 2], **POINT, **SIZE)
    assert {curve: 1}[curve] == 1
