"""Tasks of real data: what samples say of them."""


rule measure_task:
    input:
        sample_files,
    output:
        spectrum="results/data/{set}/spectrum.parquet",
        task="results/data/{set}/task.parquet",
        exponents="results/data/{set}/exponents.parquet",
    log:
        "results/logs/measure_task/{set}.log",
    benchmark:
        "results/benchmarks/measure_task/{set}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=samples_memory,
        runtime=samples_runtime,
    params:
        source=sample_source,
        config=measurement(),
        code=code("data/measure_task.py"),
    message:
        "Measuring the task of samples: {wildcards.set}"
    script:
        "../../scripts/data/measure_task.py"


rule join_tasks:
    input:
        spectra=expand("results/data/{set}/spectrum.parquet", set=config["data"]["sets"]),
        tasks=expand("results/data/{set}/task.parquet", set=config["data"]["sets"]),
        exponents=expand("results/data/{set}/exponents.parquet", set=config["data"]["sets"]),
    output:
        spectra="results/data/spectra.parquet",
        tasks="results/data/tasks.parquet",
        exponents="results/data/exponents.parquet",
    log:
        "results/logs/join_tasks.log",
    benchmark:
        "results/benchmarks/join_tasks.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        config={"sets": config["data"]["sets"], **measurement()},
        code=code("data/join_tasks.py"),
    message:
        "Joining the tasks of all data sets"
    script:
        "../../scripts/data/join_tasks.py"


if "training" in config["data"]:

    include: "training.smk"
