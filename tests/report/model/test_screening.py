"""Screens of a study: candidates, their agreement with the outcome, and the choice of a screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.core import registry
from harness.core.cells import Cell
from harness.core.hashing import digest
from harness.core.protocols.screen import Screen, Screened
from harness.report.model.screening import (
    PlannedCell,
    Screening,
    best_screen,
    best_screens,
    build_screening,
)
from harness.task.grid import expand

from ..studies import name_of, task_of

NAMES = ["text", "random", "orthogonal", "text_rotated", "text_shuffled", "kaiming", "prototype"]
SCREENS = {name: registry.load(Screen, name) for name in ("margin", "zero_shot")}
TASK: dict[str, Any] = {"classifier": NAMES, "shots": [1, 4], "include": [], "seeds": 2}


def accuracy(cell: Cell) -> float:
    """In the order of NAMES, higher with more shots."""
    return 0.1 * NAMES.index(name_of(cell)) + 0.01 * (cell.shots or 0)


def like_accuracy(cell: Cell) -> Screened:
    """Margin orders rows as accuracy does, zero-shot the other way; prototype is of its samples."""
    value = NAMES.index(name_of(cell)) + 0.1 * (cell.seed or 0)
    own = name_of(cell) == "prototype"
    return Screened({"margin": value, "zero_shot": -value}, "support", 100, own)


def screening(
    screened: Callable[[Cell], Screened] = like_accuracy,
    top1: Callable[[Cell], float | None] = accuracy,
    **changes: Any,
) -> Screening:
    task = task_of(**TASK | changes)
    cells = [PlannedCell(c, digest(c.plain()), screened(c), top1(c)) for c in expand(task)]
    return build_screening(task, cells, [], SCREENS)


def test_a_candidate_is_a_row_in_a_column_over_its_seeds() -> None:
    found = screening()
    assert [c.row for c in found.candidates] == [*NAMES, *NAMES]
    text = found.candidates[1]
    assert (text.row, text.column.label, text.seeds) == ("random", "1 shot", 2)
    assert text.values == pytest.approx({"margin": 1.05, "zero_shot": -1.05})
    assert text.top1 == pytest.approx(0.11)


def test_rows_are_ranked_by_a_screen() -> None:
    found = screening()
    assert [c.row for c in found.ranked(found.columns[0], "margin")] == NAMES[::-1]
    assert [c.row for c in found.ranked(found.columns[0], "zero_shot")] == NAMES


def test_agreement_leaves_out_what_is_made_of_the_measured_samples() -> None:
    margin, zero_shot = (screening().agreement[name] for name in ("margin", "zero_shot"))
    assert margin.spearman.mean == pytest.approx(1)
    assert zero_shot.kendall.mean == pytest.approx(-1)
    assert (margin.spearman.columns, margin.spearman.candidates) == (2, 6)
    # The best of the six rows is kaiming; zero_shot ranks text first.
    assert margin.regret == pytest.approx(0)
    assert zero_shot.regret == pytest.approx(0.5)


def test_a_row_with_a_missing_outcome_is_left_out_and_ranked_all_the_same() -> None:
    def without(cell: Cell) -> float | None:
        return None if (name_of(cell), cell.seed) == ("text", 1) else accuracy(cell)

    found = screening(top1=without)
    assert found.agreement["margin"].spearman.candidates == 5
    assert found.agreement["margin"].spearman.low is None  # five rows have no interval
    assert len(found.ranked(found.columns[0], "margin")) == 7


def test_values_that_differ_in_rounding_are_equal() -> None:
    def nearly(cell: Cell) -> Screened:
        noise = 1e-9 * NAMES.index(name_of(cell))
        return replace(like_accuracy(cell), values={"margin": 0.5 + noise, "zero_shot": 1.0})

    assert screening(nearly).agreement == {}


def test_without_outcomes_there_is_no_agreement() -> None:
    found = screening(top1=lambda cell: None)
    assert found.agreement == {}
    assert best_screen([found]) is None


def test_equal_outcomes_and_equal_values_have_no_agreement() -> None:
    assert screening(top1=lambda cell: 0.5).agreement == {}

    def flat(cell: Cell) -> Screened:
        return replace(like_accuracy(cell), values={"margin": 1.0, "zero_shot": None})

    assert screening(flat).agreement == {}


def test_what_cannot_be_measured_says_why_and_is_last() -> None:
    def some(cell: Cell) -> Screened:
        return Screened({}, why="no W") if name_of(cell) == "text" else like_accuracy(cell)

    found = screening(some)
    assert found.candidates[0].why == "no W"
    assert found.ranked(found.columns[0], "zero_shot")[-1].row == "text"


def test_the_best_screen_is_that_of_the_highest_mean_over_studies() -> None:
    def turned(cell: Cell) -> Screened:
        found = like_accuracy(cell)
        return replace(found, values={k: -v for k, v in found.values.items() if v is not None})

    assert best_screen([screening(), screening()]) == "margin"
    assert best_screen([screening(turned)]) == "zero_shot"
    assert best_screen([screening(), screening(turned)]) == "margin", "the first of equals"
    assert best_screens([screening(), screening(turned)]) == ["margin", "zero_shot"]
    assert best_screens([screening()]) == ["margin"]
    assert best_screens([screening(top1=lambda cell: None)]) == []
