"""Loss curves in the limit of large d: broken lines in logarithms (model sections 6 and 7).

Where P ~ d^x T^y, log P/log d is a straight line in log f/log d, so that in these units a loss
curve is a broken line: the largest of its terms.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from plrf.scaling import learning_rate
from plrf.theory.limits import power_laws
from plrf.theory.parts import loss_estimate
from plrf.theory.phases import Phase

PLATEAU = 1.35  # curves end at so many times log f of their last corner


@dataclass(frozen=True, eq=False)
class LimitCurve:
    """Loss curve for large d in units of log d: a broken line.

    Attributes
    ----------
    x, y : arrays, shape (n + 1,)
        ``log f/log d`` and ``log P/log d`` at the ends of its n segments.
    terms : list of n str
        The term that dominates in each segment.
    corner : int
        Index of the compute-optimal point, between the two terms of the trade-off.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    terms: list[str]
    corner: int


def limit_curve(phase: Phase, alpha: float, beta: float, v_over_d: float) -> LimitCurve:
    """Find the largest of the visible terms of the loss, from the first step on.

    Parameters
    ----------
    phase : Phase
    alpha, beta : float
        A point inside it.
    v_over_d : float
        Number of features over number of parameters.
    """
    laws = power_laws(alpha, beta, v_over_d)
    gamma = min(0.0, 2 * alpha - 1)  # exponent of d in the learning rate
    lines = {name: (laws[name].d_exponent, laws[name].t_exponent) for name in phase.visible_terms}
    if "K_pp" in lines:
        lines["K_pp"] = (gamma + lines["K_pp"][0], lines["K_pp"][1])  # K_pp/(gamma B)
    # From T = 1 on; where terms are equal there, the one that falls slowest leads.
    times, terms = [0.0], [max(lines, key=lambda name: lines[name])]
    while terms[-1] != "F_0":
        size, slope = lines[terms[-1]]
        crossings = {name: (size - s) / (t - slope) for name, (s, t) in lines.items() if t > slope}
        terms.append(min(crossings, key=crossings.__getitem__))
        times.append(crossings[terms[-1]])
    time = np.array(times)
    size, slope = np.array([lines[name] for name in terms]).T
    y = size + slope * time
    # T = 1 is reached at f = d/gamma, and before it the loss stays what it was at f = d.
    x = 1 - gamma + time
    end = PLATEAU * x[-1]
    x, y = np.append(x, end), np.append(y, y[-1])
    if gamma < 0:
        x, y, terms = np.insert(x, 0, 1.0), np.insert(y, 0, y[0]), [terms[0], *terms]
    pairs = [set(pair) for pair in pairwise(terms)]
    return LimitCurve(x, y, terms, pairs.index(set(phase.trade_off)) + 1)


def finite_curve(
    alpha: float, beta: float, end: float, *, d: float, v_over_d: float, c: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The estimate of the loss at a finite size, in the units of the limit (model section 6).

    Parameters
    ----------
    alpha, beta : float
        A point with a power law.
    end : float
        ``log f/log d`` of the last point; the first is at 1.
    d : float
        Number of parameters.
    v_over_d : float
        Number of features over number of parameters.
    c : float
        The learning rate is ``c/Tr D``, for one sample per step.

    Returns
    -------
    x, y : arrays, shape (200,)
        ``log f/log d`` and ``log P/log d``.
    """
    x = np.linspace(1, end, 200)
    v = v_over_d * d
    gamma = learning_rate(c, alpha, v, 1)
    loss = loss_estimate(d ** (x - 1), alpha=alpha, beta=beta, d=d, v=v, learning_rate=gamma)
    return x, np.log(loss) / np.log(d)
