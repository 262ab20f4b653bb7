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
    assert len(figure.axes) == len(windows) + 1
    for ax, (_, rows) in zip(figure.axes, windows, strict=False):
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


def fronts_of(fits):
    """Best sizes that follow the fits of xi, 12 budgets in each window."""
    parts = []
    for row in fits[fits["quantity"] == "xi"].dropna(subset="estimate").to_dict("records"):
        flops = np.geomspace(row["window_low"], row["window_high"], 12)
        keys = ("beta", "engine", "window", "method")
        front = {"flops": flops, "d_opt": 0.3 * flops ** row["estimate"], "status": "ok"}
        parts.append(pd.DataFrame({key: row[key] for key in keys} | front))
    return pd.concat(parts, ignore_index=True)


def draw(fits, fronts=None):
    return fig16_window_sensitivity.draw(fits, fronts_of(fits) if fronts is None else fronts)


def crosses(figure):
    return [line for ax in figure.axes for line in ax.lines if line.get_marker() == "x"]


@pytest.mark.parametrize("n_windows", [1, 2, 3])
def test_draws_the_fits(style, n_windows):
    fits = fits_table(n_windows)
    figure = draw(fits)
    assert_draws(figure, fits)
    assert sum(len(line.get_xdata()) for line in crosses(figure)) == (n_windows - 1) * len(BETAS)
    assert layout_problems(figure) == []


def test_refused_fits_stand_below_all_others(style):
    figure = draw(fits_table())
    top = max(fig16_window_sensitivity.REFUSED.values())
    texts = [text.get_text() for text, _ in shown_texts(figure)]
    assert "SGD: fit refused (table 4)" in texts
    for ax in figure.axes[:-1]:
        bottom, height = ax.get_ylim()[0], np.ptp(ax.get_ylim())
        for line in ax.lines:
            if line.get_transform() == ax.transData:
                assert np.nanmin(line.get_ydata()) > bottom + (top + 0.03) * height


def test_sizes_at_one_point_with_the_power_law_of_each_window(style):
    """The middle of the traverse, by SGD, whose fits in other windows were refused."""
    fits = fits_table()
    ax = draw(fits).axes[-1]
    assert "beta = 0.7" in ax.get_title(loc="left")
    points, *laws = ax.lines
    keep = "quantity == 'xi' and method == 'approach1' and beta == 0.7 and engine == 'sgd'"
    fit = fits.query(keep).dropna(subset="estimate").iloc[0]
    assert len(points.get_xdata()) == 12 and len(laws) == 1
    slope = np.diff(np.log(laws[0].get_ydata())) / np.diff(np.log(laws[0].get_xdata()))
    assert slope == pytest.approx(fit["estimate"])
    (label,) = [t.get_text() for t in ax.get_legend().get_texts() if "to" in t.get_text()]
    assert label.endswith(f"{fit['estimate']:.3f} $\\pm$ 0.015")


def test_says_that_there_are_no_sizes(style):
    fits = fits_table()
    figure = draw(fits, fronts_of(fits).assign(status="few_sizes"))
    assert "no best size at any budget" in [t.get_text() for t in figure.axes[-1].texts]
    assert layout_problems(figure) == []


def test_one_engine_and_no_refusal(style):
    fits = fits_table(2, [0.2, 0.9]).query("engine != 'sgd'")
    figure = draw(fits)
    assert_draws(figure, fits)
    assert crosses(figure) == []
    assert layout_problems(figure) == []


def test_estimate_without_interval(style):
    """With few degrees of freedom there is none: the marker stands alone."""
    fits = fits_table(2)
    bare = fits["beta"] == 0.3
    fits.loc[bare, ["ci_low", "ci_high"]] = np.nan
    figure = draw(fits)
    assert_draws(figure, fits)
    assert layout_problems(figure) == []


def test_point_on_the_edge_is_a_refused_one(style):
    fits = fits_table(2, [0.0, 0.1])
    edge = fits[fits["beta"] == 0.0].assign(
        beta=-0.2, estimate=np.nan, ci_low=np.nan, ci_high=np.nan, exact=np.nan
    )
    fits = pd.concat([fits, edge])
    figure = draw(fits)
    assert_draws(figure, fits)
    assert layout_problems(figure) == []


def test_says_why_there_is_no_fit(style):
    fits = fits_table().query("engine == 'sgd' and window == 1 or method == 'approach0'")
    figure = draw(fits)
    texts = [text.get_text().replace("\n", " ") for text, _ in shown_texts(figure)]
    assert texts.count(REFUSED) == 1
    assert texts.count("no losses of SGD or Volterra") == 2
    assert layout_problems(figure) == []


def test_no_exact_front_is_no_entry_of_the_legend(style):
    figure = draw(fits_table().assign(exact=np.nan))
    texts = [text.get_text() for text, _ in shown_texts(figure)]
    assert not [text for text in texts if "exact front" in text]
    assert layout_problems(figure) == []


def test_quick_figure(style, quick, tmp_path):
    fits = quick.table("fits/exponents").query("sweep == 'traverse_beta'")
    fronts = quick.table("fits/fronts").query("sweep == 'traverse_beta'")
    figure = draw(fits, fronts)
    assert_draws(figure, fits)
    assert layout_problems(figure) == []
    plt.close("all")

    tables = [quick.directory / f"results/fits/{name}.parquet" for name in ("exponents", "fronts")]
    outputs = [str(tmp_path / f"figure.{kind}") for kind in ("pdf", "png")]
    fig16_window_sensitivity.make_figure(*tables, "traverse_beta", outputs)
    drawn = quick.directory / "results/figures/fig16_window_sensitivity.png"
    assert (tmp_path / "figure.png").read_bytes() == drawn.read_bytes()
