"""A dataset as an argument: a name, or a mapping with options as in a task."""

from __future__ import annotations

import pytest

from harness.commands._dataset import dataset_choice
from harness.core.cells import Choice
from harness.core.errors import BadInput


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("emoji", Choice("emoji")),
        ("folder:a: b", Choice("folder:a: b")),
        ("{name: video:clips, split: 2}", Choice("video:clips", (("split", 2),))),
        (" {name: emoji}", Choice("emoji")),
    ],
)
def test_choices(text: str, choice: Choice) -> None:
    assert dataset_choice(text, "NAME") == choice


@pytest.mark.parametrize("text", ["{split: 2}", "{name: 3}", "{a: [", "{name: emoji, name: emoji}"])
def test_what_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"^--dataset"):
        dataset_choice(text, "--dataset")
