"""The figures and tables that a study draws: what each is made by, made from, and asked for by.

A new figure is an entry here, a script and a caption; one with settings also a block of the
configuration's schema, with a check in `BLOCK_CHECKS` if a schema cannot say all. Rules, captions,
the report and the check of the configuration go through these lists.
"""

from typing import Any

from plrf.schedules import schedule_of
from plrf.study.atlas_figures import ATLAS_FIGURES
from plrf.study.entries import Config, Figure, Table, asks, files, nothing, pairs
from plrf.study.grid import point_of, points, power_laws
from plrf.study.measured import measured_figures, measured_tables
from plrf.study.momenta import momentum_text, remembers
from plrf.study.phases import phase_of
from plrf.study.schedules import schedule_text

LOSSES = "results/aggregate/losses.parquet"
EXPONENTS = "results/fits/exponents.parquet"
FRONTS = "results/fits/fronts.parquet"
ISOFLOP = "results/fits/isoflop.parquet"
PLANE = "results/plane/exponents.parquet"


def sweep_points(config: Config, name: str) -> list[tuple[float, float]]:
    """Points of a sweep."""
    return [(alpha, beta) for _, alpha, beta in power_laws(config["sweeps"][name])]


def _finite_size_points(config: Config) -> list[tuple[float, float]]:
    block = config["finite_size"]
    traverse = [(block["traverse"]["alpha"], beta) for beta in block["traverse"]["beta"]]
    return [*pairs([block["ratio"]["point"]]), *traverse, *pairs(block["fronts"]["points"])]


def _algorithm(name: str, *tables: str) -> Figure:
    return Figure(
        name,
        f"{name}.py",
        "Algorithms",
        ("algorithms",),
        files("algorithms", *tables),
        nothing,
        lambda config: pairs(config["algorithms"]["points"]),
    )


def _exponent_plane(name: str, quantity: str, category: str) -> Figure:
    return Figure(
        name,
        "exponent_plane.py",
        category,
        ("plane", "traverse"),
        {"plane": PLANE, "exponents": EXPONENTS},
        lambda config: {"quantity": quantity, "sweep": config["traverse"]},
        lambda config: sweep_points(config, config["traverse"]),
    )


def _tested(config: Config) -> dict[str, Any]:
    """Parts of the configuration that say where claims are tested, and with which models."""
    keys = ("v_over_d", "c", "batch")
    models = {name: {k: sweep[k] for k in keys} for name, sweep in config["sweeps"].items()}
    blocks = ("phase_points", "traverse", "negative_beta", "finite_size", "spectra")
    # Of the last two only that they are there: their tables say the rest.
    used = {name: config[name] for name in blocks[:3] if name in config}
    used |= {name: True for name in blocks[3:] if name in config}
    return {"blocks": {**used, "sweeps": models}}


MOST_COLUMNS = 4  # points that are drawn in the figure momentum
MAIN_FRONT = "fig03_compute_optimal_front"  # of the front figures, the one in the main text


def _front(sweep: str, name: str) -> Figure:
    def params(config: Config) -> dict[str, Any]:
        ((_, alpha, beta),) = points(config["sweeps"][sweep])
        point = point_of(config["sweeps"][sweep], alpha, beta)
        point["phase"] = phase_of(point)
        schedule = schedule_of(config["sweeps"][sweep]["schedule"])
        words = {"schedule": schedule_text(schedule), "planned": schedule.relative}
        words["momentum"] = momentum_text(config["sweeps"][sweep]["momentum"])
        return {"sweep": sweep, "point": point, **words}

    return Figure(
        name,
        "front.py",
        "Main text" if name == MAIN_FRONT else "Appendix",
        ("sweeps",),
        {"losses": LOSSES, "isoflop": ISOFLOP, "fronts": FRONTS, "exponents": EXPONENTS},
        params,
        lambda config: sweep_points(config, sweep),
    )


def _algorithm_sweeps(config: Config) -> dict[str, Any]:
    """Sweeps of table 5 with their schedules: those compared, and those with momentum."""
    with_momentum = [
        name
        for name, sweep in config["sweeps"].items()
        if remembers(sweep) and "windows" in sweep and "spectrum" not in sweep
    ]
    names = [*config["schedules"]["sweeps"], *with_momentum]
    sweeps = config["sweeps"]
    return {"schedules": {n: schedule_text(schedule_of(sweeps[n]["schedule"])) for n in names}}


FIGURES = (
    Figure(
        "fig01_toy_scaling",
        "fig01_toy_scaling.py",
        "Main text",
        ("toy_scaling",),
        {"losses": LOSSES},
        lambda config: {
            **config["toy_scaling"],
            "point": sweep_points(config, config["toy_scaling"]["sweep"])[0],
        },
        lambda config: sweep_points(config, config["toy_scaling"]["sweep"]),
    ),
    Figure(
        "fig02_phase_diagram",
        "fig02_phase_diagram.py",
        "Main text",
        ("phase_points",),
        {},
        lambda config: {"points": config["phase_points"]},
        lambda config: pairs(config["phase_points"].values()),
    ),
    _exponent_plane("fig04_exponents", "eta", "Main text"),
    Figure(
        "fig05_finite_size",
        "fig05_finite_size.py",
        "Main text",
        ("finite_size",),
        files("finite_size", "ratio", "traverse", "fronts"),
        nothing,
        _finite_size_points,
    ),
    Figure(
        "fig06_spectra",
        "fig06_spectra.py",
        "Appendix",
        ("spectra",),
        files("spectra", "histogram", "density"),
        nothing,
        lambda config: pairs(config["spectra"]["points"]),
    ),
    Figure(
        "fig07_contour",
        "fig07_contour.py",
        "Appendix",
        ("spectra",),
        files("spectra", "eigenvalues", "contours"),
        nothing,
        lambda config: pairs([config["spectra"]["contour"]]),
    ),
    _exponent_plane("fig08_xi_exponents", "xi", "Appendix"),
    Figure(
        "fig16_window_sensitivity",
        "fig16_window_sensitivity.py",
        "Appendix",
        ("traverse",),
        {"exponents": EXPONENTS, "fronts": FRONTS},
        lambda config: {"sweep": config["traverse"]},
        lambda config: sweep_points(config, config["traverse"]),
    ),
    Figure(
        "fig17_negative_beta",
        "fig17_negative_beta.py",
        "Appendix",
        ("negative_beta",),
        {"losses": LOSSES},
        lambda config: dict(config["negative_beta"]),
        lambda config: sweep_points(config, config["negative_beta"]["sweep"]),
    ),
    Figure(
        "sgd_at_scale",
        "sgd_at_scale.py",
        "Beyond the paper",
        ("sgd_at_scale",),
        {"exponents": EXPONENTS, "fronts": FRONTS},
        lambda config: {"sweep": config["sgd_at_scale"]},
        lambda config: sweep_points(config, config["sgd_at_scale"]),
    ),
    Figure(
        "schedules",
        "schedules.py",
        "Algorithms",
        ("schedules",),
        {"losses": LOSSES, "fronts": FRONTS, "exponents": EXPONENTS},
        lambda config: dict(config["schedules"]),
        lambda config: sweep_points(config, config["schedules"]["sweeps"][0]),
    ),
    _algorithm("optimal_schedule", "schedules", "rates"),
    _algorithm("batch", "batches", "critical"),
    _algorithm("label_noise", "noise"),
    Figure(
        "momentum",
        "momentum_losses.py",
        "Algorithms",
        ("momentum",),
        files("momentum", "curves", "points"),
        nothing,
        lambda config: pairs(config["momentum"]["points"][:MOST_COLUMNS]),
    ),
    Figure(
        "dana_exponents",
        "dana_exponents.py",
        "Algorithms",
        ("momentum",),
        files("momentum", "points", "plane"),
        nothing,
        lambda config: pairs(config["momentum"]["points"]),
    ),
    *ATLAS_FIGURES,
    Figure(
        "data_spectra",
        "data_spectra.py",
        "Data",
        ("data",),
        files("data", "spectra", "exponents"),
        nothing,
        lambda config: [],
    ),
    Figure(
        "data_prediction",
        "data_prediction.py",
        "Data",
        ("data.training",),
        files("data", "training"),
        nothing,
        lambda config: [],
    ),
)
"""Figures with a name of their own, in its order; sweeps and measured losses ask for others."""

TABLES = (
    Table(
        "claims",
        ("sweeps",),
        {"exponents": EXPONENTS, "losses": LOSSES},
        _tested,
        category="All claims",  # the first one, as the report sorts them
        parts={
            "finite_size": files("finite_size", "ratio", "fronts"),
            "spectra": files("spectra", "histogram", "density"),
        },
    ),
    Table(
        "table1_asymptotics",
        ("phase_points",),
        {},
        lambda config: {"points": config["phase_points"]},
    ),
    Table(
        "table2_phases",
        ("phase_points",),
        {},
        lambda config: {"points": config["phase_points"]},
    ),
    Table("table3_notation", ("phase_points",), {}, nothing),
    Table("table4_measured_exponents", ("sweeps",), {"exponents": EXPONENTS}, nothing),
    Table(
        "table5_algorithms",
        ("schedules",),
        {"exponents": EXPONENTS},
        _algorithm_sweeps,
        category="Algorithms",
    ),
    Table(
        "table6_data",
        ("data",),
        files("data", "tasks", "exponents"),
        nothing,
        category="Data",
    ),
    Table(
        "table7_prediction",
        ("data.training",),
        files("data", "training"),
        nothing,
        category="Data",
    ),
    Table(
        "table8_momentum",
        ("momentum",),
        files("momentum", "points"),
        nothing,
        category="Algorithms",
    ),
)
"""Tables for readers."""


def figures(config: Config) -> list[Figure]:
    """Figures that a configuration asks for, by name."""
    fronts = [
        _front(name, sweep["front"]) for name, sweep in config["sweeps"].items() if "front" in sweep
    ]
    asked = [figure for figure in FIGURES if asks(config, figure.blocks)]
    return sorted([*asked, *fronts, *measured_figures(config)], key=lambda figure: figure.name)


def tables(config: Config) -> list[Table]:
    """Tables that a configuration asks for."""
    asked = [table for table in TABLES if asks(config, table.blocks)]
    return [*asked, *measured_tables(config)]


def missing(config: Config) -> dict[str, list[str]]:
    """Figures and tables that are not made, with the parts that the configuration lacks."""
    return {
        entry.name: [block for block in entry.blocks if not asks(config, (block,))]
        for entry in (*FIGURES, *TABLES)
        if not asks(config, entry.blocks)
    }
