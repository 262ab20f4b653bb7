"""Write docs/gallery.md and its pictures in docs/img from a report: `make gallery`.

Not a job of the workflow, because it changes tracked files. The report has each figure with the
caption and the labels that belong to it, and there is none as long as a figure is missing.
"""

import base64
import html
import json
import re
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from plrf.draw.thumbnails import encode, shrink

# Categories of the report that hold figures.
SECTIONS = ("Main text", "Appendix", "Beyond the paper", "Algorithms", "Atlas", "Data")
SHOWN_IN_README = ("fig02_phase_diagram", "fig03_compute_optimal_front", "fig04_exponents")
WIDE, NARROW = 620, 250  # pixels, of pictures in the README and of the others
COLORS = (128, 64, 32, 16)  # the most that the size allows
MOST_BYTES = 300_000  # of all pictures together
HEAD = """\
# Gallery

Every figure of the workflow. Written by `make gallery` from the report of a run (`make report`),
which has them in full, with their whole captions.
"""


class GalleryError(RuntimeError):
    """The gallery cannot be made; the message says why."""


def read_report(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Results in a report of Snakemake, by category, sorted by name.

    Raises
    ------
    GalleryError
        If there is no such file, or it is not such a report.
    """
    if not path.exists():
        raise GalleryError(f"{path} is missing: `make report` writes it")
    text = path.read_text(encoding="utf-8")
    variables = {}
    for name in ("results", "categories"):
        start = re.search(rf'<script id="{name}">\s*var {name} = ', text)
        if start is None:
            raise GalleryError(f"{path} is not a report of Snakemake: it has no {name}")
        variables[name], _ = json.JSONDecoder().raw_decode(text, start.end())
    return {
        category: [
            variables["results"][file] for group in groups.values() for file in sorted(group)
        ]
        for category, groups in variables["categories"].items()
    }


def figures(report: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Figures of each section.

    Raises
    ------
    GalleryError
        If the report lacks one that the README shows.
    """
    sections = {
        name: [entry for entry in report.get(name, []) if entry["name"].endswith(".png")]
        for name in SECTIONS
    }
    names = {Path(figure["name"]).stem for section in sections.values() for figure in section}
    if missing := [name for name in SHOWN_IN_README if name not in names]:
        raise GalleryError(f"the report has no {', '.join(missing)}, which the README shows")
    return sections


def first_sentence(caption: str) -> str:
    """The first sentence of a caption in HTML, as plain text."""
    text = html.unescape(re.sub("<[^>]*>", "", re.sub("<sup>", "^", caption)))
    sentence = re.match(r".*?\.(?=\s|$)", " ".join(text.split()))
    if sentence is None:
        raise GalleryError(f"a caption without a sentence: {text!r}")
    return sentence[0]


def encode_all(images: dict[str, Image.Image]) -> dict[str, bytes]:
    """All pictures, with as many colours as their size together allows.

    Raises
    ------
    GalleryError
        If they are too large even with the fewest colours.
    """
    for colors in COLORS:
        files = {name: encode(image, colors) for name, image in images.items()}
        total = sum(map(len, files.values()))
        if total <= MOST_BYTES:
            return files
    raise GalleryError(f"the pictures have {total} bytes, more than {MOST_BYTES}: reduce NARROW")


def line(figure: dict[str, Any]) -> str:
    """A row of the gallery: the picture, the figure's name, and what it shows."""
    name = Path(figure["name"]).stem
    # A vertical bar would end the cell, an asterisk begin emphasis.
    sentence = re.sub(r"([|*])", r"\\\1", first_sentence(figure["caption"]))
    image = f'<img src="img/{name}.png" width="{NARROW}" alt="{name}">'
    return f"| {image} | **{name}**<br>{sentence} |"


def write_gallery(report: Path, docs: Path) -> None:
    """Write the page and its pictures, and remove pictures that are no longer shown.

    Raises
    ------
    GalleryError
        If the report lacks a figure, or the pictures are too large together.
    """
    sections = figures(read_report(report))
    page, images = [HEAD], {}
    for title, content in sections.items():
        page.append(f"## {title}\n\n| figure | what it shows |\n| --- | --- |")
        for figure in content:
            name = Path(figure["name"]).stem
            png = base64.b64decode(figure["data_uri"].partition("base64,")[2])
            images[name] = shrink(png, WIDE if name in SHOWN_IN_README else NARROW)
            page.append(line(figure))
        page.append("")
    pictures = encode_all(images)
    folder = docs / "img"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for name, content in pictures.items():
        (folder / f"{name}.png").write_bytes(content)
    (docs / "gallery.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    source = Path(sys.argv[1] if len(sys.argv) > 1 else "results/report.html")
    try:
        write_gallery(source, Path("docs"))
    except GalleryError as error:
        sys.exit(str(error))
