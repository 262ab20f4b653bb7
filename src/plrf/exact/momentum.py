"""Expected loss with momentum, W averaged out, on the real nodes of a spectrum (section 14)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from plrf.exact.inversion import ROUNDING
from plrf.exact.modes import EARLIER, PROBES, single_steps
from plrf.exact.momentum_time import coast
from plrf.exact.real_nodes import real_nodes
from plrf.exact.ridge import DeterministicEquivalent
from plrf.exact.step_matrices import StepMatrices
from plrf.exact.three_numbers import march
from plrf.model import Model
from plrf.progress import track
from plrf.training import BLOCK, SGD, trainings

Array = NDArray[np.float64]

# Length of cells in log kappa, points of their rules and nodes of their contours: of the nodes that
# give the values, and of those that check them.
RULES = ((0.3, 8, 64), (0.4, 7, 48))
PROBED = 40  # steps at which stability is looked at
HALVINGS = 60
MOST_LOST = 1e-8  # of the trace, relatively: where v is close to d, rules are off alike
MOST_STEPS = 10**7  # that are made one by one
PER_DECADE = (40, 20)  # steps of logarithmic time


class Nodes:
    """Nodes of a model under both rules, in arrays of one length.

    Attributes
    ----------
    points, multiplicities : arrays, shape (2, n)
        Eigenvalues, and how many of them feel the noise of gradients.
    state : array, shape (2, 3, n)
        The three numbers of each.
    difference : float
        Largest relative difference of losses so far, also to the first one, which is known.
    floors, noises : arrays, shape (2,)
        F0 and s2.
    """

    def __init__(self, model: Model) -> None:
        rules = [real_nodes(model, *rule) for rule in RULES]
        for rule in rules:
            rule.check(model, MOST_LOST)
        length = max(rule.points.size for rule in rules)
        self.points, self.multiplicities = np.ones((2, length)), np.zeros((2, length))
        self.state = np.zeros((2, 3, length))
        for k, rule in enumerate(rules):
            size = rule.points.size
            self.points[k, :size] = rule.points
            self.points[k, size:] = rule.points[0]  # again, with no weight
            self.multiplicities[k, :size] = rule.trace / rule.points
            self.state[k, 0, :size] = rule.signal
        self.floors = np.full(2, DeterministicEquivalent(model).capacity)
        self.noises = np.full(2, model.task.noise)
        features = model.task.shrinkage_rule(model.d, model.v)
        first = float((features.columns[:, 1] / features.powers).sum())
        own = self.floors + self.state[:, 0].sum(axis=1)
        self.step, self.difference = 0, float(np.abs(own / first - 1).max()) if first else 0.0

    def to(self, stop: int, steps: NDArray[np.int64], sgd: SGD) -> tuple[Array, Array]:
        """Make all steps before ``stop``.

        Parameters
        ----------
        stop : int
        steps : int array, shape (n,)
            Steps to record, among those.
        sgd : SGD
            With momentum.

        Returns
        -------
        loss, error : arrays, shape (n,)
        """
        loss, error = np.empty((2, steps.size))
        blocks = sgd.remembered(stop, start=self.step)
        for ahead in track(blocks, f"momentum, {stop} steps", -(-(stop - self.step) // BLOCK)):
            losses = np.empty((ahead[0].size, 2))
            fixed = self.floors, self.noises, losses
            march(self.state, self.points, self.multiplicities, *ahead, *fixed)
            # The two may cross by chance at a step, but not at all of them.
            apart = np.maximum.accumulate(np.abs(losses[:, 1] / losses[:, 0] - 1))
            apart = np.maximum(apart, self.difference)
            here = (steps >= self.step) & (steps < self.step + len(losses))
            at = steps[here] - self.step
            loss[here] = losses[at, 0]
            error[here] = (2 * apart[at] + ROUNDING) * losses[at, 0]
            self.step, self.difference = self.step + len(losses), float(apart[-1])
        return loss, error

    def coast(self, rule: int, steps: NDArray[np.int64], sgd: SGD) -> Array:
        """Losses on the nodes of one rule at later steps, in logarithmic time."""
        own = self.state[rule], self.points[rule], self.multiplicities[rule]
        constants = float(self.floors[rule]), float(self.noises[rule])
        return coast(steps, self.step, *own, *constants, sgd, PER_DECADE[rule])


def stepped(steps: NDArray[np.int64], model: Model, sgd: SGD) -> tuple[Array, Array]:
    """Expected losses with momentum (model section 14).

    Steps are made one by one, or from some step on in logarithmic time (`single_steps`).

    Parameters
    ----------
    steps : int array, shape (n,)
        Steps to record, increasing.
    model : Model
        With ``d < v``, finite.
    sgd : SGD
        With momentum, stable (`kernel_mass`).

    Returns
    -------
    loss : array, shape (n,)
    error : array, shape (n,)
        Estimated absolute error: twice the largest difference so far, relative to the loss, to
        nodes of another rule, and rounding. In logarithmic time those began with it earlier and
        have larger steps, and they are held against single steps as well.
    """
    last = int(steps[-1])
    single = single_steps(sgd, last)
    nodes = Nodes(model)
    if single == last:
        return nodes.to(last + 1, steps, sgd)
    quarter = single // EARLIER
    early, far = steps < quarter, steps >= single
    middle = ~(early | far)
    loss, error = np.empty((2, steps.size))
    loss[early], error[early] = nodes.to(quarter, steps[early], sgd)
    probes = quarter + (single - 1 - quarter) * np.arange(1, PROBES + 1) // PROBES
    check = nodes.coast(1, np.append(probes, steps[far]), sgd)
    known, known_error = nodes.to(single, np.append(steps[middle], probes), sgd)
    loss[middle], error[middle] = known[:-PROBES], known_error[:-PROBES]
    loss[far] = nodes.coast(0, steps[far], sgd)
    apart = np.abs(check / np.append(known[-PROBES:], loss[far]) - 1)
    apart = np.maximum(np.maximum.accumulate(apart)[PROBES:], nodes.difference)
    error[far] = 2 * apart * loss[far]
    return loss, error


def planned(steps: NDArray[np.int64], model: Model, sgd: SGD) -> tuple[Array, Array]:
    """Expected losses at the ends of trainings planned for so many steps; see `stepped`."""
    ends = [stepped(own, model, plan) for plan, own in trainings(sgd, steps)]
    loss, error = (np.concatenate(parts) for parts in zip(*ends, strict=True))
    return loss, error


def kernel_mass(model: Model, sgd: SGD, last: int) -> float:
    """Largest kernel mass of steps up to a last one, each repeated for ever (model section 14).

    Below 1 the expected loss does not diverge, if steps change slowly: log-spaced ones are looked
    at. It is infinite where a mode alone diverges.
    """
    nodes = real_nodes(model, *RULES[1])
    felt = nodes.trace > 0  # the others are of the target, which has no part in it
    points, multiplicities = nodes.points[felt], nodes.trace[felt] / nodes.points[felt]
    steps = np.unique(np.rint(np.geomspace(1, last + 1, PROBED)).astype(np.int64)) - 1
    *parts, direct = sgd.remembered_at(steps)
    largest = 0.0
    for rate, batch, weight, forgetting in np.column_stack(parts).tolist():
        if not rate * (direct + weight) > 0:  # as at the end of schedules: nothing moves
            continue
        step = StepMatrices.of(points, rate, batch, weight, forgetting, direct)
        largest = max(largest, step.mass(multiplicities))
    return largest


def critical_learning_rate(model: Model, sgd: SGD, last: int) -> float:
    """Learning rate, before the schedule's factor, at which a step is no longer stable."""
    low, high = 0.0, sgd.learning_rate
    while kernel_mass(model, replace(sgd, learning_rate=high), last) < 1:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        stable = kernel_mass(model, replace(sgd, learning_rate=middle), last) < 1
        low, high = (middle, high) if stable else (low, middle)
    return low
