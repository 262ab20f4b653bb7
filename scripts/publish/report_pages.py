"""Tables as HTML pages: the report shows these, while it offers Markdown as a download only."""

from pathlib import Path

import markdown2

from plrf.study.store import replacing

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 14px/1.5 sans-serif; margin: 1.5em; color: #222; }}
table {{ border-collapse: collapse; margin: 1em 0; }}
th, td {{ padding: 0.25em 0.7em; text-align: left; white-space: nowrap; }}
td {{ border-bottom: 1px solid #ddd; }}
th {{ border-bottom: 2px solid #222; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def page(title: str, markdown: str) -> str:
    """Render Markdown as a page of its own."""
    # "code-friendly": the underscore of F_pp begins no emphasis.
    body = markdown2.markdown(markdown, extras=["tables", "code-friendly"])
    return PAGE.format(title=title, body=body)


def write_pages(sources: dict[str, str], paths: dict[str, str]) -> None:
    """Render the Markdown file of each name."""
    for name, path in paths.items():
        text = Path(sources[name]).read_text(encoding="utf-8")
        with replacing(path) as temporary:
            temporary.write_text(page(Path(path).stem, text), encoding="utf-8")


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    write_pages(dict(snakemake.input.items()), dict(snakemake.output.items()))
