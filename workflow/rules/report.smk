"""Stage 6: what only the report shows."""


rule report_pages:
    input:
        table1_asymptotics="results/tables/table1_asymptotics.md",
        table2_phases="results/tables/table2_phases.md",
        table3_notation="results/tables/table3_notation.md",
        table4_measured_exponents="results/tables/table4_measured_exponents.md",
        performance="results/performance.md",
    output:
        table1_asymptotics=report(
            "results/report/table1_asymptotics.html",
            caption="../report/table1_asymptotics.rst",
            category="Tables",
            labels={"table": "table1_asymptotics"},
        ),
        table2_phases=report(
            "results/report/table2_phases.html",
            caption="../report/table2_phases.rst",
            category="Tables",
            labels={"table": "table2_phases"},
        ),
        table3_notation=report(
            "results/report/table3_notation.html",
            caption="../report/table3_notation.rst",
            category="Tables",
            labels={"table": "table3_notation"},
        ),
        table4_measured_exponents=report(
            "results/report/table4_measured_exponents.html",
            caption="../report/table4_measured_exponents.rst",
            category="Tables",
            labels={"table": "table4_measured_exponents"},
        ),
        performance=report(
            "results/report/performance.html",
            caption="../report/performance.rst",
            category="Performance",
            labels={"table": "performance"},
        ),
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
