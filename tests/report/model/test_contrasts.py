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


#: Rows close enough for the size of the family to decide: p is about 0.01.
CLOSE = {"text": 0.56, "random": 0.5, "lda": 0.5}


@pytest.mark.parametrize("family", ["column", "table"])
def test_bold_and_ranks_are_those_of_the_adjusted_p_of_the_page(family: str) -> None:
    """Whatever the family: a row is bold unless an adjusted p of the page says it is worse."""
    report = {"rows": "classifier", "family": family}
    table = build_table(make_results(small(report=report), lambda c: CLOSE[name_of(c)], n=1200))
    for column in table.columns:
        worse = {
            c.contrast.a if c.contrast.difference < 0 else c.contrast.b
            for c in table.verdicts.of(column)
            if c.contrast.p_adjusted is not None and c.contrast.p_adjusted <= 0.05
        }
        means = {r: e.mean for r in table.rows if (e := table.entries[r, column].estimate)}
        best = max(means, key=lambda r: means[r])
        assert (best, column) in table.bold
        assert {r for r in table.rows if (r, column) in table.bold} >= set(table.rows) - worse
        assert table.ranks[best, column][1] == 3 - sum(
            best in (c.contrast.a, c.contrast.b)
            and c.contrast.p_adjusted is not None
            and c.contrast.p_adjusted <= 0.05
            for c in table.verdicts.of(column)
        )


def test_a_family_over_the_table_is_larger_and_decides_less() -> None:
    found = {}
    for family in ("column", "table"):
        report = {"rows": "classifier", "family": family}
        results = make_results(small(report=report), lambda c: CLOSE[name_of(c)], n=1200)
        found[family] = build_table(results)
    assert set(found["column"].bold) < set(found["table"].bold)


def test_under_the_reference_family_rows_have_marks_and_neither_bold_nor_ranks() -> None:
    report = {"rows": "classifier", "reference": "random", "family": "reference"}
    accuracy = {"text": 0.8, "random": 0.5, "lda": 0.2}
    table = build_table(make_results(small(report=report), lambda c: accuracy[name_of(c)]))
    assert (table.bold, dict(table.ranks)) == (frozenset(), {})
    column = Column("1 shot")
    marks = {row: table.verdicts.marks.get((row, column)) for row in table.rows}
    assert marks == {"text": 1, "random": None, "lda": -1}
    (outside,) = [
        c for c in table.verdicts.of(column) if "random" not in (c.contrast.a, c.contrast.b)
    ]
    assert (outside.family, outside.m, outside.contrast.p_adjusted) == ("", 0, None)
    assert outside.contrast.p is not None


def test_without_its_row_the_reference_family_is_that_of_the_column() -> None:
    report = {"rows": "classifier", "reference": "nobody", "family": "reference"}
    table = build_table(make_results(small(report=report), few_shot_accuracy))
    assert table.family == "column"
    assert table.ranks
