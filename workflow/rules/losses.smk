"""Stage 2: SGD simulations and Volterra solves, as parallel jobs."""


rule simulate:
    output:
        "results/losses/simulation/{sweep}/alpha~{alphas}_d~{d}.parquet",
    log:
        "results/logs/simulate/{sweep}/alpha~{alphas}_d~{d}.log",
    benchmark:
        "results/benchmarks/simulate/{sweep}/alpha~{alphas}_d~{d}.tsv"
    group:
        simulation_group
    conda:
        ENVIRONMENT
    # The bits of a matrix product may depend on the number of BLAS threads; one is the same anywhere.
    threads: 1
    resources:
        mem_mb=simulation_memory,
        runtime=simulation_runtime,
    params:
        points=simulation_points,
        seed=config["seed"],
        steps_per_decade=config["steps_per_decade"],
        code=code("simulate.py"),
    message:
        "Simulating {wildcards.sweep}: alpha={wildcards.alphas}, d={wildcards.d}"
    script:
        "../../scripts/simulate.py"


rule solve_volterra:
    output:
        "results/losses/volterra/{sweep}/alpha~{alphas}.parquet",
    log:
        "results/logs/solve_volterra/{sweep}/alpha~{alphas}.log",
    benchmark:
        "results/benchmarks/solve_volterra/{sweep}/alpha~{alphas}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=volterra_memory,
        runtime=volterra_runtime,
    params:
        points=volterra_points,
        steps_per_decade=config["steps_per_decade"],
        code=code("solve_volterra.py"),
    message:
        "Solving the Volterra equation for {wildcards.sweep}: alpha={wildcards.alphas}"
    script:
        "../../scripts/solve_volterra.py"
