"""The project's rooms: files stay small, and numerics know nothing of the workflow around them."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The most lines of a file, by where it is.
MOST_LINES = {
    "scripts/**/*.py": 150,
    "src/**/*.py": 350,
    "workflow/rules/*.smk": 200,
    "workflow/Snakefile": 60,
}
NUMERICS = [
    "*.py",
    "theory/*.py",
    "exact/*.py",
    "engines/*.py",
    "measure/*.py",
    "data/*.py",
    "fitting/*.py",
]


@pytest.mark.parametrize("pattern", MOST_LINES)
def test_files_are_small(pattern):
    files = list(ROOT.glob(pattern))
    assert files
    lines = {str(f): len(f.read_text(encoding="utf-8").splitlines()) for f in files}
    assert {name: n for name, n in lines.items() if n > MOST_LINES[pattern]} == {}


def test_numerics_import_nothing_of_the_workflow():
    files = [file for pattern in NUMERICS for file in (ROOT / "src/plrf").glob(pattern)]
    assert len(files) > 30
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.startswith("plrf.study")], file


def test_scripts_have_the_folders_of_rules():
    """But for those that only make calls."""
    rules = {path.stem for path in (ROOT / "workflow/rules").glob("*.smk")}
    folders = {path.name for path in (ROOT / "scripts").iterdir() if path.is_dir()}
    assert folders - {"maintain", "__pycache__"} <= rules
