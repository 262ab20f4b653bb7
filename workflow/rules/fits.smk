"""Stage 4a: compute-optimal fronts and their exponents."""


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
        code=code("fit_exponents.py"),
    message:
        "Fitting compute-optimal exponents"
    script:
        "../../scripts/fit_exponents.py"
