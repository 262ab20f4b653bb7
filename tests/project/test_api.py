"""The public surface: complete docstrings, and pages that render."""

import inspect
import re

import pytest

import plrf
from docs.render_api import render


@pytest.mark.parametrize("name", plrf.__all__)
def test_public_functions_are_documented(name):
    """Source, parameters and return value are named, with errors where there are checks."""
    function = getattr(plrf, name)
    text = inspect.getdoc(function)
    assert re.search(r"[Ss]ections? \d", text), "no section of model.md is cited"
    assert inspect.isclass(function) or "\nReturns\n-------\n" in text
    for parameter in inspect.signature(function).parameters:
        assert re.search(rf"^[\w, ]*\b{parameter}\b[\w, ]* : ", text, re.MULTILINE), parameter


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="'plrf' has no attribute 'missing'"):
        plrf.missing  # noqa: B018 - looking it up is the test


def test_pages_render(tmp_path):
    render(tmp_path)
    page = (tmp_path / "plrf.html").read_text(encoding="utf-8")
    for name in plrf.__all__:
        assert f'id="{name}"' in page
    assert (tmp_path / "plrf" / "exact" / "inversion.html").stat().st_size > 10_000
