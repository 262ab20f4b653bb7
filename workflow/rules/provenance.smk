"""Stage 5: a record of what made the results and of what they took, and the archive."""


rule record_provenance:
    input:
        results=results(),
        losses=loss_files(),
        performance="results/performance.csv",
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
        code=code("record_provenance.py"),
    message:
        "Recording configuration, versions, machine and times"
    script:
        "../../scripts/record_provenance.py"


rule performance:
    input:
        results=results(),
    output:
        csv="results/performance.csv",
        md="results/performance.md",
    log:
        "results/logs/performance.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        benchmarks=benchmark_files(),
        code=code("performance.py"),
    message:
        "Writing {output.md}"
    script:
        "../../scripts/performance.py"


rule archive:
    input:
        results=results(),
        tables=archived_tables(),
        provenance="results/provenance.json",
    output:
        "results/archive.tar.gz",
    log:
        "results/logs/archive.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        code=code("archive.py"),
    message:
        "Packing {output}"
    script:
        "../../scripts/archive.py"
