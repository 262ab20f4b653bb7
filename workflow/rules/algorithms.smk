"""Training algorithms beyond the paper, W averaged out: best schedules, batches, noise of labels."""


rule optimal_schedules:
    output:
        schedules="results/algorithms/schedules.parquet",
        rates="results/algorithms/rates.parquet",
    log:
        "results/logs/optimal_schedules.log",
    benchmark:
        "results/benchmarks/optimal_schedules.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        config=algorithm_settings("best_schedules", "noise"),
        code=code("algorithms/optimal_schedules.py"),
    message:
        "Looking for the best schedules"
    script:
        "../../scripts/algorithms/optimal_schedules.py"


rule batches:
    output:
        batches="results/algorithms/batches.parquet",
        critical="results/algorithms/critical.parquet",
    log:
        "results/logs/batches.log",
    benchmark:
        "results/benchmarks/batches.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        config=algorithm_settings("batches", "noise"),
        code=code("algorithms/batches.py"),
    message:
        "Comparing batches, and looking for critical ones"
    script:
        "../../scripts/algorithms/batches.py"


rule label_noise_fronts:
    output:
        "results/algorithms/noise.parquet",
    log:
        "results/logs/label_noise_fronts.log",
    benchmark:
        "results/benchmarks/label_noise_fronts.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=other_memory,
        runtime=other_runtime,
    params:
        config=algorithm_settings("label_noise", "c"),
        code=code("algorithms/label_noise_fronts.py"),
    message:
        "Computing fronts with noise of labels"
    script:
        "../../scripts/algorithms/label_noise_fronts.py"
