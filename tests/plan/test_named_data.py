"""Prompts that depend on the data set: planning fills in its name, or refuses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core.cells import Choice
from harness.core.errors import TaskError
from harness.plan.named_data import dataset_name
from plan.conftest import AddDataset


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        (Choice("coop:/d/oxford_pets"), "oxford_pets"),
        (Choice("coop:/d", (("dataset", "dtd"),)), "dtd"),
        (Choice("folder:eurosat/"), "eurosat"),
        (Choice("features:f/sun397.npz"), "sun397"),
        (Choice("emoji"), "emoji"),
    ],
)
def test_the_name_of_a_data_set(choice: Choice, name: str) -> None:
    assert dataset_name(choice) == name


def prompt_texts(task: dict[str, Any], runs: Path, **changes: Any) -> list[list[str]]:
    setup = plan_of(task, runs, classifier="text", seeds=1, **changes).cells[0].setup
    return setup.prompt.plugin.texts(["x"], setup.prompt.options)


def test_the_name_comes_from_the_data_set_or_the_option(
    task: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(TaskError, match=r"prompt: coop: option dataset: .* none of CoOp's"):
        prompt_texts(task, tmp_path, prompt="coop")
    pets = {"name": "coop", "dataset": "oxford_pets"}
    assert prompt_texts(task, tmp_path, prompt=pets) == [["a photo of a x, a type of pet."]]


def test_trained_on_one_and_tested_on_another(
    task: dict[str, Any], tmp_path: Path, add_dataset: AddDataset
) -> None:
    across: dict[str, Any] = {
        "regime": "zero_shot", "shots": None, "test_dataset": add_dataset("other"),
        "train_classes": {"from": "rear"}, "prompt": "coop",
        "allow": ["shared_classes"],
    }  # fmt: skip
    with pytest.raises(TaskError, match="name the one whose texts are meant"):
        prompt_texts(task, tmp_path, **across)
    named = {"name": "coop", "dataset": "ucf101"}
    texts = prompt_texts(task, tmp_path, **{**across, "prompt": named})
    assert texts == [["a photo of a person doing x."]]
