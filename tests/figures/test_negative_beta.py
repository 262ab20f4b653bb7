"""Figure 17, drawn from the results of the quick workflow."""

import numpy as np
import pandas as pd
import pytest

from scripts.figures import fig17_negative_beta
from tests.figure_checks import (
    bands_of,
    is_drawn,
    layout_problems,
    lines_of,
    runs_are_drawn,
    shown_texts,
)


@pytest.fixture
def losses(quick):
    return quick.table("aggregate/losses").query("sweep == 'negative_beta' and d in (20, 40)")


def test_draws_the_losses(style, losses):
    figure = fig17_negative_beta.draw(losses)
    losses = losses[losses["step"] > 0]
    curves = losses.groupby(["beta", "d"])
    assert len(bands_of(figure)) == len(curves)
    for _, rows in curves:
        expected = rows[rows["engine"] == "volterra"]
        assert is_drawn(figure, expected["flops"], expected["loss"])
        assert runs_are_drawn(figure, rows[rows["engine"] == "sgd"])
    assert len(list(lines_of(figure))) == 2 * len(curves), "and nothing else, such as a fit"


def test_tells_the_edge(style, losses):
    figure = fig17_negative_beta.draw(losses)
    texts = " ".join(text.get_text() for text, _ in shown_texts(figure))
    assert "edge: the limit $2(\\alpha + \\beta) = 1$" in texts
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.axison]
    betas = sorted(set(losses["beta"]) - {-0.2})
    assert betas
    edge, *others = titles
    assert edge.endswith("-0.2$: edge, no exponent")
    # Phase Ia: eta = (2 alpha + 2 beta - 1)/(2 alpha + 1).
    for beta, title in zip(betas, others, strict=True):
        assert f"\\eta = {(2 * 0.7 + 2 * beta - 1) / (2 * 0.7 + 1):.3f}$" in title


def test_band_ends_where_a_run_diverges(style, losses):
    losses = losses.copy()
    gone = losses.eval("beta == 0.2 and d == 40 and run == 1 and flops > 3000")
    assert gone.any()
    losses.loc[gone, ["loss", "status"]] = [np.nan, "diverged"]
    figure = fig17_negative_beta.draw(losses)
    runs = losses.query("beta == 0.2 and d == 40 and engine == 'sgd' and 0 < flops <= 3000")
    median = runs.groupby("flops")["loss"].median()
    medians = [xy[np.isfinite(xy[:, 1])] for xy in lines_of(figure)]
    drawn = np.column_stack([median.index, median])
    assert any(xy.shape == drawn.shape and np.allclose(xy, drawn) for xy in medians)
    assert layout_problems(figure) == []


@pytest.mark.parametrize("factor", [1.0, 1e-4])
def test_layout(style, losses, factor):
    losses = losses.assign(loss=factor * losses["loss"])
    assert layout_problems(fig17_negative_beta.draw(losses)) == []


def test_layout_of_the_default_configuration(style, losses):
    """Five betas, five sizes and four decades of compute more."""
    sizes = {20: [100, 400, 1600], 40: [200, 800]}
    losses = losses[losses["beta"] == 0.2].assign(d=losses["d"].map(sizes)).explode("d")
    losses = losses.assign(d=losses["d"].astype(int), flops=losses["flops"] ** 1.7)
    losses = pd.concat(losses.assign(beta=beta) for beta in (-0.2, -0.1, 0.0, 0.1, 0.2))
    assert layout_problems(fig17_negative_beta.draw(losses)) == []


def test_size_that_is_not_simulated_has_a_line_only(style, losses):
    losses = losses[(losses["d"] == 20) | (losses["engine"] == "volterra")]
    figure = fig17_negative_beta.draw(losses)
    assert len(list(lines_of(figure))) == losses["beta"].nunique() * 3
    assert layout_problems(figure) == []


@pytest.mark.parametrize("engine", ["sgd", "volterra"])
def test_one_engine_is_drawn_alone(style, losses, engine):
    figure = fig17_negative_beta.draw(losses[losses["engine"] == engine])
    texts = [text.get_text() for text, _ in shown_texts(figure)]
    assert ("Volterra" in texts, "median of SGD runs" in texts) == (
        engine == "volterra",
        engine == "sgd",
    )
    assert layout_problems(figure) == []


def test_panel_without_losses_says_so(style, losses):
    figure = fig17_negative_beta.draw(losses.assign(loss=losses["loss"].where(losses["beta"] > 0)))
    texts = [text.get_text() for text, _ in shown_texts(figure)]
    assert texts.count("no finite loss") == 1
    assert layout_problems(figure) == []


def test_eight_sizes_and_many_betas(style, losses):
    """More betas than there are letters: some of them, evenly spread."""
    of_one = losses[(losses["beta"] == 0.2) & (losses["d"] == 20) & (losses["run"] < 1)]
    sizes = [20, 40, 80, 160, 320, 640, 12_345_678, 9_999_999_999]
    losses = pd.concat(of_one.assign(d=d, beta=0.2 + k / 100) for d in sizes for k in range(60))
    figure = fig17_negative_beta.draw(losses)
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.axison]
    assert "0.2$" in titles[0] and "0.79$" in titles[-1]
    texts = " ".join(text.get_text() for text, _ in shown_texts(figure))
    assert f"{len(titles)} of 60" in texts
    assert layout_problems(figure) == []


def test_figure_of_a_file(quick, tmp_path):
    losses = quick.directory / "results/aggregate/losses.parquet"
    outputs = [str(tmp_path / f"a.{kind}") for kind in ("pdf", "png")]
    fig17_negative_beta.make_figure(losses, "negative_beta", [20, 40], outputs)
    drawn = (quick.directory / "results/figures/fig17_negative_beta.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == drawn
