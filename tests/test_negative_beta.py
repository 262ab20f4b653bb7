"""Figure 17, drawn from the results of the quick workflow."""

import numpy as np
import pandas as pd
import pytest

from plrf import tables
from scripts import fig17_negative_beta
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


def test_missing_engine_is_named(losses, tmp_path):
    path = tmp_path / "losses.parquet"
    tables.write_table(losses.query("engine == 'sgd'"), tables.LOSSES, path, {})
    output = [str(tmp_path / "a.png")]
    message = "no losses of volterra in sweep negative_beta for d = 20, 40; change the sweep's eng"
    with pytest.raises(ValueError, match=message):
        fig17_negative_beta.make_figure(path, "negative_beta", [20, 40], output)
    with pytest.raises(ValueError, match="no losses of sgd and volterra in sweep negative_beta"):
        fig17_negative_beta.make_figure(path, "negative_beta", [15], output)


def test_figure_of_a_file(quick, tmp_path):
    losses = quick.directory / "results/aggregate/losses.parquet"
    outputs = [str(tmp_path / f"a.{kind}") for kind in ("pdf", "png")]
    fig17_negative_beta.make_figure(losses, "negative_beta", [20, 40], outputs)
    drawn = (quick.directory / "results/figures/fig17_negative_beta.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == drawn
