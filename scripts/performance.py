"""What each rule took, from the files of Snakemake's benchmarks."""

from pathlib import Path

import pandas as pd

from plrf.tables import write_rendered

COLUMNS = ["rule", "jobs", "seconds", "longest", "memory"]


def read_benchmarks(folder: Path) -> pd.DataFrame:
    """Measurements of all jobs: rule, seconds of processor time, and peak memory in MB."""
    files = sorted(folder.rglob("*.tsv"))
    jobs = [pd.read_csv(file, sep="\t", usecols=["cpu_time", "max_rss"]) for file in files]
    rules = [file.relative_to(folder).with_suffix("").parts[0] for file in files]
    rows = [job.assign(rule=rule) for job, rule in zip(jobs, rules, strict=True)]
    none = pd.DataFrame(columns=["cpu_time", "max_rss", "rule"])
    return pd.concat(rows or [none]).rename(columns={"cpu_time": "seconds", "max_rss": "memory"})


def performance(jobs: pd.DataFrame) -> pd.DataFrame:
    """Jobs, their processor time, the longest one's, and peak memory, by rule and for all."""
    measures = {
        "jobs": ("seconds", "size"),
        "seconds": ("seconds", "sum"),
        "longest": ("seconds", "max"),
        "memory": ("memory", "max"),
    }
    rules = jobs.groupby("rule").agg(**measures).reset_index()
    total = jobs.assign(rule="all").groupby("rule").agg(**measures).reset_index()
    return pd.concat([rules, total], ignore_index=True)[COLUMNS]


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading."""
    lines = [
        "| rule | jobs | processor time (min) | longest job (min) | peak memory (GB) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in table.itertuples():
        # Snakemake may not get to look at a job of a fraction of a second.
        memory = "unknown" if pd.isna(row.memory) else f"{row.memory / 1000:.2f}"
        lines.append(
            f"| `{row.rule}` | {row.jobs} | {row.seconds / 60:.1f} | {row.longest / 60:.1f} "
            f"| {memory} |"
        )
    return "\n".join(lines) + "\n"


def write_tables(benchmarks: Path, csv_path: str, markdown_path: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    table = performance(read_benchmarks(benchmarks))
    write_rendered(table, markdown(table), csv_path, markdown_path)


if __name__ == "__main__":
    from plrf.logs import log_to

    log_to(snakemake.log[0])
    results = Path(snakemake.output.csv).parent
    write_tables(results / "benchmarks", snakemake.output.csv, snakemake.output.md)
