"""Tables of GitHub's Markdown."""

from __future__ import annotations

from markdown_it import MarkdownIt

from harness.report.render.pipe_table import pipe_table


def test_columns_are_aligned_and_every_line_is_a_row() -> None:
    text = pipe_table(["Row", "1 shot"], [["a", "1"], ["b", ""]])
    assert text.splitlines() == ["| Row | 1 shot |", "| :-- | --: |", "| a | 1 |", "| b |  |"]
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<tr>") == 3


def test_more_columns_may_be_flush_left() -> None:
    assert pipe_table(["a", "b", "c"], [], left=2).splitlines()[1] == "| :-- | :-- | --: |"
