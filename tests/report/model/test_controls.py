"""The parts of the gain of text, and the levels of its controls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.cells import Cell, Choice
from harness.report.model.controls import (
    ALIGNMENT,
    GAIN,
    GEOMETRY,
    GEOMETRY_MATCHED,
    SEMANTICS,
    Controls,
    alike,
    controls,
    doses,
)
from harness.report.model.results import Results
from harness.report.model.table import Table, build_table
from harness.stats.holm import holm

from ..studies import make_results, name_of, task_of

LEVELS = [
    {"name": "text_partly_rotated", "amount": 0.25}, {"name": "text_partly_rotated", "amount": 0.5},
    {"name": "text_noise", "sigma": 1}, {"name": "text_noise", "sigma": 2},
]  # fmt: skip
NAMES = ["text", "random", "orthogonal", "gram_matched", "text_rotated", "text_shuffled"]
#: Shares that 200 items have exactly.
ACCURACY = {
    "text": 0.75, "random": 0.5, "orthogonal": 0.5, "gram_matched": 0.5, "text_rotated": 0.6,
    "text_shuffled": 0.25, "text_partly_rotated": 0.65, "text_noise": 0.6,
}  # fmt: skip
TASK: dict[str, Any] = {
    "classifier": [*NAMES, *LEVELS], "shots": [1, 4], "include": [],
    "report": {"rows": "classifier", "columns": "shots", "reference": "text"},
}  # fmt: skip


def accuracy(cell: Cell) -> float:
    return ACCURACY[name_of(cell)]


def results_of(changes: dict[str, Any] | None = None, **options: Any) -> Results:
    return make_results(task_of(**TASK | (changes or {})), accuracy, **options)


def table_of(changes: dict[str, Any] | None = None, **options: Any) -> Table:
    return build_table(results_of(changes, **options))


def found(changes: dict[str, Any] | None = None, **options: Any) -> Controls:
    parts = controls(table_of(changes, **options))
    assert parts is not None
    return parts


def test_every_part_is_the_difference_of_its_rows() -> None:
    parts = [p for p in found().parts if p.column.label == "1 shot"]
    assert [(p.name, p.a, p.b) for p in parts] == [
        (GAIN, "text", "random"),
        (ALIGNMENT, "text", "text_rotated"),
        (GEOMETRY, "text_rotated", "random"),
        (SEMANTICS, "text", "text_shuffled"),
        (GEOMETRY_MATCHED, "gram_matched", "random"),
    ]
    gaps = {p.name: p.contrast.difference for p in parts if p.contrast is not None}
    assert gaps == pytest.approx(
        {GAIN: 0.25, ALIGNMENT: 0.15, GEOMETRY: 0.1, SEMANTICS: 0.5, GEOMETRY_MATCHED: 0.0}
    )
    assert gaps[GAIN] == pytest.approx(gaps[ALIGNMENT] + gaps[GEOMETRY])


def test_intervals_are_those_of_the_table_turned_where_the_pair_is_turned() -> None:
    """The reference is the second of its pair in the table: text minus random is turned."""
    table = table_of()
    pairs = {(c.column, c.contrast.a, c.contrast.b): c.contrast for c in table.pairs}
    parts = controls(table)
    assert parts is not None
    first = parts.parts[0]
    of_table, own = pairs[first.column, "random", "text"], first.contrast
    assert own is not None
    assert of_table.low is not None
    assert of_table.high is not None
    assert (own.low, own.high, own.p) == (-of_table.high, -of_table.low, of_table.p)


@pytest.mark.parametrize("family", ["column", "table"])
def test_pairs_of_the_family_of_the_page_keep_their_p(family: str) -> None:
    table = table_of({"report": {**TASK["report"], "family": family}})
    parts = controls(table)
    assert parts is not None
    assert parts.m == 0
    of_page = {(c.column, frozenset((c.contrast.a, c.contrast.b))): c for c in table.pairs}
    for part in parts.parts:
        assert part.contrast is not None
        same = of_page[part.column, frozenset((part.a, part.b))].contrast
        assert part.contrast.p_adjusted == same.p_adjusted


REFERENCE = {"report": {**TASK["report"], "reference": "text", "family": "reference"}}


def test_pairs_that_no_family_has_are_one() -> None:
    """Geometry and its random draw are not compared with text: 2 parts in each of 2 columns."""
    parts = found(REFERENCE)
    own = [p.contrast for p in parts.parts if p.name in (GEOMETRY, GEOMETRY_MATCHED)]
    assert parts.m == len(own) == 4
    p = [c.p for c in own if c is not None]
    assert [c.p_adjusted for c in own if c is not None] == holm(p)


def test_a_part_that_lacks_seeds_counts_in_the_family() -> None:
    def status(cell: Cell) -> str:
        gone = name_of(cell) == "text_shuffled" and (cell.shots, cell.seed) == (1, 0)
        return "missing" if gone else "done"

    parts = found(status=status)
    waiting = [(p.name, p.column.label) for p in parts.parts if p.contrast is None]
    assert waiting == [(SEMANTICS, "1 shot")]

    def rotated(cell: Cell) -> str:
        gone = name_of(cell) == "text_rotated" and (cell.shots, cell.seed) == (1, 0)
        return "missing" if gone else "done"

    late = found(REFERENCE, status=rotated)
    own = [p.contrast for p in late.parts if p.name in (GEOMETRY, GEOMETRY_MATCHED)]
    assert late.m == 4
    assert own.count(None) == 1
    done = [c for c in own if c is not None]
    assert [c.p_adjusted for c in done] == holm([*(c.p for c in done), 1.0])[:-1]


def test_a_control_that_cannot_exist_is_left_out() -> None:
    def infeasible(cell: Cell) -> str | None:
        return "no room" if name_of(cell) == "gram_matched" else None

    parts = found(infeasible=infeasible)
    assert GEOMETRY_MATCHED not in {p.name for p in parts.parts}
    assert len(parts.parts) == 8


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["text", "random"], None),
        (["random", "text_rotated"], None),
        (["text", "prototype", "text_shuffled"], [SEMANTICS]),
        (["text", "text_rotated"], [ALIGNMENT]),
        (["text", "random", "gram_matched"], [GAIN, GEOMETRY_MATCHED]),
    ],
)
def test_studies_without_some_controls(names: list[str], parts: list[str] | None) -> None:
    changes = {"classifier": names, "shots": 1, "report": {"rows": "classifier"}}
    table = build_table(make_results(task_of(**TASK | changes), lambda c: 0.5))
    result = controls(table)
    assert (None if result is None else [p.name for p in result.parts]) == parts


def test_one_seed_is_descriptive() -> None:
    parts = found({"seeds": 1})
    assert parts.m == 0
    contrasts = [p.contrast for p in parts.parts]
    assert all(c is not None and c.p is None and c.p_adjusted is None for c in contrasts)
    assert all(c is not None and c.difference == c.difference for c in contrasts)


def test_rows_that_differ_in_more_than_the_classifier_are_not_compared() -> None:
    """One row has a learning rate of its own: only the parts without it are left."""
    changes = {"recipe": {"lr": 3e-4, "epochs": 60, "by": {"projection/random": {"lr": 1e-2}}},
               "paradigm": "vision_text", "tuning": "projection"}  # fmt: skip
    names = {p.name for p in found(changes).parts}
    assert names == {ALIGNMENT, SEMANTICS}


def test_cells_are_alike_where_they_differ_in_the_classifier_alone() -> None:
    text = Cell(Choice("emoji"), "few_shot", Choice("x"), classifier=Choice("text"), shots=1)
    templates = Choice("templates")
    other = replace(text, classifier=Choice("random"), seed=3)
    assert alike(text, other)
    # Random rows read no texts, so a prompt has no meaning for them; others do.
    assert alike(replace(text, prompt=templates), other)
    rotated = replace(text, classifier=Choice("text_rotated"))
    assert not alike(replace(text, prompt=templates), rotated)
    assert not alike(text, replace(other, shots=2))
    scaled = Choice("text_rotated", (("scale", 10.0),))
    assert not alike(text, replace(text, classifier=scaled))
    level = Choice("text_noise", (("sigma", 2.0),))
    assert alike(text, replace(text, classifier=level))


def test_two_prompts_are_two_sets_of_rows() -> None:
    changes = {"classifier": ["text", "random", "text_rotated"], "shots": 1,
               "prompt": ["class_name", "template"],
               "report": {"rows": ["classifier", "prompt"], "columns": "shots"}}  # fmt: skip
    parts = found(changes).parts
    assert [p.name for p in parts] == [GAIN, ALIGNMENT, GEOMETRY] * 2
    prompts = [{row.partition(" · ")[2] for row in (p.a, p.b) if "text" in row} for p in parts]
    assert prompts == [{"class_name"}] * 3 + [{"template"}] * 3


def test_levels_run_from_the_text_to_the_rotated_text() -> None:
    table = table_of()
    amount, _, sigma, _ = doses(table)
    assert [(d.option, d.label) for d in doses(table)] == [
        ("amount", "1 shot"), ("amount", "4 shots"), ("sigma", "1 shot"), ("sigma", "4 shots"),
    ]  # fmt: skip
    assert [x for x, *_ in amount.values] == [0, 0.25, 0.5, 1]
    assert [x for x, *_ in sigma.values] == [0, 1, 2]
    assert [mean for _, mean, *_ in amount.values] == [0.75, 0.65, 0.65, 0.6]
    assert amount.random == 0.5
    rows = ["text", "text_partly_rotated(amount=0.25)", "text_partly_rotated(amount=0.5)"]
    for (_, *summary), row in zip(amount.values, rows, strict=False):
        assert tuple(summary) == table.summary(row, "1 shot")


def test_two_levels_are_no_line_and_a_level_without_seeds_is_left_out() -> None:
    two = {"classifier": ["text", "text_rotated", LEVELS[2]]}
    assert doses(table_of(two)) == ()

    def status(cell: Cell) -> str:
        return "failed" if cell.classifier and dict(cell.classifier.options) else "done"

    assert doses(table_of(status=status)) == ()
