"""How far finite sizes are from the asymptotic theory: losses and local exponents.

Three tables: the loss over its estimate, and the local exponents of the compute-optimal front, from
the estimate and exactly, along a traverse and over many decades of compute.
"""

import logging
from typing import Any

import numpy as np
import pandas as pd

from plrf.exact.front import compute_optimal
from plrf.exact.loss import expected_loss
from plrf.progress import track
from plrf.scaling import ScalingRule
from plrf.study.provenance import provenance
from plrf.study.schemas.finite_size import LOCAL_EXPONENTS, LOSS_RATIOS
from plrf.study.schemas.losses import loss_status
from plrf.study.store import write_table
from plrf.task import PowerLawTask
from plrf.theory.estimated_front import estimated_optimum
from plrf.theory.parts import loss_estimate
from plrf.theory.phases import exponents, phase_name

STEPS_PER_DECADE = 16
BUDGETS_PER_DECADE = 2


def ratios(point: list[float], d: int, steps: float, model: dict[str, Any]) -> pd.DataFrame:
    """Loss and estimate of one size at log-spaced steps, as rows of the LOSS_RATIOS schema.

    Parameters
    ----------
    point : [alpha, beta]
    d : int
        Number of parameters.
    steps : float
        The last step.
    model : dict
        v_over_d, c and batch.
    """
    sized = ScalingRule(**model).whole_model(PowerLawTask(*point), d)
    parameters = sized.parameters | ScalingRule(**model).training(sized).parameters
    count = round(np.log10(steps) * STEPS_PER_DECADE) + 1
    r = np.unique(np.rint(np.geomspace(1, steps, count)))
    result = expected_loss(r, **parameters)
    return pd.DataFrame(
        {
            **parameters,
            "step": r,
            "loss": result.loss,
            "error": result.error,
            "estimate": loss_estimate(r, **parameters),
            "status": loss_status(result.loss, result.error),
        }
    )


def exact_front(point: list[float], flops: np.ndarray, model: dict[str, Any]) -> pd.DataFrame:
    """Local exponents of the exact front, one row per budget and quantity."""
    front = compute_optimal(flops, alpha=point[0], beta=point[1], **model)
    return exponent_rows(point, "exact", front)


def estimated_front(point: list[float], flops: np.ndarray, model: dict[str, Any]) -> pd.DataFrame:
    """Local exponents of the front of the estimate, one row per budget and quantity."""
    rows = [estimated_optimum(f, alpha=point[0], beta=point[1], **model) for f in flops]
    return exponent_rows(point, "estimate", pd.DataFrame(rows).assign(flops=flops))


def exponent_rows(point: list[float], source: str, front: Any) -> pd.DataFrame:
    """Rows of the LOCAL_EXPONENTS schema from a front's arrays."""
    alpha, beta = point
    theory = dict(zip(("eta", "xi"), exponents(alpha, beta), strict=True))
    return pd.concat(
        pd.DataFrame(
            {
                "alpha": alpha,
                "beta": beta,
                "phase": phase_name(alpha, beta),
                "source": source,
                "flops": np.asarray(front.flops),
                "d_opt": np.asarray(front.d),
                "quantity": quantity,
                "value": np.asarray(getattr(front, quantity)),
                "error": np.asarray(getattr(front, f"{quantity}_error")),
                "theory": theory[quantity],
                "status": np.asarray(front.status),
            }
        )
        for quantity in ("eta", "xi")
    )


def ratio_table(config: dict[str, Any], model: dict[str, Any]) -> pd.DataFrame:
    """Loss over estimate for several sizes of one point."""
    return pd.concat(ratios(config["point"], d, config["steps"], model) for d in config["d"])


def traverse_table(config: dict[str, Any], model: dict[str, Any]) -> pd.DataFrame:
    """Exact and estimated local exponents at a few budgets along alpha = constant."""
    parts, flops = [], np.array(config["flops"])
    for beta in track(config["beta"], "points of the traverse", len(config["beta"])):
        point = [config["alpha"], beta]
        parts += [exact_front(point, flops, model), estimated_front(point, flops, model)]
    logging.info("fronts of %d points of the traverse", len(config["beta"]))
    return pd.concat(parts)


def front_table(config: dict[str, Any], model: dict[str, Any]) -> pd.DataFrame:
    """Exact local exponents at log-spaced budgets for several points."""
    low, high = config["flops"]
    flops = np.geomspace(low, high, round(np.log10(high / low) * BUDGETS_PER_DECADE) + 1)
    points = track(config["points"], "fronts", len(config["points"]))
    return pd.concat(exact_front(point, flops, model) for point in points)


def run_job(config: dict[str, Any], paths: dict[str, str]) -> None:
    """Compute and write the three tables.

    Parameters
    ----------
    config : dict
        The block finite_size of the configuration.
    paths : dict
        Outputs: ratio, traverse, fronts.
    """
    model = {key: config[key] for key in ("v_over_d", "c", "batch")}
    source = provenance(config)
    write_table(ratio_table(config["ratio"], model), LOSS_RATIOS, paths["ratio"], source)
    traverse = traverse_table(config["traverse"], model)
    write_table(traverse, LOCAL_EXPONENTS, paths["traverse"], source)
    write_table(front_table(config["fronts"], model), LOCAL_EXPONENTS, paths["fronts"], source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(snakemake.params.config, dict(snakemake.output.items()))
