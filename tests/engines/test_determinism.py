"""What may change the bits of a loss, and by how much."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plrf.engines.reduction import reduce
from plrf.streams import random_stream
from plrf.task import PowerLawTask

ROOT = Path(__file__).resolve().parents[2]

# Losses of three engines at three points, alpha below 1/2 and large alpha included.
PROGRAM = """
import sys
import pandas as pd
from plrf.engines.registry import ENGINES
from plrf.scaling import learning_rate
from scripts.losses import averaged, runs

tables = []
for alpha, beta, d in [(0.4, 0.3, 160), (0.7, 0.7, 120), (1.5, 0.5, 80)]:
    point = {"sweep": "s", "alpha": alpha, "beta": beta, "d": d, "v": 4 * d, "batch": 1, "c": 0.5}
    point |= {"learning_rate": learning_rate(0.5, alpha, 4 * d, 1), "noise": 0.0}
    point |= {"schedule": "constant", "momentum": "none", "spectrum": ""}
    point |= {"steps": 1000, "runs": 2}
    for engine in ENGINES.values():
        runner = engine.name, engine.runner
        if engine.samples:
            tables.append(runs.losses([point], *runner, True, 1, 12))
        elif not engine.runs:
            tables.append(averaged.curve(point, *runner, 12))
pd.concat(tables).to_parquet(sys.argv[1])
"""


def losses(path, **environment):
    """Losses computed by a process with an environment of its own."""
    subprocess.run(
        [sys.executable, "-c", PROGRAM, path],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
        | {"OPENBLAS_NUM_THREADS": "1"}
        | environment,
        check=True,
        timeout=300,
    )
    return pd.read_parquet(path)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return losses(tmp_path_factory.mktemp("reference") / "losses.parquet")


def test_same_environment_gives_the_same_bits(reference, tmp_path):
    again = losses(tmp_path / "losses.parquet")
    pd.testing.assert_frame_equal(again, reference, check_exact=True)


# As docs/hpc.md says. A stream that a last bit chose would give a difference of order one.
TOLERANCE = {"sgd": 1e-7, "recursion": 1e-9, "volterra": 1e-11}


@pytest.mark.parametrize(
    "environment",
    [
        {"OPENBLAS_NUM_THREADS": "2"},
        {"OPENBLAS_CORETYPE": "Prescott"},
        {"OPENBLAS_CORETYPE": "Sandybridge"},
    ],
    ids=["two threads", "SSE3 kernels", "AVX kernels"],
)
def test_blas_changes_last_digits_only(reference, tmp_path, environment):
    ours = losses(tmp_path / "losses.parquet", **environment)
    difference = (ours["loss"] / reference["loss"] - 1).abs().groupby(reference["engine"]).max()
    for engine, tolerance in TOLERANCE.items():
        assert difference[engine] < tolerance


def test_signs_of_eigenvectors_do_not_matter():
    """LAPACK chooses them; coefficients are made positive."""
    for d in (20, 21):
        [reduction] = reduce(random_stream(1, "features"), [PowerLawTask(0.8, 0.6)], d, 60)
        assert np.all(reduction.coefficients >= 0) and reduction.coefficients.any()
