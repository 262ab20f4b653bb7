"""What a figure shows: its lines, and its texts with the room that they take."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.text import Text


def lines_of(figure):
    """Coordinates of all lines and markers."""
    for ax in figure.axes:
        for line in ax.lines:
            yield np.asarray(line.get_xydata(), float)


def is_drawn(figure, x, y):
    """Whether a line or a set of markers has exactly these points."""
    points = np.column_stack([x, y]).astype(float)
    return any(
        xy.shape == points.shape and np.allclose(xy, points, rtol=1e-12, atol=0)
        for xy in lines_of(figure)
    )


def bands_of(figure):
    """Outlines of all filled areas."""
    return [
        path.vertices
        for ax in figure.axes
        for collection in ax.collections
        if isinstance(collection, PolyCollection)
        for path in collection.get_paths()
    ]


def runs_are_drawn(figure, runs):
    """Whether the median over runs is a line, and a band reaches from their 10% to their 90%."""
    by_flops = runs.groupby("flops")["loss"]
    edges = [
        np.column_stack([q.index, q]) for q in (by_flops.quantile(0.1), by_flops.quantile(0.9))
    ]
    return is_drawn(figure, by_flops.median().index, by_flops.median()) and any(
        all(np.isclose(band[:, None], edge, rtol=1e-12).all(-1).any(0).all() for edge in edges)
        for band in bands_of(figure)
    )


def shown_texts(figure):
    """Texts that are drawn, with their boxes in pixels, at 200 dots per inch."""
    figure.set_dpi(200)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    shown = []
    original = Text.draw

    def draw(text, renderer, *args, **kwargs):
        if text.get_visible() and text.get_text().strip():
            shown.append(text)
        return original(text, renderer, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", draw)
        canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in shown]
    return list(zip(shown, boxes, strict=True))


def layout_problems(figure):
    """Texts too small to print, off the page, or over each other."""
    texts = shown_texts(figure)
    page = figure.bbox
    problems = [
        f"{text.get_text()!r} has {text.get_fontsize()} pt"
        for text, _ in texts
        if text.get_fontsize() < 7
    ]
    for i, (text, box) in enumerate(texts):
        inside = box.x0 >= page.x0 and box.y0 >= page.y0 and box.x1 <= page.x1 and box.y1 <= page.y1
        if not inside:
            problems.append(f"{text.get_text()!r} leaves the page: {box}")
        for other, its_box in texts[:i]:
            width = min(box.x1, its_box.x1) - max(box.x0, its_box.x0)
            height = min(box.y1, its_box.y1) - max(box.y0, its_box.y0)
            if width > 1 and height > 1:
                problems.append(f"{other.get_text()!r} and {text.get_text()!r} overlap")
    return problems
