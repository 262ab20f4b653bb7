"""Expected loss with W averaged out: the deterministic equivalent (model sections 4 and 5)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plrf.engines.curves import LossCurves
from plrf.exact.loss import expected_loss
from plrf.model import Model
from plrf.training import SGD


def run(
    model: Model,
    sgd: SGD,
    steps: NDArray[np.int64],
    streams: Sequence[np.random.Generator] = (),
) -> LossCurves:
    """Losses of a model by contour inversion, as the engine "volterra".

    Parameters
    ----------
    model : Model
    sgd : SGD
    steps : int array, shape (n,)
        Steps to record.
    streams : sequence of Generator
        Of no use here: nothing is random.

    Returns
    -------
    LossCurves
        Of shape (n,).

    Raises
    ------
    DivergenceError
        If the learning rate is not below the stability threshold.
    """
    result = expected_loss(steps, **model.parameters, **sgd.parameters)
    return LossCurves(result.loss, result.error, np.array(-1))
