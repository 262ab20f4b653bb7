"""Single steps with momentum: three numbers for each mode (model section 14)."""

import numpy as np
from numpy.typing import NDArray

from plrf.compiled import compiled

Array = NDArray[np.float64]


@compiled
def march(
    state: Array,
    eigenvalues: Array,
    multiplicities: Array,
    rates: Array,
    batches: Array,
    weights: Array,
    forgettings: Array,
    direct: float,
    floors: Array,
    noises: Array,
    losses: Array,
) -> None:
    """Make some steps of the modes of several spectra.

    Of the error e and what is remembered y of a mode, ``q = lam E e**2``, ``x = lam E e y`` and
    ``u = lam E y**2`` are kept.

    Parameters
    ----------
    state : array, shape (spectra, 3, n)
        q, x and u; changed.
    eigenvalues, multiplicities : arrays, shape (spectra, n)
        lam, and how many eigenvalues a mode stands for.
    rates, batches, weights, forgettings : arrays, shape (steps,)
        gamma_t, B_t, the factor of what is remembered, and Delta_t.
    direct : float
        The factor of the gradient itself.
    floors, noises : arrays, shape (spectra,)
        F0 and s2.
    losses : array, shape (steps, spectra)
        P before each step; written.
    """
    for t in range(rates.size):
        batch = batches[t]
        kept = 1 - forgettings[t]
        of_memory = rates[t] * weights[t]
        of_gradient = rates[t] * direct + of_memory
        drift = of_memory * kept
        for k in range(state.shape[0]):
            loss = floors[k]
            for i in range(state.shape[2]):
                loss += state[k, 0, i]
            losses[t, k] = loss
            seen = batch * (loss + noises[k])
            for i in range(state.shape[2]):
                lam = eigenvalues[k, i]
                q, x, u = state[k, 0, i], state[k, 1, i], state[k, 2, i]
                mean = batch * lam
                source = lam * lam * (multiplicities[k, i] * seen + batch * (batch + 1) * q)
                shrink = of_gradient * mean
                state[k, 0, i] = (
                    q * (1 - 2 * shrink)
                    + of_gradient * of_gradient * source
                    - 2 * drift * (1 - shrink) * x
                    + drift * drift * u
                )
                state[k, 1, i] = (
                    kept * (1 - shrink) * x
                    + mean * (q - drift * x)
                    - of_gradient * source
                    - drift * kept * u
                )
                state[k, 2, i] = kept * kept * u + 2 * kept * mean * x + source
