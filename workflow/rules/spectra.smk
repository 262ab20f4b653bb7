"""Spectra: sampled W, the density from the resolvent, and the contours around one spectrum."""


rule sample_spectra:
    output:
        histogram="results/spectra/histogram.parquet",
        eigenvalues="results/spectra/eigenvalues.parquet",
    log:
        "results/logs/sample_spectra.log",
    benchmark:
        "results/benchmarks/sample_spectra.tsv"
    conda:
        ENVIRONMENT
    # The bits of a matrix product may depend on the number of BLAS threads; one is the same anywhere.
    threads: 1
    resources:
        mem_mb=spectra_memory,
        runtime=spectra_runtime,
    params:
        **spectra_model(),
        samples=config["spectra"]["samples"],
        seed=config["seed"],
        code=code("spectra/sample_spectra.py"),
    message:
        "Sampling spectra"
    script:
        "../../scripts/spectra/sample_spectra.py"


rule spectral_densities:
    output:
        "results/spectra/density.parquet",
    log:
        "results/logs/spectral_densities.log",
    benchmark:
        "results/benchmarks/spectral_densities.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        **spectra_model(),
        code=code("spectra/spectral_densities.py"),
    message:
        "Computing spectral densities"
    script:
        "../../scripts/spectra/spectral_densities.py"


rule contours:
    input:
        eigenvalues="results/spectra/eigenvalues.parquet",
    output:
        "results/spectra/contours.parquet",
    log:
        "results/logs/contours.log",
    benchmark:
        "results/benchmarks/contours.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        point=config["spectra"]["contour"],
        c=config["spectra"]["c"],
        seed=config["seed"],
        code=code("spectra/contours.py"),
    message:
        "Computing contours around a spectrum"
    script:
        "../../scripts/spectra/contours.py"
