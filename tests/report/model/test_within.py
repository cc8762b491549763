"""Rows that differ in one axis alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.cells import Cell, Choice
from harness.core.errors import TaskError
from harness.report.model.results import Results
from harness.report.model.table import Table, build_table
from harness.report.model.task_checks import check_report_keys
from harness.report.render.within_table import within_table
from harness.report.text.answer import answer
from harness.report.text.within import within_sentence
from harness.task.grid import expand

from ..studies import make_results, task_of

REPORT = {"rows": ["tuning", "classifier"], "columns": "shots", "within": "classifier"}
#: Two tuned parts in place of two methods: random costs the head 30 points, the other nothing.
TASK: dict[str, Any] = {
    "classifier": ["text", "random"], "tuning": ["projection", "head"], "shots": [1, 4],
    "include": [{"paradigm": "vision_only", "tuning": "projection"}], "report": REPORT,
}  # fmt: skip


def accuracy(cell: Cell) -> float:
    hurt = cell.tuning == "head" and cell.classifier == Choice("random")
    return 0.3 if hurt else 0.6


def results_of(**options: Any) -> Results:
    return make_results(task_of(**TASK), accuracy, **options)


def table_of(**options: Any) -> Table:
    return build_table(results_of(**options))


def test_every_row_is_compared_with_the_one_of_the_first_value() -> None:
    found = table_of().within
    assert [(w.shared, w.value, w.base, w.column.label) for w in found] == [
        ("projection", "random", "text", "1 shot"), ("head", "random", "text", "1 shot"),
        ("projection", "random", "text", "4 shots"), ("head", "random", "text", "4 shots"),
    ]  # fmt: skip
    assert [round(w.contrast.difference, 1) for w in found] == [0.0, -0.3, 0.0, -0.3]
    assert all(w.contrast.low is not None for w in found)


def test_a_pair_of_the_family_keeps_its_p_and_the_others_of_a_column_are_one() -> None:
    """Under the family of the column all pairs have their p there; under that of the reference
    (head · text) the pair of the projection is none of its comparisons.
    """
    table = table_of()
    of_page = {
        frozenset((c.contrast.a, c.contrast.b)): c for c in table.verdicts.of(table.columns[0])
    }
    for w in (w for w in table.within if w.column == table.columns[0]):
        same = of_page[frozenset((f"{w.shared} · text", f"{w.shared} · random"))]
        assert (w.m, w.contrast.p_adjusted) == (same.m, same.contrast.p_adjusted)
        assert w.m == 10
    report = REPORT | {"reference": "head · text", "family": "reference"}
    table = build_table(make_results(task_of(**TASK | {"report": report}), accuracy))
    projection, head = (w for w in table.within if w.column == table.columns[0])
    assert (projection.m, head.m) == (1, 4)
    assert projection.contrast.p_adjusted == projection.contrast.p
    page = {c.contrast.a: c.contrast for c in table.against if c.column == table.columns[0]}
    assert head.contrast.p_adjusted == page["head · random"].p_adjusted


def test_a_pair_that_waits_for_seeds_counts_in_the_family() -> None:
    def status(cell: Cell) -> str:
        late = cell.tuning == "head" and cell.seed == 4
        return "missing" if late else "done"

    found = table_of(status=status).within
    assert [(w.shared, w.m) for w in found] == [("projection", 10)] * 2


def test_options_may_differ_where_methods_have_their_own() -> None:
    """Each initialisation has the setting that was chosen for it; labels leave it out."""
    task = task_of(classifier=["text", "random"], include=[], shots=1,
                   report={"rows": ["method", "classifier"], "within": "classifier"})  # fmt: skip

    def with_method(cell: Cell) -> Cell:
        alpha = 1.0 if cell.classifier == Choice("text") else 9.0
        method = Choice("gda", (("alpha", alpha),))
        return replace(cell, method=method, paradigm=None, recipe=None)

    table = build_table(make_results(task, accuracy, cells=[with_method(c) for c in expand(task)]))
    assert table.rows == ("gda · text", "gda · random")
    assert [(w.shared, w.value) for w in table.within] == [("gda", "random")]


def test_the_table_has_a_line_for_what_rows_share_and_a_star_for_what_is_significant() -> None:
    lines = within_table(table_of()).splitlines()
    assert lines[0] == "| Row | random minus text, 1 shot | random minus text, 4 shots |"
    assert lines[2].startswith("| projection | ")
    assert "\\*" not in lines[2]
    assert lines[3].startswith("| head | -30.0\\* \\[-")
    assert "in the family of the page, 'column' (m = 10)" in lines[-1]


def test_the_answer_counts_what_the_axis_changes() -> None:
    table = table_of()
    text = within_sentence(table)
    assert text == (
        "random in place of text costs 30.0 points in 2 and is undecided in 2 of 4 comparisons."
    )
    assert answer(table).endswith(f" {text}")


def test_without_the_key_there_is_nothing() -> None:
    task = task_of(**{**TASK, "report": REPORT | {"within": None}})
    table = build_table(make_results(task, accuracy))
    assert table.within == ()
    assert within_table(table) == ""
    assert within_sentence(table) == ""


def test_an_axis_that_does_not_exist_is_refused() -> None:
    task = task_of(**{**TASK, "report": REPORT | {"within": "clasifier"}})
    with pytest.raises(TaskError, match=r"report\.within.*clasifier"):
        check_report_keys(task, "t.yaml")
