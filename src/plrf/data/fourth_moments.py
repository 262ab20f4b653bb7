"""Expected loss of SGD on samples that are not Gaussian, from their fourth moments, given W.

With ``delta`` the distance of parameters from the best ones, in the eigenbasis of ``H = W^T D W``,
and ``eps`` the residual of the best ones, a sample (x, eps) takes ``delta`` to
``delta - gamma x (x^T delta - eps)``. The mean falls like ``mu -> (1 - gamma lam) mu``, and the
covariance C of delta follows, for samples of any law,

    C_ij -> (1 - gamma (lam_i + lam_j)) C_ij + gamma^2 (s_ij + sum_kl E[x_i x_j x_k x_l] C_kl)
    s_ij = E[(x^T mu - eps)^2 x_i x_j] - lam_i lam_j mu_i mu_j

which is the recursion of model section 3 where samples are Gaussian and eps independent of them.
The source s changes slowly, and the rest is linear with constant, symmetric coefficients: it is
solved in their eigenbasis, over many steps at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from plrf.arguments import number
from plrf.data.training import FeatureSamples
from plrf.training import recorded_steps

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

# Modes whose covariances with each other are followed, the largest ones; of others the variance.
COUPLED = 24
# Blocks of steps per decade within which the source is constant.
PER_DECADE = 24


@dataclass(frozen=True, eq=False)
class CorrectedLoss:
    """Expected loss of SGD on samples, given W.

    Attributes
    ----------
    loss : array, shape (n_steps,)
        Losses at the recorded steps.
    growth : float
        Factor of the noise per step in the end, less 1. If positive the expected loss has no limit;
        few runs show it, since rare ones make the mean.
    """

    loss: Array
    growth: float


# What grows may overflow before the last step.
@np.errstate(over="ignore", invalid="ignore")
def corrected_loss(
    features: FeatureSamples, learning_rate: float, steps: Steps, coupled: int = COUPLED
) -> CorrectedLoss:
    """Expected loss of one-pass SGD on samples of a finite population, given W.

    It is exact but for two approximations. The source is that of the middle of each block of steps,
    which costs less than 1e-3 of the loss. Covariances of modes are left out but for the
    ``coupled`` largest ones; up to so many parameters nothing is left out.

    Parameters
    ----------
    features : FeatureSamples
        Samples as one W sees them.
    learning_rate : float
        gamma, with one sample per step.
    steps : int array, shape (n_steps,)
        Steps to record, increasing.
    coupled : int
        Number of modes whose covariances with each other are followed.

    Returns
    -------
    CorrectedLoss

    Raises
    ------
    ValueError
        If the learning rate is out of range.
    """
    gamma = number("learning_rate", learning_rate, above=0)
    lam, coefficients = features.reduction.eigenvalues, features.reduction.coefficients
    pairs = first, second = followed_pairs(len(lam), coupled)
    # Each covariance stands for both of its places: so scaled, the coefficients are symmetric.
    scale = np.where(first == second, 1, np.sqrt(2))
    products = scale * _product(features.x, pairs)
    fourth = products.T @ products / len(products)
    rates, modes = linalg.eigh(np.diag(gamma * (lam[first] + lam[second])) - gamma**2 * fourth)
    ends = np.union1d(steps, recorded_steps(int(steps[-1]), PER_DECADE))
    # In the middle of a block, which of an even number of steps is between two.
    middle = [(ends[:-1] + ends[1:] - shift)[:, None] // 2 for shift in (1, 0)]
    mean = -features.optimum * np.mean([(1 - gamma * lam) ** step for step in middle], axis=0)
    source = _source(features, mean, products) - scale * _product(lam * mean, pairs)
    weights = np.where(first == second, lam[first], 0) @ modes
    noise = _followed(rates, gamma**2 * source @ modes, np.diff(ends)) @ weights
    falling = np.square(coefficients * (1 - gamma * lam) ** ends[:, None]).sum(axis=1)
    loss = features.reduction.floor + falling + noise
    return CorrectedLoss(loss[np.isin(ends, steps)], float(-rates[0]))


def followed_pairs(d: int, coupled: int) -> tuple[Steps, Steps]:
    """Pairs of modes whose covariance is followed: all variances, and those of the largest ones.

    Parameters
    ----------
    d : int
        Number of modes, the largest one last.
    coupled : int
        Number of modes that are followed with each other.

    Returns
    -------
    first, second : int arrays
        ``first <= second``.
    """
    first, second = np.triu_indices(d)
    followed = (first == second) | (first >= d - coupled)
    return first[followed], second[followed]


def _product(values: Array, pairs: tuple[Steps, Steps]) -> Array:
    """Products of pairs along the last axis."""
    product: Array = values[..., pairs[0]] * values[..., pairs[1]]
    return product


def _source(features: FeatureSamples, mean: Array, products: Array) -> Array:
    """Mean over samples of squared residuals of some parameters times products of features.

    Parameters
    ----------
    features : FeatureSamples
    mean : array, shape (m, d)
        Parameters less the best ones.
    products : array, shape (n, pairs)

    Returns
    -------
    array, shape (m, pairs)
    """
    residual = mean @ features.x.T - features.residual
    source: Array = np.square(residual) @ products / len(products)
    return source


def _followed(rates: Array, source: Array, lengths: Steps) -> Array:
    """State after each block of steps with ``z -> (1 - rates) z + source``, from 0."""
    decay = (1 - rates) ** lengths[:, None]
    gain = (1 - decay) / rates * source
    states = np.zeros((len(lengths) + 1, rates.size))
    for k in range(len(lengths)):
        states[k + 1] = decay[k] * states[k] + gain[k]
    return states
