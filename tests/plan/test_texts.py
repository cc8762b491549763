"""Notes on class texts, from their strings alone."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from conftest import plan_of

from harness.core.text_form import CANONICAL, LATIN, TextForm

from .conftest import AddDataset, AddEncoder

LOWER = TextForm(lower=True, spaces=True, script=LATIN)


@pytest.fixture
def notes(
    task: dict[str, Any], add_dataset: AddDataset, add_encoder: AddEncoder, tmp_path: Any
) -> Any:
    numbers = count()  # a plugin is loaded once under its name

    def of(*names: str, form: TextForm = LOWER, **changes: Any) -> list[str]:
        classes = [*names, *(f"class {chr(97 + i)}" for i in range(10 - len(names)))]
        number = next(numbers)
        changed = {
            "dataset": add_dataset(f"named{number}", classes=classes),
            "encoder": add_encoder(f"formed{number}", text_form=form),
        }
        return list(plan_of(task | changed | changes, tmp_path).notes())

    return of


def test_ordinary_names_have_no_note(notes: Any) -> None:
    assert notes("cat", "dog 2", "caf\u00e9") == []


def test_texts_that_are_equal_when_cleaned(notes: Any) -> None:
    (note,) = notes("Red Cat", "red  cat ", "dog")
    assert "reads the texts of 'Red Cat' and 'red  cat ' as the same; cells that begin" in note
    assert "allow: [equal_texts]" in note
    (note,) = notes("Red Cat", "red cat", "dog", allow=["equal_texts"])
    assert note.endswith("as the same.")
    assert notes("Red Cat", "red cat", form=TextForm()) == []  # a tower that sees capitals
    (note,) = notes("caf\u00e9", "cafe", form=TextForm(no_accents=True))
    assert "'caf\u00e9' and 'cafe'" in note
    assert notes("caf\u00e9", "cafe") == []


def test_names_in_a_template_are_compared_whole(notes: Any) -> None:
    prompt = {"name": "template", "text": "a picture of a {}."}
    (note,) = notes("Cat!", "cat", form=CANONICAL, prompt=prompt)
    assert "'Cat!' and 'cat'" in note
    assert notes("{}", "{{}}", prompt=prompt) == []


def test_names_that_say_nothing(notes: Any) -> None:
    (note,) = notes("0", "1", "12.5", "dog 3")
    assert note == (
        "3 of 10 class names are numbers: for a text encoder they do not say what the class is "
        "('0', '1', '12.5')."
    )
    (note,) = notes("n01440764", "n01443537")
    assert note.startswith("2 of 10 class names are WordNet ids: ")


def test_names_of_another_script(notes: Any) -> None:
    (note,) = notes("\u732b", "\u72ac", "\u0627\u0644\u0642\u0637", "cat")
    assert note.startswith("3 of 10 class names are not in Latin script, in which ")
    assert notes("\u732b", "\u72ac", form=TextForm(lower=True)) == []  # no claim


def test_a_name_of_which_nothing_is_left(notes: Any) -> None:
    (note,) = notes("?!", "cat", form=CANONICAL)
    assert note.startswith("1 of 10 class names are empty when ")


@pytest.mark.parametrize("classifier", ["random", "prototype"])
def test_rows_without_texts_have_no_note(notes: Any, classifier: str) -> None:
    assert notes("Cat", "cat", "12", classifier=classifier) == []


def test_the_form_of_the_texts_is_named(notes: Any) -> None:
    (note,) = notes("cat", form=TextForm(says="reads texts in a form of its own"))
    assert note.endswith("formed0 reads texts in a form of its own.")
