"""The report as one HTML file: Markdown rendered, with figures, style and script inside it."""

from __future__ import annotations

import base64
import hashlib
import html as escaping
import re
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import TYPE_CHECKING

from harness.report.model.figure import Figure
from harness.report.render.markdown import END_OF_BODY, LEADERBOARDS

if TYPE_CHECKING:
    from markdown_it.token import Token

#: Texts of the entries of a leaderboard, row by row.
Details = Sequence[Sequence[str]]

_TABLE = '<div class="table" role="region" aria-label="Table" tabindex="0"><table>'
_PAGE = re.compile(r'href="([\w.-]+)\.md"')


def page(
    markdown: str, title: str, figures: Sequence[Figure], details: Sequence[Details] = ()
) -> str:
    """The HTML of a report; it loads nothing else. `details` are those of its leaderboards, in the
    order of the page.
    """
    from markdown_it import MarkdownIt

    # No raw HTML: labels and messages come from outside.
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = renderer.parse(markdown.replace(END_OF_BODY, "---"))
    _add_details(tokens, details)
    body = renderer.renderer.render(tokens, renderer.options, {})
    body = body.replace("<table>", _TABLE).replace("</table>", "</table></div>")
    body = _PAGE.sub(r'href="\1.html"', body)
    # Figures are put in afterwards: megabytes of base64 need no parsing.
    for figure in figures:
        data = base64.b64encode(figure.png).decode("ascii")
        body = body.replace(
            f'src="{escaping.escape(title)}/{figure.name}"', f'src="data:image/png;base64,{data}"'
        )
    return _document(title, body)


def _document(title: str, body: str) -> str:
    script = _file("page.js")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">\n'
        f'<link rel="icon" href="data:,">\n<title>{escaping.escape(title)}</title>\n'
        f"<style>\n{_file('page.css')}</style>\n</head>\n<body>\n<main>\n{body}</main>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _policy(script: str) -> str:
    """No other script runs, whatever a label has in it, and nothing is loaded."""
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{own}'"
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _add_details(tokens: Sequence[Token], details: Sequence[Details]) -> None:
    """Give the cells of every leaderboard their titles."""
    for rows, texts in zip(_leaderboards(tokens), details, strict=False):
        if [len(row) for row in rows] != [1 + len(of_row) for of_row in texts]:
            continue  # a title at the wrong cell would be a wrong number
        for row, of_row in zip(rows, texts, strict=True):
            for cell, text in zip(row[1:], of_row, strict=True):
                cell.attrSet("title", text)


def _leaderboards(tokens: Sequence[Token]) -> Iterator[list[list[Token]]]:
    """The cells, row by row, of the first table below each heading of a leaderboard."""
    is_next = False
    rows: list[list[Token]] | None = None
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open":
            is_next = following is not None and following.content in LEADERBOARDS
        elif token.type == "tbody_open" and is_next:
            is_next = False
            rows = []
        elif token.type == "tr_open" and rows is not None:
            rows.append([])
        elif token.type == "td_open" and rows is not None:
            rows[-1].append(token)
        elif token.type == "tbody_close" and rows is not None:
            yield rows
            rows = None
