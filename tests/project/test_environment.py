"""The files that describe the environment and the release agree with each other and the code.

Each check takes the text of the files it compares and returns the list of problems it found, so
that the tests can show both that the project's own files have none and that drift is noticed.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import plrf

ROOT = Path(__file__).resolve().parents[2]

# The conda packages that hold what the PyPI packages hold, without extras.
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "snakemake": "snakemake-minimal",
}
# Modules whose name is not that of the package that provides them.
PROVIDERS = {
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "vl_convert": "vl-convert-python",
    "yaml": "pyyaml",
}
# Used as a command, whether or not a module of it is imported.
COMMANDS = {"snakemake"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def sources(*patterns: str) -> list[str]:
    return [path.read_text(encoding="utf-8") for pattern in patterns for path in ROOT.glob(pattern)]


def runtime(pyproject: str) -> list[Requirement]:
    return [Requirement(text) for text in tomllib.loads(pyproject)["project"]["dependencies"]]


def development(pyproject: str) -> list[Requirement]:
    """Requirements of all extras: those of developers, and of runs on a cluster."""
    extras = tomllib.loads(pyproject)["project"]["optional-dependencies"]
    return [Requirement(text) for extra in extras.values() for text in extra]


def optional(pyproject: str) -> list[Requirement]:
    """Requirements of data sets, which the library imports where they are used."""
    extras = tomllib.loads(pyproject)["project"]["optional-dependencies"]
    return [Requirement(text) for text in extras.get("data", [])]


def build(pyproject: str) -> list[Requirement]:
    return [Requirement(text) for text in tomllib.loads(pyproject)["build-system"]["requires"]]


def bound_problems(pyproject: str) -> list[str]:
    """Direct dependencies without exactly one lower bound."""
    return [
        f"pyproject.toml: {requirement} is not name>=version"
        for requirement in runtime(pyproject) + development(pyproject) + build(pyproject)
        if [bound.operator for bound in requirement.specifier] != [">="]
    ]


def lock_problems(pyproject: str, lock: str) -> list[str]:
    """Lines that are not one pin each, and direct dependencies the pins do not satisfy."""
    problems = []
    pins: dict[str, Version] = {}
    for line in lock.splitlines():
        if line.startswith("#"):
            continue
        pin = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][0-9A-Za-z.]*)", line)
        if pin is None:
            problems.append(f"requirements.lock: {line!r} is not name==version")
            continue
        name = canonicalize_name(pin[1])
        if name in pins:
            problems.append(f"requirements.lock: {name} is pinned twice")
        pins[name] = Version(pin[2])
    for requirement in runtime(pyproject) + development(pyproject) + build(pyproject):
        version = pins.get(canonicalize_name(requirement.name))
        if version is None:
            problems.append(f"requirements.lock: {requirement.name} is missing")
        elif version not in requirement.specifier:
            problems.append(f"requirements.lock: {version} does not satisfy {requirement}")
    return problems


def conda_problems(pyproject: str, environment: str) -> list[str]:
    """Dependencies of environment.yml that differ from pyproject.toml's in name or bound."""
    problems = []
    requirements = runtime(pyproject) + development(pyproject)
    expected = {CONDA_NAMES.get(each.name, each.name): each.specifier for each in requirements}
    expected["python"] = SpecifierSet(tomllib.loads(pyproject)["project"]["requires-python"])
    found: dict[str, SpecifierSet] = {}
    for entry in yaml.safe_load(environment)["dependencies"]:
        spec = re.fullmatch(r"([a-z0-9-]+) (>=[0-9.]+)", str(entry))
        if spec is None:
            problems.append(f"environment.yml: {entry!r} is not 'name >=version'")
            continue
        found[spec[1]] = SpecifierSet(spec[2])
    for name in sorted(expected.keys() | found.keys()):
        ours, theirs = expected.get(name), found.get(name)
        if ours != theirs:
            problems.append(f"{name}: environment.yml has {theirs}, pyproject.toml {ours}")
    return problems


def python_imports(texts: Iterable[str]) -> set[str]:
    """Top-level names of the modules that Python sources import, anywhere in them."""
    names = set()
    for node in (node for text in texts for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def snakemake_imports(texts: Iterable[str]) -> set[str]:
    """The same for Snakefiles, which are not Python: one import statement on a line."""
    statement = re.compile(r"^\s*(?:import (\w+)|from (\w+)[\w.]* import )", re.MULTILINE)
    return {match[1] or match[2] for text in texts for match in statement.finditer(text)}


def providers(modules: Iterable[str], own: set[str]) -> set[str]:
    """The packages that provide modules, the standard library's and the project's own left out."""
    return {PROVIDERS.get(name, name) for name in set(modules) - own - sys.stdlib_module_names}


def import_problems(pyproject: str, used: set[str], tested: set[str]) -> list[str]:
    """Packages used or tested with but not declared, and declared run-time packages not used."""
    declared = {each.name for each in runtime(pyproject)}
    extra = {each.name for each in optional(pyproject)}
    available = declared | {each.name for each in development(pyproject)}
    return [
        *(f"{name} is imported but no dependency" for name in sorted(used - declared - extra)),
        *(f"{name} is imported by a test but no dependency" for name in sorted(tested - available)),
        *(f"{name} is a dependency but not used" for name in sorted(declared - used - COMMANDS)),
    ]


def release_problems(version: str, citation: str, changelog: str) -> list[str]:
    """A citation or a changelog that does not name the version of the package."""
    problems = []
    cited = yaml.safe_load(citation)["version"]
    if cited != version:
        problems.append(f"CITATION.cff: version {cited}, the package has {version}")
    if not re.search(rf"^## \[{re.escape(version)}\]", changelog, re.MULTILINE):
        problems.append(f"CHANGELOG.md: no section for version {version}")
    return problems


def test_every_dependency_has_a_lower_bound():
    assert bound_problems(read("pyproject.toml")) == []


def test_lock_satisfies_pyproject():
    assert lock_problems(read("pyproject.toml"), read("requirements.lock")) == []


def test_conda_environment_equals_pyproject():
    assert conda_problems(read("pyproject.toml"), read("environment.yml")) == []


def test_imports_are_the_declared_dependencies():
    own = {"plrf", "scripts", "tests", "docs", "benchmarks"}
    own |= {path.stem for folder in ("scripts", "tests") for path in ROOT.glob(f"{folder}/**/*.py")}
    used = python_imports(sources("src/**/*.py", "scripts/**/*.py"))
    used |= snakemake_imports(sources("workflow/Snakefile", "workflow/**/*.smk"))
    tested = python_imports(sources("tests/**/*.py"))
    pyproject = read("pyproject.toml")
    assert import_problems(pyproject, providers(used, own), providers(tested, own)) == []


def test_wheel_says_that_the_library_has_types():
    data = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["package-data"]
    assert data == {"plrf": ["py.typed"]}
    assert read("src/plrf/py.typed") == ""


def test_release_is_named_everywhere():
    assert release_problems(plrf.__version__, read("CITATION.cff"), read("CHANGELOG.md")) == []


def drifted(name: str, pattern: str, replacement: str) -> str:
    """The text of a file with one change."""
    text, count = re.subn(pattern, replacement, read(name), count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern!r} is not in {name}"
    return text


@pytest.mark.parametrize("bound", ["", "==2.2", ">=2.2,<3"])
def test_bound_of_another_kind_is_noticed(bound):
    pyproject = drifted("pyproject.toml", '"numpy>=.*"', f'"numpy{bound}"')
    [problem] = bound_problems(pyproject)
    assert problem.startswith("pyproject.toml: numpy")


@pytest.mark.parametrize(
    ("pattern", "replacement", "expected"),
    [
        ("^numpy==.*\n", "", "numpy is missing"),
        ("^ruff==.*\n", "", "ruff is missing"),
        ("^setuptools==.*\n", "", "setuptools is missing"),
        ("^numpy==.*", "numpy==1.26.4", "1.26.4 does not satisfy numpy>="),
        ("^attrs==", "scipy==1.17.1\nattrs==", "scipy is pinned twice"),
        ("^attrs==", "SciPy==1.17.1\nattrs==", "scipy is pinned twice"),
        ("^attrs==", "attrs>=", "'attrs>="),
        ("^attrs==.*", "attrs @ file:///attrs.whl", "'attrs @ file"),
        ("^attrs==", "--index-url https://example.org\nattrs==", "'--index-url"),
        ("^attrs==", "-e .\nattrs==", "'-e .'"),
    ],
)
def test_drifted_lock_is_noticed(pattern, replacement, expected):
    lock = drifted("requirements.lock", pattern, replacement)
    [problem] = lock_problems(read("pyproject.toml"), lock)
    assert expected in problem


@pytest.mark.parametrize(
    ("pattern", "replacement", "expected"),
    [
        ("^  - numpy .*\n", "", ["numpy: environment.yml has None"]),
        ("^  - ruff .*\n", "", ["ruff: environment.yml has None"]),
        ("^  - numpy .*", "  - numpy >=1.0", ["numpy: environment.yml has >=1.0"]),
        ("^  - python .*", "  - python >=3.10", ["python: environment.yml has >=3.10"]),
        ("^  - numpy ", "  - jax >=0.60\n  - numpy ", ["jax: environment.yml has >=0.60"]),
        ("^  - numpy .*", "  - numpy", ["'numpy' is not", "numpy: environment.yml has None"]),
        ("^  - numpy ", "  - pip: [-e .]\n  - numpy ", ["{'pip': ['-e .']} is not"]),
    ],
)
def test_drifted_conda_environment_is_noticed(pattern, replacement, expected):
    environment = drifted("environment.yml", pattern, replacement)
    problems = conda_problems(read("pyproject.toml"), environment)
    assert len(problems) == len(expected)
    assert all(part in problem for part, problem in zip(expected, problems, strict=True))


def test_new_dependency_of_pyproject_is_noticed():
    pyproject = drifted("pyproject.toml", '"numpy>=', '"jax>=0.60", "numpy>=')
    assert lock_problems(pyproject, read("requirements.lock")) == [
        "requirements.lock: jax is missing"
    ]
    assert conda_problems(pyproject, read("environment.yml")) == [
        "jax: environment.yml has None, pyproject.toml >=0.60"
    ]


def test_undeclared_and_unused_packages_are_noticed():
    pyproject = '[project]\ndependencies = ["numpy", "scipy", "snakemake"]\n'
    pyproject += 'optional-dependencies.dev = ["pytest"]\noptional-dependencies.data = ["sets"]\n'
    used = {"numpy", "scipy", "sets"}
    assert import_problems(pyproject, used, {"pytest", "numpy"}) == []
    assert import_problems(pyproject, {"numpy", "numba"}, {"pytest", "nox"}) == [
        "numba is imported but no dependency",
        "nox is imported by a test but no dependency",
        "scipy is a dependency but not used",
    ]


def test_every_form_of_import_is_found():
    python = "import os, a.b as c\nfrom d.e import f\nfrom . import g\ndef h():\n    import yaml\n"
    assert python_imports([python]) == {"os", "a", "d", "yaml"}
    snakefile = (
        "import os\nfrom a.b import c\nrule all:\n    input: 'x'  # from here, import nothing\n"
    )
    assert snakemake_imports([snakefile]) == {"os", "a"}
    assert providers({"os", "yaml", "plrf", "numpy"}, own={"plrf"}) == {"pyyaml", "numpy"}


def test_forgotten_release_is_noticed():
    assert release_problems("0.2.0", "version: 0.1.0", "## [0.1.0] - 2026-01-01") == [
        "CITATION.cff: version 0.1.0, the package has 0.2.0",
        "CHANGELOG.md: no section for version 0.2.0",
    ]
