"""The atlas: exact fronts over the plane against the theory, and what experiments report."""

from functools import partial

for kind in ATLAS:

    rule:
        name:
            f"atlas_part_{kind}"
        output:
            f"results/atlas/parts/{kind}_{{part}}.parquet",
        log:
            f"results/logs/atlas_part/{kind}_{{part}}.log",
        benchmark:
            f"results/benchmarks/atlas_part/{kind}_{{part}}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=other_memory,
            runtime=other_runtime,
        params:
            points=partial(atlas_part, kind),
            settings=atlas_settings(kind),
            script=f"{kind}.py",
            code=code(f"atlas/{kind}.py"),
        message:
            "Computing a part of {output}"
        script:
            "../../scripts/atlas/{params.script}"

    rule:
        name:
            f"join_atlas_{kind}"
        input:
            parts=atlas_files(kind),
        output:
            f"results/atlas/{kind}.parquet",
        log:
            f"results/logs/join_atlas/{kind}.log",
        benchmark:
            f"results/benchmarks/join_atlas/{kind}.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=other_memory,
            runtime=other_runtime,
        params:
            kind=kind,
            settings=atlas_settings(kind),
            code=code("atlas/join_atlas.py"),
        message:
            "Joining the parts of {output}"
        script:
            "../../scripts/atlas/join_atlas.py"
