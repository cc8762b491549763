"""Text as TeX."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.render.tex_text import escape, from_markdown
from harness.report.text.prose import brackets
from harness.report.text.prose import escape as as_markdown


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("50% & more", r"50\% \& more"), ("a_b#c", r"a\_b\#c"), ("{x}", r"\{x\}"),
        ("~^\\$", r"\textasciitilde{}\textasciicircum{}\textbackslash{}\$"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"), ("·–±×", r"$\cdot$--$\pm$$\times$"),
        ("Δ α λ Η ο", r"$\Delta$ $\alpha$ $\lambda$ $H$ $o$"), ("éüñ", r"\'{e}\"{u}\~{n}"),
        ("Straße Ø", r"Stra\ss{}e \O{}"), ("e\u0301", r"\'{e}"), ("a--b ?`", "a-{}-b ?{}`"),
        ("中\t😀", "{[}U+4E2D] {[}U+1F600]"), ('"a"', "''a''"), ("ę", "{[}U+0119]"),
    ],
)  # fmt: skip
def test_text_from_outside_is_printed_as_it_is(text: str, tex: str) -> None:
    assert escape(text) == tex


@given(st.text())
def test_any_text_is_ascii_with_closed_braces(text: str) -> None:
    tex = escape(text)
    assert tex.isascii()
    assert tex.isprintable()
    bare = re.sub(r"\\[{}]", "", tex)
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"(?<!\\)[%#&_]", tex)
    assert re.sub(r"\\\$", "", tex).count("$") % 2 == 0


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"])))
def test_what_markdown_escapes_is_the_same_text(text: str) -> None:
    assert from_markdown(as_markdown(text)) == escape(text)


def test_bold_code_and_brackets_of_markdown() -> None:
    text = f"**Mean** {brackets('[95% interval]')} of `a_b` &amp; more \\* \\_"
    assert from_markdown(text) == r"\textbf{Mean} [95\% interval] of \texttt{a\_b} \& more * \_"
    assert from_markdown("**open") == r"\textbf{open}"
