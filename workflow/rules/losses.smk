"""Stage 2: SGD simulations and Volterra solves, as parallel jobs."""


rule simulate:
    input:
        library=library("simulate.py"),
    output:
        "results/losses/simulation/{sweep}/alpha~{alpha}_d~{d}.parquet",
    log:
        "results/logs/simulate/{sweep}/alpha~{alpha}_d~{d}.log",
    benchmark:
        "results/benchmarks/simulate/{sweep}/alpha~{alpha}_d~{d}.tsv"
    conda:
        ENVIRONMENT
    # The bits of a matrix product may depend on the number of BLAS threads; one is the same anywhere.
    threads: 1
    resources:
        mem_mb=simulation_memory,
    params:
        job=simulation_job,
        seed=config["seed"],
        steps_per_decade=config["steps_per_decade"],
    message:
        "Simulating {wildcards.sweep}: alpha={wildcards.alpha}, d={wildcards.d}"
    script:
        "../../scripts/simulate.py"


rule solve_volterra:
    input:
        library=library("solve_volterra.py"),
    output:
        "results/losses/volterra/{sweep}/alpha~{alpha}.parquet",
    log:
        "results/logs/solve_volterra/{sweep}/alpha~{alpha}.log",
    benchmark:
        "results/benchmarks/solve_volterra/{sweep}/alpha~{alpha}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        points=volterra_points,
        steps_per_decade=config["steps_per_decade"],
    message:
        "Solving the Volterra equation for {wildcards.sweep}: alpha={wildcards.alpha}"
    script:
        "../../scripts/solve_volterra.py"
