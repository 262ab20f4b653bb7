"""The compute-optimal front of measured losses: lowest loss P* and best size d* at each budget.

A method makes a `Front` of the mean losses of several sizes at common budgets:

- `parabolas` through the size of lowest loss and its neighbours, in log d. With one neighbour on
  each side they interpolate the envelope of all loss curves between the sizes of the grid
  (Approach 1 of Hoffmann et al. 2022); with more they are its IsoFLOP parabolas (Approach 2).
- `splines`: the minimum of a cubic spline through all sizes, free of the bias of a parabola.

All are vectorised over leading axes of the mean losses, which the bootstrap needs.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from plrf.arguments import whole_number
from plrf.measure.lowest import MIN_SIZES, lowest

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Front:
    """The compute-optimal front: lowest loss and optimal size at each budget.

    Attributes
    ----------
    budgets : ndarray, shape (n_f,)
        Compute, in flops.
    d_opt, loss_opt : ndarray, shape (..., n_f)
        Optimal size and its loss; NaN where they are not known.
    status : ndarray of str, shape (..., n_f)
        ``"ok"``, or why the budget must not be used:
        ``"few_sizes"``, fewer than `MIN_SIZES` sizes have a loss there;
        ``"edge_minimum"``, the lowest loss has too few neighbours on one side, since it is at the
        edge of the grid of sizes or near a size without a loss;
        ``"not_convex"``, the parabola has no minimum;
        ``"vertex_outside"``, its minimum is not within the sizes that it was fitted to;
        ``"below_losses"``, it is further below the lowest loss of all sizes than the highest is
        above it, in log loss, as where two sizes are very close;
        ``"no minimum"`` or ``"not converged"``, of the exact front (`plrf.statuses`).
    best : ndarray of int, shape (..., n_f), optional
        Index of the size with the lowest mean loss.
    d_low, d_high : ndarray, shape (..., n_f), optional
        Smallest and largest size that the minimum comes from.
    parabola : ndarray, shape (..., n_f, 3), optional
        Coefficients of log loss against log d (natural logarithms), highest power first, as for
        `numpy.polyval`; NaN where there is none.
    """

    budgets: FloatArray
    d_opt: FloatArray
    loss_opt: FloatArray
    status: NDArray[np.str_]
    best: NDArray[np.intp] | None = None
    d_low: FloatArray | None = None
    d_high: FloatArray | None = None
    parabola: FloatArray | None = None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Whether each budget may be used in a fit."""
        usable: NDArray[np.bool_] = self.status == "ok"
        return usable


def parabolas(
    sizes: FloatArray, budgets: FloatArray, mean_loss: FloatArray, neighbours: int
) -> Front:
    """Front by parabolas in log d, fitted to log loss by least squares.

    Parameters
    ----------
    sizes : ndarray, shape (n_d,)
        Model-parameter counts; increasing.
    budgets : ndarray, shape (n_f,)
        Compute, in flops.
    mean_loss : ndarray, shape (..., n_d, n_f)
        Mean losses; NaN where there is none.
    neighbours : int
        Sizes on each side of the lowest loss that a parabola is fitted to. Equal numbers on both
        sides: parabolas through the lowest losses would be lopsided at the ends of the grid.

    Raises
    ------
    ValueError
        If `neighbours` is less than 1.
    """
    neighbours = whole_number("neighbours", neighbours, least=1)
    best, status = lowest(mean_loss, neighbours)
    # Where a neighbour is missing the status is not ok, and what is computed is not used.
    steps = np.arange(-neighbours, neighbours + 1)[:, None]
    around = np.clip(best[..., None, :] + steps, 0, sizes.size - 1)
    log_loss = np.log(np.take_along_axis(mean_loss, around, axis=-2))
    coefficients = np.einsum(
        "...fck,...kf->...fc", _least_squares(np.log(sizes), neighbours)[best], log_loss
    )
    coefficients[status != "ok"] = np.nan
    a, b, c = np.moveaxis(coefficients, -1, 0)

    origin = np.log(sizes)[best]
    d_low, d_high = (np.where(status == "ok", sizes[around[..., k, :]], np.nan) for k in (0, -1))
    convex = a > 0
    # The vertex is within the sizes if the slope changes sign between the smallest and largest.
    falls, rises = (2 * a * (np.log(d) - origin) + b for d in (d_low, d_high))
    inside = convex & (falls <= 0) & (rises >= 0)
    vertex = np.divide(-b, 2 * a, out=np.full(a.shape, np.nan), where=inside)
    loss_opt = np.exp(c + b * vertex / 2)
    below = _far_below(loss_opt, mean_loss)
    return Front(
        budgets,
        d_opt=np.where(below, np.nan, np.exp(origin + vertex)),
        loss_opt=np.where(below, np.nan, loss_opt),
        status=np.select(
            [status != "ok", ~convex, ~inside, below],
            [status, "not_convex", "vertex_outside", "below_losses"],
            "ok",
        ),
        best=best,
        d_low=d_low,
        d_high=d_high,
        parabola=np.stack([a, b - 2 * a * origin, c - b * origin + a * origin**2], axis=-1),
    )


def _far_below(loss_opt: FloatArray, mean_loss: FloatArray) -> NDArray[np.bool_]:
    """Whether minima (..., n_f) are as far below the losses (..., n_d, n_f) as `Front` says."""
    present = np.isfinite(mean_loss)
    lowest = np.min(mean_loss, axis=-2, where=present, initial=np.inf)
    highest = np.max(mean_loss, axis=-2, where=present, initial=0.0)
    below: NDArray[np.bool_] = loss_opt * highest < lowest**2
    return below


def _least_squares(log_d: FloatArray, neighbours: int) -> FloatArray:
    """Matrices (n_d, 3, k) from log losses around each size to a parabola's coefficients.

    The parabola is in log d measured from the size in the middle. NaN where neighbours lack.
    """
    matrices = np.full((log_d.size, 3, 2 * neighbours + 1), np.nan)
    for i in range(neighbours, log_d.size - neighbours):
        x = log_d[i - neighbours : i + neighbours + 1] - log_d[i]
        matrices[i] = np.linalg.pinv(np.vander(x, 3))
    return matrices


def splines(
    sizes: FloatArray, budgets: FloatArray, mean_loss: FloatArray, neighbours: int
) -> Front:
    """Front by cubic splines of log loss in log d, through all sizes that have a loss.

    Sizes without a loss are the same for all leading axes. The minimum is sought next to the
    lowest loss, which must have `neighbours` on each side. Parameters as for `parabolas`.
    """
    best, status = lowest(mean_loss, neighbours)
    minimum = np.full((2, *best.shape), np.nan)
    d_low, d_high = np.full((2, *best.shape), np.nan)
    present = np.isfinite(mean_loss.reshape(-1, *mean_loss.shape[-2:])[0])
    for j in np.flatnonzero(present.sum(axis=0) >= MIN_SIZES):
        known = np.flatnonzero(present[:, j])
        curve = CubicSpline(np.log(sizes[known]), np.log(mean_loss[..., known, j]), axis=-1)
        place = np.searchsorted(known, best[..., j])
        minimum[..., j] = _spline_minimum(curve, place)
        d_low[..., j], d_high[..., j] = sizes[known[[0, -1]]]
    below = _far_below(np.exp(minimum[1]), mean_loss)
    status = np.where((status == "ok") & below, "below_losses", status)
    minimum[:, status != "ok"] = np.nan
    d_opt, loss_opt = np.exp(minimum)
    return Front(budgets, d_opt, loss_opt, status, best, d_low, d_high)


def _spline_minimum(curve: CubicSpline, place: NDArray[np.intp]) -> FloatArray:
    """Place and value (2, ...) of splines' minima in the two intervals around the lowest knot.

    The slope of the spline at that knot has one sign: on one side of it the spline falls first,
    and must turn before it reaches the higher value of the next knot.
    """
    knots = curve.x
    found = []
    for left in (place - 1, place):
        left = np.clip(left, 0, knots.size - 2)
        # Coefficients have shape (4, n - 1, ...): take those of each curve's own interval.
        index = left[None, None]
        c3, c2, c1, c0 = np.take_along_axis(curve.c, index, axis=1)[:, 0]
        width = np.diff(knots)[left]
        # The root of 3 c3 t^2 + 2 c2 t + c1 where the curve is convex, in the stable form.
        root = np.sqrt(np.maximum(c2**2 - 3 * c3 * c1, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(c2 > 0, -c1 / (c2 + root), (root - c2) / (3 * c3))
        t = np.clip(np.where(np.isfinite(t), t, 0), 0, width)
        found.append((knots[left] + t, ((c3 * t + c2) * t + c1) * t + c0))
    (x_left, left_value), (x_right, right_value) = found
    lower = left_value < right_value
    return np.where(lower, [x_left, left_value], [x_right, right_value])
