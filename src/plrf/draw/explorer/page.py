"""The page around the chart: one HTML file that needs nothing from outside."""

import json
import re
from collections.abc import Mapping
from string import Template
from typing import Any

import vl_convert
from altair import SCHEMA_VERSION

from plrf.draw.explorer.style import FONT
from plrf.draw.palette import BLUE, INK

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


def page(
    specification: Mapping[str, Any], settings: Mapping[str, Any], source: Mapping[str, str]
) -> str:
    """Render the page.

    Parameters
    ----------
    specification : mapping
        From `plrf.draw.explorer.chart`.
    settings : mapping
        The explorer's block of the configuration, for the footer.
    source : mapping
        From `plrf.study.provenance`, for the footer and the metadata.

    Raises
    ------
    KeyError
        If the footer names a setting or a source that is missing.
    """
    version = ".".join(SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return PAGE.substitute(
        ink=INK,
        focus=BLUE,
        font=FONT,
        provenance=json.dumps(source, sort_keys=True).replace('"', "&quot;"),
        footer=FOOTER.format(**settings, **source, commit=short(source["git_commit"])),
        # The stub of vl_convert lacks the default of the other parameter.
        library=vl_convert.javascript_bundle(vl_version=version),  # type: ignore[call-arg]
        spec=json.dumps(specification, ensure_ascii=False, sort_keys=True),
    )


def short(commits: str) -> str:
    """Commits with 12 digits each; what else is said of them, as it is."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28}\b", r"\1", commits)
