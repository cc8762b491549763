"""What a classifier reads beside its USES: validation samples, and texts of its own."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cells import Choice
from harness.core.errors import TaskError
from harness.task.classifiers import classifier_prompt, reads_validation
from task.test_grid import cells

VALIDATED = Choice("text_prototype", (("weight", "validation"),))
DESCRIBED = Choice("descriptions", (("file", "f.json"),))


@pytest.mark.parametrize(
    ("choice", "reads", "prompt"),
    [
        (None, False, None),
        (Choice("text"), False, None),
        (Choice("no_such"), False, None),  # planning refuses it
        (Choice("text_prototype"), False, None),
        (VALIDATED, True, None),
        (DESCRIBED, False, DESCRIBED),
        (Choice("descriptions"), False, None),  # its options are refused
    ],
)
def test_what_is_read(choice: Choice | None, reads: bool, prompt: Choice | None) -> None:
    assert reads_validation(choice) == reads
    assert classifier_prompt(choice) == prompt


def test_validation_samples_are_those_of_its_own_cells() -> None:
    both: dict[str, Any] = {"classifier": ["text", VALIDATED.plain()], "val": 2}
    for tuning in ("none", "head", "projection"):
        found = {c.classifier: c.val for c in cells(**both, tuning=tuning)}
        assert found == {Choice("text"): None, VALIDATED: 2}


def test_val_is_refused_where_nobody_reads_it() -> None:
    with pytest.raises(TaskError, match="val: also needs search"):
        cells(classifier=["text", "text_prototype"], val=2)


def test_its_own_texts_take_the_place_of_the_prompt() -> None:
    found = cells(
        classifier=["text", DESCRIBED.plain()], prompt=["class_name", "template"], shots=1, seeds=1
    )
    assert [(c.classifier, c.prompt) for c in found] == [
        (Choice("text"), Choice("class_name")),
        (DESCRIBED, DESCRIBED),
        (Choice("text"), Choice("template")),
    ]
