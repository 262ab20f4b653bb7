"""Random features of one data set's samples, trained by SGD, and what is predicted of them."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plrf.data.batches import samples_of
from plrf.data.comparison import Experiment, compare, deviations
from plrf.data.sets import SETS
from plrf.data.training import population
from plrf.study.provenance import provenance
from plrf.study.schemas.data_training import TRAINING
from plrf.study.store import write_table

Array = NDArray[np.float64]


def load(name: str, source: Mapping[str, str] | None) -> tuple[Array, Array]:
    """All samples of a set of ours, or of a user's files."""
    if source is None:
        return SETS[name].load()
    x, y = zip(*samples_of(source["samples"], target=source["target"]), strict=True)
    return np.concatenate(x), np.concatenate(y)


def losses(
    name: str, source: Mapping[str, str] | None, sizes: list[int], plan: Experiment, seed: int
) -> pd.DataFrame:
    """Measured and predicted losses at all sizes, as rows of the schema TRAINING."""
    samples = population(*load(name, source))
    n, v = samples.x.shape
    logging.info("%s: %d samples of %d features", name, n, v)
    return pd.concat([compare(name, samples, d, plan, seed) for d in sizes], ignore_index=True)


def run_job(
    name: str,
    source: Mapping[str, str] | None,
    sizes: list[int],
    plan: Mapping[str, Any],
    seed: int,
    path: str,
) -> None:
    """Write the table of one data set.

    Parameters
    ----------
    name : str
        Of `plrf.data.sets.SETS`, or of a user's files.
    source : mapping or None
        samples and target of the files.
    sizes : list of int
        Numbers of parameters.
    plan : mapping
        The attributes of `plrf.data.comparison.Experiment`.
    seed : int
        The config's seed.
    path : str
        Output.
    """
    rows = losses(name, source, sizes, Experiment(**plan), seed)
    for (d, c), part in rows.groupby(["d", "c"]):
        if (part["status"] != "ok").any():
            logging.warning("%s: d=%d, c=%g diverges", name, d, c)
        if part["growing"].any():
            growing, runs = part[["growing", "runs"]].iloc[0]
            what = name, d, c, growing, runs
            logging.info("%s: d=%d, c=%g: no limit of the loss for %d of %d W", *what)
    for row in deviations(rows).itertuples():
        what = name, row.c, row.kind, row.least, row.greatest, row.rms_error
        logging.info("%s, c=%g: %s %.3f to %.3f, rms error %.3f", *what)
    made_from = {"set": name, "source": source, "sizes": sizes, "plan": dict(plan)}
    write_table(rows, TRAINING, path, provenance(made_from, seed))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    run_job(
        snakemake.wildcards.set,
        snakemake.params.source,
        snakemake.params.sizes,
        snakemake.params.plan,
        snakemake.params.seed,
        snakemake.output[0],
    )
