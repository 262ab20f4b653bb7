"""Stage 1: the sweeps of the configuration, expanded to one row per point and size."""


rule expand_grid:
    output:
        "results/grid.parquet",
    log:
        "results/logs/expand_grid.log",
    benchmark:
        "results/benchmarks/expand_grid.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        config=measured(),
        code=code("expand_grid.py"),
    message:
        "Writing the grid table"
    script:
        "../../scripts/expand_grid.py"
