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


rule fig02_phase_diagram:
    input:
        library=library("fig02_phase_diagram.py"),
    output:
        pdf="results/figures/fig02_phase_diagram.pdf",
        png="results/figures/fig02_phase_diagram.png",
    log:
        "results/logs/fig02_phase_diagram.log",
    conda:
        ENVIRONMENT
    params:
        points=config["phase_points"],
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/fig02_phase_diagram.py"


rule exponent_plane:
    input:
        plane="results/plane/exponents.parquet",
        exponents="results/fits/exponents.parquet",
        library=library("exponent_plane.py"),
    output:
        pdf="results/figures/{figure}.pdf",
        png="results/figures/{figure}.png",
    log:
        "results/logs/exponent_plane/{figure}.log",
    wildcard_constraints:
        figure="|".join(EXPONENT_FIGURES),
    conda:
        ENVIRONMENT
    params:
        quantity=exponent_quantity,
        sweep=config["traverse"],
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/exponent_plane.py"
