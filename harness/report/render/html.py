"""The report as one HTML file: Markdown rendered, figures and style inside it."""

from __future__ import annotations

import base64
import html as escaping
from collections.abc import Sequence

from harness.report.model.figure import Figure
from harness.report.render.markdown import END_OF_BODY

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
.table { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem;
        font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.7rem; border-bottom: 1px solid #ddd; white-space: nowrap; }
thead th { border-bottom: 2px solid #555; }
tbody tr:nth-child(even) { background: #f6f6f6; }
img { max-width: 100%; height: auto; } code { font-size: 0.85em; overflow-wrap: anywhere; }
"""


def page(markdown: str, title: str, figures: Sequence[Figure]) -> str:
    """The HTML of a report; it loads nothing else."""
    from markdown_it import MarkdownIt

    # No raw HTML: labels and messages come from outside.
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    # Figures are put in afterwards: megabytes of base64 need no parsing.
    body = renderer.render(markdown.replace(END_OF_BODY, "---"))
    body = body.replace("<table>", '<div class="table"><table>')
    body = body.replace("</table>", "</table></div>")
    for figure in figures:
        data = base64.b64encode(figure.png).decode("ascii")
        body = body.replace(
            f'src="{escaping.escape(title)}/{figure.name}"', f'src="data:image/png;base64,{data}"'
        )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaping.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"{body}</body>\n</html>\n"
    )
