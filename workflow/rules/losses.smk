"""Losses: the grid, the engines as parallel jobs, and all losses in one tidy table."""

from functools import partial


rule expand_grid:
    input:
        spectrum_files(),
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
        config=loss_settings(),
        code=code("losses/expand_grid.py"),
    message:
        "Writing the grid table"
    script:
        "../../scripts/losses/expand_grid.py"


for engine in ENGINES.values():

    rule:
        name:
            engine.name
        input:
            spectrum_file,
        output:
            f"results/losses/{engine.name}/{JOB}.parquet",
        log:
            f"results/logs/{engine.name}/{JOB}.log",
        benchmark:
            f"results/benchmarks/{engine.name}/{JOB}.tsv"
        conda:
            ENVIRONMENT
        # The bits of a matrix product may depend on the number of BLAS threads; one is the same anywhere.
        threads: 1
        resources:
            mem_mb=partial(job_memory, engine),
            runtime=partial(job_runtime, engine),
        params:
            **({"seed": config["seed"]} if engine.runs else {}),
            **({"samples": engine.samples} if engine.runs else {}),
            points=partial(job_points, engine),
            steps_per_decade=config["steps_per_decade"],
            engine=engine.name,
            runner=engine.runner,
            script=engine.script,
            code=code(f"losses/{engine.script}", engine.module),
        message:
            "Computing losses of {wildcards.sweep} by {params.engine}: alpha={wildcards.alphas}, d={wildcards.sizes}"
        # Not by the variable of the loop, which is the last one when a job runs.
        script:
            "../../scripts/losses/{params.script}"


rule aggregate_losses:
    input:
        losses=loss_files,
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
        config=loss_settings(),
        code=code("losses/aggregate_losses.py"),
    message:
        "Aggregating the losses of all jobs"
    script:
        "../../scripts/losses/aggregate_losses.py"
