"""The leaderboard: numbers by hand, statuses, references, class draws and the DataFrame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import samples
from harness.core.cells import Cell
from harness.core.records import Record
from harness.report.model.labels import Column
from harness.report.model.results import Result, Results
from harness.report.model.table import Table, build_table
from harness.task.grid import expand

from ..studies import few_shot_accuracy, make_results, name_of, no_lda_at_one, task_of


def small(**changes: Any) -> Any:
    return task_of(**{"classifier": ["text", "random", "lda"], "include": [], **changes})


def hand_made(seeds: int = 2) -> tuple[Results, Table]:
    """Four items, two rows: text is right on 3, 4 of 4; random on 1, 2 of 4."""
    task = small(classifier=["text", "random"], shots=1, seeds=seeds)
    right = {("text", 0): [1, 1, 1, 0], ("text", 1): [1, 1, 1, 1],
             ("random", 0): [1, 0, 0, 0], ("random", 1): [1, 0, 1, 0]}  # fmt: skip
    labels_N = np.arange(4)
    test = samples.TestSet(("a", "b", "c", "d"), labels_N, labels_N, ("A", "B", "C", "D"))
    found, ranks = [], {}
    for cell in expand(task):
        key = f"{name_of(cell)}{cell.seed}"
        ranks[key] = 1 - np.array(right[name_of(cell), cell.seed or 0])
        found.append(Result(cell, key, Record(key, cell.plain(), "done", test=test.sha256, n=4)))
    results = Results(task, tuple(found), (), {test.sha256: test}, lambda r: {"rank": ranks[r.key]})
    return results, build_table(results)


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
    (against,) = table.against
    assert (against.contrast.a, against.contrast.b) == ("text", "random")
    assert against.contrast.difference == pytest.approx(0.5)
    assert against.contrast.p is None  # two seeds are descriptive
    assert not table.bold
    assert not table.ranks


def test_what_is_not_feasible_blocks_nothing() -> None:
    table = build_table(make_results(small(), few_shot_accuracy, infeasible=no_lda_at_one))
    entry = table.entries["lda", Column("1 shot")]
    assert entry.status == "infeasible"
    assert entry.reasons == ("lda needs 2 samples a class, shots is 1",)
    assert ("text", Column("1 shot")) in table.bold
    assert {c.m for c in table.pairs if c.column.label == "1 shot"} == {1}


def test_excluded_cells_are_absent() -> None:
    task = small(exclude=[{"classifier": "lda", "shots": 1}])
    table = build_table(make_results(task, few_shot_accuracy))
    assert table.entries["lda", Column("1 shot")].status == "absent"
    assert ("text", Column("1 shot")) in table.bold


def test_a_reference_may_be_named_by_the_value_that_only_it_has() -> None:
    task = task_of(classifier=["text", "random"], report={"reference": "random"})
    table = build_table(make_results(task, few_shot_accuracy))
    assert table.reference == "random · vision_text"


def test_a_reference_that_is_no_row_is_said() -> None:
    task = small(report={"rows": "classifier", "reference": "rnadom"})
    table = build_table(make_results(task, few_shot_accuracy))
    assert table.reference is None
    assert not table.against
    assert any("'rnadom' matches no row" in note for note in table.notes)


def test_what_the_task_accepts_and_what_runs_warned_of_is_noted() -> None:
    results = make_results(small(allow=["equal_texts"]), few_shot_accuracy)
    warned = tuple(
        replace(r, record=replace(r.record, warnings=("Rows 'a' and 'b' are nearly equal.",) * 2))
        if r.record is not None and i < 2
        else r
        for i, r in enumerate(results.results)
    )
    notes = build_table(replace(results, results=warned)).notes
    assert notes[0].startswith("Accepted by the task (allow: equal_texts): classes may have equal")
    assert notes[2] == "Rows 'a' and 'b' are nearly equal. (2 cells)"


def test_deterministic_rows_have_one_run_and_pair_with_every_seed() -> None:
    task = small(regime="zero_shot", shots=None, classifier=["text", "random"])
    table = build_table(make_results(task, lambda c: 0.5 if name_of(c) == "text" else 0.1))
    (column,) = table.columns
    estimate = table.entries["text", column].estimate
    assert estimate is not None
    assert estimate.seeds == 1
    assert table.against[0].contrast.seeds == 5


def test_an_empty_study_is_a_table() -> None:
    results = make_results(small(), few_shot_accuracy, status=lambda _: "missing")
    table = build_table(results)
    assert all(e.status == "missing" for e in table.entries.values())
    empty = build_table(replace(results, results=()))
    assert empty.rows == ()


def test_the_dataframe_has_one_line_per_entry() -> None:
    def late(cell: Cell) -> str:
        missing = name_of(cell) == "random" and cell.shots == 2 and cell.seed == 1
        return "missing" if missing else "done"

    results = make_results(small(), few_shot_accuracy, infeasible=no_lda_at_one, status=late)
    table = build_table(results)
    frame = table.dataframe()
    assert list(frame) == [
        "row", "column", "draw", "mean", "low", "high", "seeds", "items", "groups", "status",
        "bold", "rank_low", "rank_high", "mark",
    ]  # fmt: skip
    assert len(frame) == len(table.rows) * len(table.columns)
    line = frame.set_index(["row", "column"]).loc[("text", "4 shots")]
    estimate = table.entries["text", Column("4 shots")].estimate
    assert estimate is not None
    assert (line["mean"], line["low"], line["high"]) == (estimate.mean, estimate.low, estimate.high)
    assert (line["seeds"], line["items"], line["groups"]) == (5, 200, 100)
    assert (line["status"], bool(line["bold"])) == ("done", True)
    assert (line["rank_low"], line["rank_high"]) == table.ranks["text", Column("4 shots")]
    assert frame["draw"].isna().all()
    status = frame.set_index(["row", "column"])["status"]
    assert status["lda", "1 shot"] == "infeasible"
    assert status["random", "2 shots"] == "missing"
    unfinished = frame[frame["status"] != "done"]
    assert unfinished[["mean", "low", "items", "rank_low"]].isna().all(axis=None)
    assert unfinished["seeds"].tolist() == [4, 0]


def test_the_dataframe_names_class_draws() -> None:
    task = small(classifier=["text", "random"], shots=1, class_seed=[0, 1])
    frame = build_table(make_results(task, few_shot_accuracy)).dataframe()
    assert frame["draw"].tolist() == [0, 1, 0, 1]
    assert set(frame["column"]) == {"1 shot"}
    empty = build_table(make_results(task, few_shot_accuracy, cells=[])).dataframe()
    assert len(empty) == 0
