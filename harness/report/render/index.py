"""The index of a folder of reports: a line for every page, with question, answer and figure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from harness.report.render.page_summary import MEASURED, PAPER, STUDY, PageSummary
from harness.report.render.pipe_table import pipe_table

#: The first line of an index. A README.md without it is someone else's, and is never replaced.
MARKER = "<!-- Index of the reports in this folder; commands that write a report replace it. -->"

_TITLES = {STUDY: "Studies", PAPER: "The paper's tables and figures", MEASURED: "Speed and scale"}
_WIDTH = 160  # of a thumbnail, in pixels


def index_page(summaries: Iterable[PageSummary]) -> str:
    """The index as Markdown. The order of the summaries does not matter."""
    ordered = sorted(summaries, key=_order)
    parts = [MARKER, "# Reports"]
    for kind, title in _TITLES.items():
        rows = [_row(s) for s in ordered if s.kind == kind]
        if rows:
            header = ["Report", "Question", "Answer", "Figure"]
            parts += [f"## {title}", pipe_table(header, rows, left=len(header))]
    return "\n\n".join(parts) + "\n"


def _order(summary: PageSummary) -> tuple[object, ...]:
    """Pages on the whole paper first, tables before figures, those of the appendix last; `2` before
    `10`.
    """
    name = summary.file.removesuffix(".md")
    found = re.match(r"(table|figure)(A?)\d", name) if summary.kind == PAPER else None
    place = (True, found[2], found[1] == "figure") if found else (False, "", False)
    # Texts and numbers alternate, so that equal places have equal types.
    parts = [int(p) if p.isdecimal() else p for p in re.split(r"([0-9]+)", name)]
    return *place, parts, name


def _row(summary: PageSummary) -> list[str]:
    title = f"[{summary.title}]({quote(summary.file)})"
    return [_cell(title), _cell(summary.question), _cell(summary.answer), _thumbnail(summary)]


def _thumbnail(summary: PageSummary) -> str:
    if not summary.figure:
        return ""
    address = quote(summary.figure)
    # As an attribute: entities stay, backslashes of Markdown go, and no pipe ends the cell.
    alt = re.sub(r"\\([^\w\s])", r"\1", summary.alt).replace('"', "&quot;").replace("|", "&#124;")
    return f'<a href="{address}"><img src="{address}" width="{_WIDTH}" alt="{alt}"></a>'


def _cell(text: str) -> str:
    """On one line, without a pipe that would end the cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))
