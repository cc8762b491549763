"""A figure: what a notebook and a screen reader see of it."""

from __future__ import annotations

from harness.report.model.figure import Figure


def test_a_notebook_shows_its_bytes() -> None:
    assert Figure("a.png", "Caption", b"png")._repr_png_() == b"png"


def test_the_alternative_text_is_the_first_sentence() -> None:
    assert Figure("a.png", "One thing, 0.5 wide. Another.", b"").alt == "One thing, 0.5 wide"
    assert Figure("a.png", "One thing.", b"").alt == "One thing"
