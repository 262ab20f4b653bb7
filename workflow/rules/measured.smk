"""Losses that others have measured: scaling laws fitted to them, and the biases of the methods."""

from plrf.study.measured import FITTED, table_file


wildcard_constraints:
    name="|".join(config["measured"]),


rule fit_measured:
    input:
        losses=measured_file,
    output:
        **{table: table_file("{name}", table) for table in FITTED},
    log:
        "results/logs/fit_measured/{name}.log",
    benchmark:
        "results/benchmarks/fit_measured/{name}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        settings=fit_settings,
        seed=config["seed"],
        code=code("measured/fit_measured.py"),
    message:
        "Fitting scaling laws to measured losses: {wildcards.name}"
    script:
        "../../scripts/measured/fit_measured.py"


rule audit_measured:
    input:
        losses=measured_file,
    output:
        table_file("{name}", "audit"),
    log:
        "results/logs/audit_measured/{name}.log",
    benchmark:
        "results/benchmarks/audit_measured/{name}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        columns=measured_columns,
        tolerance=measured_setting("budget_tolerance"),
        neighbours=measured_setting("neighbours"),
        code=code("measured/audit_measured.py"),
    message:
        "Auditing the methods on known surfaces, at the runs of {wildcards.name}"
    script:
        "../../scripts/measured/audit_measured.py"
