"""Which code a rule depends on. The scripts' imports are tested with the workflow."""

import re
from pathlib import Path

import pytest

from plrf.study.sources import code_hash, imported_files

ROOT = Path(__file__).resolve().parents[2]
RULE = re.compile(r"^rule \w+:\n((?:    .*\n|\n)*)", re.MULTILINE)
FILES = {
    "scripts/job.py": "import numpy\nfrom plrf import a\ndef f():\n    import plrf.x.y as y\n",
    "scripts/other.py": "from plrf.x import name\nfrom plrf import theory\n",
    "src/plrf/__init__.py": "from plrf import unused\n",
    "src/plrf/a.py": "from .b import c\nfrom . import d\n",
    "src/plrf/b.py": "from plrf.a import e  # a cycle\n",
    "src/plrf/d.py": "s = 'α'\n",
    "src/plrf/unused.py": "",
    "src/plrf/x/__init__.py": "from .. import d\nfrom .names import name\n",
    "src/plrf/x/names.py": "",
    "src/plrf/x/y.py": "from .deep.z import w\n",
    "src/plrf/x/deep/__init__.py": "",
    "src/plrf/x/deep/z.py": "from ...b import v\n",
}
IMPORTED = {
    "job": ["a", "b", "d", "x/__init__", "x/deep/__init__", "x/deep/z", "x/names", "x/y"],
    "other": ["d", "x/__init__", "x/names"],
}


@pytest.fixture
def write(tmp_path):
    """Writes the files of a project into a folder of that name."""

    def write(name):
        for file, text in FILES.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


@pytest.mark.parametrize("script", IMPORTED)
def test_modules_of_subpackages_are_found(write, script):
    project = write("project")
    found = imported_files(project / "scripts" / f"{script}.py", project / "src")
    assert found == {project / "src" / "plrf" / f"{name}.py" for name in IMPORTED[script]}


def test_hash_changes_with_each_imported_file_and_nothing_else(write):
    project = write("project")
    script = project / "scripts" / "other.py"

    def current(root=project):
        return code_hash(root / "scripts" / "other.py", root / "src")

    before = current()
    # A module that is loaded by its name counts, and what it imports.
    assert code_hash(script, project / "src", "plrf.a") != before
    own = {script, *imported_files(script, project / "src")}
    for path in project.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text + "# edited\n", encoding="utf-8")
        assert (current() != before) == (path in own), path
        path.write_text(text, encoding="utf-8")
    assert current() == before == current(write("elsewhere"))


def test_each_rule_depends_on_the_script_that_it_runs():
    rules = 0
    for path in (ROOT / "workflow").rglob("*.smk"):
        for text in RULE.findall(path.read_text(encoding="utf-8")):
            rules += 1
            (script,) = re.findall(r"^        code=code\(\"([\w/]+)\.py\"\),$", text, re.M)
            assert re.findall(r"\"../../scripts/([\w/]+)\.py\"", text) == [script]
            assert (ROOT / f"scripts/{script}.py").is_file()
    assert rules == 29
    loops = {
        "figures": 'code(f"figures/{figure.script}")',
        "tables": 'code(f"tables/{table.stem}.py")',
        "losses": 'code(f"losses/{engine.script}", engine.module)',
        "atlas": 'code(f"atlas/{kind}.py")',
    }
    for name, hashed in loops.items():
        text = (ROOT / f"workflow/rules/{name}.smk").read_text(encoding="utf-8")
        assert f"code={hashed},\n" in text
        assert f'"../../scripts/{name}/{{params.script}}"\n' in text
