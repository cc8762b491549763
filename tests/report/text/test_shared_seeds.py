"""Pairs of rows with other numbers of seeds."""

from __future__ import annotations

from typing import Any

from harness.report.model.table import Table, build_table
from harness.report.text.notes import below_contrasts
from harness.report.text.shared_seeds import shared_seeds

from ..studies import few_shot


def table_of(**task: Any) -> Table:
    return build_table(few_shot(task={"shots": 1, "include": [], **task}))


def said(table: Table) -> list[str]:
    entries = table.entries
    return shared_seeds(
        (c.contrast, entries[c.contrast.a, c.column], entries[c.contrast.b, c.column])
        for c in table.pairs
    )


def test_rows_with_more_seeds_than_their_pair_are_named_once() -> None:
    include = [{"classifier": "prototype", "seeds": 5}]
    table = table_of(classifier=["text", "random"], seeds=8, include=include)
    assert said(table) == [
        "Differences of prototype are over its 5 seeds, and the means of text and random over 8 "
        "seeds: they are not differences of the means of the rows."
    ]
    below = below_contrasts(table, table.pairs, against=False)
    assert f"\n- {said(table)[0]}" in below


def test_seeds_that_overlap_in_part() -> None:
    include = [{"classifier": "random", "seeds": list(range(3, 10))}]
    (text,) = said(table_of(classifier="text", seeds=8, include=include))
    assert text.startswith("Differences of text are over the 5 seeds that both rows have, and the ")
    assert "means of text and random over 7 to 8 seeds" in text


def test_equal_seeds_need_no_remark() -> None:
    assert said(table_of()) == []
