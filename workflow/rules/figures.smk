"""Stage 4b: figures, one rule for each entry of the catalogue that the configuration asks for."""

from plrf.study.entries import labels

for figure in FIGURES:

    rule:
        name:
            figure.rule
        input:
            **figure.inputs,
        output:
            pdf=f"results/figures/{figure.name}.pdf",
            png=report(
                f"results/figures/{figure.name}.png",
                caption=f"../report/{figure.stem}.rst",
                category=figure.category,
                labels=labels(figure, config),
            ),
        log:
            f"results/logs/{figure.stem}/{figure.name}.log",
        benchmark:
            f"results/benchmarks/{figure.stem}/{figure.name}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=table_memory if "losses" in figure.inputs else other_memory,
            runtime=other_runtime,
        params:
            **figure.params(config),
            script=figure.script,
            code=code(f"figures/{figure.script}"),
        message:
            "Drawing {output.pdf}"
        # Not by the variable of the loop, which is the last one when a job runs.
        script:
            "../../scripts/figures/{params.script}"
