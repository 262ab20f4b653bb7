"""Stage 6: what only the report shows."""


rule report_pages:
    input:
        **{table.name: f"results/tables/{table.name}.md" for table in TABLES},
        performance="results/performance.md",
    output:
        **{
            name: report(
                path,
                caption=f"../report/{name}.rst",
                category="Performance" if name == "performance" else "Tables",
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
        code=code("report_pages.py"),
    message:
        "Writing the tables as pages for the report"
    script:
        "../../scripts/report_pages.py"
