"""Stage 4c: tables."""


rule table1_asymptotics:
    output:
        csv="results/tables/table1_asymptotics.csv",
        md="results/tables/table1_asymptotics.md",
    log:
        "results/logs/table1_asymptotics.log",
    benchmark:
        "results/benchmarks/table1_asymptotics.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        points=config["phase_points"],
        code=code("table1_asymptotics.py"),
    message:
        "Writing {output.md}"
    script:
        "../../scripts/table1_asymptotics.py"


rule table2_phases:
    output:
        csv="results/tables/table2_phases.csv",
        md="results/tables/table2_phases.md",
    log:
        "results/logs/table2_phases.log",
    benchmark:
        "results/benchmarks/table2_phases.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        points=config["phase_points"],
        code=code("table2_phases.py"),
    message:
        "Writing {output.md}"
    script:
        "../../scripts/table2_phases.py"


rule table3_notation:
    output:
        csv="results/tables/table3_notation.csv",
        md="results/tables/table3_notation.md",
    log:
        "results/logs/table3_notation.log",
    benchmark:
        "results/benchmarks/table3_notation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        code=code("table3_notation.py"),
    message:
        "Writing {output.md}"
    script:
        "../../scripts/table3_notation.py"


rule table4_measured_exponents:
    input:
        exponents="results/fits/exponents.parquet",
    output:
        csv="results/tables/table4_measured_exponents.csv",
        md="results/tables/table4_measured_exponents.md",
    log:
        "results/logs/table4_measured_exponents.log",
    benchmark:
        "results/benchmarks/table4_measured_exponents.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        code=code("table4_measured_exponents.py"),
    message:
        "Writing {output.md}"
    script:
        "../../scripts/table4_measured_exponents.py"
