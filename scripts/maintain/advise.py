"""Say what a configuration will measure, and propose sizes and runs: `make advice CONFIG=my.yaml`.

Not a job of the workflow: it is for before any. What it prints is YAML, proposals as sweeps and all
else as comments.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from snakemake.common.configfile import load_configfile

from plrf.arguments import number
from plrf.engines.registry import EXACT, WITH_RUNS
from plrf.measure.advice import Advice, Noise, advise
from plrf.study.advice import advice, fitted, looked_at, named, size_grid
from plrf.study.config import validate
from plrf.study.grid import SETTINGS, features, job_seconds, point_of, scaling_rule, sweep_grid
from plrf.study.momenta import remembers
from plrf.study.problems import ConfigError
from plrf.study.schedules import scheduled
from plrf.study.tasks import task_of

MOST_POINTS = 3  # of a sweep


def sweep_minutes(name: str, config: Mapping[str, Any]) -> float:
    """Processor time of the jobs of a sweep, by the engines' own estimates."""
    rows = sweep_grid(name, config["sweeps"][name]).groupby("engine")
    return sum(job_seconds(of_engine, config) for _, of_engine in rows) / 60


def errors_of(sweep: Mapping[str, Any], fits: Mapping[str, int]) -> Iterator[str]:
    """Expected standard errors of a sweep with runs, one line for each point, window and series."""
    for series in (series for series in fitted(sweep) if series[0] in WITH_RUNS):
        for alpha, beta in looked_at(sweep, MOST_POINTS):
            for low, high in sweep["windows"]:
                noise = Noise.of(
                    size_grid(sweep, series, alpha),
                    np.geomspace(low, high, fits["isoflop_budgets"]),
                    fits["parabola_neighbours"],
                    task=task_of(point_of(sweep, alpha, beta)),
                    rule=scaling_rule(sweep),
                )
                eta, xi = noise.errors(sweep["runs"])
                errors = f"standard errors of about {eta:.2g} of eta, {xi:.2g} of xi"
                yield (
                    f"{named(sweep, (alpha, beta))}, {low:.2g} to {high:.2g}, {series[0]}: "
                    f"{errors if np.isfinite(xi) else 'fits will probably be refused'}"
                )


def proposal(
    sweep: Mapping[str, Any], point: tuple[float, float], fits: Mapping[str, int], error: float
) -> Advice:
    """What to run for a standard error of xi in the main window of a sweep."""
    return advise(
        sweep["windows"][0],
        alpha=point[0],
        beta=point[1],
        std_error=error,
        budgets=fits["isoflop_budgets"],
        neighbours=fits["parabola_neighbours"],
        **{key: sweep[key] for key in SETTINGS},
    )


def as_sweep(found: Advice) -> dict[str, Any]:
    """A proposal as a sweep of a configuration."""
    sweep: dict[str, Any] = {
        "points": [[found.alpha, found.beta]],
        "d": list(found.sizes),
        "flops": found.window[1],
        "around_optimum": found.around_optimum,
        "runs": found.runs,
        "engines": [*found.engines, EXACT],
        "windows": [list(found.window)],
    }
    if found.largest_sampled_d is not None:
        sweep["largest_sampled_d"] = found.largest_sampled_d
    return sweep | {key: getattr(found, key) for key in SETTINGS}


def written(name: str, found: Advice) -> str:
    """A proposal in YAML, a key on each line."""
    text = "\n".join(
        f"  {key}: {yaml.safe_dump(value, default_flow_style=True, width=1000).splitlines()[0]}"
        for key, value in as_sweep(found).items()
    )
    errors = f"{found.eta_error:.2g} of eta and {found.xi_error:.2g} of xi"
    minutes = f"{found.seconds / 60:.2g} processor minutes"
    return f"# Proposed: standard errors of about {errors}, in {minutes}\n{name}:\n{text}"


def pages(config: Mapping[str, Any], error: float) -> Iterator[str]:
    """All advice on a configuration, completed, as lines of YAML."""
    if not config["sweeps"]:
        yield "# no advice: the configuration has no sweeps"
    yield from (f"# {line}" for line in advice(config))
    for name, sweep in config["sweeps"].items():
        yield f"\n# sweeps.{name}: about {sweep_minutes(name, config):.2g} processor minutes"
        reasons = {
            "its labels have noise": sweep["noise"],
            "it has a schedule": scheduled(sweep),
            "it has momentum": remembers(sweep),
        }
        if any(reasons.values()):
            reason = " and ".join(reason for reason, there in reasons.items() if there)
            yield f"# no errors and no proposal: {reason}"
            continue
        if "windows" not in sweep or min(features(sweep, d) - d for d in sweep["d"]) == 0:
            continue
        yield from (f"# {line}" for line in errors_of(sweep, config["fits"]))
        if "spectrum" in sweep:
            yield "# no proposal: its task is no power law"
            continue
        for i, point in enumerate(looked_at(sweep, MOST_POINTS)):
            try:
                found = proposal(sweep, point, config["fits"], error)
            except ValueError as problem:
                yield f"# no proposal for ({point[0]:g}, {point[1]:g}): {problem}"
            else:
                yield written(f"{name}_proposed_{i}" if i else f"{name}_proposed", found)


def main(path: str, std_error: str) -> None:
    """Print the advice on a configuration file, or why it is refused."""
    schema = Path("workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    try:
        error = number("STD_ERROR", yaml.safe_load(std_error), above=0)
        config = validate(load_configfile(path), yaml.safe_load(schema))
    except ConfigError as problem:
        sys.exit(f"Configuration refused.\n{problem}")
    except (TypeError, ValueError) as problem:
        sys.exit(str(problem))
    for text in pages(config, error):
        print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
