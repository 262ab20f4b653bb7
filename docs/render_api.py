"""Render the docstrings of the library into docs/api, as linked HTML pages: `make docs`."""

import pkgutil
import sys
from pathlib import Path

import pdoc

import plrf


def render(directory: Path) -> None:
    """Write one page per module; the first one shows what ``import plrf`` gives."""
    for name in plrf.__all__:
        getattr(plrf, name)  # imported on first use: unknown to pdoc before
    pdoc.render.configure(docformat="numpy", search=False)
    modules = [f"plrf.{module.name}" for module in pkgutil.iter_modules(plrf.__path__)]
    pdoc.pdoc("plrf", *modules, output_directory=directory)


if __name__ == "__main__":
    render(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/api"))
