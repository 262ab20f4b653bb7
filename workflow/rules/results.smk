"""What a run is for: the results of the configuration, and the files that tell how they were made."""

EXPLORER = "results/explorer.html"
# Parts that a configuration may leave out: results of their own, and tables that the archive holds.
PART_RESULTS = {"plane": ["results/plane/exponents.parquet"], "explorer": [EXPLORER]}
PART_TABLES = {
    "spectra": ["histogram", "eigenvalues", "density", "contours"],
    "finite_size": ["ratio", "traverse", "fronts"],
    "explorer": ["points", "losses", "fronts"],
    "algorithms": ["schedules", "rates", "batches", "critical", "noise"],
    "data": ["spectra", "tasks", "exponents", *config.get("data", {}).keys() & {"training"}],
    "momentum": ["points", "plane", "curves"],
}
REPORT_PAGES = {t.name: f"results/report/{t.name}.html" for t in TABLES}
REPORT_PAGES["performance"] = "results/report/performance.html"
REPORT_CATEGORIES = {t.name: t.category for t in TABLES} | {"performance": "Performance"}


def results():
    """All files that a run is for."""
    figures = expand(
        "results/figures/{name}.{kind}", name=[f.name for f in FIGURES], kind=["pdf", "png"]
    )
    tables = expand(
        "results/tables/{name}.{kind}", name=[t.name for t in TABLES], kind=["csv", "md"]
    )
    return [
        *figures,
        *tables,
        "results/grid.parquet",
        "results/aggregate/losses.parquet",
        "results/aggregate/checks.parquet",
        "results/fits/exponents.parquet",
        *[file for part, files in PART_RESULTS.items() if part in config for file in files],
    ]


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
        "results/fits/fronts.parquet",
        "results/fits/isoflop.parquet",
        *[
            f"results/{part}/{name}.parquet"
            for part, names in PART_TABLES.items()
            if part in config
            for name in names
        ],
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
    if "data" in config:
        trained = config["data"].get("training", {"sizes": []})["sizes"]
        files += expand("results/benchmarks/train_on_samples/{set}.tsv", set=trained)
        files += expand("results/benchmarks/measure_task/{set}.tsv", set=config["data"]["sets"])
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
    missing = catalogue.missing(config)
    if missing:
        reasons = [f"{name} ({', '.join(blocks)})" for name, blocks in missing.items()]
        print(f"not drawn, as the configuration lacks their blocks: {', '.join(reasons)}")
