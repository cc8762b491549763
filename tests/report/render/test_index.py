"""The index of a folder of reports."""

from __future__ import annotations

import random
import re

from markdown_it import MarkdownIt

from harness.report.render.index import MARKER, index_page
from harness.report.render.page_summary import MEASURED, PAPER, STUDY, PageSummary

PAGES = [
    PageSummary("a2.md", STUDY, "a2", "Why?", "So."),
    PageSummary("a10.md", STUDY, "a10", "", "", "a10/x y.png", 'By "B" \\| <i>'),
    PageSummary("reproduce.md", PAPER, "The paper", "", "Claims: holds: 1."),
    PageSummary("table02.md", PAPER, "table02", "", ""),
    PageSummary("table10.md", PAPER, "table10", "", ""),
    PageSummary("figure1.md", PAPER, "figure1", "", ""),
    PageSummary("tableA1.md", PAPER, "tableA1", "", ""),
    PageSummary("figureA5.md", PAPER, "figureA5", "", ""),
    PageSummary("scale.md", MEASURED, "Scale", "", "1 of 2 targets met."),
]


def test_the_order_is_of_the_names_whatever_came_first() -> None:
    text = index_page(PAGES)
    assert re.findall(r"\]\((\w+\.md)\)", text) == [page.file for page in PAGES]
    for seed in range(20):
        mixed = random.Random(seed).sample(PAGES, len(PAGES))
        assert index_page(mixed) == text


def test_a_line_has_question_answer_and_a_thumbnail() -> None:
    text = index_page(PAGES)
    assert text.startswith(f"{MARKER}\n\n# Reports\n\n## Studies\n\n")
    assert "| [a2](a2.md) | Why? | So. |  |" in text
    image = 'src="a10/x%20y.png" width="160" alt="By &quot;B&quot; &#124; <i>"'
    assert f'<a href="a10/x%20y.png"><img {image}></a> |' in text


def test_a_pipe_ends_no_cell() -> None:
    text = index_page([PageSummary("a.md", STUDY, "a", "x | y \\| z", "1\n2")])
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert re.findall(r"<td[^>]*>(.*?)</td>", html)[1:3] == ["x | y | z", "1 2"]


def test_headings_without_pages_are_left_out() -> None:
    assert "## The paper" not in index_page(PAGES[:2])
    assert index_page([]) == f"{MARKER}\n\n# Reports\n"
