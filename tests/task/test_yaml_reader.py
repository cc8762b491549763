import math

import pytest

from harness.core.errors import TaskError
from harness.task.yaml_reader import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [("5e-6", 5e-6), ("1E3", 1000.0), ("1.5", 1.5), (".5", 0.5), ("-2e+2", -200.0), ("3", 3)],
)
def test_numbers_are_numbers(text: str, value: float) -> None:
    found = parse(text, "here")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["1x1", "e5", "half:0", "5e", "v1.5"])
def test_words_stay_words(text: str) -> None:
    assert parse(text, "here") == text


def test_infinity_is_read() -> None:
    assert math.isinf(parse(".inf", "here"))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: 1\na: 2", "given twice"),
        ("a: !!python/object/apply:os.getcwd []", "tag"),
        ("a: [1", "line"),
        ("? [1, 2]\n: 3", "plain text"),
    ],
)
def test_what_is_refused(text: str, word: str) -> None:
    with pytest.raises(TaskError, match=word):
        parse(text, "here")
