"""Views of support pictures in the words of the method section."""

from __future__ import annotations

from dataclasses import replace

from harness.core.cells import Cell, Choice
from harness.report.model.labels import name_value
from harness.report.text.samples import sample_lines, views_text

CELL = Cell(Choice("d"), "few_shot", Choice("e"), shots=1)
POOL = Choice("pool", (("flip", True), ("n", 10), ("scale", (0.5, 1.0))))
CYCLE = Choice("cycle", (("flip", False), ("n", 1), ("scale", (0.08, 1.0))))


def test_views_are_described() -> None:
    assert views_text(POOL) == (
        "10 random crops of each support picture (50 to 100% of its area, flipped in one of two; "
        "the same for every seed): each is a sample"
    )
    assert views_text(CYCLE) == (
        "1 random crop of each support picture (8 to 100% of its area, never flipped; the same for "
        "every seed): epoch e reads view e mod n, and classifiers see the mean of their features"
    )


def test_a_study_without_views_says_nothing_of_them() -> None:
    assert sample_lines([CELL]) == []
    with_views = replace(CELL, support_views=POOL)
    assert sample_lines([with_views]) == [f"- Support views: {views_text(POOL)}"]
    assert sample_lines([CELL, with_views]) == [
        f"- Support views: none (the pictures themselves) and {views_text(POOL)}"
    ]


def test_a_row_is_named_by_its_views() -> None:
    assert name_value("support_views", POOL) == "pool of 10 views (0.5 to 1, flip)"
    assert name_value("support_views", CYCLE) == "cycle of 1 view (0.08 to 1, no flip)"
