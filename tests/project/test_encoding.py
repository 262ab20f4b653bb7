"""Text is UTF-8, whatever the locale: each call that reads or writes some says so."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "scripts", "tests", "benchmarks", "docs", "workflow")
PYTHON = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
# Of other things than text.
OPENERS = {"Image", "archive", "browser", "tarfile"}
SNAKEFILE = re.compile(
    r"(?:(?:read|write)_text|\bopen)\((?![^()]*(?:encoding=|[\"']rb[\"']))|\btext=True"
)
# Python as on a system whose locale is not UTF-8.
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def of_the_locale(text):
    """Lines of calls whose encoding is that of the locale."""
    lines = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        *owner, name = ast.unparse(node.func).split(".")
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        modes = [*map(ast.unparse, node.args), keywords.get("mode", "")]
        opens = name == "open" and OPENERS.isdisjoint(owner)
        binary = any(re.fullmatch(r"'[rwax+]*b[rwax+]*'", mode) for mode in modes)
        reads = name in ("read_text", "write_text") or (opens and not binary)
        logs = name in ("basicConfig", "FileHandler") and "filename" in keywords
        pipes = keywords.get("text") == "True" or "universal_newlines" in keywords
        if (reads or logs or pipes) and "encoding" not in keywords:
            lines.append(node.lineno)
    return lines


def test_python_names_the_encoding():
    assert len(PYTHON) > 90
    found = {path: of_the_locale(path.read_text(encoding="utf-8")) for path in PYTHON}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_snakefiles_name_the_encoding():
    for path in [ROOT / "workflow" / "Snakefile", *(ROOT / "workflow").rglob("*.smk")]:
        assert SNAKEFILE.findall(path.read_text(encoding="utf-8")) == [], path
    assert SNAKEFILE.search("yaml.safe_load(path.read_text())")
    assert SNAKEFILE.search("with open(path) as file")
    assert not SNAKEFILE.search('open(path, "rb"); path.read_text(encoding="utf-8")')


def test_calls_without_an_encoding_are_noticed():
    for call in (
        "path.read_text()",
        "(folder / name).write_text(text)",
        "open(path)",
        "open(path, 'w')",
        "path.open('a')",
        "run(command, text=True)",
        "logging.basicConfig(filename=path)",
    ):
        assert of_the_locale(call) == [1], call
        assert of_the_locale(f"{call[:-1]}, encoding='utf-8')".replace("(, ", "(")) == [], call
    assert of_the_locale("open(path, 'rb'); path.open(mode='wb'); Image.open(path)") == []


def test_workflow_in_another_locale(checkout, quick, tmp_path, monkeypatch):
    """Tables with α, and a refused name that the terminal cannot show."""
    for key, value in C_LOCALE.items():
        monkeypatch.setenv(key, value)
    name = "results/tables/table2_phases.md"
    arguments = ["--configfile", checkout.quick, "--directory", tmp_path, "--cores", "1"]
    process = checkout.snakemake(name, *arguments)
    assert process.returncode == 0, process.stderr
    expected = quick.files("tables/table2_phases.md")[name].read_bytes()
    assert (tmp_path / name).read_bytes() == expected
    assert "α" in expected.decode()

    config = tmp_path / "config.yaml"
    config.write_text("traverse: α\n", encoding="utf-8")
    process = checkout.snakemake(*arguments[:2], config, *arguments[2:])
    assert "Traceback" not in process.stderr
    assert 'traverse = "\\u03b1"' in process.stderr
