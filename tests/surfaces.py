"""Loss surfaces whose front is an exact power law, and runs that scatter as those of SGD."""

from dataclasses import replace

import numpy as np

from plrf.measure.curves import LossTable

A, B = 0.6, 0.5
ETA, XI = A * B / (A + B), B / (A + B)


def surface(sizes, budgets, a=A, b=B):
    """L = d^-a + (f/d)^-b: the front has eta = ab/(a+b), xi = b/(a+b)."""
    return sizes[:, None] ** -a + (budgets / sizes[:, None]) ** -b


def optimal_budget(d, a=A, b=B):
    """The budget at which `d` is the minimum of `surface`."""
    return d ** ((a + b) / b) * (b / a) ** (1 / b)


def known_table(ratio=2**0.5, n_sizes=12, n_budgets=101, offset=0.0, margin=2.5, a=A, b=B):
    """The surface on a geometric grid of sizes; the optimum stays `margin` steps inside."""
    sizes = 200 * ratio ** (np.arange(n_sizes) + offset)
    low, high = 200 * ratio**margin, 200 * ratio ** (n_sizes - 1 - margin)
    budgets = np.geomspace(optimal_budget(low, a, b), optimal_budget(high, a, b), n_budgets)
    return LossTable(sizes, budgets, surface(sizes, budgets, a, b)[:, None, :])


def noisy(table, n_runs, rng, level=0.1):
    """Runs of the table's sizes, with lognormal factors of mean 1.

    Half of the variance is one factor for the whole run, the other half is lost within a factor
    of e^2 in compute: without memory beyond that, and not smooth.
    """
    n_d, _, n_f = table.losses.shape
    log_f = np.log(table.budgets)
    covariance = 0.5 + 0.5 * np.exp(-np.abs(np.subtract.outer(log_f, log_f)) / 2)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(n_f))
    noise = level * rng.standard_normal((n_d, n_runs, n_f)) @ root.T
    return replace(table, losses=table.losses * np.exp(noise - level**2 / 2))
