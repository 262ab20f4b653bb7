"""Stage 4b: figures."""


rule fig01_toy_scaling:
    input:
        losses="results/aggregate/losses.parquet",
        library=library("fig01_toy_scaling.py"),
    output:
        pdf="results/figures/fig01_toy_scaling.pdf",
        png="results/figures/fig01_toy_scaling.png",
    log:
        "results/logs/fig01_toy_scaling.log",
    conda:
        ENVIRONMENT
    params:
        sweep=config["toy_scaling"]["sweep"],
        budget=config["toy_scaling"]["budget"],
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/fig01_toy_scaling.py"


rule front:
    input:
        losses="results/aggregate/losses.parquet",
        isoflop="results/fits/isoflop.parquet",
        fronts="results/fits/fronts.parquet",
        exponents="results/fits/exponents.parquet",
        library=library("front.py"),
    output:
        pdf="results/figures/{front}.pdf",
        png="results/figures/{front}.png",
    log:
        "results/logs/front/{front}.log",
    wildcard_constraints:
        front="|".join(FRONTS) or "no-front",
    conda:
        ENVIRONMENT
    params:
        sweep=front_sweep,
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/front.py"
