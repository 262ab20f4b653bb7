"""Expected losses (deterministic equivalent) of all sizes of one (sweep, alpha)."""

import logging
from typing import Any

import pandas as pd

from plrf.exact.loss import expected_loss
from plrf.model import recorded_steps
from plrf.progress import track
from plrf.study.provenance import provenance
from plrf.study.schemas.losses import LOSSES, loss_status
from plrf.study.store import write_table


def curve(point: dict[str, Any], steps_per_decade: int) -> pd.DataFrame:
    """Loss curve of one point and size, as rows of the LOSSES schema.

    Parameters
    ----------
    point : dict
        A row of the grid.
    steps_per_decade : int
        Density of the recorded steps.
    """
    steps = recorded_steps(point["steps"], steps_per_decade)
    parameters = {key: point[key] for key in ("alpha", "beta", "d", "v", "batch", "learning_rate")}
    result = expected_loss(steps, **parameters)
    return pd.DataFrame(
        {
            "sweep": point["sweep"],
            **parameters,
            "engine": "volterra",
            "run": -1,
            "step": steps,
            "flops": float(point["d"] * point["batch"]) * steps,
            "loss": result.loss,
            "error": result.error,
            "status": loss_status(result.loss, result.error),
        }
    )


def run_job(points: list[dict[str, Any]], steps_per_decade: int, path: str) -> None:
    """Solve all points of a job and write their losses."""
    curves = [curve(point, steps_per_decade) for point in track(points, "loss curves", len(points))]
    logging.info("solved %d loss curves", len(points))
    source = provenance({"points": points, "steps_per_decade": steps_per_decade})
    write_table(pd.concat(curves), LOSSES, path, source)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.params.points,
        snakemake.params.steps_per_decade,
        snakemake.output[0],
    )
