"""Stage 4b: figures."""


rule fig01_toy_scaling:
    input:
        losses="results/aggregate/losses.parquet",
    output:
        pdf="results/figures/fig01_toy_scaling.pdf",
        png=report(
            "results/figures/fig01_toy_scaling.png",
            caption="../report/fig01_toy_scaling.rst",
            category="Main text",
            labels=figure_labels(
                "fig01_toy_scaling", sweep_points(config["toy_scaling"]["sweep"])
            ),
        ),
    log:
        "results/logs/fig01_toy_scaling.log",
    benchmark:
        "results/benchmarks/fig01_toy_scaling.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=table_memory,
        runtime=other_runtime,
    params:
        sweep=config["toy_scaling"]["sweep"],
        budget=config["toy_scaling"]["budget"],
        point=sweep_points(config["toy_scaling"]["sweep"])[0],
        code=code("fig01_toy_scaling.py"),
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
    output:
        pdf="results/figures/{front}.pdf",
        png=report(
            "results/figures/{front}.png",
            caption="../report/front.rst",
            category=figure_category,
            labels=front_labels,
        ),
    log:
        "results/logs/front/{front}.log",
    benchmark:
        "results/benchmarks/front/{front}.tsv"
    wildcard_constraints:
        front="|".join(FRONTS) or "no-front",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=table_memory,
        runtime=other_runtime,
    params:
        sweep=front_sweep,
        point=front_point,
        code=code("front.py"),
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/front.py"


rule fig02_phase_diagram:
    output:
        pdf="results/figures/fig02_phase_diagram.pdf",
        png=report(
            "results/figures/fig02_phase_diagram.png",
            caption="../report/fig02_phase_diagram.rst",
            category="Main text",
            labels=figure_labels("fig02_phase_diagram", config["phase_points"].values()),
        ),
    log:
        "results/logs/fig02_phase_diagram.log",
    benchmark:
        "results/benchmarks/fig02_phase_diagram.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        points=config["phase_points"],
        code=code("fig02_phase_diagram.py"),
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/fig02_phase_diagram.py"


rule exponent_plane:
    input:
        plane="results/plane/exponents.parquet",
        exponents="results/fits/exponents.parquet",
    output:
        pdf="results/figures/{figure}.pdf",
        png=report(
            "results/figures/{figure}.png",
            caption="../report/exponent_plane.rst",
            category=figure_category,
            labels=exponent_labels,
        ),
    log:
        "results/logs/exponent_plane/{figure}.log",
    benchmark:
        "results/benchmarks/exponent_plane/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(EXPONENT_FIGURES),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        quantity=exponent_quantity,
        sweep=config["traverse"],
        code=code("exponent_plane.py"),
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/exponent_plane.py"


rule fig05_finite_size:
    input:
        ratio="results/finite_size/ratio.parquet",
        traverse="results/finite_size/traverse.parquet",
        fronts="results/finite_size/fronts.parquet",
    output:
        pdf="results/figures/fig05_finite_size.pdf",
        png=report(
            "results/figures/fig05_finite_size.png",
            caption="../report/fig05_finite_size.rst",
            category="Main text",
            labels=figure_labels("fig05_finite_size", finite_size_points()),
        ),
    log:
        "results/logs/fig05_finite_size.log",
    benchmark:
        "results/benchmarks/fig05_finite_size.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        code=code("fig05_finite_size.py"),
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/fig05_finite_size.py"


rule fig06_spectra:
    input:
        histogram="results/spectra/histogram.parquet",
        density="results/spectra/density.parquet",
    output:
        pdf="results/figures/fig06_spectra.pdf",
        png=report(
            "results/figures/fig06_spectra.png",
            caption="../report/fig06_spectra.rst",
            category="Appendix",
            labels=figure_labels("fig06_spectra", config["spectra"]["points"]),
        ),
    log:
        "results/logs/fig06_spectra.log",
    benchmark:
        "results/benchmarks/fig06_spectra.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        code=code("fig06_spectra.py"),
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/fig06_spectra.py"


rule fig07_contour:
    input:
        eigenvalues="results/spectra/eigenvalues.parquet",
        contours="results/spectra/contours.parquet",
    output:
        pdf="results/figures/fig07_contour.pdf",
        png=report(
            "results/figures/fig07_contour.png",
            caption="../report/fig07_contour.rst",
            category="Appendix",
            labels=figure_labels("fig07_contour", [config["spectra"]["contour"]]),
        ),
    log:
        "results/logs/fig07_contour.log",
    benchmark:
        "results/benchmarks/fig07_contour.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        code=code("fig07_contour.py"),
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/fig07_contour.py"


rule fig16_window_sensitivity:
    input:
        exponents="results/fits/exponents.parquet",
    output:
        pdf="results/figures/fig16_window_sensitivity.pdf",
        png=report(
            "results/figures/fig16_window_sensitivity.png",
            caption="../report/fig16_window_sensitivity.rst",
            category="Appendix",
            labels=figure_labels("fig16_window_sensitivity", sweep_points(config["traverse"])),
        ),
    log:
        "results/logs/fig16_window_sensitivity.log",
    benchmark:
        "results/benchmarks/fig16_window_sensitivity.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        sweep=config["traverse"],
        code=code("fig16_window_sensitivity.py"),
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/fig16_window_sensitivity.py"


rule fig17_negative_beta:
    input:
        losses="results/aggregate/losses.parquet",
    output:
        pdf="results/figures/fig17_negative_beta.pdf",
        png=report(
            "results/figures/fig17_negative_beta.png",
            caption="../report/fig17_negative_beta.rst",
            category="Appendix",
            labels=figure_labels(
                "fig17_negative_beta", sweep_points(config["negative_beta"]["sweep"])
            ),
        ),
    log:
        "results/logs/fig17_negative_beta.log",
    benchmark:
        "results/benchmarks/fig17_negative_beta.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=table_memory,
        runtime=other_runtime,
    params:
        sweep=config["negative_beta"]["sweep"],
        d=config["negative_beta"]["d"],
        code=code("fig17_negative_beta.py"),
    message:
        "Drawing {output.pdf}"
    script:
        "../../scripts/fig17_negative_beta.py"
