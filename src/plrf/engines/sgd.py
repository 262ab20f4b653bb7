"""One-pass SGD: exact in law in the eigenbasis, and literal (model sections 1 and 2)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import whole_number
from plrf.engines.curves import DIVERGENCE_FACTOR, LossCurves
from plrf.engines.memory import Memory
from plrf.engines.reduction import Reduction
from plrf.exact.groups import Groups
from plrf.momentum import Momentum
from plrf.progress import track
from plrf.task import Task
from plrf.training import SGD

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

# Normals drawn ahead for all chains together: 512 kB, so that they stay in cache.
NOISE_BUFFER = 1 << 16


# A chain that diverges may overflow before the end of its block.
@np.errstate(over="ignore", invalid="ignore")
def simulate(
    reductions: Sequence[Reduction | Groups],
    sgd: SGD,
    steps: Steps,
    streams: Sequence[np.random.Generator],
) -> LossCurves:
    """Simulate SGD in the eigenbasis, exact in law, at O(d) per step for any batch (section 2).

    The state of a chain is ``w = (sqrt(lam_i) rho_i, -sqrt(F0 + s2))`` with loss ``|w|^2 - s2``,
    where s2 is the noise of labels (section 10). A batch acts through ``G^T G w``, drawn with one
    chi-squared number and d + 1 normals. Of m equal eigenvalues only the length of w in their space
    matters, whose law follows from one normal along w and the squared length of m - 1 across: two
    numbers for a group, however large. Chains advance together; a chain's result does not depend on
    the others. Those of a stream share its numbers, which saves drawing them: each has the law of a
    chain of its own, but they are not independent.

    Parameters
    ----------
    reductions : sequence of Reduction or Groups
        One for each chain, those of a stream one after the other; all of the same length and with
        the same multiplicities.
    sgd : SGD
        The training.
    steps : int array, shape (n_steps,)
        Steps to record, increasing.
    streams : sequence of Generator
        Independent ones, each for equally many chains.

    Returns
    -------
    LossCurves
        Of shape (n_steps, n_chains).
    """
    whole_number("batch", sgd.batch, least=1)
    shape = (len(streams), len(reductions) // len(streams), -1)
    state = np.array([[*-r.coefficients, -np.sqrt(r.floor + r.noise)] for r in reductions])
    state = state.reshape(shape)
    noise_of_labels = np.array([r.noise for r in reductions]).reshape(shape[:2])
    rates = np.array([[*(sgd.learning_rate * r.eigenvalues), 0.0] for r in reductions])
    rates = rates.reshape(shape)
    # Separate streams for each kind of numbers: results do not depend on the buffer's length.
    normal_streams, chi2_streams, across_streams, turn_streams = zip(
        *(s.spawn(4) for s in streams), strict=True
    )
    # From the first group of several eigenvalues on; the last coordinate is that of the floor.
    freedom = reductions[0].multiplicities - 1
    first_group = int(np.argmax(freedom > 0)) if freedom.any() else freedom.size
    groups, half_freedom = slice(first_group, -1), freedom[first_group:] / 2
    lengths, group_rates = state[..., groups], rates[..., groups]  # views
    n_streams, n_shared, width = state.shape
    length = max(1, NOISE_BUFFER // (n_streams * width))
    noise = np.empty((n_streams, length, 1, width))
    n_steps = int(steps[-1])
    history = np.empty((length, n_streams, n_shared))
    loss = np.empty((len(steps), n_streams, n_shared))
    diverged_at = np.full((n_streams, n_shared), -1, dtype=np.int64)
    threshold = DIVERGENCE_FACTOR * (np.vecdot(state, state) - noise_of_labels)
    update, kicks = np.empty_like(state), np.empty_like(state)
    tiny = np.finfo(float).tiny  # squares underflow below it
    memory = None
    if sgd.momentum is not None:
        memory = Memory(sgd, state, groups, freedom[first_group:], turn_streams)

    starts = range(0, n_steps + 1, length)
    for start in track(starts, f"SGD, d={width - 1}, {n_steps} steps", len(starts)):
        for k, stream in enumerate(normal_streams):
            stream.standard_normal(out=noise[k])
        ahead = np.arange(start, start + length)[:, None]
        batches, factors = sgd.batches(ahead), sgd.factors(ahead)[:, None]
        if memory is not None:
            factors = np.ones_like(factors)
            memory.look_ahead(ahead)
        chi2 = np.stack([s.chisquare(batches) for s in chi2_streams], axis=1)
        root = np.sqrt(chi2) * factors
        chi2 *= factors
        if lengths.size and memory is None:
            each = (length, 1, half_freedom.size)
            gammas = [stream.standard_gamma(half_freedom, each) for stream in across_streams]
            across = 2 * np.stack(gammas, axis=1)
        for k in range(min(length, n_steps + 1 - start)):
            xi = noise[:, k]
            square = np.vecdot(state, state)
            history[k] = square
            norm = np.sqrt(np.maximum(square, tiny))
            along = chi2[k] - root[k] * np.vecdot(state, xi) / norm
            scale = (root[k] * norm)[..., None]
            np.multiply(state, along[..., None], out=update)
            np.multiply(xi, scale, out=kicks)
            update += kicks
            update *= rates
            if memory is not None:
                memory.move(k, state, update, group_rates * scale)
                continue
            state -= update
            if lengths.size:
                kick = group_rates * scale
                np.sqrt(np.square(lengths) + np.square(kick) * across[k], out=lengths)
        done = min(length, n_steps + 1 - start)
        history[:done] -= noise_of_labels
        recorded = (steps >= start) & (steps < start + done)
        loss[recorded] = history[steps[recorded] - start]
        above = ~(history[:done] <= threshold)
        first = (diverged_at < 0) & above.any(axis=0)
        diverged_at[first] = start + above.argmax(axis=0)[first]
        state[first] = np.nan
    loss[(diverged_at >= 0) & (steps[:, None, None] >= diverged_at)] = np.nan
    return LossCurves(loss.reshape(len(steps), -1), None, diverged_at.ravel())


def simulate_literal(
    features: Array,
    task: Task,
    sgd: SGD,
    steps: Steps,
    rng: np.random.Generator,
    n_chains: int,
) -> Array:
    """Simulate SGD as written in model section 1: draw x in R^v, multiply by W.

    The slow reference that :func:`simulate` is tested against; O(v d) per sample.

    Parameters
    ----------
    features : array, shape (v, d)
        W.
    task : Task
        What W is applied to.
    sgd : SGD
        The training.
    steps : int array, shape (n_steps,)
        Steps to record, increasing.
    rng : Generator
        Draws the samples of all chains.
    n_chains : int
        Independent chains that share W.

    Returns
    -------
    array, shape (n_steps, n_chains)
        Population loss at the recorded steps.
    """
    v, d = features.shape
    root, signal = task.rows(0, v)
    # A stream of their own: samples do not depend on the noise of their labels.
    labels, deviation = rng.spawn(1)[0], np.sqrt(task.noise)
    theta, memory = np.zeros((2, n_chains, d))
    momentum = sgd.momentum or Momentum(direct=1.0, weight=0.0)
    loss = np.empty((len(steps), n_chains))
    now, each = 0, sgd.each(int(steps[-1]))
    for k, step in enumerate(steps):
        for t in range(now, step):
            current = next(each)
            samples = n_chains, int(current.batch)
            z = rng.standard_normal((*samples, v))
            errors = deviation * labels.standard_normal(samples)
            x_features = (root * z) @ features
            residual = np.einsum("cbd,cd->cb", x_features, theta) - z @ signal - errors
            gradient = np.einsum("cb,cbd->cd", residual, x_features)
            memory = (1 - momentum.forgettings(np.array(t))) * memory + gradient
            used = momentum.direct * gradient + momentum.weights(np.array(t)) * memory
            theta -= current.learning_rate * used
        now = step
        loss[k] = np.square(theta @ features.T * root - signal).sum(axis=1)
    return loss
