"""Progress of long computations, as records of the standard logging."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

# Lines of progress are this many seconds apart, or this part of the time so far, if that is longer.
PAUSE = 10.0
LONGER_PAUSE = 0.05


def track(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    """Pass items on, and log from time to time how many are done and how long the rest may take.

    Nothing is logged of what ends within ``PAUSE``.

    Parameters
    ----------
    items : iterable
        Of about the same work each.
    what : str
        What is made of them, for the log.
    total : int
        Number of items.
    """
    start = now = time.monotonic()
    following = start + PAUSE
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now >= following:
            elapsed = now - start
            left = _duration(elapsed * (total - done) / done)
            logging.info("%s: %.0f%% done, about %s left", what, 100 * done / total, left)
            following = now + max(PAUSE, LONGER_PAUSE * elapsed)
        yield item
    elapsed = time.monotonic() - start
    if elapsed >= PAUSE:
        logging.info("%s: done in %s", what, _duration(elapsed))


def _duration(seconds: float) -> str:
    """A time for people: seconds below two minutes, then minutes, then hours."""
    for unit, size in (("s", 1), ("min", 60)):
        if seconds < 120 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 3600:.1f} h"
