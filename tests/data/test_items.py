"""Items, hashes over all of them, and names of classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.data import _items


def test_a_row_without_a_group_is_a_group_of_its_own() -> None:
    items = _items.items_of([("a", 0, "g"), ("b", 1, ""), ("c", 0, "g"), ("d", 1, "")])
    assert items.ids == ("a", "b", "c", "d")
    assert items.labels.tolist() == [0, 1, 0, 1]
    assert items.groups.tolist() == [0, 1, 0, 2]


def test_a_manifest_holds_split_size_label_and_group(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"12")
    rows = [("train", "x.png", "a", ""), ("test", "x.png", "a", ""), ("train", "x.png", "a", "g"),
            ("train", "x.png", "b", "")]  # fmt: skip
    before = [_items.manifest(tmp_path, [row]) for row in rows]
    assert len(set(before)) == 4
    (tmp_path / "x.png").write_bytes(b"123")
    assert _items.manifest(tmp_path, rows[:1]) not in before


def test_the_order_of_lines_does_not_matter() -> None:
    assert _items.lines_hash(["a", "b"]) == _items.lines_hash(["b", "a"])
    assert _items.lines_hash(["a", "b"]) != _items.lines_hash(["a", "c"])


@pytest.mark.parametrize(
    ("one", "other"),
    [("Oak tree", "oak_tree"), ("a  b", "a b"), ("\uff21", "A"), ("STRASSE", "straße")],
)
def test_names_that_read_as_one_are_refused(one: str, other: str) -> None:
    with pytest.raises(DataError) as told:
        _items.refuse_duplicate_names([one, "cat", other], "list.txt")
    assert str(told.value) == f"duplicate class names in list.txt: '{one}' and '{other}'"


def test_other_names_are_not() -> None:
    assert _items.refuse_duplicate_names(["oak", "oak tree", "oaks"], "x") is None


def test_the_note_on_a_split_that_is_not_used() -> None:
    items = _items.items_of([("a", 0, ""), ("b", 0, "")])
    (note,) = _items.unused_split_note(items, "folder:x", "val")
    assert "folder:x in its split 'val'" in note
    assert note.endswith(": 2.")
    assert _items.unused_split_note(None, "folder:x", "val") == ()
    assert _items.unused_split_note(_items.items_of([]), "folder:x", "val") == ()
