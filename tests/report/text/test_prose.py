"""Pieces of sentences."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from harness.core.words import plural
from harness.report.text.prose import brackets, escape, first_sentence, in_column, listing


@pytest.mark.parametrize(
    "text", ["a | b", "*bold* _low_", "a_b", "[x](y)", "`code`", "<script>", "a & b", "C:\\n"]
)
def test_text_from_outside_is_printed_as_it_is(text: str) -> None:
    html = MarkdownIt("commonmark").render(escape(text))
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert html == f"<p>{plain}</p>\n"


def test_lines_become_one() -> None:
    assert escape("a\n  b") == "a b"


def test_brackets_are_no_link() -> None:
    assert brackets("[1, 2] (3)") == "\\[1, 2\\] (3)"


def test_lists_and_numbers_in_words() -> None:
    assert [listing(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert (plural(1, "seed"), plural(2, "seed")) == ("1 seed", "2 seeds")


@pytest.mark.parametrize(
    ("label", "phrase"),
    [("all", ""), ("1 shot", "at 1 shot"), ("16 shots, draw 2", "at 16 shots, draw 2"),
     ("zero_shot", "in column zero_shot"), ("0.1", "in column 0.1")],
)  # fmt: skip
def test_a_column_is_named(label: str, phrase: str) -> None:
    assert in_column(label) == phrase


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("a by 3.5 points (p = 0.02. So). b", "a by 3.5 points (p = 0.02. So)."),
        ("Why?\n  No.", "Why?"), ("Rows, e.g. text, win. b", "Rows, e.g. text, win."),
        ("no end", "no end"), ("", ""), ("v1.2 wins ) . b", "v1.2 wins ) ."),
    ],
)  # fmt: skip
def test_the_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first
