"""What the rules share: the validated configuration, the grid, and helper functions."""

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
    folder = workflow.current_basedir
    if not isinstance(folder, HostingProviderFile):
        return Path(folder).parents[1]
    parts = ["src", "scripts", "workflow/schemas", "pyproject.toml"]
    repository = folder.hosted_repo.repo
    os.environ.update(PLRF_COMMIT=repository.commit(folder.ref).hexsha)  # for provenance
    files = repository.git.ls_tree("-r", "--name-only", folder.ref, *parts)
    cached = [workflow.source_path(f"../../{file}") for file in files.splitlines()]
    return Path(cached[0]).parents[files.splitlines()[0].count("/")]


def check_environment():
    """Stop where packages are missing or too old, as after an update, with the way out."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        requirements = tomllib.load(file)["project"]["dependencies"]
    problems = []
    for requirement in map(Requirement, requirements):
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
    # With --software-deployment-method, jobs have an environment of their own.
    if not workflow.deployment_settings.deployment_method:
        check_environment()

import numpy as np
import yaml

# This process and its jobs import plrf from this checkout, whatever else is installed.
sys.path.insert(0, str(ROOT / "src"))
PYTHONPATH = filter(None, [str(ROOT / "src"), os.getenv("PYTHONPATH")])
os.environ.update(PYTHONPATH=os.pathsep.join(PYTHONPATH))

from plrf.config_text import check_text
from plrf.sources import code_hash
from plrf.sweeps import (
    FIXED_FIGURES,
    ConfigError,
    validate_config,
    validate_grid,
)
from plrf.sweeps import expand as expand_config
from plrf.theory import phase_name


def load_schema(name):
    """Load a JSON Schema of the workflow."""
    return yaml.safe_load((ROOT / "workflow" / "schemas" / name).read_text(encoding="utf-8"))


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


def load_grid():
    """Validate the configuration and expand it: one row per point and size."""
    if not workflow.is_main_process:
        return expand_config(config)  # on a node of a cluster, after the main process accepted it
    for path in filter(is_ours, map(Path, workflow.configfiles)):
        check_config_file(path)
    try:
        validate_config(config, load_schema("config.schema.yaml"))
        grid = expand_config(config)
        validate_grid(grid, load_schema("grid.schema.yaml"))
    except ConfigError as error:
        refuse(error)
    return grid


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


GRID = load_grid()
ENVIRONMENT = "../../environment.yml"


wildcard_constraints:
    part="[0-9]+",
    sweep="[A-Za-z][A-Za-z0-9_-]*",
    alphas=r"[0-9.e+-]+(_to_[0-9.e+-]+)?",
    d=r"[0-9]+",


def code(script):
    """Hash of a script and of the modules of plrf that it imports: editing one reruns its jobs.

    A parameter, because paths and times of input files change where a project is moved or copied.
    """
    return code_hash(ROOT / "scripts" / script, ROOT / "src")


# A sweep's alphas are spread over at most so many jobs for each size.
MOST_BATCHES = 32


def batches():
    """Rows of the grid by sweep and by the wildcard `alphas`: what the jobs of one size share.

    A job has one alpha, with all its betas; where a sweep has more alphas than MOST_BATCHES, a job
    has several, so that thousands of points are planned in seconds. Their number is a power of two
    and they follow the configuration, so that points added at the end leave most jobs as they are.
    """
    found = {}
    for sweep, rows in GRID.groupby("sweep", sort=False):
        alphas = rows["alpha"].unique().tolist()
        length = 1
        while len(alphas) > MOST_BATCHES * length:
            length *= 2
        for start in range(0, len(alphas), length):
            batch = alphas[start : start + length]
            name = "_to_".join(map(str, dict.fromkeys([batch[0], batch[-1]])))
            found[sweep, name] = rows[rows["alpha"].isin(batch)]
    return found


BATCHES = batches()


def simulation_rows(wildcards):
    """Rows of the grid that one simulation job covers: a batch of alphas, all betas, one d."""
    rows = BATCHES[wildcards.sweep, wildcards.alphas]
    rows = rows[rows["d"] == int(wildcards.d)]
    return rows.assign(steps=rows["simulated_steps"])


def simulation_points(wildcards):
    """Parameters of one simulation job: for each alpha, the betas that share W."""
    keys = ["sweep", "alpha", "d", "v", "batch", "c", "learning_rate", "steps", "runs"]
    keys += ["sgd", "recursion"]
    rows = simulation_rows(wildcards)
    betas = rows.groupby("alpha")["beta"].agg(list)
    points = rows.drop_duplicates("alpha")[keys].to_dict("records")
    return [point | {"betas": betas[point["alpha"]]} for point in points]


def volterra_rows(wildcards):
    """Rows of the grid that one Volterra job covers: a batch of alphas, all betas and sizes."""
    rows = BATCHES[wildcards.sweep, wildcards.alphas]
    return rows[rows["volterra"]]


def volterra_points(wildcards):
    """Parameters of one Volterra job."""
    keys = ["sweep", "alpha", "beta", "d", "v", "batch", "learning_rate", "steps"]
    return volterra_rows(wildcards)[keys].to_dict("records")


def loss_files():
    """All files of losses that the grid asks for."""
    files = []
    for (sweep, alphas), rows in BATCHES.items():
        sizes = rows.loc[rows["sgd"] | rows["recursion"], "d"].unique()
        files += [f"results/losses/simulation/{sweep}/alpha~{alphas}_d~{d}.parquet" for d in sizes]
        if rows["volterra"].any():
            files.append(f"results/losses/volterra/{sweep}/alpha~{alphas}.parquet")
    return files


def benchmark_files():
    """Measurements of this configuration's jobs of rules with wildcards; older ones may lie there."""
    files = [
        file.replace("losses/simulation/", "benchmarks/simulate/")
        .replace("losses/volterra/", "benchmarks/solve_volterra/")
        .replace(".parquet", ".tsv")
        for file in loss_files()
    ]
    files += expand("results/benchmarks/measure_plane/{part}.tsv", part=range(PLANE_PARTS))
    files += expand("results/benchmarks/front/{front}.tsv", front=FRONTS)
    return files + expand("results/benchmarks/exponent_plane/{figure}.tsv", figure=EXPONENT_FIGURES)


def measured():
    """The part of the configuration that losses depend on: windows and figures left out."""
    sweeps = {
        name: {key: value for key, value in sweep.items() if key not in ("windows", "front")}
        for name, sweep in config["sweeps"].items()
    }
    return {
        "seed": config["seed"],
        "steps_per_decade": config["steps_per_decade"],
        "sweeps": sweeps,
    }


def fitted_sweeps():
    """Sweeps whose exponents are wanted: their windows, and what sets the exact front."""
    keys = ["windows", "v_over_d", "c", "batch"]
    sweeps = config["sweeps"].items()
    return {name: {k: sweep[k] for k in keys} for name, sweep in sweeps if "windows" in sweep}


def front_sweep(wildcards):
    """Name of the sweep whose front figure is asked for."""
    return next(
        name for name, sweep in config["sweeps"].items() if sweep.get("front") == wildcards.front
    )


def sweep_points(name):
    """Points (alpha, beta) of a sweep."""
    rows = GRID.loc[GRID["sweep"] == name, ["alpha", "beta"]]
    return rows.drop_duplicates().to_numpy().tolist()


def front_point(wildcards):
    """The point that a front is for, and its phase."""
    [(alpha, beta)] = sweep_points(front_sweep(wildcards))
    return {"alpha": alpha, "beta": beta, "phase": phase_name(alpha, beta)}


def label(values):
    """Values as a label of the report, which must be text: a few in full, many by their range."""
    texts = [f"{value:g}" for value in sorted(set(values))]
    return ", ".join(texts) if len(texts) < 4 else f"{texts[0]} to {texts[-1]}"


def figure_labels(name, points):
    """Labels of a figure in the report: its name, and the points that it shows."""
    alphas, betas = zip(*points)
    phases = dict.fromkeys(phase_name(alpha, beta) for alpha, beta in points)
    return {
        "figure": name,
        "alpha": label(alphas),
        "beta": label(betas),
        "phase": ", ".join(phases),
    }


def front_labels(wildcards):
    """Labels of a front in the report."""
    return figure_labels(wildcards.front, sweep_points(front_sweep(wildcards)))


def exponent_labels(wildcards):
    """Labels of a figure of the plane: those of its traverse."""
    return figure_labels(wildcards.figure, sweep_points(config["traverse"]))


def finite_size_points():
    """Points that fig05 shows: of losses, of the traverse, and of fronts."""
    block = config["finite_size"]
    traverse = [[block["traverse"]["alpha"], beta] for beta in block["traverse"]["beta"]]
    return [block["ratio"]["point"], *traverse, *block["fronts"]["points"]]


def figure_category(wildcards):
    """Part of the paper that has a figure, of those that a rule draws several of."""
    return "Main text" if MAIN_TEXT.intersection(wildcards) else "Appendix"


def plane_values(name):
    """Values of alpha or beta over the plane, free of rounding: 0.7 is 0.7."""
    values = np.linspace(**config["plane"][name])
    return [round(value, 12) for value in values.tolist()]


def plane_alphas(wildcards):
    """Values of alpha of one part of the plane: every few, so that parts cost the same."""
    return plane_values("alpha")[int(wildcards.part) :: PLANE_PARTS]


def plane_front():
    """What the fronts over the plane are measured with."""
    return {key: config["plane"][key] for key in ("flops", "v_over_d", "c", "batch")}


def exponent_quantity(wildcards):
    """The exponent that a figure of the plane shows."""
    return EXPONENT_FIGURES[wildcards.figure]


def spectra_model():
    """What spectra are sampled of and computed for."""
    spectra = config["spectra"]
    v = round(spectra["v_over_d"] * spectra["d"])
    return {"points": spectra["points"], "d": spectra["d"], "v": v}


PLANE_PARTS = 4
FRONTS = [sweep["front"] for sweep in config["sweeps"].values() if "front" in sweep]
EXPONENT_FIGURES = {"fig04_exponents": "eta", "fig08_xi_exponents": "xi"}
MAIN_TEXT = {"fig03_compute_optimal_front", "fig04_exponents"}
FIGURES = sorted([*FIXED_FIGURES, *FRONTS])
TABLES = [
    "table1_asymptotics",
    "table2_phases",
    "table3_notation",
    "table4_measured_exponents",
]
EXPLORER = "results/explorer.html"
REPORT_PAGES = expand("results/report/{name}.html", name=[*TABLES, "performance"])


def results():
    """All files that a run is for."""
    figures = expand("results/figures/{name}.{kind}", name=FIGURES, kind=["pdf", "png"])
    tables = expand("results/tables/{name}.{kind}", name=TABLES, kind=["csv", "md"])
    return [
        *figures,
        *tables,
        EXPLORER,
        "results/grid.parquet",
        "results/aggregate/losses.parquet",
        "results/aggregate/checks.parquet",
        "results/fits/exponents.parquet",
        "results/plane/exponents.parquet",
    ]


def list_results():
    """Print one line for each figure and table, and for the explorer, if it is there."""
    if workflow.output_settings.quiet:
        return
    items = [("figure", f"results/figures/{name}", ("pdf", "png")) for name in FIGURES]
    items += [("table", f"results/tables/{name}", ("csv", "md")) for name in TABLES]
    for kind, stem, suffixes in items:
        if all(Path(f"{stem}.{suffix}").exists() for suffix in suffixes):
            print(f"{kind}: {stem}.{{{','.join(suffixes)}}}")
    if Path(EXPLORER).exists():
        print(f"page: {EXPLORER}")
