"""What each rule took, from the files of Snakemake's benchmarks."""

from pathlib import Path

import pandas as pd

from plrf.study.store import write_rendered

COLUMNS = ["rule", "jobs", "seconds", "longest", "memory"]


def read_benchmarks(folder: Path, names: list[str]) -> pd.DataFrame:
    """Measurements of all jobs: rule, seconds of processor time, and peak memory in MB.

    Parameters
    ----------
    folder : Path
        Files lie in it, or in folders named by their rules.
    names : list of str
        Those in folders that count; jobs of other configurations may have left more.
    """
    files = sorted([*folder.glob("*.tsv"), *filter(Path.exists, map(Path, names))])
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
            f"| `{row.rule}` | {row.jobs:.0f} | {row.seconds / 60:.1f} | {row.longest / 60:.1f} "
            f"| {memory} |"
        )
    return "\n".join(lines) + "\n"


def brief(table: pd.DataFrame, least: float) -> pd.DataFrame:
    """The table with all rules of less than so many seconds of processor time in one row."""
    short = (table["seconds"] < least) & (table["rule"] != "all")
    if short.sum() < 2:
        return table
    how = {"jobs": "sum", "seconds": "sum", "longest": "max", "memory": "max"}
    others = table[short].agg(how).to_frame().T.assign(rule=f"{short.sum()} others")
    kept = table[~short]
    return pd.concat([kept.iloc[:-1], others, kept.iloc[-1:]], ignore_index=True)[COLUMNS]


def write_tables(benchmarks: Path, names: list[str], csv_path: str, markdown_path: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    table = performance(read_benchmarks(benchmarks, names))
    write_rendered(table, markdown(table), csv_path, markdown_path)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    results = Path(snakemake.output.csv).parent
    write_tables(
        results / "benchmarks",
        snakemake.params.benchmarks,
        snakemake.output.csv,
        snakemake.output.md,
    )
