"""The report as one HTML file; test_page.py opens it in a browser."""

from __future__ import annotations

import base64
import hashlib
import re

from harness.report.model.figure import Figure
from harness.report.model.table import build_table
from harness.report.render.html import page
from harness.report.render.markdown import END_OF_BODY, body, picture
from harness.report.text.details import details
from harness.report.text.prose import escape

from ..studies import few_shot

FIGURES = [Figure("a.png", "One. Two.", b"one"), Figure("b.png", "Three.", b"two")]


def test_it_loads_nothing_else() -> None:
    text = "# t\n\n" + "\n\n".join(picture(f, "my task") for f in FIGURES).replace("my task", "my")
    html = page(f"{text}\n\n| a |\n| :-- |\n| 1 |\n\n{END_OF_BODY}\n", "my", FIGURES)
    assert html.count("data:image/png;base64,") == 2
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert re.search(r'<div class="table"[^>]*><table>', html)
    assert "end of body" not in html
    assert "<hr" in html


def test_text_from_outside_stays_text() -> None:
    question = "Is <script>alert(1)</script> | *bold* a_b `x`?"
    html = page(f"# t\n\n{escape(question)}\n", "<t>", [])
    assert html.count("<script") == html.count("</script") == 1, "its own"
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | *bold* a_b `x`?" in html
    assert "<title>&lt;t&gt;</title>" in html


def test_no_other_script_may_run() -> None:
    html = page("# t\n", "t", [])
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{own}'" in html
    assert "default-src 'none'" in html


def test_links_to_other_reports_are_to_their_html() -> None:
    html = page("# t\n\n[a](table01_embedded.md) [b](https://x.org/y.md) [c](../z.md)\n", "t", [])
    assert re.findall(r'href="([^"]*)"', html)[1:] == [
        "table01_embedded.html", "https://x.org/y.md", "../z.md",
    ]  # fmt: skip


def titles(html: str) -> list[str]:
    return re.findall(r'<td[^>]* title="([^"]*)"', html)


def test_the_details_are_at_the_entries_of_the_leaderboard() -> None:
    results = few_shot()
    table = build_table(results)
    html = page(body(results, table, [], []), "t", [], [details(table)])
    assert titles(html) == [text for row in details(table) for text in row]
    first = html.index("<td", html.index("<h2>Leaderboard</h2>"))
    assert html[first:].startswith('<td style="text-align:left">text</td>')


def test_details_of_another_table_are_at_none() -> None:
    text = "# t\n\n## Leaderboard\n\n| Row | a |\n| :-- | --: |\n| x | 1 |\n\n"
    second = text.replace("# t\n\n## Leaderboard", "### Results here")
    assert titles(page(text, "t", [], [[["one", "two"]]])) == []
    assert titles(page(text + second, "t", [], [[["one"]], [["<b>"]]])) == ["one", "&lt;b&gt;"]
    other = "# t\n\n## All pairs\n\n| Row | a |\n| :-- | --: |\n| x | 1 |\n"
    assert titles(page(other, "t", [], [[["one"]]])) == []
