"""What a report says of the protocol of a task."""

from __future__ import annotations

from typing import Any

import pytest

from harness.task.departures import protocol_notes, protocol_of
from harness.task.grid import expand
from harness.task.notes import values_of_no_cell
from harness.task.read import validate

from .test_protocols import TASK, task


def said(**changes: Any) -> str:
    return protocol_of(task(**changes), "task.yaml")


def test_a_task_that_keeps_it() -> None:
    assert said() == "text4vis"
    assert said(recipe={"preset": "text4vis"}, views="4x3") == "text4vis"
    assert said(recipe={"lr": 1, "epochs": 200, "lr_every": 10}) == "text4vis"
    assert protocol_of(validate({**TASK, "protocol": None}, "t"), "t") == ""


@pytest.mark.parametrize(
    ("changes", "departures"),
    [
        ({"crops": None}, "crops null (there full_resolution)"),
        ({"crops": [None, "full_resolution"]},
         "crops [null, full_resolution] (there full_resolution)"),
        ({"recipe": {"lr_every": 1}}, "recipe.lr_every 1 (there 10)"),
        ({"recipe": {"by": {"text": {"crop": None}}}}, "recipe.by.text.crop null (there tsn)"),
        ({"dataset": {"name": "video:a", "position": "centre"}},
         "position of video:a centre (there first)"),
        ({"temporal": [{"name": "t_trans", "heads": 4}, "tap"]},
         "heads of t_trans 4 (there text_width)"),
        ({"include": [{"recipe": {"repeats": None}}]}, "recipe.repeats null (there random)"),
        ({"crops": None, "clip_starts": None},
         "clip_starts null (there linspace), crops null (there full_resolution)"),
    ],
)  # fmt: skip
def test_a_task_that_departs_from_it(changes: dict[str, Any], departures: str) -> None:
    assert said(**changes) == f"text4vis, but for {departures}"


def test_values_of_the_protocol_are_no_mistake_of_the_task() -> None:
    """One clip has no starts; that is told of a value that the task itself has."""
    assert values_of_no_cell(task(), "task.yaml") == []
    own = validate({**TASK, "protocol": None, "clip_starts": "linspace"}, "task.yaml")
    assert values_of_no_cell(own, "task.yaml") == [
        "clip_starts: linspace applies to no cell of this task"
    ]


#: A linear head that is solved has no steps, no crops and no batch norm.
SOLVED: dict[str, Any] = {
    "dataset": "emoji", "regime": "few_shot", "shots": 1, "tuning": "head", "temporal": "none",
    "encoder": "embedded/lit-emoji", "paradigm": "vision_only",
}  # fmt: skip


def test_a_solver_without_steps_drops_no_key_of_a_recipe_without_a_word() -> None:
    solved = task(**SOLVED, recipe={"l2": 1e-3, "lr": 0.5, "lr_every": 10})
    assert values_of_no_cell(solved, "task.yaml") == [
        "recipe.lr: [0.5] applies to no cell of this task"
    ]
    assert protocol_notes(solved, "task.yaml", expand(solved)) == [
        "protocol text4vis; of no cell here: clip_starts, recipe.augment, recipe.crop, "
        "recipe.repeats, recipe.lr_every, recipe.batch_norm, recipe.epoch_length"
    ]
    public = task(views="4x3")
    assert protocol_notes(public, "task.yaml", expand(public)) == [
        "protocol text4vis; of no cell here: recipe.epoch_length"
    ], "of all samples an epoch is full as it is"
