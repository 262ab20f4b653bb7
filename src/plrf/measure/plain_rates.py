"""Plain SGD in the place of momentum, to tell where few runs say something of a mean.

How much losses fluctuate is known for SGD that remembers nothing (`plrf.measure.fluctuations`). By
its kernel mass a training with momentum is as far from the stability threshold as plain SGD of the
same mass. In simulations losses of heavy ball and DANA fluctuate less than those of that; of
Nesterov's form they do more where few modes make most of the mass, but there the second moment of
plain SGD is infinite as well, and nothing is compared.
"""

from collections.abc import Mapping
from functools import cache

import pandas as pd
from scipy.optimize import brentq

from plrf.exact.ridge import critical_learning_rate, kernel_mass
from plrf.model import Model
from plrf.task import PowerLawTask, Task
from plrf.training import SGD

POINT = ["sweep", "alpha", "beta", "d"]


def with_plain_rates(
    grid: pd.DataFrame, losses: pd.DataFrame, spectra: Mapping[str, Task]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Grid and losses with learning rates of plain SGD where sweeps have momentum.

    Parameters
    ----------
    grid, losses : DataFrame
        Rows of the schemas of these names.
    spectra : mapping
        Tasks that are no power laws, by the column ``spectrum``.
    """
    remember = grid["momentum"] != "none"
    if not remember.any():
        return grid, losses
    rates = grid["learning_rate"].copy()
    for place, row in grid[remember].iterrows():
        task = spectra.get(row["spectrum"]) or PowerLawTask(row["alpha"], 0.0)
        model = Model(task, row["d"], row["v"])
        rates[place] = rate_of_mass(model, row["batch"], row["kernel_mass"])
    grid = grid.assign(learning_rate=rates)
    of_sizes = grid.drop_duplicates(POINT)[[*POINT, "learning_rate"]]
    return grid, losses.drop(columns="learning_rate").merge(of_sizes, "left", POINT)


@cache
def rate_of_mass(model: Model, batch: int, mass: float) -> float:
    """Learning rate at which SGD without momentum has a kernel mass (model section 3).

    Parameters
    ----------
    model : Model
    batch : int
        Samples per step.
    mass : float
        Kernel mass, positive. Where the largest eigenvalue alone is unstable at a smaller one, the
        rate is that of the threshold.

    Returns
    -------
    float
    """
    critical = critical_learning_rate(model, batch)
    if kernel_mass(model, SGD(critical * (1 - 1e-9), batch)) <= mass:
        return critical
    # The mass is nearly gamma B Tr D/2, and grows faster.
    least = mass / (batch * model.task.trace(model.v))
    return float(
        brentq(lambda rate: kernel_mass(model, SGD(rate, batch)) - mass, 1e-3 * least, critical)
    )
