"""Speed of the numerical core, as ratios of times within one run: `make benchmarks`.

Each time is the best of a few repetitions on one core. The table goes to
results/benchmarks/numerics.csv and, between its markers, to docs/numerics.md.
"""

import os
import tracemalloc

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: one core, whatever the machine

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from scipy import fft, linalg

from plrf.engines.reduction import Reduction, feature_blocks, reduce
from plrf.engines.sgd import simulate, simulate_literal
from plrf.exact.front import compute_optimal
from plrf.exact.groups import averaged_groups
from plrf.exact.loss import expected_loss
from plrf.exact.target_fronts import target_fronts
from plrf.model import power_law_model
from plrf.scaling import ScalingRule, learning_rate
from plrf.streams import random_stream
from plrf.task import PowerLawTask
from plrf.training import SGD
from scripts.maintain.update_readme import replace_block

ALPHA, BETA = 0.7, 0.7


def best_time(function: Callable[[], object], repetitions: int = 5) -> float:
    """Shortest time of a call, in seconds."""
    times = []
    for _ in range(repetitions):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return min(times)


def losses(steps: np.ndarray, d: float):
    """Exact losses at the reference point, v = 4 d."""
    gamma = learning_rate(0.5, ALPHA, 4 * d, 1)
    return expected_loss(steps, alpha=ALPHA, beta=BETA, d=d, v=4 * d, learning_rate=gamma)


def direct_losses(forcing: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Solve the Volterra equation by its O(r^2) recursion (model section 3)."""
    reversed_kernel = kernel[::-1].copy()
    result = np.empty_like(forcing)
    for r in range(len(forcing)):
        result[r] = forcing[r] + reversed_kernel[len(kernel) - r :] @ result[:r]
    return result


def fft_losses(forcing: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Solve the Volterra equation as a power series, by Newton's iteration with FFTs."""
    n = len(forcing)
    series = np.concatenate([[1.0], -kernel[:-1]])
    inverse, length = np.array([1.0]), 1
    while length < n:
        length = min(2 * length, n)
        size = fft.next_fast_len(2 * length)
        transform = fft.rfft(inverse, size)
        inverse = fft.irfft(transform * (2 - fft.rfft(series[:length], size) * transform), size)
        inverse = inverse[:length]
    size = fft.next_fast_len(2 * n)
    return fft.irfft(fft.rfft(forcing, size) * fft.rfft(inverse, size), size)[:n]


Row = tuple[str, float, str]  # what, ratio, goal


def expected_loss_ratios() -> Iterator[Row]:
    """Exact loss curves, against the usual ways to solve the Volterra equation."""
    steps = np.unique(np.rint(np.geomspace(1, 1e20, 200)))
    times = [best_time(lambda d=d: losses(steps, d), 7) for d in (1e2, 1e6, 1e10)]
    text = "200 losses up to step 1e20: longest over shortest time for d = 1e2, 1e6, 1e10"
    yield text, max(times) / min(times), "at most 2"

    curve = losses(np.arange(100_000.0), 1000)
    start = slice(2000)
    direct = direct_losses(curve.forcing[start], curve.kernel[start])
    np.testing.assert_allclose(direct, curve.loss[start], rtol=1e-9)
    direct_time = best_time(lambda: direct_losses(curve.forcing, curve.kernel), 1)
    single_time = best_time(lambda: losses(np.array([1e5]), 1000), 20)
    text = "O(r^2) recursion on given F and K up to r = 1e5: its time over that of the loss at r"
    yield text, direct_time / single_time, "at least 1e4"

    curve = losses(np.arange(1_000_000.0), 1000)
    by_fft = fft_losses(curve.forcing, curve.kernel)
    np.testing.assert_allclose(by_fft[start], curve.loss[start], rtol=1e-9)
    fft_time = best_time(lambda: fft_losses(curve.forcing, curve.kernel), 2)
    few = np.unique(np.rint(np.geomspace(1, 1e6, 200)))
    text = "FFT solve on given F and K up to r = 1e6: its time over that of 200 losses"
    yield text, fft_time / best_time(lambda: losses(few, 1000)), "at least 50"

    flops = np.geomspace(1e3, 1e24, 25)
    front_time = best_time(lambda: compute_optimal(flops, alpha=ALPHA, beta=BETA), 3)
    text = "exact front, 25 budgets from 1e3 to 1e24: its time over that of one FFT solve"
    yield text, front_time / fft_time, ""
    yield from target_front_ratios()


def target_front_ratios() -> Iterator[Row]:
    """Fronts of many targets at once, against those one by one; each beta has its own in all."""
    flops, betas = 10.0 ** np.arange(4, 25), np.linspace(0, 2, 21)
    shared = best_time(lambda: target_fronts(flops, alpha=ALPHA, betas=betas), 2) / betas.size
    text = "exact front, 21 budgets from 1e4 to 1e24: one alone over one of 21 targets at once"
    yield text, best_time(lambda: compute_optimal(flops, alpha=ALPHA, beta=BETA), 2) / shared, ""

    def singly() -> None:
        for budget in flops:
            compute_optimal(budget, alpha=ALPHA, beta=BETA)

    text = "the same, a call for each budget over one of 21 targets at once"
    yield text, best_time(singly, 2) / shared, "at least 2"


def power_law_reduction(d: int) -> Reduction:
    """A reduction of the right shape, without a diagonalisation: time does not depend on it."""
    eigenvalues = np.arange(d, 0.0, -1) ** (-2 * ALPHA)
    return Reduction(eigenvalues, eigenvalues.copy(), 1e-3)


def sgd_time(d: int, chains: int, batch: int, steps: int) -> float:
    """Time of a step of one chain."""
    reduced = [power_law_reduction(d)] * chains
    gamma = learning_rate(0.5, ALPHA, 4 * d, batch)

    def run() -> None:
        streams = [random_stream(1, "benchmark", k) for k in range(chains)]
        simulate(reduced, SGD(gamma, batch), np.array([0, steps]), streams)

    return best_time(run, 3) / (chains * steps)


def normals_time(d: int) -> float:
    """Time to draw d normals."""
    buffer, stream = np.empty(d), random_stream(1, "benchmark")

    def run() -> None:
        for _ in range(1000):
            stream.standard_normal(out=buffer)

    return best_time(run, 5) / 1000


def sgd_ratios() -> Iterator[Row]:
    """SGD in the eigenbasis, against drawing its random numbers and the literal simulation."""
    for d in (1000, 3200):
        text = f"SGD, d = {d}, 10 runs: a step of a run over drawing d normals"
        yield text, sgd_time(d, 10, 1, 300) / normals_time(d), "at most 1.5"
    text = "SGD, d = 1000: a step with batch 64 over one with batch 1"
    yield text, sgd_time(1000, 10, 64, 300) / sgd_time(1000, 10, 1, 300), "at most 1.2"
    text = "SGD, d = 100: a step of one run alone over one among 20 runs"
    yield text, sgd_time(100, 1, 1, 3000) / sgd_time(100, 20, 1, 3000), "at least 3"
    v, d, steps = 8000, 2000, 20
    blocks = [block for _, block in feature_blocks(random_stream(1, "benchmark"), d, v)]
    features = np.concatenate(blocks)
    gamma, rng = learning_rate(0.5, ALPHA, v, 1), random_stream(2, "benchmark")
    recorded = np.array([0, steps])
    literal = best_time(
        lambda: simulate_literal(features, PowerLawTask(ALPHA, BETA), SGD(gamma), recorded, rng, 1),
        3,
    )
    text = "SGD, (v, d) = (8000, 2000): a step of the literal simulation over one in the eigenbasis"
    yield text, literal / steps / sgd_time(2000, 10, 1, 100), "at least 100"


def groups_ratio(d: int, chains: int = 10, steps: int = 300) -> float:
    """Time of a step of a chain on groups, over that of drawing its numbers."""
    model = power_law_model(ALPHA, BETA, d, 4 * d)
    groups, sgd = averaged_groups(model), ScalingRule().training(model)
    half_freedom, stream = (groups.multiplicities - 1) / 2, random_stream(1, "benchmark")

    def draw() -> None:
        for _ in range(1000):
            stream.standard_normal(half_freedom.size)
            stream.standard_gamma(half_freedom)

    def run() -> None:
        streams = [random_stream(1, "benchmark", k) for k in range(chains)]
        simulate([groups] * chains, sgd, np.array([0, steps]), streams)

    return best_time(run, 3) / (chains * steps) / (best_time(draw, 3) / 1000)


def group_ratios() -> Iterator[Row]:
    """SGD on groups, against drawing its random numbers."""
    for d in (10**4, 10**6, 10**8):
        text = f"SGD on groups, d = {d:.0e}, 10 runs: a step of a run over drawing its numbers"
        yield text, groups_ratio(d), "at most 1.5"
    # One run of the paper's largest size in its window; the reduction takes ten minutes.
    d, v = 12_800, 51_200
    model = power_law_model(ALPHA, BETA, d, v)
    sgd, steps = ScalingRule().training(model), np.array([0, 10**8 // d])
    stream = random_stream(1, "benchmark")
    sampled = best_time(
        lambda: simulate(reduce(stream, [model.task], d, v), sgd, steps, [stream]), 1
    )
    averaged = best_time(lambda: simulate([averaged_groups(model)], sgd, steps, [stream]), 3)
    text = "SGD, (v, d) = (51200, 12800), 1e8 flops: a run with its reduction over one on groups"
    yield text, sampled / averaged, ""


def gram_eigenvectors(d: int, v: int) -> None:
    """The usual way, for its time: W whole, its covariance, and that one's eigenvectors."""
    features = random_stream(1, "benchmark").standard_normal((v, d))
    features *= (np.arange(1.0, v + 1) ** -ALPHA * d**-0.5)[:, None]
    linalg.eigh(features.T @ features, overwrite_a=True, driver="evd")


def reduction_ratios() -> Iterator[Row]:
    """The reduction to d dimensions: time, and memory."""
    d, v = 1600, 6400
    usual_time = best_time(lambda: gram_eigenvectors(d, v), 3)
    time = best_time(
        lambda: reduce(random_stream(1, "benchmark"), [PowerLawTask(ALPHA, BETA)], d, v), 3
    )
    text = "reduction, (v, d) = (6400, 1600): its time over that of a Gram matrix and eigenvectors"
    yield text, time / usual_time, "at most 1"
    d, v = 1000, 32_000
    tracemalloc.start()
    reduce(random_stream(1, "benchmark"), [PowerLawTask(ALPHA, BETA)], d, v)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    text = "reduction, (v, d) = (32000, 1000): peak of memory over d^2 doubles"
    yield text, peak / (8 * d**2), "at most 5"


def main() -> None:
    """Measure, and write the table as CSV and into docs/numerics.md."""
    table = pd.DataFrame(
        [*expected_loss_ratios(), *reduction_ratios(), *sgd_ratios(), *group_ratios()],
        columns=["what", "ratio", "goal"],
    )
    path = Path("results/benchmarks/numerics.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False)
    lines = ["| what | ratio | goal |", "| --- | --- | --- |"]
    lines += [f"| {row.what} | {row.ratio:.3g} | {row.goal} |" for row in table.itertuples()]
    document = Path("docs/numerics.md")
    text = replace_block(document.read_text(encoding="utf-8"), "benchmarks", "\n".join(lines))
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
