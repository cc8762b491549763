"""Pairs of rows, the families in which p is adjusted, bold and rank intervals."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cells import Cell
from harness.report.model.contrasts import column_pairs
from harness.report.model.labels import Column
from harness.report.model.table import build_table

from ..studies import few_shot_accuracy, make_results, name_of, task_of


def small(**changes: Any) -> Any:
    return task_of(**{"classifier": ["text", "random", "lda"], "include": [], **changes})


def late(cell: Cell) -> str:
    """One seed of lda at one shot is not there."""
    return "missing" if (name_of(cell), cell.shots, cell.seed) == ("lda", 1, 3) else "done"


def test_bold_and_ranks_come_from_all_pairs_of_the_column() -> None:
    table = build_table(make_results(small(), few_shot_accuracy))
    column = Column("4 shots")
    assert ("text", column) in table.bold
    assert table.ranks["random", column] == (3, 3)
    assert {c.m for c in table.pairs} == {3}
    assert {c.family for c in table.against} == {"column"}


@pytest.mark.parametrize(("family", "m"), [("column", 3), ("reference", 2), ("table", 9)])
def test_the_declared_family_adjusts_the_contrasts_against_the_reference(
    family: str, m: int
) -> None:
    task = small(report={"rows": "classifier", "reference": "random", "family": family})
    table = build_table(make_results(task, few_shot_accuracy))
    assert {(c.family, c.m) for c in table.against} == {(family, m)}
    assert {c.contrast.b for c in table.against} == {"random"}


@pytest.mark.parametrize("status", ["missing", "failed"])
def test_an_incomplete_entry_blocks_the_verdicts_of_its_column_only(status: str) -> None:
    def late(cell: Cell) -> str:
        return status if (name_of(cell), cell.shots, cell.seed) == ("lda", 1, 3) else "done"

    table = build_table(make_results(small(), few_shot_accuracy, status=late))
    entry = table.entries["lda", Column("1 shot")]
    assert (entry.status, entry.seeds_done, entry.seeds_wanted) == (status, 4, 5)
    assert entry.estimate is None
    assert not [place for place in table.bold if place[1].label == "1 shot"]
    assert not [place for place in table.ranks if place[1].label == "1 shot"]
    assert [place for place in table.ranks if place[1].label == "2 shots"]
    # The family keeps its planned size, so that no adjusted p rises when the last cell comes in.
    assert {c.m for c in table.pairs if c.column.label == "1 shot"} == {3}


def test_rows_on_different_test_sets_are_not_compared() -> None:
    results = make_results(small(shots=1), few_shot_accuracy, test_name=name_of)
    table = build_table(results)
    assert not table.pairs
    assert not table.bold
    assert any("different test sets" in note for note in table.notes)


def test_fewer_than_five_seeds_are_descriptive() -> None:
    table = build_table(make_results(small(seeds=4), few_shot_accuracy))
    assert all(c.contrast.p is None and c.contrast.p_adjusted is None for c in table.pairs)
    assert not table.bold


def test_the_reference_is_the_second_of_its_pairs() -> None:
    table = build_table(make_results(small(), few_shot_accuracy))
    column = Column("1 shot")
    pairs = column_pairs(table.rows, column, table.entries, "text")
    assert [(c.a, c.b) for c in pairs.compared] == [
        ("random", "text"), ("lda", "text"), ("random", "lda"),
    ]  # fmt: skip
    assert pairs.waiting == ()


@pytest.mark.parametrize("family", ["column", "reference", "table"])
def test_no_adjusted_p_rises_when_missing_seeds_come_in(family: str) -> None:
    report = {"rows": "classifier", "reference": "random", "family": family}
    before = build_table(make_results(small(report=report), few_shot_accuracy, status=late))
    after = build_table(make_results(small(report=report), few_shot_accuracy))
    p_after = {(c.contrast.a, c.column): c for c in after.against}
    assert 0 < len(before.against) < len(after.against)
    for c in before.against:
        later = p_after[c.contrast.a, c.column]
        assert c.m == later.m
        assert c.contrast.p_adjusted is not None
        assert later.contrast.p_adjusted is not None
        assert later.contrast.p_adjusted <= c.contrast.p_adjusted


def test_the_pairs_are_adjusted_over_the_table_where_it_is_the_family() -> None:
    report = {"rows": "classifier", "reference": "random", "family": "table"}
    table = build_table(make_results(small(report=report), few_shot_accuracy))
    assert {(c.family, c.m) for c in table.pairs} == {("table", 9)}
    assert set(table.against) <= set(table.pairs)
    # Ranks stay those of the column: three pairs each.
    column = build_table(make_results(small(), few_shot_accuracy))
    assert table.ranks == column.ranks
