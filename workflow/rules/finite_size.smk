"""Finite sizes: losses and exponents against their asymptotic estimates."""


rule finite_size:
    output:
        ratio="results/finite_size/ratio.parquet",
        traverse="results/finite_size/traverse.parquet",
        fronts="results/finite_size/fronts.parquet",
    log:
        "results/logs/finite_size.log",
    benchmark:
        "results/benchmarks/finite_size.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        config=config["finite_size"],
        code=code("finite_size/finite_size.py"),
    message:
        "Comparing finite sizes with the asymptotic theory"
    script:
        "../../scripts/finite_size/finite_size.py"
