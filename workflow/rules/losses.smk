"""Losses: the grid, the engines as parallel jobs, and all losses in one tidy table."""


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
        code=code("losses/expand_grid.py"),
    message:
        "Writing the grid table"
    script:
        "../../scripts/losses/expand_grid.py"


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
        code=code("losses/simulate.py"),
    message:
        "Simulating {wildcards.sweep}: alpha={wildcards.alphas}, d={wildcards.d}"
    script:
        "../../scripts/losses/simulate.py"


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
        code=code("losses/volterra.py"),
    message:
        "Solving the Volterra equation for {wildcards.sweep}: alpha={wildcards.alphas}"
    script:
        "../../scripts/losses/volterra.py"


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
        code=code("losses/aggregate_losses.py"),
    message:
        "Aggregating the losses of all jobs"
    script:
        "../../scripts/losses/aggregate_losses.py"
