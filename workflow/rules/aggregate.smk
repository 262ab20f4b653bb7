"""Stage 3: all losses in one tidy table, and tests of the results."""


rule aggregate_losses:
    input:
        losses=loss_files(),
    output:
        "results/aggregate/losses.parquet",
    log:
        "results/logs/aggregate_losses.log",
    benchmark:
        "results/benchmarks/aggregate_losses.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=aggregation_memory,
        runtime=aggregation_runtime,
    params:
        config=measured(),
        code=code("aggregate_losses.py"),
    message:
        "Aggregating the losses of all jobs"
    script:
        "../../scripts/aggregate_losses.py"


rule check_results:
    input:
        grid="results/grid.parquet",
        losses="results/aggregate/losses.parquet",
        exponents="results/fits/exponents.parquet",
    output:
        "results/aggregate/checks.parquet",
    log:
        "results/logs/check_results.log",
    benchmark:
        "results/benchmarks/check_results.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=table_memory,
        runtime=table_runtime,
    params:
        steps_per_decade=config["steps_per_decade"],
        code=code("check_results.py"),
    message:
        "Checking the results"
    script:
        "../../scripts/check_results.py"
