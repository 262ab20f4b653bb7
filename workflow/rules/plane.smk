"""The plane of exponents: exact fronts at one budget, without losses of any sweep."""


rule measure_plane:
    output:
        "results/plane/parts/{part}.parquet",
    log:
        "results/logs/measure_plane/{part}.log",
    benchmark:
        "results/benchmarks/measure_plane/{part}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=plane_runtime,
    params:
        alphas=plane_alphas,
        betas=plane_values("beta"),
        front=plane_front(),
        code=code("plane/measure_plane.py"),
    message:
        "Measuring the plane of exponents: part {wildcards.part}"
    script:
        "../../scripts/plane/measure_plane.py"


rule join_plane:
    input:
        parts=expand("results/plane/parts/{part}.parquet", part=range(PLANE_PARTS)),
    output:
        "results/plane/exponents.parquet",
    log:
        "results/logs/join_plane.log",
    benchmark:
        "results/benchmarks/join_plane.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        plane=config["plane"],
        code=code("plane/join_plane.py"),
    message:
        "Joining the plane of exponents"
    script:
        "../../scripts/plane/join_plane.py"
