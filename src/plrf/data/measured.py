"""From samples to a task: its eigenvalues, targets and noise, with errors (model section 1)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from plrf.arguments import number, whole_number
from plrf.data.batches import Samples, samples_of
from plrf.data.moments import Moments, constant_features, merged, moments_of, principal
from plrf.data.resampling import Deviations, resample
from plrf.data.simulated import Estimates, estimates
from plrf.streams import random_stream

Array = NDArray[np.float64]

ADVISED = 10
"""Samples for each feature below which the status says that they are few."""
# Standard errors between held-out and expected loss from which on the status says so.
FAR = 4.0
# Of the variance of y: with less noise than that, losses are rounding errors.
ROUNDING = 1e-12


@dataclass(frozen=True)
class HeldOut:
    """The linear fit to most samples, tested on the others.

    Attributes
    ----------
    n : int
        Number of held-out samples.
    loss, error : float
        Mean squared residual, and its standard error.
    expected : float
        What it should be: the noise, and what estimating the fit adds to it.
    """

    n: int
    loss: float
    error: float
    expected: float

    @property
    def z_score(self) -> float:
        """Deviation from what is expected, in standard errors."""
        return (self.loss - self.expected) / self.error


@dataclass(frozen=True, eq=False)
class MeasuredTask(Estimates):
    """A task as samples show it: v directions of x that vary.

    Attributes
    ----------
    n : int
        Number of samples.
    eigenvalues, eigenvalue_errors : arrays, shape (v,)
        ``a_j``, decreasing, in squared units of x, and their standard errors.
    targets, target_errors : arrays, shape (v,)
        ``b_j >= 0``, and their standard errors; large where eigenvalues are so close that their
        eigenvectors are not known one by one.
    noise, noise_error : float
        Variance of y that no linear function of x explains, and its standard error.
    left_out : int
        Directions without variance.
    held_out : HeldOut
    deviations : Deviations
        Of the resamples behind the errors.
    status : str
        "ok", or what is doubtful.
    """

    eigenvalue_errors: Array
    target_errors: Array
    noise_error: float
    left_out: int
    held_out: HeldOut
    deviations: Deviations
    status: str

    @property
    def inflation(self) -> float:
        """What estimating targets adds to ``sum a_j b_j**2`` on average, ``noise v/n``."""
        return self.noise * self.eigenvalues.size / self.n

    @property
    def noise_share(self) -> float:
        """Share of the variance of y that is noise."""
        return self.noise / (self.noise + float(self.signal.sum()))

    def write(self, path: str | PathLike[str]) -> None:
        """Write the table that a sweep of the workflow reads as its ``spectrum``.

        Parameters
        ----------
        path : path
            A Parquet file, whose metadata hold n, noise and status under ``plrf``, or a CSV file,
            which has the columns only: eigenvalue, target, and the error of each.

        Raises
        ------
        ValueError
            If the file is to be of another kind.
        """
        suffix = Path(path).suffix
        table = pa.table(self.columns())
        if suffix == ".parquet":
            facts = {"n": self.n, "noise": self.noise, "status": self.status}
            pq.write_table(table.replace_schema_metadata({"plrf": json.dumps(facts)}), path)
        elif suffix == ".csv":
            pyarrow.csv.write_csv(table, path)
        else:
            raise ValueError(f"{path}: must be a file of one of the kinds .parquet, .csv")

    def columns(self) -> Mapping[str, Array]:
        """Columns of the table that `write` writes."""
        return {
            "eigenvalue": self.eigenvalues,
            "target": self.targets,
            "eigenvalue_error": self.eigenvalue_errors,
            "target_error": self.target_errors,
        }


def measure_task(
    x: ArrayLike | str | PathLike[str],
    y: ArrayLike | None = None,
    *,
    target: str = "y",
    held_out: float = 0.1,
    resamples: int = 200,
    seed: int = 0,
) -> MeasuredTask:
    """Measure the task that samples (x, y) are of, as model section 1 has it.

    ``plrf.expected_loss(steps, eigenvalues=task.eigenvalues, targets=task.targets,
    noise=task.noise, d=..., learning_rate=...)`` is then what the theory predicts for it.

    Moments are summed over batches, at most two p-by-p matrices and a few batches in memory. All
    samples give the estimates: eigenvalues of the covariance (weights ``1/(n-1)``), targets
    ``<u_j, cov(x, y)>/a_j``, and the noise, the residual with ``n - 1 - v`` degrees of freedom.
    Errors are those of independent samples, from a Poisson bootstrap to first order in its weights,
    which needs one more pass. What is left of estimation's bias, of order v/n in eigenvalues, is
    part of neither.

    Parameters
    ----------
    x : array_like, shape (n, p), or path
        Features, as they are: centred here, but not scaled. Or a file or glob of files, npz with
        arrays ``x`` and ``target``, or Parquet, whose columns but ``target`` are the features.
    y : array_like, shape (n,), optional
        What is to be predicted, if x is an array.
    target : str
        Name of y in files.
    held_out : float
        Share of the samples on which a linear fit to the others is tested.
    resamples : int
        Number of resamples of the bootstrap.
    seed : int
        Of what is random: the choice of held-out samples, and resamples.

    Returns
    -------
    MeasuredTask
        Estimates with errors, the held-out test, and a status that says what is doubtful.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError
        If something is not a number.
    ValueError
        If lengths or columns differ, a number is not finite, a feature is constant, y is constant,
        or there are not more samples than features; the message says where.
    """
    held_out = number("held_out", held_out, above=0)
    if held_out > 0.5:
        raise ValueError(f"held_out = {held_out:g}: must be at most 0.5")
    resamples = whole_number("resamples", resamples, least=2)
    seed = whole_number("seed", seed, least=0)
    samples = samples_of(x, y, target)
    if samples.n < 2:
        raise ValueError(f"x, y: {samples.n} samples, must be at least 2")
    fitted = _Part(samples, held_out, seed, chosen=False)
    tested = _Part(samples, held_out, seed, chosen=True)
    most = moments_of(fitted, "moments")
    moments = merged(most, moments_of(tested, "moments of held-out samples"))
    _check(moments, most.n, samples.features)
    task = principal(moments)
    n, v = moments.n, task.eigenvalues.size
    deviations = resample(samples, moments, task, resamples, random_stream(seed, "resamples"))
    test = _held_out(tested, most)
    return MeasuredTask(
        **vars(estimates(moments, task)),
        eigenvalue_errors=deviations.eigenvalues.std(axis=0),
        target_errors=deviations.targets.std(axis=0),
        noise_error=float(deviations.noise.std()),
        left_out=task.left_out,
        held_out=test,
        deviations=deviations,
        status=_status(n, v, test),
    )


class _Part:
    """Samples that are chosen at random to be held out, or the others."""

    def __init__(self, samples: Samples, share: float, seed: int, chosen: bool) -> None:
        self.samples, self.share, self.seed, self.chosen = samples, share, seed, chosen

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for k, (x, y) in enumerate(self.samples):
            order = random_stream(self.seed, "held out", k).permutation(len(y))
            chosen = (order < self.share * len(y)) == self.chosen
            yield x[chosen], y[chosen]


def _check(moments: Moments, fitted: int, features: tuple[str, ...]) -> None:
    """Refuse samples that are no regression problem."""
    constant = [features[j] for j in constant_features(moments)]
    if constant:
        raise ValueError(f"x: constant features, leave them out: columns {', '.join(constant)}")
    if moments.variance_y == 0:
        raise ValueError(f"y: is constant, {moments.mean_y:g}: there is nothing to predict")
    if fitted <= len(features) + 2:
        raise ValueError(
            f"x: {moments.n} samples of {len(features)} features leave {fitted} for a fit without "
            f"the held-out ones, must be more than {len(features) + 2}"
        )


def _held_out(tested: _Part, most: Moments) -> HeldOut:
    """Test the linear fit to most samples on the others.

    With Gaussian features, a fit with v of them and an intercept to n samples has the loss
    ``s2 (1 + 1/n) (n - 2)/(n - v - 2)`` on others (Stein 1960).
    """
    fit = principal(most)
    n, v, noise = most.n, fit.eigenvalues.size, estimates(most, fit).noise
    weights = fit.basis @ fit.targets
    squares = np.concatenate(
        [(y - most.mean_y - (x - most.mean_x) @ weights) ** 2 for x, y in tested]
    )
    expected = noise * (1 + 1 / n) * (n - 2) / (n - v - 2)
    error = np.hypot(squares.std() / np.sqrt(squares.size), ROUNDING * most.variance_y)
    return HeldOut(squares.size, float(squares.mean()), float(error), expected)


def _status(n: int, v: int, test: HeldOut) -> str:
    """Say what is doubtful."""
    doubts = []
    if n < ADVISED * v:
        doubts.append(f"{n} samples are few for {v} features, {ADVISED * v} are advised")
    if abs(test.z_score) > FAR:
        doubts.append(
            f"held-out loss {test.loss:.3g} is {test.z_score:+.1f} standard errors from the "
            f"{test.expected:.3g} of independent samples"
        )
    return "; ".join(doubts) or "ok"
