"""Loss surfaces of known exponents, on the rows of a user's table.

A table's design, its sizes d and samples n, is moved onto a surface: d is multiplied and n divided
by one factor, so that the design's centre lies at the surface's best size for the same d n. E is
added so that it has a given share of the loss there.

- Power-law random features: exact expected losses, W averaged out, one point (alpha, beta) for each
  phase; they are no sums of a constant and two power laws.
- Laws E + A d^-a + B n^-b of given exponents, on which only the design can mislead a method.

Source: model sections 4, 7 and 8 (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from plrf.exact.front import compute_optimal
from plrf.exact.loss import DivergenceError, expected_loss
from plrf.fitting.quantities import best_d, eta, xi
from plrf.measure.power_law import slopes
from plrf.scaling import ScalingRule
from plrf.statuses import DIVERGES, NOT_CONVERGED, OK
from plrf.task import PowerLawTask
from plrf.theory import phases

FloatArray = NDArray[np.float64]

POINTS = ((0.75, 0.25), (0.45, 0.33), (0.2, 0.7), (1.25, 0.75), (1.0, 2.0), (0.4, 1.0), (0.27, 0.8))
"""(alpha, beta) in phases Ia, Ib, Ic, II, III, IVa and IVb."""

OUT_OF_RANGE = "out of range"
SMALLEST_SIZE, FEWEST_SAMPLES = 12.0, 16.0  # on a surface of random features
RULE = ScalingRule()
_SIZES = 16  # Chebyshev nodes in log d
_BUDGETS = 7  # of the exact front, over the design's


@dataclass(frozen=True, eq=False)
class Design:
    """Rows of a table, and its centre.

    Attributes
    ----------
    d, n : ndarray, shape (m,)
        Parameters and samples.
    d_centre, n_centre : float
        The best size at the middle budget, and its samples.
    """

    d: FloatArray
    n: FloatArray
    d_centre: float
    n_centre: float

    @classmethod
    def of(cls, d: FloatArray, n: FloatArray, parameters: FloatArray | None) -> Design:
        """Put the centre at the best size of a law (5,), or in the middle of the sizes.

        The middle budget is half-way, in log d n, between the least and the largest one.
        """
        compute = float(_middle(d * n))
        size = _middle(d) if parameters is None else best_d(parameters, np.array([compute]), 1.0)[0]
        return cls(d, n, float(size), compute / float(size))


@dataclass(frozen=True, eq=False)
class SurfaceLosses:
    """Losses of a design on a surface, and the surface's exponents.

    Attributes
    ----------
    d, n, loss : ndarray, shape (m,)
        The design where it was moved to, and its losses, E included.
    exact : ndarray, shape (2,)
        Eta of P* - E, and xi: mean slopes of the exact front over the design's budgets.
    theory : ndarray, shape (2,)
        Their limits at infinite size.
    status : str
        "ok", or why there are no losses.
    """

    d: FloatArray
    n: FloatArray
    loss: FloatArray
    exact: FloatArray
    theory: FloatArray
    status: str


Surface = Callable[[Design, float], SurfaceLosses]
"""From a design and the share of E in the loss at its centre to losses."""


def random_features(alpha: float, beta: float) -> Surface:
    """Surface of power-law random features trained by one-pass SGD (model sections 4 and 7)."""

    def losses(design: Design, share: float) -> SurfaceLosses:
        theory = np.array([float(e) for e in phases.exponents(alpha, beta)])
        compute = design.d * design.n
        middle = design.d_centre * design.n_centre
        budgets = np.geomspace(compute.min(), compute.max(), _BUDGETS)
        front = compute_optimal(np.append(budgets, middle), alpha=alpha, beta=beta)
        unknown = np.full(compute.shape, np.nan)
        failed = front.status[front.status != OK]
        if failed.size:
            return SurfaceLosses(
                design.d, design.n, unknown, theory * np.nan, theory, str(failed[0])
            )
        logs = np.log([1 / front.loss[:-1], front.d[:-1]])
        exact = slopes(np.log(budgets), logs, np.ones(budgets.shape, dtype=bool))
        factor = front.d[-1] / design.d_centre
        d, n = design.d * factor, design.n / factor
        reducible, status = _exact_losses(d, n, alpha, beta)
        return SurfaceLosses(
            d, n, reducible + share / (1 - share) * front.loss[-1], exact, theory, status
        )

    return losses


def law(a: float, b: float) -> Surface:
    """Surface E + A d^-a + B n^-b whose best size at the design's centre is the centre's own."""

    def losses(design: Design, share: float) -> SurfaceLosses:
        # At the best size a A d^-a = b B n^-b; together they are 1 - share.
        of_size = (1 - share) * b / (a + b) * (design.d / design.d_centre) ** -a
        of_samples = (1 - share) * a / (a + b) * (design.n / design.n_centre) ** -b
        parameters = np.array([0.0, 0.0, a, 0.0, b])
        exponents = np.array([float(eta(parameters)), float(xi(parameters))])
        loss = share + of_size + of_samples
        return SurfaceLosses(design.d, design.n, loss, exponents, exponents, OK)

    return losses


def _exact_losses(
    d: FloatArray, n: FloatArray, alpha: float, beta: float
) -> tuple[FloatArray, str]:
    """Exact expected losses of rows (m,), interpolated in log d and between steps; and status."""
    unknown = np.full(d.shape, np.nan)
    if d.min() < SMALLEST_SIZE or n.min() < FEWEST_SAMPLES:
        return unknown, OUT_OF_RANGE
    middle, half = np.log(d.min() * d.max()) / 2, np.log(d.max() / d.min()) / 2 + 1e-9
    places = (np.log(d) - middle) / half
    nodes = np.exp(middle + half * chebyshev.chebpts1(_SIZES))
    models = [RULE.model(PowerLawTask(alpha, beta), size) for size in nodes]
    steps = np.floor(n) + np.array([[0.0], [1.0]])
    try:
        found = expected_loss(
            steps,
            alpha=alpha,
            beta=beta,
            d=nodes[:, None, None],
            v=np.array([model.v for model in models])[:, None, None],
            learning_rate=np.array([RULE.training(m).learning_rate for m in models])[:, None, None],
        )
    except DivergenceError:
        return unknown, DIVERGES
    log_losses = np.log(found.loss)
    rest = np.log(n / steps[0]) / np.log(steps[1] / steps[0])
    between = log_losses[:, 0] + rest * (log_losses[:, 1] - log_losses[:, 0])
    coefficients = chebyshev.chebfit(chebyshev.chebpts1(_SIZES), between, _SIZES - 1)
    loss = np.exp(np.sum(chebyshev.chebvander(places, _SIZES - 1).T * coefficients, axis=0))
    return loss, OK if np.isfinite(loss).all() else NOT_CONVERGED


def _middle(values: FloatArray) -> FloatArray:
    middle: FloatArray = np.sqrt(values.min()) * np.sqrt(values.max())
    return middle
