"""Measurements: compute-optimal fronts, their exponents, and tests of the results."""


rule fit_exponents:
    input:
        grid="results/grid.parquet",
        losses="results/aggregate/losses.parquet",
    output:
        exponents="results/fits/exponents.parquet",
        fronts="results/fits/fronts.parquet",
        isoflop="results/fits/isoflop.parquet",
    log:
        "results/logs/fit_exponents.log",
    benchmark:
        "results/benchmarks/fit_exponents.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=table_memory,
        runtime=table_runtime,
    params:
        sweeps=fitted_sweeps(),
        fits=config["fits"],
        seed=config["seed"],
        code=code("measure/fit_exponents.py"),
    message:
        "Fitting compute-optimal exponents"
    script:
        "../../scripts/measure/fit_exponents.py"


rule check_results:
    input:
        **exact_fronts(),
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
        code=code("measure/check_results.py"),
    message:
        "Checking the results"
    script:
        "../../scripts/measure/check_results.py"
