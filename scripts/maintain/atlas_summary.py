"""The findings of the atlas in sentences and a short table, for docs/atlas.md."""

import pandas as pd

from plrf.draw.cells import markdown_table, number
from plrf.statuses import BELOW, BEYOND, FROM_THE_START, OK

SYMBOLS = {"eta": "η", "xi": "ξ"}
BUDGET = 1e8  # up to which people measure the model


def summary(horizon: pd.DataFrame, measured: pd.DataFrame, varied: pd.DataFrame) -> str:
    """Write one sentence for each finding, with the numbers of the tables.

    Parameters
    ----------
    horizon, measured, varied : DataFrame
        Rows of the schemas HORIZON, MEASURED and HYPERPARAMETERS.
    """
    sentences = [*reached(horizon), *biases(measured), *rates(varied)]
    return "\n".join(f"- {sentence}" for sentence in sentences)


def reached(table: pd.DataFrame) -> list[str]:
    """How much of the plane is within the tolerance, where and when."""
    known = table[table["status"].isin([OK, FROM_THE_START, BEYOND])]
    sentences = []
    for name, symbol in SYMBOLS.items():
        own = known[known["quantity"] == name]
        small = own["alpha"] < 0.5
        shares = [(own[part]["flops"] <= BUDGET).mean() for part in (~small, small)]
        beyond = own[own["status"] == BEYOND]
        away = int((own["trend"] > 0).sum())
        where = ", ".join(f"{n} in {phase}" for phase, n in beyond["phase"].value_counts().items())
        sentences.append(
            f"At {BUDGET:.0e} flops {symbol} is within the tolerance for good at {shares[0]:.0%} "
            f"of the points with 2α ≥ 1, and at {shares[1]:.0%} of those with 2α < 1. At the last "
            f"budget it is not at {len(beyond)} of {len(own)} points ({where or 'none'}), and it "
            f"still moves away at {away}."
        )
    return sentences


def biases(table: pd.DataFrame) -> list[str]:
    """How far off experiments are, for which reason."""
    known = table[table["status"] == OK]
    sizes = known["sizes"].iloc[0]
    known = known[known["sizes"] == sizes]
    finite = (known["exact"] - known["theory"]).abs()
    method = (known["reported"] - known["exact"]).abs()
    sentences = []
    for name, symbol in SYMBOLS.items():
        own = known["quantity"] == name
        medians = [
            f"{method[own & (known['approach'] == f'approach{k}')].median():.4f}" for k in (1, 2, 3)
        ]
        sentences.append(
            f"With {sizes} sizes and no noise the median error of {symbol} over the plane is "
            f"{finite[own].median():.4f} by finite size, and {medians[0]}, {medians[1]} and "
            f"{medians[2]} by Approaches 1, 2 and 3."
        )
    third = known["approach"] == "approach3"
    larger = (method[third] > finite[third]).mean()
    honest = (method[third] <= 2 * known["std_error"][third]).mean()
    sentences.append(
        f"The error of Approach 3 exceeds that of finite size for {larger:.0%} of the exponents; "
        f"it is within two of the errors that the fit states for {honest:.0%}."
    )
    return sentences


def rates(table: pd.DataFrame) -> list[str]:
    """How the best c moves with compute, and how far batches move eta."""
    known = table[table["status"] == OK]
    sentences = []
    for (alpha, beta), own in known.groupby(["alpha", "beta"], sort=False):
        best = own[own["c_is_best"] & (own["varied"] == "c")].sort_values("flops")
        batches = own[~own["c_is_best"] & (own["varied"] == "batch")]
        excess = (batches["eta"] / batches["eta_theory"] - 1).abs()
        worst = batches.loc[excess.idxmax()]
        (first, c), (last, end) = best[["flops", "c"]].iloc[[0, -1]].to_numpy()
        exponent = number(best["c_exponent"].iloc[-1], "{:.3f}")
        sentences.append(
            f"{own['phase'].iloc[0]}, ({alpha:g}, {beta:g}): the best c goes from {c:.3g} at "
            f"{first:.0e} to {end:.3g} at {last:.0e} flops, in the end like f^{exponent}; of all "
            f"batches and budgets η is farthest from {worst['eta_theory']:.3f} with B = "
            f"{worst['batch']:g} at {worst['flops']:.0e} flops, {worst['eta']:.3f} ± "
            f"{worst['eta_error']:.0e}."
        )
    return sentences


def critical(table: pd.DataFrame) -> str:
    """Critical batches of all points that have exponents."""
    known = table[table["status"].isin([OK, BELOW])]
    texts = known["batch"].map("{:.3g}".format).where(known["status"] == OK, "below 1")
    places = [f"{alpha:g}, {beta:g}" for alpha, beta in known[["alpha", "beta"]].to_numpy()]
    rows = zip(known["phase"], places, texts, strict=True)
    head = ["phase", "α, β", f"critical batch at {table['flops'].max():.0e} flops"]
    return markdown_table(head, rows)
