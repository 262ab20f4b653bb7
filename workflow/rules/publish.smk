"""Last stage: a record of how results were made, the report's pages, and the archive."""


rule report_pages:
    input:
        **{table.name: f"results/tables/{table.name}.md" for table in TABLES},
        performance="results/performance.md",
    output:
        **{
            name: report(
                path,
                caption=f"../report/{REPORT_CAPTIONS[name]}.rst",
                category=REPORT_CATEGORIES[name],
                labels={"table": name},
            )
            for name, path in REPORT_PAGES.items()
        },
    log:
        "results/logs/report_pages.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        code=code("publish/report_pages.py"),
    message:
        "Writing the tables as pages for the report"
    script:
        "../../scripts/publish/report_pages.py"


rule record_provenance:
    input:
        results=results(),
        losses=loss_files,
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
        code=code("publish/record_provenance.py"),
    message:
        "Recording configuration, versions, machine and times"
    script:
        "../../scripts/publish/record_provenance.py"


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
        benchmarks=benchmark_files,
        code=code("publish/performance.py"),
    message:
        "Writing {output.md}"
    script:
        "../../scripts/publish/performance.py"


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
        code=code("publish/archive.py"),
    message:
        "Packing {output}"
    script:
        "../../scripts/publish/archive.py"
