"""Stage 5: a record of what made the results, and of what they took."""


rule record_provenance:
    input:
        results=results(),
        library=library("record_provenance.py"),
    output:
        report(
            "results/provenance.json",
            caption="../report/provenance.rst",
            category="Performance",
            labels={"table": "provenance"},
        ),
    log:
        "results/logs/record_provenance.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        config=config,
    message:
        "Recording configuration, versions, machine and times"
    script:
        "../../scripts/record_provenance.py"


rule performance:
    input:
        results=results(),
        library=library("performance.py"),
    output:
        csv="results/performance.csv",
        md="results/performance.md",
    log:
        "results/logs/performance.log",
    conda:
        ENVIRONMENT
    threads: 1
    message:
        "Writing {output.md}"
    script:
        "../../scripts/performance.py"
