"""Published lists: JSON and JSONL, paths from elsewhere, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import DataError
from harness.core.published_lists import ItemsByPath, named_list, read_list
from harness.data._items import items_of
from harness.sampling.listed import list_path, listed_support
from tests.sampling.toy import toy

ITEMS = [("img/a_1.jpg", 0), ("img/b_1.jpg", 1), ("img/a_2.jpg", 0), ("img/c_1.jpg", 2)]
DATA = toy(classes=("red car", "blue boat", "bus"), train=items_of([(i, c, "") for i, c in ITEMS]))
GOOD = [("b_1.jpg", "blue_boat"), ("a_2.jpg", "red_car"), ("c_1.jpg", "bus")]

Edit = Callable[[list[Any]], object]


def as_json(path: Path, rows: list[tuple[str, str]]) -> Path:
    data = [{"impath": f"./data/x/img/{p}", "label": 0, "classname": n} for p, n in rows]
    path.write_text(json.dumps({"train": {"data": data, "indices": []}, "val": {"data": data}}))
    return path


def as_jsonl(path: Path, rows: list[tuple[str, str]]) -> Path:
    data = ({"_impath": p, "_label": 0, "_domain": 0, "_classname": n} for p, n in rows)
    path.write_text("\n".join(map(json.dumps, data)) + "\n")
    return path


@pytest.mark.parametrize("write", [as_json, as_jsonl])
def test_the_samples_of_a_list_in_its_order(write: Any, tmp_path: Path) -> None:
    suffix = ".json" if write is as_json else ".jsonl"
    path = write(tmp_path / f"shot_1-seed_1{suffix}", GOOD)
    support = listed_support(DATA, [0, 1, 2], path, 1, 1)
    assert support.items == ("img/b_1.jpg", "img/a_2.jpg", "img/c_1.jpg")
    assert support.labels == (1, 0, 2)
    part = listed_support(DATA, [2, 0], path, 1, 1)
    assert (part.items, part.labels) == (("img/a_2.jpg", "img/c_1.jpg"), (1, 0))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*GOOD, ("z_9.jpg", "bus")], r"entry 3 \(\S*z_9.jpg\): there is no such item in the tr"),
        ([*GOOD[:2], ("c_1.jpg", "buss")], r"entry 2 .*no class 'buss'.*Did you mean 'bus'"),
        ([*GOOD[:2], ("c_1.jpg", "red_car")], r"entry 2 .*of class 'red_car' there and of 'bus'"),
        ([*GOOD, GOOD[0]], r"entry 3 .*is listed before"),
        (GOOD[:2], r"does not list 1 samples of every class: 'bus' 0 \(expected: 1\)"),
        ([*GOOD, ("a_1.jpg", "red car")], r"'red car' 2 \(expected: 1\)"),
        ([], r"lists no sample"),
    ],
)
def test_what_is_refused(rows: list[tuple[str, str]], message: str, tmp_path: Path) -> None:
    path = as_json(tmp_path / "list.json", rows)
    with pytest.raises(DataError, match=message) as told:
        listed_support(DATA, [0, 1, 2], path, 1, 1)
    assert "list.json" in str(told.value)


def test_a_class_of_fewer_than_k_gives_all(tmp_path: Path) -> None:
    path = as_json(tmp_path / "list.json", [*GOOD, ("a_1.jpg", "red car")])
    assert len(listed_support(DATA, [0, 1, 2], path, 2, 1).items) == 4


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "is no JSON"),
        ("a.json", "[]", "no list of samples under train"),
        ("a.json", '{"train": {"data": [{"impath": 3}]}}', "entry 0 has no impath and classname"),
        ("a.jsonl", '{"_impath": "x"}\n', "line 1 has no _impath and _classname"),
        ("a.jsonl", "{\n", "line 1 is no JSON"),
    ],
)
def test_malformed_files(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_list(tmp_path / name)
    with pytest.raises(DataError, match="missing"):
        read_list(tmp_path / "missing.json")


def test_paths_that_may_mean_two_items_mean_none() -> None:
    items = ItemsByPath(["img/a/1.jpg", "img/b/1.jpg", "b/1.jpg"])
    assert items.of("/data/img/a/1.jpg") == "img/a/1.jpg"
    assert items.of("a/1.jpg") == "img/a/1.jpg"
    assert items.of("1.jpg") is None
    assert items.of("/data/img/b/1.jpg") == "img/b/1.jpg"
    assert items.of("11.jpg") is None


def test_names_of_lists() -> None:
    found = named_list(Path("x/shot_16-seed_3.json"))
    assert found is not None
    assert (found.shots, found.seed, found.split) == (16, 3, None)
    lines = named_list(Path("shot_1-seed_2_val.jsonl"))
    assert lines is not None
    assert (lines.shots, lines.seed, lines.split) == (1, 2, "val")
    assert named_list(Path("split_zhou_OxfordPets.json")) is None
    assert list_path("l/shot_{shots}-seed_{seed}.json", 4, 2) == Path("l/shot_4-seed_2.json")
