"""The estimate as an engine."""

import numpy as np

from plrf.engines.estimate import run
from plrf.model import power_law_model
from plrf.theory.parts import loss_estimate
from plrf.training import SGD


def test_losses_are_the_estimates():
    steps = np.array([0, 1, 100])
    found = run(power_law_model(0.7, 0.6, 20, 80), SGD(0.1), steps).loss
    model = {"alpha": 0.7, "beta": 0.6, "d": 20, "v": 80, "learning_rate": 0.1}
    np.testing.assert_array_equal(found, loss_estimate(steps, **model))
