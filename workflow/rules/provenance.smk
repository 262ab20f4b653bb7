"""Stage 5: a record of what made the results."""


rule record_provenance:
    input:
        results=results(),
        library=library("record_provenance.py"),
    output:
        "results/provenance.json",
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
