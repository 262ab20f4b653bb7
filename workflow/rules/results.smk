"""What a run is for: the results of the configuration, and the files that tell how they were made."""

from plrf.study.measured import RESULTS, SUPPORT, table_file

EXPLORER = "results/explorer.html"
MEASURED = config.get("measured", {})
# Parts that a configuration may leave out: results of their own, and tables that the archive holds.
PART_RESULTS = {
    "sweeps": [
        "results/grid.parquet",
        "results/aggregate/losses.parquet",
        "results/aggregate/checks.parquet",
        "results/fits/exponents.parquet",
    ],
    "plane": ["results/plane/exponents.parquet"],
    "explorer": [EXPLORER],
    "measured": [table_file(name, table) for name in MEASURED for table in RESULTS],
}
PART_TABLES = {
    "sweeps": ["fits/fronts", "fits/isoflop"],
    "spectra": [f"spectra/{name}" for name in ("histogram", "eigenvalues", "density", "contours")],
    "finite_size": [f"finite_size/{name}" for name in ("ratio", "traverse", "fronts")],
    "explorer": [f"explorer/{name}" for name in ("points", "losses", "fronts")],
    "algorithms": [
        f"algorithms/{name}" for name in ("schedules", "rates", "batches", "critical", "noise")
    ],
    "data": [f"data/{name}" for name in ("spectra", "tasks", "exponents")],
    "data.training": ["data/training"],
    "momentum": [f"momentum/{name}" for name in ("points", "plane", "curves")],
    "atlas": [f"atlas/{table}" for table in ATLAS],
    "measured": [f"measured/{name}/{table}" for name in MEASURED for table in SUPPORT],
}
# Figures and tables that may be asked for by themselves: a part of the report, and a block in it.
TARGETS = {
    "algorithms": ["Algorithms"],
    "momentum": ["Algorithms", "momentum"],
    "data": ["Data"],
    "atlas": ["Atlas"],
    "measured": ["Measured"],
}
REPORT_PAGES = {t.name: f"results/report/{t.name}.html" for t in TABLES}
REPORT_PAGES["performance"] = "results/report/performance.html"
REPORT_CAPTIONS = {t.name: t.stem for t in TABLES} | {"performance": "performance"}
REPORT_CATEGORIES = {t.name: t.category for t in TABLES} | {"performance": "Performance"}


def results():
    """All files that a run is for."""
    figures = expand(
        "results/figures/{name}.{kind}", name=[f.name for f in FIGURES], kind=["pdf", "png"]
    )
    tables = expand(
        "results/tables/{name}.{kind}", name=[t.name for t in TABLES], kind=["csv", "md"]
    )
    return [*figures, *tables, *of_parts(PART_RESULTS)]


def of_parts(names):
    """Of names by part of the configuration, those whose part is there."""
    return [name for part in names if asks(config, (part,)) for name in names[part]]


def results_of(category, block=None):
    """Figures and tables of one part of the report, of one block if it is named."""
    kinds = {"figures": (FIGURES, ["pdf", "png"]), "tables": (TABLES, ["csv", "md"])}
    return [
        f"results/{folder}/{entry.name}.{kind}"
        for folder, (entries, endings) in kinds.items()
        for entry in entries
        if entry.category == category and (block is None or block in entry.blocks)
        for kind in endings
    ]


def archived_tables():
    """Tables that the archive holds besides the results."""
    return [
        *[f"results/{table}.parquet" for table in of_parts(PART_TABLES)],
        "results/performance.csv",
    ]


def benchmark_files(wildcards):
    """Measurements of this configuration's jobs that have a folder; older ones may lie there."""
    files = engine_files("results/benchmarks", ".tsv")
    files += [
        f"results/benchmarks/fit_exponents/{sweep}_part{part}.tsv"
        for sweep in fitted_sweeps()
        for part in range(len(fit_parts(sweep)))
    ]
    if "plane" in config:
        files += expand("results/benchmarks/measure_plane/{part}.tsv", part=range(PLANE_PARTS))
    if "momentum" in config:
        files += [
            f"results/benchmarks/momentum_fronts/{Path(part).stem}.tsv"
            for kind in ("points", "plane")
            for part in momentum_parts(kind)
        ]
        files += expand("results/benchmarks/join_momentum/{kind}.tsv", kind=["points", "plane"])
    if "atlas" in config:
        for table in ATLAS:
            parts = range(len(atlas_parts(table)))
            files += expand(f"results/benchmarks/atlas_part/{table}_{{part}}.tsv", part=parts)
            files.append(f"results/benchmarks/join_atlas/{table}.tsv")
    if "data" in config:
        trained = config["data"].get("training", {"sizes": []})["sizes"]
        files += expand("results/benchmarks/train_on_samples/{set}.tsv", set=trained)
        files += expand("results/benchmarks/measure_task/{set}.tsv", set=config["data"]["sets"])
    for job in ("fit_measured", "audit_measured"):
        files += expand("results/benchmarks/{job}/{name}.tsv", job=job, name=MEASURED)
    return files + [f"results/benchmarks/{f.stem}/{f.name}.tsv" for f in FIGURES]


def list_results():
    """Print one line for each figure, table and page that is there, and one for what was not asked for."""
    if workflow.output_settings.quiet:
        return
    items = [("figure", f"results/figures/{figure.name}", ("pdf", "png")) for figure in FIGURES]
    items += [("table", f"results/tables/{table.name}", ("csv", "md")) for table in TABLES]
    for kind, stem, suffixes in items:
        if all(Path(f"{stem}.{suffix}").exists() for suffix in suffixes):
            print(f"{kind}: {stem}.{{{','.join(suffixes)}}}")
    if "explorer" in config and Path(EXPLORER).exists():
        print(f"page: {EXPLORER}")
    missing = catalogue.missing(config) if config["sweeps"] else {}
    if missing:
        reasons = [f"{name} ({', '.join(blocks)})" for name, blocks in missing.items()]
        print(f"not drawn, as the configuration lacks their blocks: {', '.join(reasons)}")
