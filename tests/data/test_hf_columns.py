"""Columns of labels, pictures and groups: every kind that is read, and what is said of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest

from harness.core.errors import DataError
from harness.core.problems import MOST, DataProblems

from . import sources
from .hub_images import Wrong, assert_refused, names, read
from .sources import SPACED


def test_labels_of_every_kind(tmp_path: Path) -> None:
    strings = read(sources.parquet(tmp_path / "strings", kind="string"))
    assert strings.classes == tuple(sorted(sources.NAMES))  # as they are written
    numbers = read(sources.parquet(tmp_path / "numbers", kind="int", label="fine", image="img"),
                   label="fine", image="img")  # fmt: skip
    assert numbers.classes == ("0", "1", "2")
    assert numbers.train.labels.tolist() == [0, 1, 2] * 3


def test_numbers_stand_in_their_order(tmp_path: Path) -> None:
    tables = {}
    for split in ("train", "test"):
        made = sources.table(split, kind="int")
        tables[split] = made.map(
            lambda row: {"label": (2, 10, 1)[row["label"]]},
            new_fingerprint=f"numbers-{split}",
        )
    assert read(sources.saved(tmp_path / "x", **tables)).classes == ("1", "2", "10")


def test_splits_may_number_the_same_classes_otherwise(tmp_path: Path) -> None:
    mixed = tuple(reversed(sources.NAMES))
    root = sources.saved(
        tmp_path / "x", train=sources.table("train"), test=sources.table("test", names=mixed)
    )
    data = read(root)
    assert data.classes == SPACED
    assert data.test.labels[:3].tolist() == [2, 1, 0]


def test_a_declared_class_without_pictures_is_left_out_with_a_note(tmp_path: Path) -> None:
    names = (*sources.NAMES, "gone")
    data = read(sources.parquet(tmp_path / "x", names=names))
    assert data.classes == SPACED
    assert "1 (gone)" in data.notes[0]


def test_a_group_column(tmp_path: Path) -> None:
    tables = {}
    for split in ("train", "test"):
        made = sources.table(split)
        tables[split] = made.add_column(
            "film", ["a", "a", "b", *map(str, range(len(made) - 3))], new_fingerprint=f"g-{split}"
        )
    data = read(sources.saved(tmp_path / "x", **tables), group="film")
    assert data.test.groups[:4].tolist() == [0, 0, 1, 2]


# --- what cannot be -----------------------------------------------------------------------------


def _plain(root: Path) -> None:
    sources.parquet(root)


def _other_strings(root: Path) -> None:
    names = ("red_car", "blue_boat", "gren_bus")
    sources.saved(root, train=sources.table("train", kind="string"),
                  test=sources.table("test", kind="string", names=names))  # fmt: skip


def _other_classes(root: Path) -> None:
    names = ("red_car", "blue_boat", "gren_bus")
    sources.saved(root, train=sources.table("train"), test=sources.table("test", names=names))


def _other_kinds(root: Path) -> None:
    sources.saved(root, train=sources.table("train"), test=sources.table("test", kind="int"))


def _hidden_labels(root: Path) -> None:
    test = sources.table("test").map(lambda _: {"label": -1}, new_fingerprint="hidden")
    sources.saved(root, train=sources.table("train"), test=test)


def labelled(split: str, labels: dict[int, object], **options: Any) -> Any:
    """A table of which some rows have other labels."""
    return sources.table(split, **options).map(
        lambda row, n: {"label": labels.get(n, row["label"])}, with_indices=True,
        new_fingerprint=f"{split}-{len(labels)}",
    )  # fmt: skip


BAD: list[Wrong] = [
    (_plain, {"image": "img"}, ("column 'img'", "allowed: image, label", "Did you mean 'image'")),
    (_plain, {"image": "label"}, ("'label' holds ClassLabel", "columns of pictures: image")),
    (_plain, {"label": "labels"}, ("column 'labels'", "Did you mean 'label'")),
    (_plain, {"label": "image"}, ("holds Image", "allowed: ClassLabel, strings, integers")),
    (_plain, {"group": "film"}, ("group", "'film'", "image, label")),
    (_other_strings, {}, ("do not match", "'gren_bus' of split 'test'", "Did you mean 'green_bus")),
    (_other_kinds, {}, ("do not match", "ClassLabel in split 'train'", "integers in split")),
    (_hidden_labels, {}, ("6 rows of split 'test' have no label: 0, 1, 2", "published as -1")),
]  # fmt: skip


@pytest.mark.parametrize("wrong", BAD, ids=names(BAD))
def test_what_is_wrong_is_one_sentence(wrong: Wrong, tmp_path: Path) -> None:
    assert_refused(tmp_path / "d", wrong)


def told(root: Path) -> list[str]:
    """The problems that opening it tells in one go."""
    with pytest.raises(DataProblems) as error:
        read(root)
    return [line.removeprefix(f"hf:{root}: label: ") for line in error.value.lines]


def test_classes_that_one_split_lacks_are_told_in_one_go(tmp_path: Path) -> None:
    _other_classes(tmp_path / "d")
    assert told(tmp_path / "d") == [
        "the splits do not match: 'green_bus' of split 'train' is not a class of split 'test'; "
        "allowed: blue_boat, gren_bus, red_car. Did you mean 'gren_bus'?",
        "the splits do not match: 'gren_bus' of split 'test' is not a class of split 'train'; "
        "allowed: blue_boat, green_bus, red_car. Did you mean 'green_bus'?",
    ]


def test_all_that_is_wrong_with_strings_is_told_in_one_go(tmp_path: Path) -> None:
    train = labelled("train", {0: None, 4: "", 8: "Red_car"}, kind="string")
    test = labelled("test", {1: "plane", 2: "gren_bus", 5: "plane"}, kind="string")
    root = sources.saved(tmp_path / "d", train=train, test=test)
    assert told(root) == [
        "2 rows of split 'train' have no label: 0, 4",
        "the splits do not match: 'gren_bus' of split 'test' is not a label of split 'train'. "
        "Did you mean 'green_bus'?",
        "the splits do not match: 'plane' of split 'test' is not a label of split 'train'",
        f"duplicate class names in hf:{root}, column 'label': 'Red_car' and 'red_car'",
    ]


def test_one_row_without_a_label_is_one_sentence(tmp_path: Path) -> None:
    train = labelled("train", {3: None})
    root = sources.saved(tmp_path / "d", train=train, test=sources.table("test"))
    with pytest.raises(DataError, match=r"^hf:.*: label: row 3 of split 'train' has no label$"):
        read(root)


def test_many_labels_are_told_up_to_a_number(tmp_path: Path) -> None:
    """Twenty of a kind, and how many there are beside them."""
    train, test = sources.table("train", kind="string"), sources.table("test", kind="string")
    more = datasets.concatenate_datasets([test] * 5)
    more = more.remove_columns("label").add_column("label", [f"{n}x" for n in range(30)])
    *lines, last = told(sources.saved(tmp_path / "d", train=train, test=more))
    assert (len(lines), last) == (MOST, "... and 10 more")


def test_a_file_that_a_table_lists_twice_is_told(tmp_path: Path) -> None:
    """With the same label or another."""
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for label, n in sources.rows(split):
            (tmp_path / split / f"{label}_{n}.png").write_bytes(sources.encoded(label, n))
        lines = [f"{label}_{n}.png,{sources.NAMES[label]}" for label, n in sources.rows(split)]
        if split == "train":
            lines += ["0_0.png,red_car", "./1_0.png,green_bus"]
        text = "\n".join(["file_name,label", *lines])
        (tmp_path / split / "metadata.csv").write_text(text, encoding="utf-8")
    where = f"hf:{tmp_path}: split 'train': {tmp_path}/train"
    assert told(tmp_path) == [
        f"{where}/0_0.png is listed twice, in rows 0 and 9, as 'red_car'",
        f"{where}/1_0.png is listed twice, in rows 1 and 10, as 'blue_boat' and 'green_bus'",
    ]
