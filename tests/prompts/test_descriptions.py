"""descriptions: sentences of a file, and what is wrong with a file as one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.core.errors import BadInput
from harness.prompts import descriptions
from harness.prompts.descriptions import Options


def written(folder: Path, content: Any) -> str:
    path = folder / "sentences.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return str(path)


def test_sentences_of_the_classes_in_their_order(tmp_path: Path) -> None:
    file = written(tmp_path, {"oak": ["a tall tree", " with acorns "], "elm": ["é"], "ash": ["x"]})
    found = descriptions.texts(["elm", "oak"], Options(file=file))
    assert found == [["é"], ["a tall tree", "with acorns"]]


def test_classes_without_a_sentence_are_named(tmp_path: Path) -> None:
    file = written(tmp_path, {"oak": ["a tree"], "elm": []})
    with pytest.raises(BadInput) as caught:
        descriptions.texts(["elm", "oak", "ash"], Options(file=file))
    assert str(caught.value) == f"{file} has no sentence on 2 of the 3 classes: 'elm', 'ash'"
    many = [f"c{i}" for i in range(25)]
    with pytest.raises(BadInput, match=r"'c19' and 5 more$"):
        descriptions.texts(many, Options(file=file))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"oak": ["a"],\n "elm": [}', "line 2 is no JSON"),
        (["oak"], "is no JSON object"),
        ({"oak": "a tree"}, "class 'oak' has no list of sentences, but \"a tree\""),
        ({"oak": ["a", 3]}, "class 'oak' has no list of sentences"),
        ({"oak": ["a", " "]}, "class 'oak' has a sentence without a word"),
        ('{"oak": ["a"], "oak": ["b"]}', "class 'oak' is there twice"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=r"sentences\.json") as caught:
        Options(file=written(tmp_path, content))
    assert problem in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="there is no file"):
        Options(file=str(tmp_path / "none.json"))
    with pytest.raises(ValidationError, match="it is a folder"):
        Options(file=str(tmp_path))
