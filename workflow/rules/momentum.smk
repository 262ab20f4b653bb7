"""Momentum beside plain SGD, W averaged out: exponents of exact fronts, and loss curves."""


wildcard_constraints:
    kind="points|plane",


rule momentum_fronts:
    output:
        "results/momentum/parts/{kind}_{part}.parquet",
    log:
        "results/logs/momentum_fronts/{kind}_{part}.log",
    benchmark:
        "results/benchmarks/momentum_fronts/{kind}_{part}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=momentum_runtime,
    params:
        part=momentum_case,
        settings=momentum_settings(),
        code=code("momentum/momentum_fronts.py"),
    message:
        "Measuring fronts with momentum: {wildcards.kind}, part {wildcards.part}"
    script:
        "../../scripts/momentum/momentum_fronts.py"


rule join_momentum:
    input:
        parts=momentum_files,
    output:
        "results/momentum/{kind}.parquet",
    log:
        "results/logs/join_momentum/{kind}.log",
    benchmark:
        "results/benchmarks/join_momentum/{kind}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        settings=momentum_settings("points", "flops", "plane"),
        code=code("momentum/join_momentum.py"),
    message:
        "Joining fronts with momentum: {wildcards.kind}"
    script:
        "../../scripts/momentum/join_momentum.py"


rule momentum_curves:
    output:
        "results/momentum/curves.parquet",
    log:
        "results/logs/momentum_curves.log",
    benchmark:
        "results/benchmarks/momentum_curves.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        points=config["momentum"]["points"][: catalogue.MOST_COLUMNS],
        settings=momentum_settings("curves"),
        seed=config["seed"],
        code=code("momentum/momentum_curves.py"),
    message:
        "Computing loss curves with momentum"
    script:
        "../../scripts/momentum/momentum_curves.py"
