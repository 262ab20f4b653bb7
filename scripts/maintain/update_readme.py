"""Write the numbers of the last run into the README, between its markers.

Not a job of the workflow, because it changes a tracked file: run it by `make readme`.
"""

from pathlib import Path

import pandas as pd

from plrf.study.schemas.fits import EXPONENTS
from plrf.study.store import read_table
from scripts.publish import performance

SYMBOLS = {"eta": "η", "xi": "ξ"}
SHOWN = [("volterra", "approach0"), ("volterra", "approach2"), ("sgd", "approach2")]
LONG = 60  # seconds of processor time, from which on a rule is named
BEGIN, END = "<!-- {} begin: generated -->", "<!-- {} end -->"


def main_results(exponents: pd.DataFrame) -> str:
    """Exponents of the points that have a sweep with SGD, as Markdown: the core of table 4.

    They are measured in the main window by IsoFLOP parabolas (Approach 2).
    """
    single = exponents.groupby("sweep")[["alpha", "beta"]].transform("nunique").eq(1).all(axis=1)
    runs = exponents.groupby("sweep")["engine"].transform(lambda engines: (engines == "sgd").any())
    rows = exponents[single & runs & (exponents["window"] == 0) & exponents["theory"].notna()]
    columns = ["theory", "exact front", "Volterra", "SGD"]
    header = ["α", "β", "phase", "window (flops)"]
    header += [
        f"{symbol}: {columns[0]}" if name == "theory" else name
        for symbol in SYMBOLS.values()
        for name in columns
    ]
    lines = [f"| {' | '.join(header)} |", "|" + " --- |" * len(header)]
    for (alpha, beta, phase, _), point in rows.groupby(["alpha", "beta", "phase", "sweep"]):
        low, high = point[["window_low", "window_high"]].iloc[0]
        cells = [f"{alpha:g}", f"{beta:g}", phase, f"{low:.2g} to {high:.2g}"]
        for quantity in SYMBOLS:
            fits = point[point["quantity"] == quantity].set_index(["engine", "method"])
            cells.append(f"{fits['theory'].iloc[0]:.3f}")
            cells += [measured(fits, *place) for place in SHOWN]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def measured(fits: pd.DataFrame, engine: str, method: str) -> str:
    """An exponent, and half the width of its 95% interval where it is noise."""
    if (engine, method) not in fits.index or pd.isna(fits.loc[(engine, method), "estimate"]):
        return "–"
    fit = fits.loc[(engine, method)]
    half_width = (fit["ci_high"] - fit["ci_low"]) / 2
    return f"{fit['estimate']:.3f}" + f" ± {half_width:.3f}" * (fit["error_source"] == "runs")


def main_claims(claims: pd.DataFrame) -> str:
    """Claims of the paper with our numbers and verdicts, as a Markdown table.

    Those on the exponents of each phase, which the table of results has, are counted; of pairs on
    both exponents the first is shown.
    """
    lines = ["| claim | paper | ours | verdict |", "| --- | --- | --- | --- |"]
    by_phase = claims["claim"].str.contains(" of phase ")
    second = claims["claim"].str.startswith("ξ follows")
    for row in claims[~by_phase & ~second].itertuples():
        ours = f"{row.ours} ± {row.error}" if row.ours else "–"
        lines.append(f"| {row.claim} | {row.paper} | {ours} | {row.verdict} |")
    counts = claims[by_phase]["verdict"].value_counts().items()
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts)
    lines.append(f"| η and ξ of the seven phases | table 2 | exact front, as above | {verdicts} |")
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
    # Empty cells are text: what was not tested has no number.
    claims = pd.read_csv(results / "tables" / "claims.csv", keep_default_na=False, dtype=str)
    text = replace_block(text, "claims", main_claims(claims))
    measured = performance.brief(pd.read_csv(results / "performance.csv"), LONG)
    text = replace_block(text, "performance", performance.markdown(measured).rstrip())
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    update_readme(Path("results"), Path("README.md"))
