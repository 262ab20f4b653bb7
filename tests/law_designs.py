"""Designs of tables of losses, a law like those of language models, and noise like theirs."""

import numpy as np

from plrf.fitting.law import FittedLaw
from plrf.measure.parametric import Law
from plrf.measure.refits import HUBER, log_law_and_slopes, refit

TRUTH = np.array([np.log(1.82), np.log(478.0), 0.347, np.log(2143.0), 0.367])
LOW, HIGH = 6e18, 3e21  # flops, of 6 d n


def best_log_d(flops, parameters=TRUTH):
    """Log d* from the derivative of the law at fixed 6 d n."""
    _, log_a, a, log_b, b = parameters
    return (np.log(a) + log_a - np.log(b) - log_b + b * np.log(flops / 6)) / (a + b)


def isoflop(budgets=12, sizes=8):
    """Slices at log-spaced budgets, sizes a factor 1.7 apart around the best one."""
    flops = np.geomspace(LOW, HIGH, budgets)[:, None]
    log_d = best_log_d(flops) + np.log(2) * 0.75 * (np.arange(sizes) - (sizes - 1) / 2)
    return log_d.ravel(), (np.log(flops / 6) - log_d).ravel()


def grid(sizes=8, samples=6):
    """All combinations of sizes and numbers of samples."""
    log_d = np.log(np.geomspace(5e7, 8e9, sizes))[:, None]
    log_n = np.log(np.geomspace(2e9, 2e11, samples))
    return tuple(logs.ravel() for logs in np.broadcast_arrays(log_d, log_n))


def scattered(runs=245):
    """Runs within a factor e^2 of the best size."""
    rng = np.random.default_rng(7)
    flops = np.exp(rng.uniform(np.log(LOW), np.log(HIGH), runs))
    log_d = best_log_d(flops) + rng.uniform(-2, 2, runs)
    return log_d, np.log(flops / 6) - log_d


DESIGNS = {"isoflop": isoflop(), "grid": grid(), "scattered": scattered()}

# Residuals of log L, from their shape, log d and a generator.
NOISE = {
    "normal": lambda shape, log_d, rng: 0.01 * rng.standard_normal(shape),
    "small": lambda shape, log_d, rng: 0.003 * rng.standard_normal(shape),
    "heavy": lambda shape, log_d, rng: 0.005 * rng.standard_t(3, shape) / np.sqrt(3),
    "uneven": lambda shape, log_d, rng: (
        0.003 * 10 ** ((log_d - log_d.min()) / np.ptp(log_d) / 2) * rng.standard_normal(shape)
    ),
}


def table(design, noise, seed, trials=None):
    """Log d, log n and log losses (m,), or (trials, m)."""
    log_d, log_n = DESIGNS[design]
    shape = log_d.shape if trials is None else (trials, log_d.size)
    residuals = NOISE[noise](shape, log_d, np.random.default_rng(seed))
    return log_d, log_n, log_law_and_slopes(TRUTH, log_d, log_n)[0] + residuals


def columns(design, noise, seed):
    """The columns d, n and loss of a table."""
    return tuple(np.exp(logs) for logs in table(design, noise, seed))


def fits(log_d, log_n, log_losses, huber=HUBER):
    """Fits of many tables of the true law at once."""
    parameters = refit(TRUTH, log_d, log_n, log_losses, huber=huber)
    residuals = log_losses - log_law_and_slopes(parameters, log_d, log_n)[0]
    return [
        FittedLaw(log_d, log_n, losses, Law(five, rest, "ok", huber=huber))
        for losses, five, rest in zip(log_losses, parameters, residuals, strict=True)
    ]
