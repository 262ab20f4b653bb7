"""Log files of jobs: progress at a sensible pace."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from plrf import progress as logs
from plrf.engines.recursion import recursion
from plrf.training import SGD


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    now = [0.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def records(caplog):
    caplog.set_level(logging.INFO)
    return caplog


def work(clock, seconds, n):
    """Pass n items, each of which takes some time."""
    items = []
    for item in logs.track(iter(range(n)), "points", n):
        clock[0] += seconds
        items.append(item)
    return items


class TestTrack:
    def test_items_pass_through(self, clock, records):
        assert work(clock, 0.01, 5) == list(range(5))
        assert work(clock, 1, 0) == []
        assert records.messages == []

    def test_lines_say_percent_and_time_left(self, clock, records):
        work(clock, 6, 10)
        assert records.messages == [
            "points: 20% done, about 48 s left",
            "points: 40% done, about 36 s left",
            "points: 60% done, about 24 s left",
            "points: 80% done, about 12 s left",
            "points: done in 60 s",
        ]

    @pytest.mark.parametrize(("seconds", "n"), [(0.001, 10**5), (1, 10**4), (3600, 30)])
    def test_pace(self, clock, records, seconds, n):
        """No flood of lines in a long job, and no long silence for its length."""
        times = []
        handler = logging.Handler()
        handler.emit = lambda record: times.append(clock[0])
        logging.getLogger().addHandler(handler)
        work(clock, seconds, n)
        logging.getLogger().removeHandler(handler)
        times = np.array([0.0, *times])
        assert 5 < len(times) < 110
        assert np.all(np.diff(times) <= np.maximum(logs.PAUSE, 0.06 * times[1:]) + 1.01 * seconds)
        assert records.messages[-1].startswith("points: done in")

    def test_units(self):
        texts = [logs._duration(x) for x in (0.4, 119, 121, 7100, 7300)]
        assert texts == ["0 s", "119 s", "2 min", "118 min", "2.0 h"]


def test_library_prints_nothing():
    """In a notebook there is no output: records of progress stay below Python's default level."""
    code = (
        "import numpy as np; from plrf import progress; progress.PAUSE = 0.0\n"
        "from plrf.engines.recursion import recursion\n"
        "from plrf.training import SGD\n"
        "recursion(np.ones(2), np.ones(2), 0.0, SGD(0.1), np.array([0, 50]))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


def test_long_computations_report(records, monkeypatch):
    monkeypatch.setattr(logs, "PAUSE", 0.0)
    recursion(np.ones(2), np.ones(2), 0.0, SGD(0.1), np.array([0, 50]))
    assert "recursion, d=2, 50 steps: done in 0 s" in records.messages
