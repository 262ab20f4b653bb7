"""Small tables with known answers, made up for tests of the workflow's stages."""

import math

import numpy as np
import pandas as pd

from plrf.measure import points
from plrf.study import store
from plrf.study.provenance import provenance
from plrf.study.schemas import grid as grid_schema
from plrf.study.schemas import losses as losses_schema
from plrf.training import recorded_steps

SOURCE = provenance({}, 1)
STEPS_PER_DECADE = 4


def write(frame, schema, path):
    store.write_table(frame, schema, path, SOURCE)
    return str(path)


def grid_table(*rows):
    """A grid of rows given by what differs from a default; each has its engines, of any number."""
    default = {
        "sweep": "sweep",
        "spectrum": "",
        "alpha": 1.0,
        "beta": 2.0,
        "d": 10,
        "v": 40,
        "batch": 1,
        "c": 0.08,
        "learning_rate": 0.05,
        "noise": 0.0,
        "schedule": "constant",
        "momentum": "none",
        "kernel_mass": 0.04,
        "flops": 1000.0,
        "steps": 100,
        "runs": 2,
        "engines": ["sgd", "recursion", "volterra"],
        "phase": "III",
    }
    full = [default | {"simulated_steps": row.get("steps", 100)} | row for row in rows]
    parts = []
    for row in full:
        for name in row["engines"]:
            own = {"engine": name}
            own |= {"runs": 0} if name == "volterra" else {"steps": row["simulated_steps"]}
            parts.append(row | own)
    return pd.DataFrame(parts)[grid_schema.GRID.names]


def loss_rows(steps, loss, **columns):
    """One curve as rows of the LOSSES schema."""
    default = {
        "sweep": "sweep",
        "spectrum": "",
        "alpha": 1.0,
        "beta": 2.0,
        "d": 10,
        "v": 40,
        "batch": 1,
        "learning_rate": 0.05,
        "noise": 0.0,
        "schedule": "constant",
        "momentum": "none",
        "engine": "volterra",
        "run": -1,
    }
    columns = default | columns
    loss = np.asarray(loss, float)
    flops = columns["d"] * columns["batch"] * np.asarray(steps, float)
    error = math.nan if columns["engine"] == "sgd" else 1e-12
    status = np.where(np.isfinite(loss), "ok", "diverged")
    rows = {"step": steps, "flops": flops, "loss": loss, "error": error, "status": status}
    return pd.DataFrame(columns | rows)[losses_schema.LOSSES.names]


def losses_of_grid(grid, seed=0):
    """Losses of all curves of a grid; those of SGD scatter by 10% around their expectation."""
    rng = np.random.default_rng(seed)
    parts = []
    for row in grid.to_dict("records"):
        keys = ("sweep", "alpha", "beta", "d", "v", "batch", "engine")
        curve = {key: row[key] for key in keys}
        steps = recorded_steps(row["steps"], STEPS_PER_DECADE)
        for run in range(row["runs"]) or [-1]:
            loss = (1 + 0.1 * max(run, 0)) / (1 + steps)
            if row["engine"] == "sgd":
                loss *= 1 + 0.1 * (steps > 0) * rng.standard_normal(steps.shape)
            parts.append(loss_rows(steps, loss, run=run, **curve))
    return pd.concat(parts, ignore_index=True)


def exponent_rows():
    """Fits of two points, one of them refused, in no good order."""
    nan = math.nan
    row = {
        "sweep": "b",
        "spectrum": "",
        "alpha": 1.0,
        "beta": 2.0,
        "momentum": "none",
        "phase": "III",
        "engine": "sgd",
        "window": 0,
        "window_low": 1e3,
        "window_high": 2e6,
        "method": "approach2",
        "quantity": "xi",
        "estimate": 0.55,
        "std_error": 0.02,
        "dof": 25.0,
        "ci_low": 0.5,
        "ci_high": 0.6,
        "error_source": "runs",
        "used_low": 1e3,
        "used_high": 1e6,
        "n_budgets": 11,
        "n_dropped": 2,
        "rms_residual": 0.05,
        "expected": 0.53,
        "exact": 0.51,
        "theory": 0.5,
        "method_spread": 0.03,
        "window_spread": nan,
        "status": "ok; dropped 2 edge_minimum",
    }
    refused = dict.fromkeys((*points.ESTIMATE, "theory"), nan)
    rows = [
        row,
        {"quantity": "eta", "estimate": 0.6, "theory": 0.75},
        {"method": "approach1", "std_error": nan, "ci_low": nan, "ci_high": nan},
        {"engine": "recursion"},
        {"engine": "volterra", "method": "approach0", "error_source": "solver", "std_error": 1e-9},
        {"alpha": 0.7, "beta": -0.2, "phase": "edge", "status": "refused: edge"} | refused,
        {"alpha": 0.7, "beta": 0.7, "phase": "II/III"},
        {"sweep": "a"},
    ]
    return pd.DataFrame([row | changes for changes in rows])
