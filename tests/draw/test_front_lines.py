"""Fronts of the engines and the power laws through them, on made-up points."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from plrf.draw.fronts import draw_fits

FLOPS = np.array([1e4, 1e5, 1e6])
SIGNS, THEORY = {"eta": -1, "xi": 1}, {"eta": 0.64, "xi": 0.5}
FACTORS = {"sgd": 1.0, "volterra": 2.0}  # of the points of each engine


def fronts_table(lost):
    """Rows of the FRONTS schema, the columns used; lost engines have no usable budget."""
    rows = [
        {
            "engine": engine,
            "flops": flops,
            "d_opt": np.nan if engine in lost else factor * flops**0.4,
            "loss_opt": np.nan if engine in lost else factor * flops**-0.4,
            "status": "few_sizes" if engine in lost else "ok",
        }
        for engine, factor in FACTORS.items()
        for flops in FLOPS[::-1]
    ]
    return pd.DataFrame(rows)


def fits_table(quantity, lost):
    """Rows of the EXPONENTS schema, the columns used."""
    rows = [
        {
            "engine": engine,
            "quantity": quantity,
            "estimate": np.nan if engine in lost else 0.4,
            "ci_low": 0.3,
            "ci_high": 0.5,
            "error_source": "runs",
            "exact": 0.45,
            "theory": THEORY[quantity],
        }
        for engine in FACTORS
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("quantity", SIGNS)
@pytest.mark.parametrize("lost", [(), ("sgd",), ("volterra",), ("sgd", "volterra")], ids=str)
def test_theory_goes_through_the_last_engine_that_has_a_front(style, quantity, lost):
    _, ax = plt.subplots()
    ax.set(xscale="log", yscale="log")
    draw_fits(ax, fronts_table(lost), fits_table(quantity, lost))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [label for label in labels if "no fit" in label] == [
        f"{name}: no fit" for name in ("SGD", "Volterra") if name.lower() in lost
    ]
    theory = [line for line in ax.lines if line.get_label().startswith("theory")]
    assert "exact front: 0.450" in labels
    there = [engine for engine in FACTORS if engine not in lost]
    assert len(theory) == (f"theory: {THEORY[quantity]:.3f}" in labels) == bool(there)
    if there:
        x, y = theory[0].get_data()
        np.testing.assert_array_equal(x, FLOPS)
        # Through the centre of the points.
        assert y[1] == pytest.approx(FACTORS[there[-1]] * FLOPS[1] ** (SIGNS[quantity] * 0.4))
        slopes = np.diff(np.log(y)) / np.diff(np.log(x))
        np.testing.assert_allclose(slopes, SIGNS[quantity] * THEORY[quantity])


def test_one_engine_alone(style):
    _, ax = plt.subplots()
    ax.set(xscale="log", yscale="log")
    draw_fits(
        ax, *(table.query("engine == 'sgd'") for table in (fronts_table(()), fits_table("xi", ())))
    )
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["SGD: 0.400 $\\pm$ 0.100", "theory: 0.500"]
