"""Published numbers beside a leaderboard."""

from __future__ import annotations

from dataclasses import replace

from harness.report.model.published import Published, read_published
from harness.report.render.published_tables import (
    as_published,
    published_table,
    published_tables,
)


def number(row: str, column: str, value: float) -> Published:
    return Published("Table 1", "Title", row, column, value, "Protocol", "None", "A paper")


def test_numbers_have_the_decimals_of_their_column() -> None:
    numbers = [number("a", "x", 81.52), number("b", "x", 59.3), number("a", "y", 5.0)]
    assert [as_published(n, numbers) for n in numbers] == ["81.52", "59.30", "5"]


def test_a_number_that_was_not_printed_is_a_dash() -> None:
    text = published_table([number("a", "x", 1.0), number("b", "y", 2.0)], corner="Row")
    assert text.splitlines() == ["| Row | x | y |", "| :-- | --: | --: |", "| a | 1 | – |",
                                 "| b | – | 2 |"]  # fmt: skip


def test_every_table_has_its_source_protocol_and_deviation() -> None:
    numbers = read_published("few_shot")
    text = published_tables(numbers)
    assert text.startswith("Imported from publications, not measured here")
    assert "| Textual encoder of CLIP (imported) | 81.52 |" in text
    assert "| Random normal matrix (imported) | 59.30 |" in text
    for n in numbers:
        assert n.source in text
    assert text.count("Known deviation: ") == len({n.table for n in numbers})
    assert published_tables([]) == ""


def test_equal_tables_of_two_sources_stay_apart() -> None:
    ours = number("a", "x", 1.0)
    assert published_tables([ours, replace(ours, source="Another")]).count("**Title.**") == 2
