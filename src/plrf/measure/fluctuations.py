"""How much losses fluctuate: between samples of SGD, and between random W (model section 3).

A mean over runs says something only if what it averages has a mean that few runs come close to.
The loss of SGD is a product of random matrices: well below the stability threshold its second
moment is infinite already. And the expected loss for a given W is infinite where W is unstable,
as some W are near the threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.model import Model
from plrf.training import SGD

Array = NDArray[np.float64]

SINGLE_MODES = 32
GROUP_RATIO = 1.1  # of the ranks of modes that count as equal


@dataclass(frozen=True, eq=False)
class TypicalModes:
    """Eigenvalues of a typical W, those of similar size in groups.

    Attributes
    ----------
    eigenvalues, multiplicities : arrays, shape (n,)
        Decreasing eigenvalues, and how many there are of each.
    d : float
        Number of parameters.
    """

    eigenvalues: Array
    multiplicities: Array
    d: float


def typical_modes(model: Model) -> TypicalModes:
    """Eigenvalues ``a_j`` of the first d features, and what the others add to each of them."""
    task, d = model.task, model.d
    ranks = [float(j) for j in range(int(min(d, SINGLE_MODES)) + 1)]
    while ranks[-1] < d:
        ranks.append(min(float(d), np.ceil(ranks[-1] * GROUP_RATIO)))
    multiplicities = np.diff(ranks)
    middle = np.array(ranks[1:]) - (multiplicities - 1) / 2
    others = max(0.0, task.trace(model.v) - task.trace(d)) / d
    return TypicalModes(task.variance(middle) + others, multiplicities, d)


def _masses(rates: Array, batch: int) -> Array:
    """Parts of the kernel mass; infinite where a mode alone is unstable."""
    room = 2 - (batch + 1) * rates
    return np.where(room > 0, rates / np.where(room > 0, room, 1), np.inf)


def kernel_mass_spread(modes: TypicalModes, sgd: SGD, deviations: float = 1.0) -> float:
    """How much larger the kernel mass of a W is that deviates from the typical one.

    Over draws of W the leading eigenvalues spread by ``(2/d)**(1/2)``, relatively and independently
    of each other. Near a pole of the mass the effect is not linear in the deviation.

    Parameters
    ----------
    modes : TypicalModes
    sgd : SGD
    deviations : float
        Upward deviation in units of the spread of the eigenvalues.

    Returns
    -------
    float
        Root of the summed squares of the parts of all modes; may be infinite.
    """
    rates = sgd.learning_rate * modes.eigenvalues
    raised = rates * (1 + deviations * np.sqrt(2 / modes.d))
    usual, more = (_masses(x, int(sgd.batch)) for x in (rates, raised))
    if not np.all(np.isfinite(more)):
        return np.inf
    return float(np.sqrt(modes.multiplicities @ np.square(more - usual)))


def relative_second_moment(modes: TypicalModes, sgd: SGD) -> float:
    """Second moment ``E P^2 / (E P)^2`` of the loss of SGD in its limit, given the eigenvalues.

    The squares ``x_i = w_i^2`` of the reduced state (model section 2) have second moments that obey
    a linear recursion: with ``a_i = 1 - gamma lam_i chi`` and ``b_i = gamma lam_i chi^(1/2)``

        E x_i' x_j' = A_ij E x_i x_j + U_ij E P x_i + U_ji E P x_j + V_ij E P^2       for i != j

    where ``V_ij = E b_i^2 b_j^2``, ``U_ij = E a_i^2 b_j^2 - V_ij`` and ``A_ij = E (a_i a_j)^2
    - E a_i^2 b_j^2 - E a_j^2 b_i^2 - 4 E a_i a_j b_i b_j + 3 V_ij``; for i = j the terms with U and
    V are three times as large. Its fixed point is found by solving for ``E P x_i``.

    Parameters
    ----------
    modes : TypicalModes
    sgd : SGD

    Returns
    -------
    float
        At least 1; infinite where the second moment, or the mean, has no limit.
    """
    rates, n, batch = sgd.learning_rate * modes.eigenvalues, modes.multiplicities, int(sgd.batch)
    mass = float(n @ _masses(rates, batch))
    if not mass < 1:
        return np.inf
    # Moments of chi-squared.
    m1 = float(batch)
    m2, m3, m4 = m1 * (m1 + 2), m1 * (m1 + 2) * (m1 + 4), m1 * (m1 + 2) * (m1 + 4) * (m1 + 6)
    x, y = rates[:, None], rates
    both = x * y
    v = both**2 * m2
    a_b = y**2 * (m1 - 2 * x * m2 + x**2 * m3)  # E a_i^2 b_j^2
    cross = both * (m1 - (x + y) * m2 + both * m3)
    # 1 - A, without cancellation where rates are small.
    decay = 2 * (x + y) * m1 - ((x + y) ** 2 + 2 * both) * m2 + 2 * both * (x + y) * m3
    decay += a_b + a_b.T + 4 * cross - both**2 * m4 - 3 * v
    u = a_b - v
    others = n / decay
    np.fill_diagonal(others, (n + 2) / np.diag(decay))  # of a mode's own group: n - 1, and 3
    mean = 1 / (1 - mass)  # in units of F0
    first = batch * rates**2 * mean / (2 * batch * rates - batch * (batch + 1) * rates**2)
    by_square = (others * v).sum(axis=1)
    matrix = np.diag(1 - (others * u).sum(axis=1)) - others * u.T - np.outer(by_square, n)
    with_loss = np.linalg.solve(matrix, first + by_square * mean)  # E P x_i
    square = mean + float(n @ with_loss)
    own = 3 * (2 * np.diag(u) * with_loss + np.diag(v) * square) / np.diag(decay)  # E x_i^2
    exists = np.all(decay > 0) and np.all(with_loss > 0) and np.all(own >= 0) and square >= mean**2
    return square / mean**2 if exists else np.inf
