"""The figure of SGD at scale: made-up fits, and those of the quick workflow."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from scripts.figures import sgd_at_scale
from tests.figure_checks import is_drawn, layout_problems, lines_of, shown_texts

WINDOWS = [(1e4, 1e11), (1e4, 1e6), (1e6, 1e8), (1e9, 1e11)]
POINTS = {(0.6, 1.0): "III", (0.4, 1.0): "IVa"}
THEORY = {"eta": 0.6, "xi": 0.5}


def tables(missing=False):
    """Exponents and fronts of two points; without estimates of SGD if they are missing."""
    exponents, fronts = [], []
    for (alpha, beta), phase in POINTS.items():
        for window, (low, high) in enumerate(WINDOWS):
            place = {"alpha": alpha, "beta": beta, "window": window}
            ends = {"window_low": low, "window_high": high}
            for engine, method in (("volterra", "approach0"), ("sgd", "approach2")):
                for quantity, theory in THEORY.items():
                    lost = missing and engine == "sgd"
                    estimate = np.nan if lost else theory + alpha / (10 + window)
                    row = place | ends | {"phase": phase, "engine": engine, "method": method}
                    row |= {"quantity": quantity, "theory": theory, "estimate": estimate}
                    exponents.append(row | {"ci_low": estimate - 0.02, "ci_high": estimate + 0.03})
                flops = np.geomspace(low, high, 9)
                front = {"flops": flops, "d_opt": flops**0.5, "loss_opt": flops**-0.6}
                status = "few_sizes" if missing else "ok"
                engines = {"engine": engine, "method": method, "status": status}
                fronts.append(pd.DataFrame(place | engines | front))
    return pd.DataFrame(exponents), pd.concat(fronts, ignore_index=True)


def test_draws_fronts_and_local_exponents(style):
    exponents, fronts = tables()
    figure = sgd_at_scale.draw(exponents, fronts)
    assert len(figure.axes) == 6
    for _, rows in fronts.query("window == 0").groupby(["alpha", "engine"]):
        for column in ("loss_opt", "d_opt"):
            assert is_drawn(figure, rows["flops"], rows[column])
    for _, rows in exponents.query("window > 0").groupby(["alpha", "engine", "quantity"]):
        middle = np.sqrt(rows["window_low"] * rows["window_high"])
        assert is_drawn(figure, middle, rows["estimate"])
    main = exponents.query("window == 0 and engine == 'sgd'")["estimate"]
    drawn = np.concatenate([xy[:, 1] for xy in lines_of(figure)])
    assert not np.isin(main, drawn).any(), "windows are not mixed"
    assert layout_problems(figure) == []


def test_says_what_lacks(style):
    figure = sgd_at_scale.draw(*tables(missing=True))
    texts = [text.get_text().replace("\n", " ") for text, _ in shown_texts(figure)]
    assert texts.count("no minimum at any budget") == 4
    assert layout_problems(figure) == []


def test_quick_figure(style, quick, tmp_path):
    paths = [quick.directory / f"results/fits/{name}.parquet" for name in ("exponents", "fronts")]
    outputs = [str(tmp_path / f"figure.{kind}") for kind in ("pdf", "png")]
    sgd_at_scale.make_figure(*paths, "II_III_boundary", outputs)
    drawn = quick.directory / "results/figures/sgd_at_scale.png"
    assert (tmp_path / "figure.png").read_bytes() == drawn.read_bytes()
    assert plt.get_fignums() == []
