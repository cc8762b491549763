"""YAML as researchers mean it: 5e-6 is a number, no key twice, nothing runs, nothing explodes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.core.errors import TaskError
from harness.task.yaml_reader import MAX_BYTES, MAX_NODES, parse, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-6", 5e-6), ("1E3", 1000.0), ("1.5", 1.5), (".5", 0.5), ("-2e+2", -200.0), ("3", 3),
        ("+1e2", 100.0), ("1_0.5", 10.5), ("007", 7),
    ],
)  # fmt: skip
def test_numbers_are_numbers(text: str, value: float) -> None:
    found = parse(text, "here")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["1x1", "e5", "half:0", "5e", "v1.5", "1e5x", "released:30"])
def test_words_stay_words(text: str) -> None:
    assert parse(text, "here") == text


def test_infinity_is_read() -> None:
    assert math.isinf(parse(".inf", "here"))
    assert math.isnan(parse(".nan", "here"))


def test_nothing_is_none() -> None:
    assert parse("", "here") is None
    assert parse("# a comment\n", "here") is None


def refusal(text: str) -> str:
    with pytest.raises(TaskError) as caught:
        parse(text, "t.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "t.yaml: line 2: key 'a' is given twice"),
        ("x:\n  a: 1\n  a: 2", "t.yaml: line 3: key 'a' is given twice"),
        ("? [1, 2]\n: 3", "t.yaml: line 1: a key must be plain text"),
        ("a: 2026-13-01", "t.yaml: line 1: month must be in 1..12"),
        ('a: "\\ud800"', "t.yaml: line 1: half a character (a lone surrogate)"),
        ("a: &a [*a]", "t.yaml: line 1: an alias that contains itself"),
        ("a: [1", "t.yaml: line 1: expected ',' or ']', but got '<stream end>'"),
        ("a: b: c", "t.yaml: line 1: mapping values are not allowed here"),
        ("--- 1\n--- 2", "t.yaml: line 2: but found another document"),
    ],
)
def test_what_is_refused_has_its_line(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    "tag",
    ["!!python/object/apply:os.getcwd []", "!!python/name:os.system", "!include x", "!!binary x"],
)
def test_no_tag_runs_anything(tag: str) -> None:
    message = refusal(f"a: {tag}")
    assert message.startswith("t.yaml: ")
    assert "could not determine a constructor" in message or "base64" in message


def test_a_bomb_of_aliases_is_counted_and_not_built() -> None:
    bomb = "a0: &a0 [1, 1]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    assert f"aliases expand to more than {MAX_NODES} values" in refusal(bomb)


def test_deep_nesting_is_refused() -> None:
    assert refusal("[" * 5000 + "]" * 5000) == "t.yaml: is nested too deeply"


# --- files ---------------------------------------------------------------------------------------


def test_a_file_is_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("recipe: {lr: 1e-3}\nshots: [1, 2]\n", encoding="utf-8")
    assert read(path) == {"recipe": {"lr": 1e-3}, "shots": [1, 2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- 1\n", "must be a mapping of keys, not a list"),
        (b"", "must be a mapping of keys, not nothing"),
        (b"text", "must be a mapping of keys, not text"),
        (b"3", "must be a mapping of keys, not a number"),
        (b"a: \xff", "is not UTF-8 (byte 3); save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), f"is {MAX_BYTES + 1} bytes; a task has at most {MAX_BYTES}"),
    ],
)
def test_what_is_no_task_file(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(content)
    with pytest.raises(TaskError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"gone\.yaml: cannot be read: No such file"):
        read(tmp_path / "gone.yaml")
    with pytest.raises(TaskError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_a_key_is_a_name_even_where_yaml_1_1_has_a_boolean() -> None:
    assert parse("head: {on: backbone, no: 1}\nflag: on", "x") == {
        "head": {"on": "backbone", "no": 1}, "flag": True,
    }  # fmt: skip


@pytest.mark.parametrize("number", ["010", "-0017", "1:30"])
def test_a_number_to_another_base_is_refused(number: str) -> None:
    with pytest.raises(TaskError, match=f"line 2: {number} is a number to the base of 8 or 60"):
        parse(f"a: 1\nshots: {number}\n", "task.yaml")
    assert parse(f"shots: '{number}'", "task.yaml") == {"shots": number}
    assert parse("[0, 10, 0x10, 1_000, 0.5]", "task.yaml") == [0, 10, 16, 1000, 0.5]
