"""What is needed before any rule: paths, the environment, the validated configuration and its grid."""

import os
import shlex
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement
from snakemake.common.configfile import load_configfile
from snakemake.sourcecache import HostingProviderFile


def root():
    """The folder that holds this workflow, its scripts and its library.

    Not workflow.basedir, which is another folder where this workflow is a module of another one.
    From a host of git repositories Snakemake fetches rules by itself; we ask for the files beside
    them. Its cache keeps the layout of the repository.
    """
    os.environ.pop("PLRF_COMMIT", None)  # of another run, or another module
    folder = workflow.current_basedir
    if not isinstance(folder, HostingProviderFile):
        return Path(folder).parents[1]
    parts = ["src", "scripts", "workflow/schemas", "pyproject.toml"]
    repository = folder.hosted_repo.repo
    os.environ.update(PLRF_COMMIT=repository.commit(folder.ref).hexsha)  # for provenance
    files = repository.git.ls_tree("-r", "--name-only", folder.ref, *parts)
    cached = [workflow.source_path(f"../../{file}") for file in files.splitlines()]
    return Path(cached[0]).parents[files.splitlines()[0].count("/")]


def check_environment(extra=None):
    """Stop where packages, or those of an extra, are missing or too old, with the way out."""
    # With --software-deployment-method, jobs have an environment of their own.
    if workflow.deployment_settings.deployment_method:
        return
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    required = project["optional-dependencies"][extra] if extra else project["dependencies"]
    problems = []
    for requirement in map(Requirement, required):
        try:
            installed = version(requirement.name)
            good = requirement.specifier.contains(installed, prereleases=True)
        except PackageNotFoundError:
            installed, good = "not installed", False
        if not good:
            problems.append(f"  {requirement}: {installed}")
    if problems:
        sys.exit(
            "The environment lacks what this version needs, nothing was run.\n"
            + "\n".join(problems)
            + "\nActivate the environment of this checkout, or make it anew: `make` installs into "
            ".venv,\n`conda env update -f environment.yml --prune` into plrf."
        )


def check_path():
    """Stop where the path of this checkout means something else to Snakemake or Python."""
    if special := "".join(sorted(set(":{}<>") & set(str(ROOT)))):
        sys.exit(
            f"The path {ROOT} contains {special}, nothing was run. Snakemake replaces what is in {{}} "
            "and <>, and : ends a path for Python: move or rename the folder."
        )


def check_writable():
    """Stop where results could not be written, before Snakemake fails on files of its own."""
    for path in (Path.cwd(), Path.cwd() / ".snakemake", Path.cwd() / "results"):
        # With the dot, a file and a link that leads nowhere are no folder that one may write to.
        if os.path.lexists(path) and not os.access(f"{path}/.", os.W_OK | os.X_OK):
            link = f" (a link to {os.readlink(path)})" if path.is_symlink() else ""
            sys.exit(
                f"{path}{link} is not a folder that can be written to, nothing was run. To have "
                "results elsewhere, add to the command: --configfile config/config.yaml --directory "
                "my_folder"
            )


def quote_python():
    """Let jobs find Python in any folder: Snakemake puts its path into shell commands as it is."""
    if Path(sys.executable).exists():  # not so if another module of the workflow has quoted it
        sys.executable = shlex.quote(sys.executable)


ROOT = root()
quote_python()
if workflow.is_main_process:
    check_path()
    check_writable()
    check_environment()

import yaml

# This process and its jobs import plrf from this checkout, whatever else is installed.
sys.path.insert(0, str(ROOT / "src"))
PYTHONPATH = filter(None, [str(ROOT / "src"), os.getenv("PYTHONPATH")])
os.environ.update(PYTHONPATH=os.pathsep.join(PYTHONPATH))
# Nor does what a notebook or a user has set for matplotlib reach the jobs.
os.environ.update(MPLBACKEND="agg", MATPLOTLIBRC=os.devnull)

from plrf.data.batches import paths
from plrf.data.sets import SETS
from plrf.engines.registry import ENGINES
from plrf.study import catalogue
from plrf.study.advice import advice, brief
from plrf.study.config import complete, validate
from plrf.study.entries import asks
from plrf.study.grid import points as sweep_points
from plrf.study.grid import sweep_grid
from plrf.study.problems import ConfigError
from plrf.study.sources import code_hash
from plrf.study.text import check_text

SCHEMA = yaml.safe_load(
    (ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
)


def refuse(error):
    """Stop before any job: not by a WorkflowError, which would add the lines of a traceback."""
    files = workflow.configfiles
    given = workflow.config_settings.config.values()
    if any(isinstance(value, dict | list) for value in given):
        error = (
            f"{error}\nSnakemake reads what --config has in braces or brackets as text. Write it to a "
            "file, and name it\nafter the first one, over which it is merged: "
            "--configfile config/config.yaml over.yaml"
        )
    elif len(files) > 1:
        error = (
            f"{error}\nRead from {', '.join(map(str, files))}, each merged over those before it.\n"
            "Files to be made are named before --configfile, or after another option."
        )
    sys.exit(f"Configuration refused, nothing was run.\n{error}")


def check_config_file(path):
    """Refuse a file that says otherwise than it looks, or that Snakemake fails on without a line."""
    try:
        check_text(path.read_bytes(), str(path))
    except ConfigError as error:
        refuse(error)


def is_ours(path):
    """Whether a file is configuration of this workflow alone, also where another one uses it."""
    return not workflow.modifier.skip_configfile or load_configfile(path) == config


def load_config():
    """Complete the configuration; the main process also validates it, before any job."""
    if not workflow.is_main_process:
        return complete(config, SCHEMA)
    for path in filter(is_ours, map(Path, workflow.configfiles)):
        check_config_file(path)
    try:
        return validate(config, SCHEMA)
    except ConfigError as error:
        refuse(error)


# A file given with --configfile replaces the default configuration, it is not merged into it.
if not workflow.configfiles and not workflow.modifier.skip_configfile:
    DEFAULT = Path("config/config.yaml")
    if not DEFAULT.exists():
        sys.exit(
            f"There is no config/config.yaml in {Path.cwd()}. Run snakemake in the root of the "
            "repository, or name a configuration with --configfile."
        )
    check_config_file(DEFAULT)

    configfile: DEFAULT


given = load_config()
config.clear()
config.update(given)
if workflow.is_main_process and not workflow.output_settings.quiet:
    for line in brief(advice(config)):  # no error: such budgets are dropped
        print(f"Advice: {line}", file=sys.stderr)

FIGURES, TABLES = catalogue.figures(config), catalogue.tables(config)
ENVIRONMENT = "../../environment.yml"


def code(script, *modules):
    """Hash of a script and of the modules of plrf that it imports: editing one reruns its jobs.

    A parameter, because paths and times of input files change where a project is moved or copied.
    Modules that the script loads by their names are named here as well.
    """
    return code_hash(ROOT / "scripts" / script, ROOT / "src", *modules)
