"""Counts of a data set, and where they differ from the official ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.data._image_files import ImageFiles
from harness.data._items import items_of
from harness.data._official import Count, count, differences, without_items

KNOWN: dict[str, Any] = {
    "classes": 2,
    "loses_items": False,
    "splits": {"1": {"train": 4, "test": None}},
    "per_class": {"train": (2, 2)},
}


@pytest.fixture
def data(tmp_path: Path) -> ImageFiles:
    train = items_of([("a1", 0, ""), ("a2", 0, ""), ("b1", 1, "")])
    return ImageFiles(tmp_path, ("a", "b"), train, items_of([("a3", 0, "")]), "m", {})


def test_what_is_listed_and_what_is_there(data: ImageFiles) -> None:
    counts = count(data, ["a2"])
    assert counts["train"] == Count(3, 1, {"a": 1, "b": 1})
    assert counts["train"].there == 2
    assert counts["test"].plain() == {
        "listed": 1, "there": 1, "missing": 0, "per_class": {"a": 1, "b": 0},
    }  # fmt: skip


def test_classes_without_an_item_are_named(data: ImageFiles) -> None:
    assert without_items(count(data, ["b1"])) == [
        "train: 1 classes have no item: b",
        "test: 1 classes have no item: b",
    ]


def test_fewer_items_are_a_problem_unless_a_data_set_is_known_to_lose_them(
    data: ImageFiles,
) -> None:
    few = ["train: 3 items; officially 4", "train: 1 classes have fewer than 2 items: b 1"]
    assert differences(count(data, []), KNOWN, 1) == (few, [])
    assert differences(count(data, []), KNOWN | {"loses_items": True}, 1) == ([], few)


def test_more_items_are_always_a_problem(data: ImageFiles) -> None:
    splits = {"1": {"train": 2, "test": None}}
    known = KNOWN | {"loses_items": True, "splits": splits, "per_class": {"train": (1, 1)}}
    assert differences(count(data, []), known, 1)[0] == [
        "train: 3 items; officially 2",
        "train: 1 classes have more than 1 items: a 2",
    ]


def test_a_data_set_for_testing_alone_is_remarked(tmp_path: Path) -> None:
    test = items_of([("a", 0, ""), ("b", 1, "")])
    alone = ImageFiles(tmp_path, ("a", "b"), items_of([]), test, "m", {})
    assert differences(count(alone, []), KNOWN, 1) == ([], ["there is no training split"])
    assert differences(count(alone, []), KNOWN | {"classes": 3}, 1)[0] == [
        "2 classes; officially 3"
    ]
