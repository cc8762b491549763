"""The report as one HTML file."""

from __future__ import annotations

import re

from harness.report.model.figure import Figure
from harness.report.render.html import page
from harness.report.render.markdown import END_OF_BODY, picture
from harness.report.text.prose import escape

FIGURES = [Figure("a.png", "One. Two.", b"one"), Figure("b.png", "Three.", b"two")]


def test_it_loads_nothing_else() -> None:
    text = "# t\n\n" + "\n\n".join(picture(f, "my task") for f in FIGURES).replace("my task", "my")
    html = page(f"{text}\n\n| a |\n| :-- |\n| 1 |\n\n{END_OF_BODY}\n", "my", FIGURES)
    assert html.count("data:image/png;base64,") == 2
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert '<div class="table"><table>' in html
    assert "end of body" not in html
    assert "<hr" in html


def test_text_from_outside_stays_text() -> None:
    question = "Is <script>alert(1)</script> | *bold* a_b `x`?"
    html = page(f"# t\n\n{escape(question)}\n", "<t>", [])
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | *bold* a_b `x`?" in html
    assert "<title>&lt;t&gt;</title>" in html
