"""Measurements: compute-optimal fronts, their exponents, and tests of the results."""


rule fit_exponents:
    input:
        spectrum_file,
        losses=losses_of_part,
    output:
        exponents="results/fits/{sweep}/part{part}/exponents.parquet",
        fronts="results/fits/{sweep}/part{part}/fronts.parquet",
        isoflop="results/fits/{sweep}/part{part}/isoflop.parquet",
    log:
        "results/logs/fit_exponents/{sweep}_part{part}.log",
    benchmark:
        "results/benchmarks/fit_exponents/{sweep}_part{part}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=fit_memory,
        runtime=fit_runtime,
    params:
        points=part_points,
        sweep=lambda wildcards: fitted_sweeps()[wildcards.sweep],
        fits=config["fits"],
        seed=config["seed"],
        code=code("measure/fit_exponents.py"),
    message:
        "Fitting compute-optimal exponents of {wildcards.sweep}, part {wildcards.part}"
    script:
        "../../scripts/measure/fit_exponents.py"


rule join_fits:
    input:
        **fit_files(),
    output:
        **{name: f"results/fits/{name}.parquet" for name in FITS},
    log:
        "results/logs/join_fits.log",
    benchmark:
        "results/benchmarks/join_fits.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        seed=config["seed"],
        code=code("measure/join_fits.py"),
    message:
        "Joining the exponents of all sweeps"
    script:
        "../../scripts/measure/join_fits.py"


rule check_results:
    input:
        **exact_fronts(),
        spectra=spectrum_files(),
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
