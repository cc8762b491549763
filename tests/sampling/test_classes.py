"""Which classes take part: prefixes of one draw, the field's half splits, files of names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.cells import ClassPick
from harness.core.errors import DataError
from harness.core.seeding import stream_seed
from harness.sampling.classes import pick_classes
from tests.sampling.toy import toy


def test_picked_classes_are_a_prefix_of_one_draw() -> None:
    few = pick_classes(toy(), ClassPick(3), 0)
    more = pick_classes(toy(), ClassPick(6), 0)
    assert set(few) < set(more)
    assert pick_classes(toy(), ClassPick(3), 1) != few


def test_training_classes_are_drawn_around_the_test_classes() -> None:
    tested = pick_classes(toy(), ClassPick(4), 0)
    trained = pick_classes(toy(), ClassPick(), None, without=tested)
    assert set(trained) | set(tested) == set(range(10))
    assert not set(trained) & set(tested)


def test_half_splits_are_those_of_the_field() -> None:
    expected = sorted(np.random.RandomState(3).permutation(10)[:5].tolist())
    assert list(pick_classes(toy(), ClassPick(half=3), None)) == expected


def test_parts_limit_the_draw() -> None:
    assert set(pick_classes(toy(), ClassPick(part="rear"), None)) == set(range(5, 10))
    with pytest.raises(DataError, match="6 of the 5 classes of 'rear'"):
        pick_classes(toy(), ClassPick(6, "rear"), 0)


def test_classes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("class 4\n\nclass 2\n", encoding="utf-8-sig")
    assert pick_classes(toy(), ClassPick(file=str(file)), None) == (2, 4)
    file.write_text("clas 4\n")
    with pytest.raises(DataError, match="Did you mean 'class 4'"):
        pick_classes(toy(), ClassPick(file=str(file)), None)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "names no class"),
        (b"\n  \n", "names no class"),
        (
            b"class 1\nclas 4\n",
            "names 'clas 4', which is not a class of the dataset. Did you mean 'class 4'?",
        ),
        (b"clas 4\nclas 5\n", "2 problems:"),
        (b"id,name\n0,class 1\n1\n", "'1' is not 'id,name'"),
        (b"\xff", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_files_that_name_no_classes(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "names.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError) as caught:
        pick_classes(toy(), ClassPick(file=str(file)), None)
    assert str(file) in str(caught.value)
    assert says in str(caught.value)


def test_a_table_of_ids_and_names(tmp_path: Path) -> None:
    """As Kinetics has one; a class whose name holds a comma is quoted."""
    file = tmp_path / "names.csv"
    file.write_text('Id, Name\n0,"class 4"\n7,class 2\n')
    assert pick_classes(toy(), ClassPick(file=str(file)), None) == (2, 4)


def test_a_name_given_twice_is_one_class(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("class 2\nclass 2\n")
    assert pick_classes(toy(), ClassPick(file=str(file)), None) == (2,)


def test_a_draw_never_changes() -> None:
    """Classes of published studies depend on it."""
    order = np.random.default_rng(stream_seed(5, "classes", "all")).permutation(10)
    assert pick_classes(toy(), ClassPick(4), 5) == tuple(sorted(order[:4].tolist()))


def test_a_half_is_of_the_part_and_rounded_down() -> None:
    assert len(pick_classes(toy(), ClassPick(half=0, part="rear"), None)) == 2
    without = pick_classes(toy(), ClassPick(half=0), None, without=range(4))
    assert len(without) == 3
    assert not set(without) & set(range(4))
