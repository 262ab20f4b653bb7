"""Colours, the map of the phases, and what keeps texts of figures apart and on the page."""

from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb
from matplotlib.path import Path
from matplotlib.ticker import LogLocator

from plrf.draw import style as draw_style
from plrf.draw.axes import legend_below, log_ticks, power_of_ten, say, some
from plrf.draw.curves import draw_line
from plrf.draw.palette import INK
from plrf.draw.phases import PHASE_COLORS, draw_phases, mark_phases, region_polygon
from plrf.draw.style import TERM_COLORS, tint
from plrf.engines.registry import ENGINES
from plrf.theory.phases import PHASES, phase_name
from tests.figure_checks import layout_problems, shown_texts

# What eyes without red, or without green, cones see of linear RGB: Machado, Oliveira and
# Fernandes 2009, severity 1.
VISION = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(color, vision="full"):
    """CIELAB coordinates of an sRGB colour under D65, as some eyes see it."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = XYZ @ np.clip(VISION[vision] @ linear, 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_lab_of_known_colours():
    assert lab("white") == pytest.approx([100, 0, 0], abs=1e-3)
    assert lab("#FF0000") == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    # Red and dark green are alike without red cones, and not otherwise.
    pair = "#A52A2A", "#4B5A1E"
    full, without = (np.linalg.norm(lab(pair[0], v) - lab(pair[1], v)) for v in list(VISION)[:2])
    assert without < full / 2


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    ("colors", "least"),
    [
        (PHASE_COLORS, 25),
        (TERM_COLORS, 25),
        ({name: engine.color for name, engine in ENGINES.items()}, 20),
    ],
    ids=["phases", "terms", "engines"],
)
def test_colours_can_be_told_apart(colors, least, vision):
    """A difference of 2.3 is just noticeable between two patches side by side."""
    for first, second in combinations(colors, 2):
        distance = np.linalg.norm(lab(colors[first], vision) - lab(colors[second], vision))
        assert distance > least, (first, second)


@pytest.mark.parametrize("vision", VISION)
def test_tints_of_phases_can_be_told_apart_and_carry_text(vision):
    tints = {name: tint(color) for name, color in PHASE_COLORS.items()}
    for first, second in combinations(tints, 2):
        assert np.linalg.norm(lab(tints[first], vision) - lab(tints[second], vision)) > 10
    for color in tints.values():
        assert lab(color, vision)[0] - lab(INK, vision)[0] > 40


def test_every_phase_has_a_colour():
    assert list(PHASE_COLORS) == [row.name for row in PHASES]
    assert set(TERM_COLORS) == {term for row in PHASES for term in row.visible_terms}


def test_tint():
    assert to_hex(tint("#000000", 0.25)) == "#bfbfbf"
    assert to_hex(tint("#123456", 1)) == "#123456"


BOX = (0.0, 1.5), (-0.3, 2.2)


def test_polygons_are_the_phases():
    """Random points: each lies in the polygon of its phase, and in no other."""
    polygons = {row.name: Path(region_polygon(row.region, *BOX)) for row in PHASES}
    for alpha, beta in np.random.default_rng(1).uniform(*np.transpose(BOX), (2000, 2)):
        inside = [name for name, path in polygons.items() if path.contains_point((alpha, beta))]
        assert inside == ([] if alpha + beta < 0.5 else [phase_name(alpha, beta)])


def test_polygon_outside_the_rectangle_is_empty():
    iv_b = next(row for row in PHASES if row.name == "IVb")
    assert region_polygon(iv_b.region, (0.6, 1.0), (0.0, 1.0)).shape == (0, 2)
    assert region_polygon(iv_b.region, (0.0, 1.0), (-1.0, 0.5)).shape == (0, 2), "but a side"


@pytest.mark.parametrize("box", [BOX, ((0.6, 1.5), (-0.5, 2.0)), ((0.05, 0.45), (0.6, 3.0))])
def test_map_names_the_phases_that_are_in_it(style, box):
    figure, ax = plt.subplots(figsize=(3.25, 3.25))
    draw_phases(ax, *box, fill=True)
    corners = np.random.default_rng(2).uniform(*np.transpose(box), (2000, 2))
    expected = {phase_name(*point) for point in corners if sum(point) > 0.5}
    texts = [text for text, _ in shown_texts(figure)]
    names = {text.get_text(): text.get_position() for text in texts}
    assert names.keys() & PHASE_COLORS.keys() == expected
    for name in expected:
        assert phase_name(*names[name]) == name
    assert layout_problems(figure) == []


@pytest.mark.parametrize(
    ("box", "named"),
    [
        (((-0.78, 10.8), (-0.5, 2.2)), {"Ia", "Ib", "II", "III"}),
        (((0.0, 100.0), (-0.5, 2.2)), {"Ia", "II"}),
        (((0.0, 1.5), (-5.0, 10.0)), {"Ia", "Ib", "Ic", "III", "IVa", "IVb"}),
        (((0.0, 1.5), (-100.0, 100.0)), {"Ib", "Ic", "III", "IVa", "IVb"}),
        (((0.5, 0.9), (0.5, 0.9)), {"II", "III"}),
    ],
    ids=["wide", "wider", "high", "higher", "between boundaries"],
)
def test_names_without_room_are_left_out(style, box, named):
    """None overlaps another, and none seems to belong to a phase that it reaches across."""
    figure, axes = plt.subplot_mosaic("abc", figsize=(6.75, 3.0))
    draw_phases(axes["a"], *box, fill=True)
    names = [text for text, _ in shown_texts(figure) if text.get_text() in PHASE_COLORS]
    assert {text.get_text() for text in names} == named
    assert layout_problems(figure) == []
    badges = [text.get_bbox_patch().get_window_extent() for text in names]
    for first, second in combinations(badges, 2):
        assert not first.overlaps(second)
    for text, badge in zip(names, badges, strict=True):
        assert axes["a"].bbox.x0 < badge.x0 and badge.x1 < axes["a"].bbox.x1
        ends = axes["a"].transData.inverted().transform([(x, badge.y0) for x in badge.intervalx])
        inside = np.linspace(*ends[:, 0], 1001)
        height = text.get_position()[1]
        phases = [phase_name(x, height) for x in inside[inside > 0] if x + height > 0.5]
        assert len(set(phases)) <= 3 and text.get_text() in phases


def test_names_along_a_line_stay_apart(style):
    figure, axes = plt.subplots(1, 3, figsize=(6.75, 2))
    for ax, stop in zip(axes, (1.4, 5.0, 40.0), strict=True):
        ax.set_xlim(0, stop)
        mark_phases(ax, 0.7)
    names = [[text.get_text() for text in ax.texts] for ax in axes]
    assert names[0] == ["Ia", "II", "III"] and names[1][-1] == names[2][-1] == "III"
    assert layout_problems(figure) == []


@pytest.fixture(scope="module")
def log_axis():
    figure, ax = plt.subplots()
    ax.set_xscale("log")
    yield ax.xaxis
    plt.close(figure)


def labels_in_view(axis):
    low, high = axis.get_view_interval()
    places = axis.get_majorticklocs()
    labels = axis.get_major_formatter().format_ticks(places)
    return [label for x, label in zip(places, labels, strict=True) if low <= x <= high]


@given(low=st.floats(-20, 20), log_width=st.floats(-6, 1.5), plain=st.booleans())
def test_log_axis_has_two_different_labels_at_least(log_axis, low, log_width, plain):
    """From a millionth of a decade to more than thirty."""
    log_axis.set_major_locator(LogLocator())
    log_axis.axes.set_xlim(10**low, 10 ** (low + 10**log_width))
    log_ticks(log_axis, plain)
    labels = labels_in_view(log_axis)
    assert len(set(labels)) == len(labels) >= 2
    assert all(labels)


@pytest.mark.parametrize(
    ("limits", "label"),
    [((1.1, 1.35), "1.2"), ((0.2, 8), "0.5"), ((1e-7, 3e-7), r"$2\cdot 10^{-7}$")],
)
def test_labels_of_short_log_axis(log_axis, limits, label):
    log_axis.axes.set_xlim(limits)
    log_ticks(log_axis)
    assert label in labels_in_view(log_axis)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-3, "$10^{-3}$"),
        (9.996e5, "$10^{6}$"),
        (1.25, "$1.25$"),
        (0.99999, "$10^{0}$"),
        (1.2345e16, r"$1.23\cdot 10^{16}$"),
        (3e-300, r"$3\cdot 10^{-300}$"),
    ],
)
def test_power_of_ten(value, text):
    assert power_of_ten(value) == text


def test_style_is_the_same_whatever_was_set_before(style):
    clean = dict(mpl.rcParams)
    odd = {"text.usetex": True, "interactive": True, "lines.linestyle": "--", "figure.dpi": 55.0}
    odd |= {"savefig.bbox": "tight", "legend.loc": "upper left", "axes.formatter.use_locale": True}
    with mpl.rc_context(odd):
        with draw_style.style():
            assert dict(mpl.rcParams) == clean
        assert {key: mpl.rcParams[key] for key in odd} == odd, "and a user's settings stay"


@pytest.mark.parametrize(("label", "columns"), [("short", 3), (60 * "long ", 1)])
def test_legend_takes_the_columns_that_fit(style, label, columns):
    figure, ax = plt.subplots(figsize=(6.75, 3))
    (line,) = ax.plot([0, 1])
    legend_below(figure, {f"{k} {label[:90]}": line for k in range(5)}, 3)
    (legend,) = figure.legends
    assert legend._ncols == columns
    assert len(legend.get_texts()) == 5
    assert layout_problems(figure) == []


def test_some_are_spread_from_the_first_to_the_last():
    assert some(range(5), 5) == [0, 1, 2, 3, 4]
    assert some(range(101), 5) == [0, 25, 50, 75, 100]


@pytest.mark.parametrize("most", [2, 3, 8, 13])
def test_some_are_as_far_apart_as_each_other_but_for_the_last(most):
    for count in range(0, 200):
        chosen = some(range(count), most)
        assert chosen[:1] == list(range(count))[:1] and chosen[-1:] == list(range(count))[-1:]
        assert len(chosen) == len(set(chosen)) <= most
        steps = np.diff(chosen)
        assert len(set(steps[:-1])) <= 1 and (steps[-1:] <= steps[:1]).all()
        assert count <= most or len(chosen) > most // 2, "and not many fewer"


def test_point_without_neighbours_is_a_dot(style):
    _, ax = plt.subplots()
    nan = np.nan
    draw_line(ax, range(7), [1, nan, 2, 3, nan, nan, 4])
    draw_line(ax, [0], [1])
    draw_line(ax, [0, 1], [1, 2])
    dots = [[] if line.get_marker() == "None" else line.get_markevery() for line in ax.lines]
    assert [np.flatnonzero(marked).tolist() for marked in dots] == [[0, 6], [0], []]


def test_reason_stays_in_its_panel(style):
    figure, axes = plt.subplots(1, 3, figsize=(6.75, 2))
    say(axes[1], 8 * "a long reason, " + "\nand another")
    axes[1].set_axis_off()
    (text,) = axes[1].texts
    figure.draw_without_rendering()
    inside, panel = text.get_window_extent(), axes[1].get_window_extent()
    assert panel.x0 <= inside.x0 and inside.x1 <= panel.x1
