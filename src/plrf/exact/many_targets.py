"""Losses of many targets on the same features (section 16).

The effective ridge, where most of the time goes, depends on alpha, d and v alone: targets j**-beta
of many betas share it at each point of a contour. What is left for each is a product of matrices.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from plrf.exact.inversion import invert_at
from plrf.exact.power_sums import feature_rule
from plrf.exact.ridge import DeterministicEquivalent
from plrf.model import Model
from plrf.scaling import ScalingRule
from plrf.task import PowerLawTask

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class ManyTargets:
    """Spectrum of a size, as contour inversion sees it, with a forcing for each beta.

    Attributes
    ----------
    equivalent : DeterministicEquivalent
        Of a power-law task without noise and a finite number of features; its beta has no part.
    betas : tuple of float, length k
        Target complexities.
    """

    equivalent: DeterministicEquivalent
    betas: tuple[float, ...]

    noise = 0.0

    @cached_property
    def _summable(self) -> NDArray[np.bool_]:
        """Targets whose square has a sum: near z = 0 it is left out, as it drowns all else."""
        return 2 * np.array(self.betas) > 1

    @cached_property
    def _targets(self) -> tuple[Array, Array]:
        """Powers ``j**(2 alpha)``, shape (n,), and weights of sums of ``b_j**2 s_j``, (n, k)."""
        model = self.equivalent.model
        j, weights = feature_rule(model.task.decay / 2, float(model.v))
        betas = np.array(self.betas)
        return j**model.task.decay, weights[:, None] * j[:, None] ** (-2 * betas)

    @cached_property
    def _filtered(self) -> Array:
        """The same with ``b_j**2 j**(2 alpha) s_j`` where the square has a sum, (n, k)."""
        powers, targets = self._targets
        return targets * np.where(self._summable, powers[:, None], 1.0)

    @cached_property
    def _squares(self) -> Array:
        """Sums of ``b_j**2``, shape (k,)."""
        squares: Array = self._targets[1].sum(axis=0)
        return squares

    def outer_trace(self, z: Array) -> Array:
        """Degrees of freedom at real z right of the spectrum, shape (n,)."""
        return self.equivalent.outer_trace(z)

    def transforms(
        self, z: ComplexArray, near_zero: NDArray[np.bool_]
    ) -> tuple[ComplexArray, ComplexArray]:
        """Transforms of `DeterministicEquivalent.transforms` for all targets.

        Parameters
        ----------
        z : complex array, shape (2, n)
        near_zero : array of bool, shape (1,)

        Returns
        -------
        forcing, kernel : complex arrays, shape (2, k, n)
        """
        kappa, df = self.equivalent.ridge_and_freedom(z)
        powers, targets = self._targets
        near = bool(near_zero.all())
        columns = self._filtered if near else targets
        shrinkage = 1 / (1 + kappa[..., None] * powers)
        sums = shrinkage.real @ columns + 1j * (shrinkage.imag @ columns)
        forcing = np.moveaxis(sums, -1, -2)
        if near:
            less = self._squares[:, None] * (df / self.equivalent.d)[:, None, :]
            less = less - kappa[:, None, :] * forcing
            forcing = np.where(self._summable[:, None], less, forcing)
        forcing = forcing * (-kappa / z)[:, None, :]
        return forcing, np.broadcast_to((z * df)[:, None, :], forcing.shape)


def losses_of_targets(
    log_d: float, flops: float, alpha: float, betas: tuple[float, ...], rule: ScalingRule
) -> Array:
    """Losses of a size at a budget, and their derivatives in log f at fixed d; shape (2, k).

    Parameters
    ----------
    log_d : float
        Logarithm of the number of parameters.
    flops : float
        Budget, at least 16 steps.
    alpha : float
        Data complexity.
    betas : tuple of float, length k
        Target complexities.
    rule : ScalingRule
        With a finite number of features, and a stable learning rate.

    Raises
    ------
    ConvergenceError
        If the effective ridge was not found.
    """
    model = rule.model(PowerLawTask(alpha, 0.0), float(np.exp(log_d)))
    step = flops / (model.d * rule.batch)
    return np.array(invert_at(step, _spectrum(model, betas), rule.training(model)))


@lru_cache(maxsize=512)  # of one alpha: fronts at other budgets come by the same sizes
def _spectrum(model: Model, betas: tuple[float, ...]) -> ManyTargets:
    return ManyTargets(DeterministicEquivalent(model), betas)
