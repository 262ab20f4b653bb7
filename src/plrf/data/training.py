"""Random features of real samples, trained by one-pass SGD with nothing Gaussian about it.

A finite data set is the population: samples are drawn from it with replacement, so that its moments
are exact. SGD is the literal one of model section 1; only its coordinates are those of the
eigenbasis of ``W^T D W``, in which one product with all samples serves any number of runs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from plrf.arguments import number, numbers, whole_number
from plrf.compiled import compiled
from plrf.data.moments import Principal, moments_of, principal
from plrf.engines.curves import DIVERGENCE_FACTOR, LossCurves
from plrf.engines.reduction import Reduction

Array = NDArray[np.float64]
Steps = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Population:
    """A finite data set as the population of a task, and that task.

    Attributes
    ----------
    x : array, shape (n, v)
        Samples in the eigenbasis of their covariance; of mean 0.
    y : array, shape (n,)
        Their labels; of mean 0.
    task : Principal
        Variances, targets and noise, which are exact: there is nothing to estimate.
    """

    x: Array
    y: Array
    task: Principal


@dataclass(frozen=True, eq=False)
class FeatureSamples:
    """All samples as the random features of one W see them.

    Attributes
    ----------
    x : array, shape (n, d)
        ``W^T x`` in the eigenbasis of its covariance ``W^T D W``.
    y : array, shape (n,)
        Labels.
    reduction : Reduction
        All that the Gaussian theory knows of them (model section 2).
    """

    x: Array
    y: Array
    reduction: Reduction

    @property
    def optimum(self) -> Array:
        """Parameters of the least loss, shape (d,)."""
        return self.reduction.coefficients / np.sqrt(self.reduction.eigenvalues)

    @property
    def residual(self) -> Array:
        """What the best parameters leave of each label, shape (n,); uncorrelated with x."""
        return self.y - self.x @ self.optimum


def population(x: ArrayLike, y: ArrayLike) -> Population:
    """Take samples as a population.

    Parameters
    ----------
    x : array, shape (n, p)
        Features; they are centred.
    y : array, shape (n,)
        Labels; they are centred.

    Returns
    -------
    Population

    Raises
    ------
    ValueError
        If shapes do not match, a number is not finite, or nothing varies; the message names it.
    TypeError
        If something is not a number.
    """
    x, y = numbers("x", x), numbers("y", y)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(f"x, y: must have shapes (n, p) and (n,), not {x.shape} and {y.shape}")
    moments = moments_of([(x, y)])
    task = principal(moments)
    return Population((x - moments.mean_x) @ task.basis, y - moments.mean_y, task)


def feature_samples(rng: np.random.Generator, samples: Population, d: int) -> FeatureSamples:
    """Draw W, and see all samples through its features (model sections 1 and 2).

    Parameters
    ----------
    rng : Generator
        Draws W with entries N(0, 1/d), in the eigenbasis of the data: its law is the same in all.
    samples : Population
    d : int
        Number of parameters, from 1 to the number v of features.

    Raises
    ------
    ValueError
        If d is out of range.
    """
    a, b = samples.task.eigenvalues, samples.task.targets
    if whole_number("d", d, least=1) > a.size:
        raise ValueError(f"d = {d}: must be at most the number of features, {a.size}")
    w = rng.standard_normal((a.size, d)) / np.sqrt(d)
    root = np.sqrt(a)
    left, lengths, right = linalg.svd(root[:, None] * w, full_matrices=False)
    coefficients = left.T @ (root * b)
    floor = float(np.square(root * b - left @ coefficients).sum())
    signs = np.where(coefficients < 0, -1.0, 1.0)  # those of singular vectors are free
    order = np.s_[::-1]  # eigenvalues of a reduction increase
    reduction = Reduction(
        np.square(lengths)[order], np.abs(coefficients)[order], floor, samples.task.noise
    )
    return FeatureSamples(samples.x @ (w @ (right.T * signs))[:, order], samples.y, reduction)


# A chain that diverges may overflow before the last step.
@np.errstate(over="ignore", invalid="ignore")
def sgd_on_samples(
    features: FeatureSamples,
    learning_rate: float,
    steps: Steps,
    rng: np.random.Generator,
    chains: int = 1,
) -> LossCurves:
    """Train by one-pass SGD, one sample per step, drawn with replacement (model section 1).

    Parameters
    ----------
    features : FeatureSamples
    learning_rate : float
        gamma.
    steps : int array, shape (n_steps,)
        Steps to record, increasing.
    rng : Generator
        Draws the samples of all chains, one chain after the other.
    chains : int
        Trainings with this W, from samples of their own.

    Returns
    -------
    LossCurves
        Population losses without the labels' noise, of shape (n_steps, chains). Divergence is seen
        at recorded steps only.

    Raises
    ------
    ValueError
        If the learning rate or the number of chains is out of range.
    """
    gamma = number("learning_rate", learning_rate, above=0)
    chains = whole_number("chains", chains, least=1)
    reduction = features.reduction
    root = np.sqrt(reduction.eigenvalues)
    loss = np.empty((len(steps), chains))
    for k in range(chains):
        drawn = rng.integers(len(features.y), size=int(steps[-1]))
        path = _parameters(features.x, features.y, drawn, gamma, steps)
        excess = np.square(path * root - reduction.coefficients).sum(axis=1)
        loss[:, k] = reduction.floor + excess
    threshold = DIVERGENCE_FACTOR * (reduction.floor + np.square(reduction.coefficients).sum())
    above = ~(loss <= threshold)
    diverged_at = np.where(above.any(axis=0), steps[above.argmax(axis=0)], -1)
    loss[np.logical_or.accumulate(above, axis=0)] = np.nan
    return LossCurves(loss, None, diverged_at)


@compiled
def _parameters(x: Array, y: Array, drawn: Steps, gamma: float, steps: Steps) -> Array:
    """Parameters at recorded steps, from 0 on; shape (n_steps, d)."""
    theta = np.zeros(x.shape[1])
    path = np.zeros((len(steps), x.shape[1]))
    done = 0
    for k in range(len(steps)):
        for t in range(done, steps[k]):
            sample = x[drawn[t]]
            kick = gamma * (sample @ theta - y[drawn[t]])
            for i in range(theta.size):
                theta[i] -= kick * sample[i]
        done = steps[k]
        path[k] = theta
    return path
