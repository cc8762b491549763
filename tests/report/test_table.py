from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import outcomes as types
from harness.core.cells import Cell
from harness.core.records import Record
from harness.report.model.labels import Column
from harness.report.model.results import Result, Study
from harness.report.model.table import Table, build_table
from harness.stats import pairwise
from harness.task.grid import expand

from .studies import few_shot_accuracy, make_study, no_lda_at_one, task_of


def name_of(cell: Cell) -> str:
    return cell.classifier.name if cell.classifier else "vision_only"


def small(**changes: Any) -> Any:
    return task_of(**{"classifier": ["text", "random", "lda"], "include": [], **changes})


def hand_made(seeds: int = 2) -> tuple[Study, Table]:
    """Four items, two rows: text is right on 3, 4 of 4; random on 1, 2 of 4."""
    task = small(classifier=["text", "random"], shots=1, seeds=seeds)
    right = {("text", 0): [1, 1, 1, 0], ("text", 1): [1, 1, 1, 1],
             ("random", 0): [1, 0, 0, 0], ("random", 1): [1, 0, 1, 0]}  # fmt: skip
    labels_N = np.arange(4)
    test = types.TestSet(("a", "b", "c", "d"), labels_N, labels_N, ("A", "B", "C", "D"))
    results, ranks = [], {}
    for cell in expand(task):
        key = f"{name_of(cell)}{cell.seed}"
        ranks[key] = 1 - np.array(right[name_of(cell), cell.seed or 0])
        results.append(Result(cell, key, Record(key, cell.plain(), "done", test=test.sha256, n=4)))
    study = Study(task, tuple(results), (), {test.sha256: test}, lambda r: {"rank": ranks[r.key]})
    return study, build_table(study)


def test_numbers_of_a_table_made_by_hand() -> None:
    _, table = hand_made()
    column = Column("1 shot")
    assert table.rows == ("text", "random")
    assert table.columns == (column,)
    text, random = (table.entries[row, column].estimate for row in table.rows)
    assert text is not None
    assert random is not None
    assert (text.mean, random.mean) == (7 / 8, 3 / 8)
    assert (text.seeds, text.items, text.groups) == (2, 4, 4)
    (claim,) = table.against
    assert (claim.contrast.a, claim.contrast.b) == ("text", "random")
    assert claim.contrast.difference == pytest.approx(0.5)
    assert claim.contrast.p is None  # two seeds are descriptive
    assert not table.bold
    assert not table.ranks


def test_entries_are_those_of_the_statistics() -> None:
    study = make_study(small(), few_shot_accuracy)
    table = build_table(study)
    entry = table.entries["text", Column("2 shots")]
    assert entry.outcomes is not None
    assert entry.estimate == pairwise.estimate(entry.outcomes)
    assert entry.outcomes.seeds == (0, 1, 2, 3, 4)
    assert entry.estimate.mean == pytest.approx(
        np.mean([r.top1 for r in entry.records if r.top1 is not None])
    )


def test_bold_and_ranks_come_from_all_pairs_of_the_column() -> None:
    table = build_table(make_study(small(), few_shot_accuracy))
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
    table = build_table(make_study(task, few_shot_accuracy))
    assert {(c.family, c.m) for c in table.against} == {(family, m)}
    assert {c.contrast.b for c in table.against} == {"random"}


@pytest.mark.parametrize("status", ["missing", "failed"])
def test_an_incomplete_entry_blocks_the_verdicts_of_its_column_only(status: str) -> None:
    def late(cell: Cell) -> str:
        return status if (name_of(cell), cell.shots, cell.seed) == ("lda", 1, 3) else "done"

    table = build_table(make_study(small(), few_shot_accuracy, status=late))
    entry = table.entries["lda", Column("1 shot")]
    assert (entry.status, entry.seeds_done, entry.seeds_wanted) == (status, 4, 5)
    assert entry.estimate is None
    assert not [place for place in table.bold if place[1].label == "1 shot"]
    assert not [place for place in table.ranks if place[1].label == "1 shot"]
    assert [place for place in table.ranks if place[1].label == "2 shots"]
    # The family keeps its planned size, so that no adjusted p rises when the last cell comes in.
    assert {c.m for c in table.pairs if c.column.label == "1 shot"} == {3}


def test_what_is_not_feasible_blocks_nothing() -> None:
    table = build_table(make_study(small(), few_shot_accuracy, infeasible=no_lda_at_one))
    entry = table.entries["lda", Column("1 shot")]
    assert entry.status == "infeasible"
    assert entry.reasons == ("lda needs 2 samples a class, shots is 1",)
    assert ("text", Column("1 shot")) in table.bold
    assert {c.m for c in table.pairs if c.column.label == "1 shot"} == {1}


def test_excluded_cells_are_absent() -> None:
    task = small(exclude=[{"classifier": "lda", "shots": 1}])
    table = build_table(make_study(task, few_shot_accuracy))
    assert table.entries["lda", Column("1 shot")].status == "absent"
    assert ("text", Column("1 shot")) in table.bold


def test_rows_on_different_test_sets_are_not_compared() -> None:
    study = make_study(small(shots=1), few_shot_accuracy, test_name=name_of)
    table = build_table(study)
    assert not table.pairs
    assert not table.bold
    assert any("different test sets" in note for note in table.notes)


def test_fewer_than_five_seeds_are_descriptive() -> None:
    table = build_table(make_study(small(seeds=4), few_shot_accuracy))
    assert all(c.contrast.p is None and c.contrast.p_adjusted is None for c in table.pairs)
    assert not table.bold


def test_a_reference_may_be_named_by_the_value_that_only_it_has() -> None:
    task = task_of(classifier=["text", "random"], report={"reference": "random"})
    table = build_table(make_study(task, few_shot_accuracy))
    assert table.reference == "random · vision_text"


def test_a_reference_that_is_no_row_is_said() -> None:
    task = small(report={"rows": "classifier", "reference": "rnadom"})
    table = build_table(make_study(task, few_shot_accuracy))
    assert table.reference is None
    assert not table.against
    assert any("'rnadom' is no row" in note for note in table.notes)


def test_a_training_loss_that_still_falls_is_marked() -> None:
    def curve(cell: Cell) -> list[float]:
        flat = [1.0] * 6
        return [*flat, 0.94] if name_of(cell) == "text" else [*flat, 0.96]

    table = build_table(make_study(small(), few_shot_accuracy, curve=curve))
    assert table.entries["text", Column("1 shot")].falling
    assert not table.entries["random", Column("1 shot")].falling


def test_class_draws_are_compared_one_by_one() -> None:
    task = small(classifier=["text", "random"], shots=1, class_seed=[0, 1, 2, 3])
    table = build_table(make_study(task, few_shot_accuracy))
    (summary,) = table.draws
    assert sorted(summary.contrasts) == [0, 1, 2, 3]
    assert (summary.same_sign, summary.significant) == (4, 4)
    assert summary.over_draws is not None
    assert summary.over_draws.t is not None
    mean = np.mean([c.difference for c in summary.contrasts.values()])
    assert summary.over_draws.mean == pytest.approx(mean)
    found = table.summary("text", "1 shot")
    assert found is not None
    assert found[1] is not None
    assert found[1] <= found[0]


def test_three_draws_are_descriptive_and_a_missing_draw_blocks_the_mean() -> None:
    task = small(classifier=["text", "random"], shots=1, class_seed=[0, 1, 2])
    (summary,) = build_table(make_study(task, few_shot_accuracy)).draws
    assert summary.over_draws is not None
    assert summary.over_draws.t is None
    task = small(classifier=["text", "random"], shots=1, class_seed=[0, 1, 2, 3])
    table = build_table(
        make_study(
            task, few_shot_accuracy, status=lambda c: "missing" if c.class_seed == 1 else "done"
        )
    )
    assert table.draws[0].over_draws is None
    assert table.summary("text", "1 shot") is None


def test_deterministic_rows_have_one_run_and_pair_with_every_seed() -> None:
    task = small(regime="zero_shot", shots=None, classifier=["text", "random"])
    table = build_table(make_study(task, lambda c: 0.5 if name_of(c) == "text" else 0.1))
    (column,) = table.columns
    estimate = table.entries["text", column].estimate
    assert estimate is not None
    assert estimate.seeds == 1
    assert table.against[0].contrast.seeds == 5


def test_an_empty_study_is_a_table() -> None:
    study = make_study(small(), few_shot_accuracy, status=lambda _: "missing")
    table = build_table(study)
    assert all(e.status == "missing" for e in table.entries.values())
    empty = build_table(replace(study, results=()))
    assert empty.rows == ()
