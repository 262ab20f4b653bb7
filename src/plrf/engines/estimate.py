"""The estimate of the loss from its named parts (model section 6)."""

import numpy as np
from numpy.typing import NDArray

from plrf.engines.curves import LossCurves
from plrf.model import Model
from plrf.theory.parts import loss_estimate
from plrf.training import SGD


def run(model: Model, sgd: SGD, steps: NDArray[np.int64]) -> LossCurves:
    """Estimates at the steps, as the engine "estimate"; shape (n,)."""
    loss = loss_estimate(steps, **model.parameters, **sgd.parameters)
    return LossCurves(loss, np.zeros(loss.shape), np.array(-1))
