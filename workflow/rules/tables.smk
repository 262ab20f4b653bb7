"""Stage 4c: tables, one rule for each entry of the catalogue that the configuration asks for."""

for table in TABLES:

    rule:
        name:
            table.name
        input:
            **table.files(config),
        output:
            csv=f"results/tables/{table.name}.csv",
            md=f"results/tables/{table.name}.md",
        log:
            f"results/logs/{table.name}.log",
        benchmark:
            f"results/benchmarks/{table.name}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=table_memory if "losses" in table.inputs else other_memory,
            runtime=other_runtime,
        params:
            **table.params(config),
            script=f"{table.stem}.py",
            code=code(f"tables/{table.stem}.py"),
        message:
            "Writing {output.md}"
        # Not by the variable of the loop, which is the last one when a job runs.
        script:
            "../../scripts/tables/{params.script}"
