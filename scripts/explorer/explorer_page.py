"""The explorer: one page on which a point (alpha, beta) is chosen and its exact curves are seen."""

import json
import math
import re
from itertools import pairwise
from string import Template
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from plrf.draw.palette import BLUE, INK
from plrf.draw.phases import NARROW_PHASE, PHASE_COLORS, region_polygon
from plrf.draw.style import TERM_COLORS
from plrf.study.provenance import read_provenance
from plrf.study.schemas.explorer import EXPLORER_FRONTS, EXPLORER_LOSSES, EXPLORER_POINTS
from plrf.study.store import read_table, replacing
from plrf.theory.phases import PHASES

WARNING = "#B03A00"
FONT = 'system-ui, "DejaVu Sans", sans-serif'
START = (0.7, 0.7)  # the paper's first point; the page opens at the one nearest to it
TERMS = {"F_pp": "f_pp", "F_ac": "f_ac", "K_pp": "k_pp", "F_0": "f_0"}
LOSS = "loss P"
VISIBLE = 0.01  # terms smaller than this part of the loss are not drawn
MARGIN = 0.08  # of the phase diagram around its points
KINDS = {"in a phase": "circle", "on a boundary": "diamond", "on the edge": "triangle-up"}
KINDS |= {"no power law": "cross"}
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
# Labels of logarithmic axes: powers such as 10⁻³, other numbers as they are, none where Vega has
# none since the axis is long.
DIGITS = "['⁰','¹','²','³','⁴','⁵','⁶','⁷','⁸','⁹']"
EXPONENT = "round(log(datum.value)/LN10)"
POWER_OF_TEN = (
    "datum.label == '' ? '' : "
    f"abs(log(datum.value)/LN10 - {EXPONENT}) > 1e-9 ? format(datum.value, '~g') : "
    f"'10' + ({EXPONENT} < 0 ? '⁻' : '') + "
    f"(abs({EXPONENT}) > 99 ? {DIGITS}[floor(abs({EXPONENT})/100)] : '') + "
    f"(abs({EXPONENT}) > 9 ? {DIGITS}[floor(abs({EXPONENT})/10) % 10] : '') + "
    f"{DIGITS}[abs({EXPONENT}) % 10]"
)
WIDTHS = {"plane": 380, "losses": 600, "terms": 380, "exponents": 302}
HEIGHTS = {"upper": 276, "lower": 172}

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="provenance" content="$provenance">
<link rel="icon" href="data:,">
<title>Explorer: compute-optimal scaling over the (α, β) plane</title>
<style>
  body { font: 13px/1.35 $font; color: $ink; margin: 8px 16px; width: 1240px; }
  h1 { font-size: 19px; margin: 0 0 2px; }
  p { margin: 0; color: #555; }
  kbd { border: 1px solid #bbb; border-radius: 3px; padding: 0 4px; font-size: 12px; }
  #controls { display: flex; gap: 28px; margin: 6px 0; }
  #controls .vega-bind-name { font-weight: 600; margin-right: 6px; }
  #controls select { font: inherit; padding: 2px 6px; border: 1px solid #888; border-radius: 4px;
    background: #fff; }
  #controls select:focus-visible { outline: 3px solid $focus; outline-offset: 1px; }
  footer { color: #666; font-size: 12px; }
</style>
</head>
<body>
<h1>Compute-optimal scaling, exactly: loss curves, front and exponents at each (α, β)</h1>
<p>Click a point of the phase diagram, or a loss curve to take it apart; or use the menus
(<kbd>Tab</kbd>, then <kbd>↑</kbd> <kbd>↓</kbd>). Hover for values.</p>
<div id="controls" role="group" aria-label="point and size">
<div id="alpha"></div><div id="beta"></div><div id="size"></div>
</div>
<main id="chart"></main>
<footer>$footer</footer>
<script>$library</script>
<script>
vegaEmbed("#chart", $spec, {
  actions: false,
  renderer: "svg",
  logLevel: 1,  // errors: the empty axes of a panel without data are none
}).then(({view}) => {
  window.view = view;
  document.body.dataset.ready = "true";
});
</script>
</body>
</html>
""")


FOOTER = (
    "Expected loss of one-pass SGD on power-law random features, averaged over W: deterministic "
    "equivalent at v = {v_over_d} d, batch B = {batch}, learning rate γ = {c}/(B Tr D). F_pp, "
    "F_ac, K_pp, F_0: asymptotic terms of the paper. η and ξ: d continuous, ± numerical. "
    "plrf {plrf_version}, commit {commit}."
)


# What the page holds


def short(commits: str) -> str:
    """Commits with 12 digits each; what else is said of them, as it is."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28}\b", r"\1", commits)


def number(value: float) -> float | None:
    """Five digits, enough for the screen; None where there is no number."""
    return float(f"{value:.4e}") if math.isfinite(value) else None


def numbers(values: Any) -> list[float | None]:
    return [number(value) for value in np.asarray(values, float)]


def kind(row: Any) -> str:
    """How a point is marked in the phase diagram."""
    if row.status == "no power law":
        return "no power law"
    if row.status == "edge":
        return "on the edge"
    return "on a boundary" if "/" in row.phase else "in a phase"


def scientific(value: float) -> str:
    """A number with one digit: 2·10⁻⁷."""
    digit, exponent = f"{value:.0e}".split("e")
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return power if digit == "1" else f"{digit}·{power}"


def with_error(name: str, front: pd.DataFrame) -> str:
    """An exponent at the largest budget with its error."""
    last = front.iloc[-1]
    error = last[f"{name}_error"]
    if not math.isfinite(error):
        return f"{last[name]:.4f} (of unknown error)"
    digits = min(max(2, math.ceil(-math.log10(error))), 4) if error > 0 else 4
    return f"{last[name]:.{digits}f} ± {scientific(error)}"


def summary(row: Any, front: pd.DataFrame) -> str:
    """What is known about a point, in one line."""
    place = f"α = {row.alpha:g}, β = {row.beta:g}"
    found = front[front["status"] == "ok"]
    if row.status == "no power law":
        return f"{place}: no power law."
    text = f"{place}: {'edge' if row.status == 'edge' else 'phase ' + row.phase}."
    if row.status == "ok":
        xi = f"ξ = {row.xi:.4f}" if math.isfinite(row.xi) else "ξ jumps here"
        text += f"  Theory: η = {row.eta:.4f}, {xi}."
    if len(found):
        text += f"  Exact front at {scientific(found['flops'].iloc[-1])} flops: "
        text += f"η = {with_error('eta', found)}, ξ = {with_error('xi', found)}."
    return text


def note(row: Any, front: pd.DataFrame, losses: pd.DataFrame) -> str:
    """What must not be overlooked at a point; empty if there is nothing."""
    texts = []
    if row.status == "no power law":
        texts.append(
            "2(α+β) < 1: the loss is set by the number of features v and does not fall as a power "
            "of compute, so there is no front. F_pp is infinite."
        )
    elif row.status == "edge":
        texts.append(
            "On the edge 2(α+β) = 1: losses and a front exist, but no exponents. The local slopes "
            "have no power law to settle on. F_pp is infinite."
        )
    elif "/" in row.phase:
        shared = "η and ξ" if math.isfinite(row.xi) else "η but not ξ, which jumps here"
        texts.append(f"On a boundary between phases, which share {shared}.")
    return " ".join([*texts, *failures(front, losses)])


def failures(front: pd.DataFrame, losses: pd.DataFrame) -> list[str]:
    """Budgets without an optimal size, and losses that are not accurate."""
    texts = []
    lost = int((front["status"] == "no minimum").sum())
    if lost:
        texts.append(f"No minimum over d at {lost} of {len(front)} budgets: left out.")
    poor = int((losses["status"] != "ok").sum())
    if poor:
        texts.append(f"{poor} of {len(losses)} losses are inaccurate or diverged: see tooltips.")
    return texts


def curve_values(key: tuple[float, float, int], curve: pd.DataFrame, front: pd.DataFrame) -> dict:
    """One loss curve and its parts, as a row with lists."""
    loss = curve["loss"].to_numpy()
    found = front[front["status"] == "ok"]
    optimal = math.nan
    if len(found):
        logs = np.log(found[["d_opt", "flops"]].to_numpy())
        optimal = math.exp(np.interp(math.log(key[2]), *logs.T, math.nan, math.nan))
    terms = {
        name: numbers(np.where(curve[column] >= VISIBLE * loss, curve[column], math.nan))
        for name, column in TERMS.items()
    }
    return {
        **dict(zip(("alpha", "beta", "d"), key, strict=True)),
        "flops": numbers(curve["flops"]),
        "step": curve["step"].astype(float).map(number).tolist(),
        LOSS: numbers(loss),
        **terms,
        "error": number(curve["error"].max()),
        "status": "ok" if (curve["status"] == "ok").all() else "inaccurate or diverged",
        "optimal": number(optimal),
    }


def dominating(key: tuple[float, float, int], curve: pd.DataFrame) -> list[dict]:
    """Ranges of compute in which one term is the largest, as rows; none if one is infinite."""
    if curve["f_pp"].isna().any():
        return []
    flops = curve["flops"].to_numpy()
    largest = curve[list(TERMS.values())].to_numpy().argmax(axis=1)
    changes = np.flatnonzero(np.diff(largest)) + 1
    ends = [flops[0], *np.sqrt(flops[changes - 1] * flops[changes]), flops[-1]]
    names = list(TERMS)
    return [
        {
            **dict(zip(("alpha", "beta", "d"), key, strict=True)),
            "term": names[largest[first]],
            "start": number(start),
            "stop": number(stop),
        }
        for first, (start, stop) in zip([0, *changes], pairwise(ends), strict=True)
    ]


def front_values(row: Any, front: pd.DataFrame) -> dict:
    """The front of one point, with theory's power law through its last budget."""
    found = front[front["status"] == "ok"]
    values = {name: numbers(found[name]) for name in ("flops", "d_opt", "loss_opt", "eta", "xi")}
    for name in ("eta", "xi"):
        error = found[f"{name}_error"]
        values |= {f"{name}_error": numbers(error)}
        values |= {f"{name}_low": numbers(found[name] - error)}
        values |= {f"{name}_high": numbers(found[name] + error)}
    if len(found):
        relative = found["flops"] / found["flops"].iloc[-1]
        values["law"] = numbers(found["loss_opt"].iloc[-1] * relative**-row.eta)
    else:
        values["law"] = []
    return {"alpha": row.alpha, "beta": row.beta, **values}


def page_data(
    points: pd.DataFrame, losses: pd.DataFrame, fronts: pd.DataFrame
) -> dict[str, list[dict]]:
    """Rows of the page's data sets.

    Parameters
    ----------
    points, losses, fronts : DataFrame
        Of the EXPLORER schemas.
    """
    data: dict[str, list[dict]] = {"points": [], "curves": [], "dominating": [], "fronts": []}
    front_of = dict(iter(fronts.groupby(["alpha", "beta"])))
    losses_of = dict(iter(losses.groupby(["alpha", "beta"])))
    for row in points.itertuples(index=False):
        front, curves = front_of[row.alpha, row.beta], losses_of[row.alpha, row.beta]
        data["points"].append(
            {
                "alpha": row.alpha,
                "beta": row.beta,
                "phase": row.phase,
                "kind": kind(row),
                "eta": number(row.eta),
                "xi": number(row.xi),
                "summary": summary(row, front),
                "note": note(row, front, curves),
                "failed": len(failures(front, curves)) > 0,
            }
        )
        data["fronts"].append(front_values(row, front))
        for d, curve in curves.groupby("d"):
            key = (row.alpha, row.beta, d)
            data["curves"].append(curve_values(key, curve, front))
            data["dominating"] += dominating(key, curve)
    return data


def phase_regions(alpha_range: list[float], beta_range: list[float]) -> tuple[list[dict], ...]:
    """Corners of each phase in the part of the plane that is shown, and where its name stands."""
    corners, names = [], []
    for row in PHASES:
        polygon = region_polygon(row.region, alpha_range, beta_range)
        if len(polygon) == 0:
            continue
        closed = enumerate([*polygon, polygon[0]])
        corners += [{"phase": row.name, "order": i, "alpha": a, "beta": b} for i, (a, b) in closed]
        alpha, beta = polygon.mean(axis=0)
        # The name of a narrow phase stands above those of its neighbours.
        beta += np.ptp(polygon[:, 1]) / 4 * (np.ptp(polygon[:, 0]) < NARROW_PHASE)
        names.append({"phase": row.name, "alpha": alpha, "beta": beta})
    return corners, names


# What the page shows


def log_axis(labels: int) -> dict[str, Any]:
    """A logarithmic axis with about so many labels; lines without a label are faint."""
    faint = {"condition": {"test": "datum.label == ''", "value": 0.3}, "value": 1}
    return {"labelExpr": POWER_OF_TEN, "tickCount": labels, "gridOpacity": faint}


class Explorer:
    """The views of the page, linked by the selected point and size."""

    def __init__(self, data: dict[str, list[dict]]) -> None:
        """Name the data sets and make the selections."""
        self.data = data
        self.source = {name: alt.NamedData(name=name) for name in data}
        alphas, betas = (sorted({row[key] for row in data["points"]}) for key in ("alpha", "beta"))
        sizes = sorted({row["d"] for row in data["curves"]})
        self.start = min(
            ((a, b) for a in alphas for b in betas), key=lambda point: math.dist(point, START)
        )
        self.ranges = [[min(v) - MARGIN, max(v) + MARGIN] for v in (alphas, betas)]
        self.ranges[0][0] = 0.0
        self.point = alt.selection_point(
            name="point",
            fields=["alpha", "beta"],
            bind={
                "alpha": self.menu("alpha", alphas, "α (data complexity)"),
                "beta": self.menu("beta", betas, "β (target complexity)"),
            },
            value=[dict(zip(("alpha", "beta"), self.start, strict=True))],
            on="click",
            clear=False,
            nearest=True,
            toggle=False,
            empty=False,
        )
        self.size = alt.selection_point(
            name="size",
            fields=["d"],
            bind={"d": self.menu("size", sizes, "size d (parameters)")},
            value=[{"d": sizes[len(sizes) // 2]}],
            on="click",
            clear=False,
            nearest=True,
            toggle=False,
            empty=False,
        )

    @staticmethod
    def menu(key: str, options: list[float], name: str) -> alt.BindRadioSelect:
        """A native menu, in the element of the page with this key as its id."""
        labels = [f"{value:,}" if isinstance(value, int) else f"{value:g}" for value in options]
        return alt.binding_select(options=options, labels=labels, name=name, element=f"#{key}")

    def chosen(self, name: str) -> alt.Chart:
        """A data set at the selected point."""
        return alt.Chart(self.source[name]).transform_filter(self.point)

    def plane(self) -> alt.LayerChart:
        """The phase diagram, on which points are chosen."""
        corners, names = phase_regions(*self.ranges)
        x = alt.X("alpha:Q", title="α (data complexity)").scale(domain=self.ranges[0], nice=False)
        y = alt.Y("beta:Q", title="β (target complexity)").scale(domain=self.ranges[1], nice=False)
        colors = alt.Color("phase:N", legend=None).scale(
            domain=list(PHASE_COLORS), range=list(PHASE_COLORS.values())
        )
        regions = (
            alt.Chart(alt.Data(values=corners))
            .mark_line(filled=True, fillOpacity=0.35, stroke="white", strokeWidth=1.5)
            .encode(x, y, order="order:Q", fill=colors.legend(None))
        )
        named = alt.Chart(alt.Data(values=names)).encode(x, y, text="phase:N")
        font = {"fontSize": 15, "fontWeight": "bold"}
        halo = named.mark_text(stroke="white", strokeWidth=4, opacity=0.8, **font)
        labels = halo + named.mark_text(color=INK, **font)
        shape = alt.Shape("kind:N", title=None).scale(
            domain=list(KINDS), range=list(KINDS.values())
        )
        points = (
            alt.Chart(self.source["points"])
            .mark_point(filled=True, opacity=1)
            .encode(
                x,
                y,
                shape=shape.legend(orient="bottom", offset=2, symbolFillColor=INK, symbolSize=60),
                fill=alt.when(alt.datum.kind == "in a phase")
                .then(colors)
                .otherwise(alt.value(INK)),
                size=alt.when(self.point).then(alt.value(190)).otherwise(alt.value(48)),
                stroke=alt.when(self.point)
                .then(alt.value(INK))
                .when(alt.datum.failed)
                .then(alt.value(WARNING))
                .otherwise(alt.value("white")),
                strokeWidth=alt.when(self.point | alt.datum.failed)
                .then(alt.value(2))
                .otherwise(alt.value(0.6)),
                tooltip=[
                    alt.Tooltip("alpha:Q", title="α"),
                    alt.Tooltip("beta:Q", title="β"),
                    alt.Tooltip("phase:N"),
                    alt.Tooltip("eta:Q", title="η (theory)", format=".4f"),
                    alt.Tooltip("xi:Q", title="ξ (theory)", format=".4f"),
                ],
            )
            .add_params(self.point)
        )
        return alt.layer(regions, points, labels).properties(
            width=WIDTHS["plane"],
            height=HEIGHTS["upper"],
            title=alt.TitleParams(
                "Phase diagram: choose a point",
                subtitle="orange rim: budgets without an optimal size, or inaccurate losses",
            ),
        )

    def losses(self) -> alt.LayerChart:
        """Loss against compute for all sizes, the front, and theory's power law."""
        x = alt.X("flops:Q", title="compute f (flops)").scale(type="log", nice=False)
        x = x.axis(**log_axis(8))
        y = alt.Y("loss P:Q", title="expected loss P").scale(type="log")
        y = y.axis(**log_axis(7))
        curves = (
            self.chosen("curves")
            .transform_flatten(["flops", "step", LOSS])
            .encode(
                x,
                y,
                detail="d:O",
                tooltip=[
                    alt.Tooltip("d:Q", title="parameters d", format=","),
                    alt.Tooltip("flops:Q", title="compute f (flops)", format=".2e"),
                    alt.Tooltip("step:Q", title="SGD steps r", format=".2e"),
                    alt.Tooltip("loss P:Q", title="loss P", format=".4g"),
                    alt.Tooltip("error:Q", title="largest relative error", format=".0e"),
                    alt.Tooltip("status:N"),
                ],
            )
        )
        color = alt.Color("d:O", title="parameters d").scale(scheme="viridis")
        color = color.legend(
            labelExpr="format(datum.value, ',')",
            symbolType="stroke",
            symbolStrokeWidth=3,
        )
        lines = curves.mark_line(clip=True).encode(
            color=color,
            strokeWidth=alt.when(self.size).then(alt.value(3.5)).otherwise(alt.value(1.4)),
        )
        targets = curves.mark_point(opacity=0, size=30).add_params(self.size)
        fronts = self.chosen("fronts").transform_flatten(["flops", "d_opt", "loss_opt", "law"])
        front = fronts.mark_line(
            color=INK, strokeWidth=1.5, clip=True, point=alt.OverlayMarkDef(color=INK, size=22)
        ).encode(
            x,
            alt.Y("loss_opt:Q"),
            tooltip=[
                alt.Tooltip("flops:Q", title="compute f (flops)", format=".2e"),
                alt.Tooltip("loss_opt:Q", title="optimal loss P*", format=".4g"),
                alt.Tooltip("d_opt:Q", title="optimal size d*", format=".4g"),
            ],
        )
        law = fronts.mark_line(color=INK, strokeDash=[6, 4], strokeWidth=1.2, clip=True)
        law = law.encode(x, alt.Y("law:Q"))
        return alt.layer(lines, law, targets, front).properties(
            width=WIDTHS["losses"],
            height=HEIGHTS["upper"],
            title=alt.TitleParams(
                "Exact expected loss of each size",
                subtitle="black: compute-optimal front P*(f); dashed: slope of theory through "
                "the last budget",
            ),
        )

    def terms(self) -> alt.LayerChart:
        """The chosen loss curve and the terms that it is made of."""
        chosen = self.chosen("curves").transform_filter(self.size)
        x = alt.X("flops:Q", title="compute f (flops)").scale(type="log", nice=False)
        x = x.axis(**log_axis(6))
        y = alt.Y("value:Q", title="loss P and its terms").scale(type="log")
        y = y.axis(**log_axis(6))
        color = alt.Color("term:N", title=None).scale(
            domain=[LOSS, *TERMS], range=[INK, *TERM_COLORS.values()]
        )
        color = color.legend(
            orient="top-right",
            symbolType="stroke",
            symbolStrokeWidth=3,
            rowPadding=0,
            fillColor="white",
            padding=3,
            labelExpr="datum.label == 'K_pp' ? 'K_pp/(γB)' : datum.label",
        )
        names = [LOSS, *TERMS]
        lines = (
            chosen.transform_flatten(["flops", "step", *names])
            .transform_fold(names, as_=["term", "value"])
            .transform_filter("isValid(datum.value)")
            .mark_line(clip=True)
            .encode(
                x,
                y,
                color,
                strokeWidth=alt.when(alt.datum.term == LOSS)
                .then(alt.value(3))
                .otherwise(alt.value(1.6)),
                tooltip=[
                    alt.Tooltip("term:N"),
                    alt.Tooltip("value:Q", format=".4g"),
                    alt.Tooltip("step:Q", title="SGD steps r", format=".2e"),
                    alt.Tooltip("flops:Q", title="compute f (flops)", format=".2e"),
                ],
            )
        )
        optimal = (
            chosen.transform_filter("isValid(datum.optimal)")
            .mark_rule(strokeDash=[2, 3], color=INK)
            .encode(alt.X("optimal:Q"))
        )
        bottom = HEIGHTS["lower"]
        band = (
            self.chosen("dominating")
            .transform_filter(self.size)
            .mark_rect()
            .encode(
                alt.X("start:Q"),
                alt.X2("stop:Q"),
                y=alt.value(bottom - 9),
                y2=alt.value(bottom),
                color=alt.Color("term:N"),
                tooltip=[alt.Tooltip("term:N", title="largest term")],
            )
        )
        return alt.layer(band, optimal, lines).properties(
            width=WIDTHS["terms"],
            height=bottom,
            title=alt.TitleParams(
                "What the chosen curve is made of",
                subtitle="band: largest term; dotted: where this size is optimal; "
                f"below {VISIBLE:.0%} of P not drawn",
            ),
        )

    def exponent(self, name: str, title: str) -> alt.LayerChart:
        """Local exponent of the exact front against compute, with its error, and theory."""
        x = alt.X("flops:Q", title="compute f (flops)").scale(type="log", nice=False)
        x = x.axis(**log_axis(5))
        symbol = {"eta": "η", "xi": "ξ"}[name]
        y = alt.Y(f"{name}:Q", title=f"local exponent {symbol}")
        y = y.scale(zero=False, padding=14)  # room for the label of theory
        columns = ["flops", name, f"{name}_error", f"{name}_low", f"{name}_high"]
        base = self.chosen("fronts").transform_flatten(columns)
        measured = base.mark_line(color=BLUE, point=alt.OverlayMarkDef(color=BLUE, size=24)).encode(
            x,
            y,
            tooltip=[
                alt.Tooltip("flops:Q", title="compute f (flops)", format=".2e"),
                alt.Tooltip(f"{name}:Q", title=symbol, format=".6f"),
                alt.Tooltip(f"{name}_error:Q", title="error", format=".0e"),
            ],
        )
        bars = base.mark_rule(color=BLUE).encode(
            x, alt.Y(f"{name}_low:Q"), alt.Y2(f"{name}_high:Q")
        )
        theory = self.chosen("points").transform_filter(f"isValid(datum.{name})")
        rule = theory.mark_rule(color=INK, strokeDash=[6, 4]).encode(alt.Y(f"{name}:Q"))
        label = theory.mark_text(align="left", baseline="bottom", dx=3, dy=-2, color=INK).encode(
            alt.Y(f"{name}:Q"),
            x=alt.value(0),
            text=alt.Text(f"{name}:Q", format=".4f"),
        )
        nothing = (
            self.chosen("points")
            .transform_filter("datum.kind == 'no power law'")
            .mark_text(text="no power law, no front", fontSize=13, color=WARNING)
            .encode(x=alt.value(WIDTHS["exponents"] / 2), y=alt.value(HEIGHTS["lower"] / 2))
        )
        return alt.layer(bars, measured, rule, label, nothing).properties(
            width=WIDTHS["exponents"],
            height=HEIGHTS["lower"],
            title=alt.TitleParams(title, subtitle="dots: exact, with error bars; dashed: theory"),
        )

    def text(self) -> alt.LayerChart:
        """What is known about the chosen point, and what must not be overlooked."""
        base = self.chosen("points").encode(x=alt.value(-50))  # left of the axes, as titles are
        known = base.mark_text(align="left", fontSize=13, fontWeight="bold", color=INK)
        noted = base.mark_text(align="left", fontSize=12, color=WARNING)
        return alt.layer(
            known.encode(y=alt.value(6), text="summary:N"),
            noted.encode(y=alt.value(24), text="note:N"),
        ).properties(width=1180, height=26, view=alt.ViewBackground(stroke=None))

    def chart(self) -> alt.VConcatChart:
        """All views."""
        upper = alt.hconcat(self.plane(), self.losses(), spacing=30)
        lower = alt.hconcat(
            self.terms(),
            self.exponent("eta", "Loss exponent: P* ∝ f^(-η)"),
            self.exponent("xi", "Size exponent: d* ∝ f^ξ"),
            spacing=24,
        ).resolve_scale(color="independent")
        chart = alt.vconcat(self.text(), upper.resolve_scale(color="independent"), lower)
        chart = chart.resolve_scale(color="independent", shape="independent")
        chart = chart.properties(padding={"left": 4}, spacing=8)
        return (
            chart.configure(font=FONT)
            .configure_view(stroke="#BBBBBB")
            .configure_axisY(minExtent=38)  # panels stay where they are
            .configure_axis(gridColor="#EEEEEE", titleFontWeight="normal")
            .configure_title(
                anchor="start", fontSize=13, subtitleColor="#555555", subtitleFontSize=11, offset=4
            )
        )


def write_page(tables: dict[str, str], settings: dict[str, Any], path: str) -> None:
    """Write the page from the tables ``points``, ``losses`` and ``fronts`` and their settings."""
    schemas = {"points": EXPLORER_POINTS, "losses": EXPLORER_LOSSES, "fronts": EXPLORER_FRONTS}
    data = page_data(**{name: read_table(tables[name], schemas[name]) for name in schemas})
    source = read_provenance(tables["losses"])
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    # The data join the specification here: Altair would check each number of them.
    spec = Explorer(data).chart().to_dict() | {"datasets": data}
    page = PAGE.substitute(
        ink=INK,
        focus=BLUE,
        font=FONT,
        provenance=json.dumps(source, sort_keys=True).replace('"', "&quot;"),
        footer=FOOTER.format(**settings, **source, commit=short(source["git_commit"])),
        library=vl_convert.javascript_bundle(vl_version=version),
        spec=json.dumps(spec, ensure_ascii=False, sort_keys=True),
    )
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    inputs = dict(snakemake.input.items())
    write_page(inputs, snakemake.params.settings, snakemake.output[0])
