"""Values of a task that no cell has: no error, and yet not what most people mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import TINY, read_like

from harness.study import open_study
from harness.task.notes import as_flow, values_of_no_cell


def notes(**changes: Any) -> list[str]:
    return values_of_no_cell(*read_like(TINY, **changes))


def test_a_plain_task_has_no_notes() -> None:
    assert notes() == []


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"exclude": [{"classifier": "lda"}]}, "exclude: {classifier: lda} matches no cell"),
        ({"exclude": [{"classifier": "text", "seed": 7}]}, "exclude: {classifier: text, seed: 7} "),
        ({"gather": False}, "gather: false applies to no cell of this task"),
        ({"frames": 8}, "frames: 8 applies to no cell of this task"),
        (
            {
                "paradigm": "vision_only",
                "recipe": {"l2": 1e-3},
                "tuning": ["head", {"head": {"start_norm": "raw"}}],
            },
            "tuning: {head: {'on': embedding, ",
        ),
        ({"loss": ["kl", "infonce"]}, "loss: infonce applies to no cell of this task"),
        (
            {
                "paradigm": "vision_only",
                "tuning": "head",
                "recipe": {"l2": 1e-3, "solver": "lbfgs", "precision": "bfloat16"},
            },
            "recipe.precision: [bfloat16] applies to no cell of this task",
        ),
        (
            {"regime": "zero_shot", "shots": None, "schedule": "trained", "recipe": {}},
            "schedule: trained applies to no cell of this task",
        ),
        (
            {"method": "tip_adapter", "recipe": {"lr": 1e-3}},
            "recipe.lr: [0.001] applies to no cell of this task",
        ),
        (
            {"search": "declared", "val": 1, "selection": "val", "method": "zero_shot"},
            "search: declared applies to no cell: no method of this task declares one",
        ),
        (
            {"search": {"recipe.lr": [1e-3]}, "val": 1, "selection": "val", "method": "zero_shot"},
            "search.recipe.lr: [0.001] applies to no cell of this task",
        ),
        ({"include": [{"classifier": "text"}]}, "include: {classifier: text} adds no cell"),
        (
            {"paradigm": "vision_only", "classifier": {"name": "lda", "shrinkage": 0.1}},
            "classifier: {name: lda, shrinkage: 0.1} applies to no cell of this task",
        ),
    ],
)
def test_values_that_no_cell_has(changes: dict[str, Any], note: str) -> None:
    first, *others = notes(**changes)
    assert first.startswith(note)
    # Validation samples, and the epochs of the recipe, have no meaning without what reads them.
    assert all(other.startswith(("val: 1 ", "recipe.epochs: [2] ")) for other in others)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"views": "4x3"}, "views: 4x3 applies to no cell of this task"),
        ({"temporal": "t_trans", "frames": 4}, "temporal: t_trans applies to no cell of this task"),
        ({"alignment": "pad"}, "alignment: pad applies to no cell of this task"),
        ({"views": "1x3"}, ""),
        ({"shots": [1, 2], "views": ["1x1", "1x3"], "exclude": [{"views": "1x3"}]}, ""),
    ],
)
def test_what_has_no_meaning_for_these_data_or_this_encoder(
    changes: dict[str, Any], note: str, tmp_path: Path
) -> None:
    """Known once the data and the encoder are open: pictures have no clips and no frames."""
    found = open_study(TINY | changes, runs=tmp_path).notes()
    assert found[0] == note if note else found == []


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": ["frozen", "trained"]},
        {"paradigm": "vision_only", "tuning": ["head", {"head": {"on": "backbone"}}]},
        {"support": {"file": "lists/shot_{shots}-seed_{seed}.json"}},
        {"shots": [1, 2], "exclude": [{"shots": 2}]},
        {"exclude": [{"classifier": "text", "seed": 1}]},
        {"loss": ["kl", "infonce"], "paradigm": ["vision_text", "matching"]},
        {"paradigm": ["vision_only", "vision_text"]},
    ],
)
def test_values_that_some_cell_has_or_had_before_it_was_taken_out(changes: dict[str, Any]) -> None:
    assert notes(**changes) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), ([1, "x"], "[1, x]"), ({"name": "lda"}, "{name: lda}"), (None, "null")],
)
def test_a_value_is_one_line_of_yaml(value: object, text: str) -> None:
    assert as_flow(value) == text
