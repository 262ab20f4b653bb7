"""The code that a job's values depend on: its script, and the modules of plrf behind it.

Snakemake sees an edit of a script by its time, and none of a module. The hash of their texts is a
parameter of each rule: it changes with the code alone, wherever and since when the files lie.

Imported at every parse of the Snakefile: no scipy here.
"""

import ast
import hashlib
from functools import cache
from importlib.util import resolve_name
from pathlib import Path


def imported_files(script: Path, source: Path) -> set[Path]:
    """Find the modules that a script imports, directly or not, also within functions.

    The file of the package itself is left out: its version is no value of a result, and its
    shortcuts are for users (a test sees to it that jobs use none).

    Parameters
    ----------
    script : Path
        A Python file.
    source : Path
        The folder of the package ``plrf``.

    Returns
    -------
    set of Path
        Modules below ``source / "plrf"``, and the ``__init__.py`` of subpackages on the way.
    """
    found: set[Path] = set()
    new = _imported_by(script, source)
    while new:
        found |= new
        new = set().union(*(_imported_by(path, source) for path in new)) - found
    return found


def code_hash(script: Path, source: Path, *modules: str) -> str:
    """Hash the texts of a script and of the modules that it imports.

    Parameters
    ----------
    script : Path
        A Python file.
    source : Path
        The folder of the package ``plrf``.
    modules : str
        Modules of ``plrf`` that it loads by their names.

    Returns
    -------
    str
        SHA-256 in hexadecimal; the same wherever the files lie.
    """
    loaded = {source.joinpath(*module.split(".")).with_suffix(".py") for module in modules}
    behind = (imported_files(path, source) for path in (script, *loaded))
    files = [script, *sorted(loaded.union(*behind))]
    digests = (hashlib.sha256(path.read_bytes()).digest() for path in files)
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _imported_by(path: Path, source: Path) -> set[Path]:
    """Find the files of plrf that a file imports itself."""
    package = ".".join(path.relative_to(source).parts[:-1]) if source in path.parents else ""
    found: set[Path] = set()
    for name in _imported_names(path.read_bytes(), package):
        parts = name.split(".")
        if parts[0] == "plrf":
            stems = [source.joinpath(*parts[:n]) for n in range(2, len(parts) + 1)]
            found.update(stem / "__init__.py" for stem in stems)
            found.update(stem.with_suffix(".py") for stem in stems)
    return {path for path in found if path.exists()}


@cache  # of the text: scripts share modules
def _imported_names(text: bytes, package: str) -> frozenset[str]:
    """Absolute names that a text within ``package`` imports: modules, or what is in them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            names.update(f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return frozenset(names)
