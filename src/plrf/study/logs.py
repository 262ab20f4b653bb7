"""Logging of the workflow's jobs: what a script reports, and why it failed, in its log file."""

import logging
import sys
import time
from types import TracebackType


def log_to(path: str) -> None:
    """Send log records, warnings and the uncaught exception to a file.

    Snakemake's ``log:`` directive captures nothing by itself.

    Parameters
    ----------
    path : str
        The log file; overwritten.
    """
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        filename=path,
        filemode="w",
        level=logging.INFO,
        format="%(asctime)sZ %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
        encoding="utf-8",
    )
    logging.captureWarnings(True)

    def log_uncaught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        logging.critical("uncaught exception", exc_info=(kind, error, trace))
        sys.__excepthook__(kind, error, trace)

    sys.excepthook = log_uncaught
