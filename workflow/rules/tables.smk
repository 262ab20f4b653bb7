"""Stage 4c: tables."""


rule table4_measured_exponents:
    input:
        exponents="results/fits/exponents.parquet",
        library=library("table4_measured_exponents.py"),
    output:
        csv="results/tables/table4_measured_exponents.csv",
        md="results/tables/table4_measured_exponents.md",
    log:
        "results/logs/table4_measured_exponents.log",
    conda:
        ENVIRONMENT
    message:
        "Writing {output.md}"
    script:
        "../../scripts/table4_measured_exponents.py"
