"""Which budgets of a window the sizes of a grid suffice for, foretold before there are losses.

A fit drops a budget whose lowest loss lacks neighbours (`plrf.measure.lowest`). Of a grid, the size
of lowest loss is about the one next to the best size d*(f) of the exact front, in log d.

Imported at every parse of the Snakefile: no scipy here.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import numbers, whole_number
from plrf.measure.lowest import lowest

FloatArray = NDArray[np.float64]
BestSizes = Callable[[FloatArray], FloatArray]  # of budgets

USUAL_RATIO = 2**0.5  # of sizes that are added to a grid of one size
MOST_RATIO = 2.0  # parabolas through sizes further apart say little
MOST_ADDED = 60  # sizes, when what would do is looked for
FINE_BUDGETS = 241  # of a window, when a narrower one is looked for
NARROWEST = 2.0  # window that is worth naming: its upper end over its lower one


@dataclass(frozen=True, eq=False)
class SizeGrid:
    """Sizes, and the budgets at which each has losses.

    Attributes
    ----------
    sizes : ndarray, shape (n_d,)
        Numbers of parameters; increasing.
    last : ndarray, shape (n_d,)
        Budget in flops at which the runs of each size end.
    batch : int
        Samples per step: losses begin at ``d batch`` flops.

    Raises
    ------
    ValueError
        If sizes are not positive and increasing, or shapes do not fit.
    TypeError
        If something is not a number.
    """

    sizes: FloatArray
    last: FloatArray
    batch: int

    def __post_init__(self) -> None:
        sizes, last = numbers("sizes", self.sizes, above=0), numbers("last", self.last, above=0)
        whole_number("batch", self.batch, least=1)
        if sizes.ndim != 1 or not sizes.size or not np.all(np.diff(sizes) > 0):
            raise ValueError("sizes must be 1-d and increasing")
        if last.shape != sizes.shape:
            raise ValueError(f"sizes and last must have one shape: {sizes.shape}, {last.shape}")

    def reaches(self, budgets: FloatArray) -> NDArray[np.bool_]:
        """Whether sizes have losses at budgets (n_f,), shape (n_d, n_f)."""
        first, last = self.sizes[:, None] * self.batch, self.last[:, None] * (1 + 1e-9)
        reached: NDArray[np.bool_] = (first <= budgets) & (budgets <= last)
        return reached

    def lowest(
        self, budgets: FloatArray, best: FloatArray, neighbours: int
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Place of the lowest loss, and whether a fit can use the budget, both of shape (n_f,).

        Parameters
        ----------
        budgets, best : ndarray, shape (n_f,)
            Budgets in flops and the best sizes there.
        neighbours : int
            Sizes that are needed on each side.
        """
        distance = np.abs(np.log(self.sizes)[:, None] - np.log(best))
        distance[~self.reaches(budgets)] = np.nan
        place, status = lowest(distance, neighbours)
        return place, status == "ok"

    def extended(self, below: list[int], above: list[int], flops: float) -> SizeGrid:
        """The grid with more sizes at its ends, all of whose runs go on to a budget."""
        sizes = np.array([*below, *self.sizes, *above], dtype=float)
        return replace(self, sizes=sizes, last=np.full(sizes.shape, flops))


@dataclass(frozen=True)
class Shortage:
    """What a window lacks.

    Attributes
    ----------
    dropped, budgets : int
        Number of budgets that will be dropped, and of all.
    best : tuple of float
        Best sizes at the lower and the upper end of the window.
    short : tuple of bool
        Whether sizes lack below the smallest and above the largest.
    ends_early : bool
        Whether runs of sizes near the best end before a budget of the window.
    run_factor : float
        The least ``around_optimum`` that would do, if they do.
    below, above : tuple of int
        Sizes that would do if they were added; both empty if none would.
    window : tuple of float, optional
        The widest part of the window that would do.
    """

    dropped: int
    budgets: int
    best: tuple[float, float]
    short: tuple[bool, bool]
    ends_early: bool
    run_factor: float
    below: tuple[int, ...]
    above: tuple[int, ...]
    window: tuple[float, float] | None


def shortage(
    grid: SizeGrid,
    window: ArrayLike,
    best_sizes: BestSizes,
    *,
    budgets: int,
    neighbours: int,
    least_size: int = 1,
    spare: tuple[int, ...] = (),
) -> Shortage | None:
    """Foretell the budgets of a window that a fit will drop, and say what would do.

    Against fits of exact losses, the number of dropped budgets is right to within one
    (``tests/measure/test_advice.py``); noise drops more.

    Parameters
    ----------
    grid : SizeGrid
    window : array_like, shape (2,)
        Lowest and highest budget, in flops.
    best_sizes : callable
        From budgets to the best sizes, NaN where they are not known.
    budgets : int
        Number of log-spaced budgets in the window.
    neighbours : int
        Sizes that the lowest loss needs on each side.
    least_size : int
        The smallest size that may be added.
    spare : tuple of int
        Larger sizes than those of the grid, increasing, that are the first to be added.

    Returns
    -------
    Shortage or None
        None if nothing lacks, or the best sizes are not known.
    """
    low, high = window_ends(window)
    flops = np.geomspace(low, high, budgets)
    best = best_sizes(flops)
    if not np.all(np.isfinite(best)):
        return None
    usable = grid.lowest(flops, best, neighbours)[1]
    if usable.all():
        return None
    endless = grid.extended([], [], high)
    place, enough = endless.lowest(flops, best, neighbours)
    lacking = place[~enough]
    early = enough & ~usable
    added = _sizes_to_add(grid, flops, best, neighbours, least_size, spare)
    return Shortage(
        dropped=int((~usable).sum()),
        budgets=budgets,
        best=(float(best[0]), float(best[-1])),
        short=(
            bool(np.any(lacking < neighbours)),
            bool(np.any(lacking >= grid.sizes.size - neighbours)),
        ),
        ends_early=bool(early.any()),
        run_factor=_run_factor(grid, flops, best_sizes, place - neighbours, early),
        below=added[0],
        above=added[1],
        window=_narrower(grid, (low, high), best_sizes, neighbours),
    )


def window_ends(window: ArrayLike) -> tuple[float, float]:
    """Lowest and highest budget of a window.

    Raises
    ------
    ValueError
        If they are not positive, or the first is not the lower one.
    TypeError
        If they are not two numbers.
    """
    ends = numbers("window", window, above=0)
    if ends.shape != (2,):
        raise TypeError(f"window = {window!r}: must be two budgets")
    if not ends[0] < ends[1]:
        raise ValueError(f"window = {window!r}: must begin below its end")
    return float(ends[0]), float(ends[1])


def round_up(value: float) -> float:
    """The next number of two digits that is not smaller."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit * (1 - 1e-12)) * unit:.6g}")


def round_down(value: float) -> float:
    """The next number of two digits that is not larger."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / unit * (1 + 1e-12)) * unit:.6g}")


def _run_factor(
    grid: SizeGrid,
    flops: FloatArray,
    best_sizes: BestSizes,
    smallest: NDArray[np.intp],
    early: NDArray[np.bool_],
) -> float:
    """The largest ratio of an affected budget to the one at which the size needed there is best."""
    if not early.any():
        return math.nan
    fine = np.geomspace(flops[0] / 1e4, flops[-1], 4 * FINE_BUDGETS)
    needed = np.log(grid.sizes[smallest[early]])
    when_best = np.exp(np.interp(needed, np.log(best_sizes(fine)), np.log(fine)))
    return round_up(float(1.1 * np.max(flops[early] / when_best)))  # what is known to a percent


def _sizes_to_add(
    grid: SizeGrid,
    flops: FloatArray,
    best: FloatArray,
    neighbours: int,
    least_size: int,
    spare: tuple[int, ...],
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sizes that continue a grid by its own ratio until no budget lacks any; none if none do."""
    ratios = grid.sizes[1:] / grid.sizes[:-1] if grid.sizes.size > 1 else np.array([USUAL_RATIO])
    down, up = np.minimum(ratios[[0, -1]], MOST_RATIO)
    below: list[int] = []
    above: list[int] = []
    for _ in range(MOST_ADDED):
        longer = grid.extended(below, above, flops[-1])
        place, enough = longer.lowest(flops, best, neighbours)
        if enough.all():
            return tuple(below), tuple(above)
        smallest, largest = longer.sizes[[0, -1]]
        if place[~enough].min() < neighbours:
            below.insert(0, min(round(smallest / down), round(smallest) - 1))
        else:
            larger = [d for d in spare if d > largest]
            above.append(larger[0] if larger else max(round(largest * up), round(largest) + 1))
        if (below and below[0] < least_size) or (above and above[-1] * grid.batch > flops[-1]):
            break
    return (), ()


def _narrower(
    grid: SizeGrid, window: tuple[float, float], best_sizes: BestSizes, neighbours: int
) -> tuple[float, float] | None:
    """The widest part of a window that a grid suffices for, to two digits."""
    low, high = window
    fine = np.geomspace(low, high, FINE_BUDGETS)
    usable = grid.lowest(fine, best_sizes(fine), neighbours)[1]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], usable, [False]]).astype(int)))
    if not edges.size:
        return None
    starts, stops = edges[::2], edges[1::2] - 1
    widest = int(np.argmax(stops - starts))
    start, stop = float(fine[starts[widest]]), float(fine[stops[widest]])
    start = low if start == fine[0] else round_up(start)
    stop = high if stop == fine[-1] else round_down(stop)
    return (start, stop) if stop >= NARROWEST * start else None
