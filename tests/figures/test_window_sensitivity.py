"""Figure 16: made-up fits, and those of the quick workflow."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from plrf.draw import traverses
from plrf.theory.phases import exponents
from scripts.figures import fig16_window_sensitivity
from tests.figure_checks import layout_problems, shown_texts

WINDOWS = [(1e4, 3e5), (1e6, 1e8), (2e6, 5e7)]
BETAS = [round(0.1 * k, 1) for k in range(14)]
REFUSED = "refused: 0 usable budgets, at least 4 needed; dropped 61 edge_minimum"


def fits_table(n_windows=3, betas=BETAS):
    """Rows of the EXPONENTS schema, the columns used: SGD reaches the main window only."""
    rows = []
    for window, (low, high) in enumerate(WINDOWS[:n_windows]):
        for k, beta in enumerate(betas):
            for quantity, theory in zip(("eta", "xi"), exponents(0.7, beta), strict=True):
                for engine, method in [
                    *(("volterra", name) for name in ("approach0", "approach1", "approach2")),
                    *((engine, "approach1") for engine in ("sgd", "recursion")),
                ]:
                    good = engine != "sgd" or window == 0
                    exact = float(theory) + 0.03 / (window + 1)
                    estimate = exact + 0.01 * (len(engine) - 5) + 0.002 * k if good else np.nan
                    rows.append(
                        {
                            "alpha": 0.7,
                            "beta": beta,
                            "engine": engine,
                            "window": window,
                            "window_low": low,
                            "window_high": high,
                            "method": method,
                            "quantity": quantity,
                            "estimate": estimate,
                            "ci_low": estimate - 0.01,
                            "ci_high": estimate + 0.02,
                            "exact": exact,
                            "status": "ok" if good else REFUSED,
                        }
                    )
    return pd.DataFrame(rows).sample(frac=1, random_state=np.random.default_rng(1))


def assert_draws(figure, fits):
    """Each panel has the numbers of its window, and no others but theory's."""
    windows = list(fits[fits["quantity"] == "xi"].sort_values("beta").groupby("window"))
    assert len(figure.axes) == len(windows)
    for ax, (_, rows) in zip(figure.axes, windows, strict=True):
        envelope = rows[rows["method"] == "approach1"]
        shown, intervals = [], []
        for engine in ("sgd", "volterra"):
            found = envelope[envelope["engine"] == engine]
            good, refused = found[found["estimate"].notna()], found[found["estimate"].isna()]
            if len(good):
                shown.append(good[["beta", "estimate"]].to_numpy())
                intervals += good[["ci_low", "ci_high"]].dropna().to_numpy().tolist()
            if len(refused):
                height = fig16_window_sensitivity.REFUSED[engine]
                shown.append(np.column_stack([refused["beta"], np.full(len(refused), height)]))
        exact = rows[rows["method"] == "approach0"]
        shown.append(exact[["beta", "exact"]].to_numpy())
        ends = [np.array(sorted(column)) for column in zip(*intervals, strict=True)]
        drawn = [np.asarray(line.get_xydata(), float) for line in ax.lines]
        theory = [xy for xy in drawn if len(xy) == traverses.FINE - 1]
        assert len(theory) == 1
        np.testing.assert_array_equal(theory[0][:, 1], exponents(0.7, theory[0][:, 0])[1])
        for points in shown:
            assert any(
                xy.shape == points.shape and np.allclose(xy, points, rtol=1e-12, equal_nan=True)
                for xy in drawn
            )
        found = [c.get_segments() for c in ax.collections if hasattr(c, "get_segments")]
        bars = [bar for segments in found for bar in segments if np.shape(bar) == (2, 2)]
        for column, end in zip(np.transpose([bar[:, 1] for bar in bars]), ends, strict=True):
            np.testing.assert_allclose(np.sort(column), end, rtol=1e-12)


def crosses(figure):
    return [line for ax in figure.axes for line in ax.lines if line.get_marker() == "x"]


@pytest.mark.parametrize("n_windows", [1, 2, 3])
def test_draws_the_fits(style, n_windows):
    fits = fits_table(n_windows)
    figure = fig16_window_sensitivity.draw(fits)
    assert_draws(figure, fits)
    assert sum(len(line.get_xdata()) for line in crosses(figure)) == (n_windows - 1) * len(BETAS)
    assert layout_problems(figure) == []


def test_refused_fits_stand_below_all_others(style):
    figure = fig16_window_sensitivity.draw(fits_table())
    top = max(fig16_window_sensitivity.REFUSED.values())
    texts = [text.get_text() for text, _ in shown_texts(figure)]
    assert "SGD: fit refused (table 4)" in texts
    for ax in figure.axes:
        bottom, height = ax.get_ylim()[0], np.ptp(ax.get_ylim())
        for line in ax.lines:
            if line.get_transform() == ax.transData:
                assert np.nanmin(line.get_ydata()) > bottom + (top + 0.03) * height


def test_one_engine_and_no_refusal(style):
    fits = fits_table(2, [0.2, 0.9]).query("engine != 'sgd'")
    figure = fig16_window_sensitivity.draw(fits)
    assert_draws(figure, fits)
    assert crosses(figure) == []
    assert layout_problems(figure) == []


def test_estimate_without_interval(style):
    """With few degrees of freedom there is none: the marker stands alone."""
    fits = fits_table(2)
    bare = fits["beta"] == 0.3
    fits.loc[bare, ["ci_low", "ci_high"]] = np.nan
    figure = fig16_window_sensitivity.draw(fits)
    assert_draws(figure, fits)
    assert layout_problems(figure) == []


def test_point_on_the_edge_is_a_refused_one(style):
    fits = fits_table(2, [0.0, 0.1])
    edge = fits[fits["beta"] == 0.0].assign(
        beta=-0.2, estimate=np.nan, ci_low=np.nan, ci_high=np.nan, exact=np.nan
    )
    fits = pd.concat([fits, edge])
    figure = fig16_window_sensitivity.draw(fits)
    assert_draws(figure, fits)
    assert layout_problems(figure) == []


def test_says_why_there_is_no_fit(style):
    fits = fits_table().query("engine == 'sgd' and window == 1 or method == 'approach0'")
    figure = fig16_window_sensitivity.draw(fits)
    texts = [text.get_text().replace("\n", " ") for text, _ in shown_texts(figure)]
    assert texts.count(REFUSED) == 1
    assert texts.count("no losses of SGD or Volterra") == 2
    assert layout_problems(figure) == []


def test_no_exact_front_is_no_entry_of_the_legend(style):
    figure = fig16_window_sensitivity.draw(fits_table().assign(exact=np.nan))
    texts = [text.get_text() for text, _ in shown_texts(figure)]
    assert not [text for text in texts if "exact front" in text]
    assert layout_problems(figure) == []


def test_quick_figure(style, quick, tmp_path):
    fits = quick.table("fits/exponents").query("sweep == 'traverse_beta'")
    figure = fig16_window_sensitivity.draw(fits)
    assert_draws(figure, fits)
    assert layout_problems(figure) == []
    plt.close("all")

    path = quick.directory / "results/fits/exponents.parquet"
    outputs = [str(tmp_path / f"figure.{kind}") for kind in ("pdf", "png")]
    fig16_window_sensitivity.make_figure(path, "traverse_beta", outputs)
    drawn = quick.directory / "results/figures/fig16_window_sensitivity.png"
    assert (tmp_path / "figure.png").read_bytes() == drawn.read_bytes()
