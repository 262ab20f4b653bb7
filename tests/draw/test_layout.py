"""The test of the layout sees what it is for."""

import matplotlib.pyplot as plt
import pytest

from tests.figure_checks import (
    layout_problems,
)


class TestLayoutProblems:
    """The test of the layout sees what it is for."""

    @pytest.mark.parametrize(
        ("texts", "problem"),
        [
            ([(0.5, 0.5, "one", 8), (0.5, 0.8, "two", 8)], None),
            ([(0.5, 0.5, "one", 8), (0.52, 0.51, "two", 8)], "'one' and 'two' overlap"),
            ([(0.99, 0.5, "far out", 8)], "'far out' leaves the page"),
            ([(0.5, 0.5, "small", 6.5)], "'small' has 6.5 pt"),
        ],
    )
    def test_it(self, style, texts, problem):
        figure = plt.figure(figsize=(3, 3))
        for x, y, text, size in texts:
            figure.text(x, y, text, size=size)
        problems = layout_problems(figure)
        assert len(problems) == (problem is not None)
        assert not problem or problems[0].startswith(problem)
