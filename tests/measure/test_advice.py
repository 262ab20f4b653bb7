"""Advice before any run: budgets that fits will drop, and errors that they will have."""

from functools import partial

import numpy as np
import pytest

import plrf
from plrf.exact.best_sizes import optimal_budgets, optimal_sizes
from plrf.measure.advice import Noise
from plrf.measure.coverage import SizeGrid, round_down, round_up, shortage
from plrf.measure.fronts import parabolas
from plrf.scaling import ScalingRule
from plrf.task import PowerLawTask

RULE = ScalingRule()
SIZES = np.array([25, 35, 50, 71, 100, 141, 200, 283, 400, 566, 800, 1131, 1600, 2263, 3200])
MANY = np.round(25 * 2 ** (np.arange(25) / 2))


def predicted(grid, window, point, budgets=9, **settings):
    best = partial(optimal_sizes, task=PowerLawTask(*point), largest=grid.sizes[-1])
    return shortage(grid, window, best, budgets=budgets, neighbours=2, **settings)


def dropped(grid, window, point, budgets=9):
    """Budgets that a fit of exact losses drops."""
    flops = np.geomspace(*window, budgets)
    noise = Noise.of(grid, flops, 2, task=PowerLawTask(*point), rule=RULE)
    return int((~parabolas(grid.sizes, flops, noise.loss, 2).usable).sum())


def ending(sizes, point, flops, factor=None):
    """Sizes whose runs all go to a budget, or to a multiple of their own best one."""
    last = np.full(len(sizes), float(flops))
    if factor is not None:
        best = optimal_budgets(sizes, PowerLawTask(*point))
        last = np.maximum(np.minimum(flops, factor * best), sizes)
    return SizeGrid(np.asarray(sizes, float), last, 1)


@pytest.mark.parametrize("point", [(0.7, 0.7), (0.75, 0.25), (0.2, 0.7), (1.25, 0.75), (0.4, 1.0)])
@pytest.mark.parametrize("window", [(1e3, 1e5), (1e4, 1e6), (1e5, 1e8)])
@pytest.mark.parametrize("factor", [None, 3.0])
def test_dropped_budgets_are_foretold(point, window, factor):
    grid = ending(SIZES, point, window[1], factor)
    lacks = predicted(grid, window, point)
    assert abs((lacks.dropped if lacks else 0) - dropped(grid, window, point)) <= 1


@pytest.mark.parametrize("window", [(1e3, 1e5), (1e5, 1e8)])
def test_each_remedy_does(window):
    point = (0.7, 0.7)
    grid = ending(SIZES, point, window[1], 3.0)
    lacks = predicted(grid, window, point)
    assert lacks.ends_early and (lacks.below or lacks.above)
    sizes = np.array([*lacks.below, *SIZES, *lacks.above])
    longer = ending(sizes, point, window[1], lacks.run_factor)
    assert predicted(longer, window, point) is None
    assert dropped(longer, window, point) == 0
    alone = predicted(ending(SIZES, point, window[1]), window, point)
    assert predicted(ending(SIZES, point, window[1]), alone.window, point) is None


def test_nothing_is_said_where_nothing_lacks_or_is_known():
    grid = ending(SIZES, (0.7, 0.7), 1e6)
    assert predicted(grid, (1e4, 1e6), (0.7, 0.7)) is None
    unknown = shortage(
        grid, (1e4, 1e6), lambda flops: np.full(flops.shape, np.nan), budgets=9, neighbours=2
    )
    assert unknown is None


def test_no_sizes_are_proposed_below_the_least():
    grid = ending(SIZES[5:], (0.7, 0.7), 1e6)
    assert predicted(grid, (1e4, 1e6), (0.7, 0.7)).below == (49, 70, 99)
    lacks = predicted(grid, (1e4, 1e6), (0.7, 0.7), least_size=100)
    assert (lacks.below, lacks.above) == ((), ())
    assert lacks.window[0] > 1e4


def test_optimal_sizes_invert_optimal_budgets():
    flops = optimal_budgets([50.0, 3000.0], PowerLawTask(0.7, 0.7))
    found = optimal_sizes(flops, PowerLawTask(0.7, 0.7), largest=3000)
    np.testing.assert_allclose(found, [50, 3000], rtol=1e-9)
    exact = plrf.compute_optimal([3e4, 3e6], alpha=0.7, beta=0.7).d
    np.testing.assert_allclose(
        optimal_sizes([3e4, 3e6], PowerLawTask(0.7, 0.7), largest=1e4), exact, rtol=0.02
    )


def test_rounding_goes_one_way():
    assert (round_up(12001.0), round_up(12000.0), round_up(9.91)) == (13000, 12000, 10)
    assert (round_down(12999.0), round_down(12000.0), round_down(0.0199)) == (12000, 12000, 0.019)


# Standard errors of eta and xi by a bootstrap of real runs, 9 budgets from 1e6 to 1e8.
MEASURED = [
    ((0.7, 0.7), 20, 12, (0.0053, 0.0136)),
    ((1.25, 0.75), 10, 24, (0.04, 0.07)),
    ((0.2, 0.7), 10, 12, (0.0016, 0.0037)),
]


@pytest.mark.parametrize(("point", "runs", "factor", "measured"), MEASURED)
def test_expected_errors_are_those_of_real_runs(point, runs, factor, measured):
    grid = ending(MANY, point, 1e8, factor)
    flops = np.geomspace(1e6, 1e8, 9)
    noise = Noise.of(grid, flops, 2, task=PowerLawTask(*point), rule=RULE)
    ratio = noise.errors(runs) / measured
    assert np.all((ratio > 1 / 2) & (ratio < 2)), ratio
    # Errors fall like the root of the number of runs, to within what moves the lowest sizes.
    np.testing.assert_allclose(noise.errors(10000) / noise.errors(40000), 2, rtol=0.15)


def test_errors_are_unknown_where_a_fit_is_refused():
    grid = ending(SIZES, (0.7, 0.7), 1e8)
    noise = Noise.of(grid, np.geomspace(1e8, 1e9, 5), 2, task=PowerLawTask(0.7, 0.7), rule=RULE)
    assert np.isnan(noise.errors(10)).all()


def test_a_proposal_has_its_sizes_and_its_error():
    point = {"alpha": 0.7, "beta": 0.7}
    found = plrf.advise((1e6, 1e8), std_error=0.02, **point)
    assert found.xi_error == pytest.approx(0.02, rel=0.1) and found.eta_error < found.xi_error
    assert found.engines == ("sgd", "sgd_averaged")
    assert sorted(d for d in found.sizes if d <= found.largest_sampled_d)[-2] >= 500
    sizes = np.array(found.sizes, float)
    grid = ending(sizes, (0.7, 0.7), 1e8, found.around_optimum)
    assert predicted(grid, (1e6, 1e8), (0.7, 0.7), budgets=17) is None
    better = plrf.advise((1e6, 1e8), std_error=0.01, **point)
    assert 2 < better.runs / found.runs < 8 and better.seconds > found.seconds
    small = plrf.advise((1e4, 1e5), std_error=0.05, alpha=0.75, beta=0.25)
    assert (small.engines, small.largest_sampled_d) == (("sgd",), None)
    large = plrf.advise((1e10, 1e12), std_error=0.05, alpha=0.75, beta=0.25)
    assert (large.engines, large.largest_sampled_d) == (("sgd_averaged",), None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": (1e8, 1e6)}, "must begin below its end"),
        ({"window": (0, 1e6)}, "window = 0: must be a finite number above 0"),
        ({"window": (10, 1e6)}, r"no best size at 10 flops, no minimum"),
        ({"std_error": 0}, "std_error = 0: must be"),
        ({"std_error": 1e-9}, "more than 100000 runs"),
        ({"beta": -0.2}, "no exponents on the edge"),
        ({"v_over_d": 1}, "v_over_d = 1: must be"),
        ({"budgets": 3}, "budgets = 3: must be"),
        ({"neighbours": 0}, "neighbours = 0: must be"),
        ({"c": 5}, "c = 5: SGD diverges"),
    ],
)
def test_bad_arguments_are_refused(changes, message):
    arguments = {"window": (1e6, 1e8), "alpha": 0.7, "beta": 0.7} | changes
    with pytest.raises(ValueError, match=message):
        plrf.advise(**arguments)


@pytest.mark.parametrize("window", ["wide", 1e6, (1e5, 1e6, 1e7)])
def test_a_window_is_two_budgets(window):
    with pytest.raises(TypeError, match="window"):
        plrf.advise(window, alpha=0.7, beta=0.7)


def test_a_grid_is_checked():
    with pytest.raises(ValueError, match="increasing"):
        SizeGrid(np.array([20.0, 10.0]), np.array([1e5, 1e5]), 1)
    with pytest.raises(ValueError, match="one shape"):
        SizeGrid(np.array([10.0, 20.0]), np.array([1e5]), 1)
