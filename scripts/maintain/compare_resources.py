"""Write what jobs asked for and what they used, in the last run, into docs/hpc.md.

Not a job of the workflow, because it changes a tracked file: run it by `make resources`.
"""

import ast
from pathlib import Path

import pandas as pd

from scripts.maintain.update_readme import replace_block


def read_benchmarks(folder: Path) -> pd.DataFrame:
    """What each job asked for and used: rule, largest size, memory (MB) and time (s)."""
    files = sorted(folder.rglob("*.tsv"))
    jobs = pd.concat(pd.read_csv(file, sep="\t") for file in files)
    wildcards = jobs["wildcards"].map(ast.literal_eval)
    resources = jobs["resources"].map(ast.literal_eval)
    return pd.DataFrame(
        {
            "rule": jobs["rule_name"],
            "d": pd.to_numeric(wildcards.str.get("sizes").str.split("_to_").str[-1]),
            "memory": pd.to_numeric(jobs["max_rss"], errors="coerce"),
            "memory_asked": resources.str.get("mem_mb"),
            "time": jobs["s"],
            "time_asked": 60 * resources.str.get("runtime"),
        }
    )


def comparison(jobs: pd.DataFrame) -> str:
    """The most that the jobs of each rule and size used and asked for, as a Markdown table."""
    most = jobs.groupby(["rule", "d"], dropna=False).max().reset_index()
    counts = jobs.groupby(["rule", "d"], dropna=False).size().to_numpy()
    lines = [
        "| rule | d | jobs | memory used (MB) | asked for | time used (s) | asked for |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row, count in zip(most.itertuples(), counts, strict=True):
        size = "" if pd.isna(row.d) else f"{row.d:.0f}"
        # Snakemake may not get to look at a job of a fraction of a second.
        used = "unknown" if pd.isna(row.memory) else f"{row.memory:.0f}"
        # Rules without an estimate get the profile's default time.
        limit = "default" if pd.isna(row.time_asked) else f"{row.time_asked:.0f}"
        lines.append(
            f"| `{row.rule}` | {size} | {count} | {used} | {row.memory_asked:.0f} "
            f"| {row.time:.0f} | {limit} |"
        )
    return "\n".join(lines)


def exceeded(jobs: pd.DataFrame) -> pd.DataFrame:
    """Jobs that used more than they asked for."""
    return jobs[(jobs["memory"] > jobs["memory_asked"]) | (jobs["time"] > jobs["time_asked"])]


def update_document(results: Path, document: Path) -> None:
    """Fill the block of the document.

    Raises
    ------
    ValueError
        If jobs used more than they asked for: the estimates in resources.smk are wrong.
    """
    jobs = read_benchmarks(results / "benchmarks")
    if len(exceeded(jobs)):
        raise ValueError(f"estimates were exceeded:\n{exceeded(jobs).to_string(index=False)}")
    text = replace_block(document.read_text(encoding="utf-8"), "resources", comparison(jobs))
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    update_document(Path("results"), Path("docs/hpc.md"))
