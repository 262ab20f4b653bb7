"""Write the numbers of the last run into the README, between its markers.

Not a job of the workflow, because it changes a tracked file: run it by `make readme`.
"""

from pathlib import Path

import pandas as pd

from plrf.tables import EXPONENTS, read_table

BEGIN, END = "<!-- {} begin: generated -->", "<!-- {} end -->"


def read_benchmarks(folder: Path) -> pd.DataFrame:
    """Measurements of all jobs: rule, seconds, and peak memory in MB."""
    files = sorted(folder.rglob("*.tsv"))
    jobs = pd.concat(pd.read_csv(file, sep="\t") for file in files)
    jobs["rule"] = [file.relative_to(folder).with_suffix("").parts[0] for file in files]
    return jobs.rename(columns={"s": "seconds", "max_rss": "memory"})


def performance(jobs: pd.DataFrame) -> str:
    """Jobs, time and peak memory of each stage, as a Markdown table."""
    stages = jobs.groupby("rule", sort=False).agg(
        jobs=("seconds", "size"),
        total=("seconds", "sum"),
        longest=("seconds", "max"),
        memory=("memory", "max"),
    )
    stages.loc["all"] = [
        len(jobs),
        jobs["seconds"].sum(),
        jobs["seconds"].max(),
        jobs["memory"].max(),
    ]
    lines = [
        "| stage | jobs | time of all jobs (min) | longest job (min) | peak memory of a job (GB) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in stages.itertuples():
        lines.append(
            f"| `{row.Index}` | {row.jobs:.0f} | {row.total / 60:.1f} | {row.longest / 60:.1f} "
            f"| {row.memory / 1000:.2f} |"
        )
    return "\n".join(lines)


def wall_time(results: Path) -> str:
    """Time from the start of the first job to the last result, of a run without interruption."""
    files = list((results / "benchmarks").rglob("*.tsv"))
    starts = [f.stat().st_mtime - pd.read_csv(f, sep="\t")["s"].iloc[0] for f in files]
    end = max(f.stat().st_mtime for f in (results / "figures").iterdir())
    minutes = (end - min(starts)) / 60
    return f"From the start of the first job to the last figure: {minutes:.1f} min."


def main_results(exponents: pd.DataFrame) -> str:
    """Exponents by Approach 2 beside the theory, as a Markdown table."""
    fits = exponents[(exponents["method"] == "approach2") & exponents["estimate"].notna()]
    lines = [
        "| α | β | phase | exponent | theory | Volterra | SGD | windows used (flops) |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, rows in fits.groupby(["alpha", "beta", "phase", "quantity"]):
        alpha, beta, phase, quantity = key
        engines = rows.set_index("engine")
        cells = ["–", "–"]
        windows = []
        for k, engine in enumerate(("volterra", "sgd")):
            if engine in engines.index:
                fit = engines.loc[engine]
                half_width = (fit["ci_high"] - fit["ci_low"]) / 2
                cells[k] = f"{fit['estimate']:.3f} ± {half_width:.3f}"
                windows.append(f"{fit['window_low']:.1e} to {fit['window_high']:.1e}")
        symbol = {"eta": "η", "xi": "ξ"}[quantity]
        lines.append(
            f"| {alpha:g} | {beta:g} | {phase} | {symbol} | {rows['theory'].iloc[0]:.3f} "
            f"| {cells[0]} | {cells[1]} | {', '.join(windows)} |"
        )
    return "\n".join(lines)


def replace_block(text: str, name: str, content: str) -> str:
    """Replace what stands between the markers of a block in a Markdown document.

    Raises
    ------
    ValueError
        If the text lacks the markers.
    """
    begin, end = BEGIN.format(name), END.format(name)
    if begin not in text or end not in text:
        raise ValueError(f"the document has no block {name!r}")
    head, rest = text.split(begin, 1)
    return f"{head}{begin}\n{content}\n{end}{rest.split(end, 1)[1]}"


def update_readme(results: Path, readme: Path) -> None:
    """Fill all blocks of the README."""
    text = readme.read_text(encoding="utf-8")
    exponents = read_table(results / "fits" / "exponents.parquet", EXPONENTS)
    text = replace_block(text, "results", main_results(exponents))
    measured = performance(read_benchmarks(results / "benchmarks"))
    text = replace_block(text, "performance", f"{measured}\n\n{wall_time(results)}")
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    update_readme(Path("results"), Path("README.md"))
