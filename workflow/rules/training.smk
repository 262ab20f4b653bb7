"""Random features of real samples, trained by SGD, beside what is predicted of them."""


rule train_on_samples:
    input:
        sample_files,
    output:
        "results/data/{set}/training.parquet",
    log:
        "results/logs/train_on_samples/{set}.log",
    benchmark:
        "results/benchmarks/train_on_samples/{set}.tsv"
    conda:
        ENVIRONMENT
    # The bits of a matrix product may depend on the number of BLAS threads; one is the same anywhere.
    threads: 1
    resources:
        mem_mb=training_memory,
        runtime=training_runtime,
    params:
        source=sample_source,
        sizes=training_sizes,
        plan={key: value for key, value in config["data"]["training"].items() if key != "sizes"},
        seed=config["seed"],
        code=code("data/train_on_samples.py"),
    message:
        "Training on samples: {wildcards.set}"
    script:
        "../../scripts/data/train_on_samples.py"


rule join_trainings:
    input:
        expand("results/data/{set}/training.parquet", set=config["data"]["training"]["sizes"]),
    output:
        "results/data/training.parquet",
    log:
        "results/logs/join_trainings.log",
    benchmark:
        "results/benchmarks/join_trainings.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        code=code("data/join_trainings.py"),
    message:
        "Joining the trainings of all data sets"
    script:
        "../../scripts/data/join_trainings.py"
