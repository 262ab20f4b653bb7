"""Table 2: for each phase its region, visible terms, trade-off and compute-optimal exponents."""

import pandas as pd

from plrf.study.store import write_rendered
from plrf.theory.phases import PHASES, greek


def term(name: str) -> str:
    """A part as it enters the loss (model section 6)."""
    return "K_pp/(gamma B)" if name == "K_pp" else name


def phases(points: dict[str, list[float]]) -> pd.DataFrame:
    """Tabulate the phases (model section 7), with exponents also as numbers at each one's point.

    Parameters
    ----------
    points : dict
        The point (alpha, beta) that stands for each phase.
    """
    rows = []
    for phase in PHASES:
        alpha, beta = points[phase.name]
        rows.append(
            {
                "phase": phase.name,
                "region": ", ".join(side.text for side in phase.region),
                "loss": " + ".join(map(term, phase.visible_terms)),
                "trade_off": " = ".join(map(term, phase.trade_off)),
                "loss_law": f"f^-({phase.eta_text})",
                "size_law": f"f^({phase.xi_text})",
                "alpha": alpha,
                "beta": beta,
                "eta": phase.eta(alpha, beta),
                "xi": phase.xi(alpha, beta),
            }
        )
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """Render the table for reading."""
    header = "phase | region | loss | trade-off | P\\*(f) | d\\*(f) | α | β | η | ξ"
    lines = [f"| {header} |", "|" + " --- |" * 10]
    for row in table.itertuples():
        cells = [
            row.phase,
            greek(row.region),
            greek(row.loss),
            greek(row.trade_off),
            f"`{greek(row.loss_law)}`",
            f"`{greek(row.size_law)}`",
            f"{row.alpha:g}",
            f"{row.beta:g}",
            f"{row.eta:.4f}",
            f"{row.xi:.4f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write_tables(points: dict[str, list[float]], csv_path: str, markdown_path: str) -> None:
    """Write the table as CSV (all digits) and Markdown (rounded)."""
    table = phases(points)
    write_rendered(table, markdown(table), csv_path, markdown_path)


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_tables(snakemake.params.points, snakemake.output.csv, snakemake.output.md)
