"""Stage 4d: the explorer, one page on which exact curves are seen at any point of a grid."""


rule explorer_data:
    output:
        points="results/explorer/points.parquet",
        losses="results/explorer/losses.parquet",
        fronts="results/explorer/fronts.parquet",
    log:
        "results/logs/explorer_data.log",
    benchmark:
        "results/benchmarks/explorer_data.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=explorer_memory,
        runtime=explorer_runtime,
    params:
        settings=config["explorer"],
        code=code("explorer/explorer_data.py"),
    message:
        "Computing what the explorer shows"
    script:
        "../../scripts/explorer/explorer_data.py"


rule explorer_page:
    input:
        points="results/explorer/points.parquet",
        losses="results/explorer/losses.parquet",
        fronts="results/explorer/fronts.parquet",
    output:
        "results/explorer.html",
    log:
        "results/logs/explorer_page.log",
    benchmark:
        "results/benchmarks/explorer_page.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=explorer_memory,
        runtime=other_runtime,
    params:
        settings=config["explorer"],
        code=code("explorer/explorer_page.py"),
    message:
        "Writing {output}"
    script:
        "../../scripts/explorer/explorer_page.py"
